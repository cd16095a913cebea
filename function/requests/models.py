"""Bodies of requests and answers about file requests, for their owners and for uploaders."""

from typing import Annotated, Any

from pydantic import Field, StrictBool

from function.core.fields import (
    AccessTokenText,
    AllowedTypes,
    ContentType,
    Count,
    Crc64Nvme,
    FileName,
    Line,
    PartChecksum,
    Password,
    Seconds,
    Sha256,
    ShortFolder,
    Size,
)
from function.core.limits import WEEK
from function.core.models import Closed

OPTIONAL: Any = Field(default=None)  # may be left out, and may not be null
NonEmptyPassword = Annotated[Password, Field(min_length=1)]


class FileRequestSettings(Closed):
    """The limits of a file request; sizes are bytes, and null is no limit.

    `expires_in` is seconds; null never expires. `allowed_types` are extensions (`.pptx`) and media
    types (`image/*`); none allows all. The name of a file decides its type. `password` has at least
    8 characters, and is no common one.
    """

    expires_in: Seconds | None = None
    max_files: Count | None = None
    max_file_size: Count | None = None
    max_total_size: Count | None = None
    allowed_types: AllowedTypes | None = None
    password: NonEmptyPassword | None = None
    require_name: StrictBool = False


class NewFileRequest(FileRequestSettings):
    """A file request to create; uploads are put into `folder`, a folder of the caller."""

    title: Line
    folder: ShortFolder
    expires_in: Seconds | None = WEEK


class FileRequestChanges(FileRequestSettings):
    """The fields of a file request to change: a field that is left out stays, null clears one."""

    title: Line = OPTIONAL
    folder: ShortFolder = OPTIONAL
    require_name: StrictBool = OPTIONAL
    open: StrictBool = OPTIONAL


class FileRequestView(Closed):
    """A file request as its owner sees it.

    `files` and `bytes` count completed uploads and uploads in progress.
    """

    id: str
    title: str
    folder: str
    created: str
    expires_at: str | None
    open: bool
    max_files: int | None
    max_file_size: int | None
    max_total_size: int | None
    allowed_types: list[str]
    has_password: bool
    require_name: bool
    files: int
    bytes: int


class CreatedFileRequest(FileRequestView):
    """A new file request; `url` is the address for uploaders, and is never shown again."""

    url: str


class PublicFileRequest(Closed):
    """A file request as uploaders see it; null is no limit."""

    title: str
    owner: str
    expires_at: str | None
    max_file_size: int | None
    files_left: int | None
    bytes_left: int | None
    allowed_types: list[str]
    needs_password: bool
    require_name: bool


class FileRequestUpload(Closed):
    """A file to upload: `size` is bytes; checksums are hexadecimal, as with `POST /uploads`.

    `file_name` may contain folders. `sender` is the name that the uploader gives. `grant` is the
    access token of an unlock.
    """

    file_name: FileName
    size: Size
    content_type: ContentType | None = None
    sha256: Sha256 | None = None
    crc64nvme: Crc64Nvme | None = None
    part_checksum: PartChecksum | None = None
    sender: Line | None = None
    grant: AccessTokenText | None = None
