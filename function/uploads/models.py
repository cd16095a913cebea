"""The bodies of requests and answers of uploads, ours and those of Uppy's Companion protocol."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from function.core.fields import (
    ContentType,
    Description,
    Etag,
    FileName,
    OnConflict,
    PartNumber,
    PartNumbers,
    Sha256,
    Size,
    Tags,
    UploadMethod,
    Username,
)
from function.core.limits import MAX_PARTS
from function.core.models import Closed, Conditional


class UploadSpec(Conditional):
    """The file that an upload will make. `size` is bytes, None when the client does not say it."""

    file_name: FileName
    size: Size | None = None
    username: Username | None = None
    content_type: ContentType | None = None
    sha256: Sha256 | None = None
    on_conflict: OnConflict = "replace"
    description: Description | None = None
    tags: Tags = ()


class UploadRequest(UploadSpec):
    """A file to upload to S3: `size` is bytes, `sha256` is hexadecimal and of the whole file.

    With `sha256`, S3 refuses other bytes when the file is sent in one PUT (up to 64 MiB).
    """

    size: Size


class PutOrder(Closed):
    """How to send a file in one PUT: to `url`, with exactly `headers`, before `expires_at`."""

    url: str
    headers: dict[str, str]
    expires_at: str


class UploadView(Closed):
    """An upload in progress. Sizes are bytes; `size` is null when the client did not give one.

    Send the file in one PUT as `put` says, or in `total_parts` parts of `part_size` bytes, of which
    the last may be smaller, each to a URL that `POST /uploads/{id}/parts` signs. Both are null
    where the client cuts the parts itself, as Uppy does. `curl` is a command that does all of it.
    `arrived` and `missing` are part numbers.

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
    uploader: str | None = None
    request: str | None = None
    sender: str | None = None


class PartsRequest(Closed):
    """The numbers of the parts to sign, at most 100."""

    part_numbers: PartNumbers


class SignedPart(Closed):
    """A part's presigned URL for PUT, and its size in bytes; null when any size is accepted."""

    part_number: int
    url: str
    size: int | None
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
