"""The bodies of requests and answers of uploads, ours and those of Uppy's Companion protocol."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from function.core.errors import Invalid
from function.core.fields import (
    ContentType,
    Crc64Nvme,
    Description,
    Etag,
    FileName,
    OnConflict,
    PartChecksum,
    PartNumber,
    PartNumbers,
    Sha256,
    Size,
    Tags,
    UploadMethod,
    Username,
)
from function.core.limits import MAX_PARTS, MAX_SIGNED_PARTS
from function.core.models import Closed, Conditional


class UploadSpec(Conditional):
    """The file that an upload will make. `size` is bytes, None when the client does not say it."""

    file_name: FileName
    size: Size | None = None
    username: Username | None = None
    content_type: ContentType | None = None
    sha256: Sha256 | None = None
    crc64nvme: Crc64Nvme | None = None
    part_checksum: PartChecksum | None = None
    on_conflict: OnConflict = "replace"
    description: Description | None = None
    tags: Tags = ()
    method: Literal["multipart"] | None = None


class UploadRequest(UploadSpec):
    """A file to upload to S3: `size` is bytes; checksums are hexadecimal, and S3 verifies them.

    Give one at most: `sha256` of a file that is sent in one PUT (up to 64 MiB), `crc64nvme` of a
    file of any size, or `part_checksum`, with which each part is signed with its own SHA-256.
    `method` multipart has a small file sent in parts too, so that its upload can be resumed.
    """

    size: Size


class PutOrder(Closed):
    """How to send a file in one PUT: to `url`, with exactly `headers`, before `expires_at`."""

    url: str
    headers: dict[str, str]
    expires_at: str


class ArrivedPart(Closed):
    """A part that S3 has; `size` is bytes.

    `sha256` is hexadecimal, where S3 has verified one. Compare it, or else the ETag, with your own
    file before you resume: the ETag is the MD5 of the part.
    """

    part_number: int
    size: int
    etag: str
    sha256: str | None


class UploadView(Closed):
    """An upload in progress. Sizes are bytes; `size` is null when the client did not give one.

    Send the file in one PUT as `put` says, or in `total_parts` parts of `part_size` bytes, of which
    the last may be smaller, each to a URL that `POST /uploads/{id}/parts` signs. Both are null
    where the client cuts the parts itself, as Uppy does. `curl` is a command that does all of it,
    if no part needs a checksum.
    `arrived` and `missing` are part numbers; `parts` are those that have arrived, null once S3 has
    joined them.

    What others upload to your files names them: `uploader` is an account, `request` the file
    request that it answers, `sender` the name that was given there.
    """

    upload_id: str
    file_name: str
    owner: str
    size: int | None
    method: UploadMethod
    part_size: int | None
    total_parts: int | None
    created: str
    expires_at: str
    put: PutOrder | None = None
    curl: str | None = None
    arrived: list[int] | None = None
    missing: list[int] | None = None
    parts: list[ArrivedPart] | None = None
    uploader: str | None = None
    request: str | None = None
    sender: str | None = None


class PartToSign(Closed):
    """A part to sign; `sha256` is the hexadecimal hash of its bytes, which S3 then verifies."""

    part_number: PartNumber
    sha256: Sha256 | None = None


class PartsRequest(Closed):
    """The parts to sign, at most 100: their numbers alone, or with their hashes.

    An upload with `part_checksum` takes parts with hashes, all others take numbers.
    """

    part_numbers: PartNumbers | None = None
    parts: (
        Annotated[
            list[PartToSign],
            Field(min_length=1, max_length=MAX_SIGNED_PARTS, fail_fast=True),
        ]
        | None
    ) = None

    def hashes(self) -> dict[int, str | None]:
        """The hashes of the parts by number. Raises Invalid unless one of the two lists is set."""
        if (self.part_numbers is None) is (self.parts is None):
            reason = "give either part_numbers or parts"
            raise Invalid(errors=[{"at": "body.part_numbers", "reason": reason}])
        if self.parts is None:
            return dict.fromkeys(self.part_numbers or [])
        return {part.part_number: part.sha256 for part in self.parts}


class SignedPart(Closed):
    """A part's presigned URL for PUT, and its size in bytes; null when any size is accepted.

    Send exactly `headers` with it.
    """

    part_number: int
    url: str
    size: int | None
    headers: dict[str, str]
    expires_at: str


class SignedParts(Closed):
    """The presigned URLs of parts."""

    parts: list[SignedPart]


class SentPart(Closed):
    """A part that the client has sent, with the ETag that S3 answered."""

    part_number: PartNumber
    etag: Etag


class Completion(Closed):
    """The parts that the client has sent, with their ETags; by default those that S3 lists."""

    parts: Annotated[list[SentPart], Field(max_length=MAX_PARTS, fail_fast=True)] | None = None


class Received(Closed):
    """A file that was uploaded to a file request, under the name that its uploader gave it."""

    file_name: str
    size: int
    sha256: str | None
    received: str


class CompanionUpload(BaseModel):
    """The body with which Uppy creates an upload; `size` is bytes, by default `metadata.size`."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    filename: FileName
    type: str | None = None
    size: Size | None = None
    metadata: dict[str, Any] = {}


class CompanionPart(BaseModel):
    """A part in Uppy's field names."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    PartNumber: PartNumber
    ETag: Etag


class CompanionCompletion(BaseModel):
    """The body with which Uppy completes an upload."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    parts: Annotated[list[CompanionPart], Field(max_length=MAX_PARTS, fail_fast=True)]
