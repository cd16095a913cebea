"""The bodies of uploads and downloads that go straight to S3. Imports `fields` and `models`."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from function.core.fields import (
    MAX_PARTS,
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
from function.core.models import Closed, Conditional


class UploadSpec(Conditional):
    """A file that will go straight to S3, of a size that its client may not be able to say."""

    file_name: FileName
    size: Size | None = None
    username: Username | None = None
    content_type: ContentType | None = None
    sha256: Sha256 | None = None
    on_conflict: OnConflict = "replace"
    description: Description | None = None
    tags: Tags = ()


class UploadRequest(UploadSpec):
    """A file that will go straight to S3: `size` is bytes, `sha256` hexadecimal of the whole.

    With `sha256` S3 refuses other bytes, where one PUT carries the file (up to 64 MiB).
    """

    size: Size


class PutOrder(Closed):
    """How to send a file in one PUT: to `url`, with exactly these headers, before `expires_at`."""

    url: str
    headers: dict[str, str]
    expires_at: str


class UploadView(Closed):
    """An upload in progress; sizes are bytes. `size` is null where the client could not say.

    A file goes in one PUT as `put` says, or in `total_parts` parts of `part_size` bytes, the last
    one smaller, each to an address that `POST /uploads/{id}/parts` signs. `arrived` and `missing`
    are numbers of parts.
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


class PartsRequest(Closed):
    """Which parts to sign, a hundred at most."""

    part_numbers: PartNumbers


class SignedPart(Closed):
    """Where to PUT a part, and of how many bytes it must be."""

    part_number: int
    url: str
    size: int | None
    expires_at: str


class SignedParts(Closed):
    """Addresses for parts."""

    parts: list[SignedPart]


class SentPart(Closed):
    """A part as the client sent it, with the ETag that S3 answered."""

    part_number: PartNumber
    etag: Etag


class Completion(Closed):
    """Parts may be named by a client that kept their ETags; otherwise S3's own list is taken."""

    parts: Annotated[list[SentPart], Field(max_length=MAX_PARTS, fail_fast=True)] | None = None


class Received(Closed):
    """A file that has arrived by a request, under the name that its sender gave it."""

    file_name: str
    size: int
    sha256: str | None
    received: str


class CompanionUpload(BaseModel):
    """What Uppy sends to begin a multipart upload; it does not say the size."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    filename: FileName
    type: str | None = None
    metadata: dict[str, Any] = {}


class CompanionPart(BaseModel):
    """A part as Uppy names it."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    PartNumber: PartNumber
    ETag: Etag


class CompanionCompletion(BaseModel):
    """The parts that Uppy has sent."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    parts: Annotated[list[CompanionPart], Field(max_length=MAX_PARTS, fail_fast=True)]
