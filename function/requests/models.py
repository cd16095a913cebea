"""The bodies of requests for files. Imports `fields` and `models`."""

from typing import Annotated, Any

from pydantic import Field, StrictBool

from function.core.fields import (
    AllowedTypes,
    ContentType,
    Count,
    FileName,
    Line,
    Password,
    Seconds,
    Sha256,
    ShortFolder,
    Size,
)
from function.core.models import Closed

WEEK = 7 * 24 * 3600
ABSENT: Any = Field(default=None)  # of what may be left out, and may not be null
Secret = Annotated[Password, Field(min_length=1)]
Grant = Annotated[str, Field(max_length=200)]


class Settings(Closed):
    """What a request takes; sizes are bytes, and null is without limit.

    `expires_in` is seconds, null is never. `allowed_types` are extensions (`.pptx`) and media types
    (`image/*`), none for any; a file is known by its name.
    """

    expires_in: Seconds | None = None
    max_files: Count | None = None
    max_file_size: Count | None = None
    max_total_size: Count | None = None
    allowed_types: AllowedTypes | None = None
    password: Secret | None = None
    require_name: StrictBool = False


class NewRequest(Settings):
    """Files that others are asked for; they come into `folder`, one of the caller's own."""

    title: Line
    folder: ShortFolder
    expires_in: Seconds | None = WEEK


class RequestChange(Settings):
    """What is to be otherwise: what is absent stays, null clears."""

    title: Line = ABSENT
    folder: ShortFolder = ABSENT
    require_name: StrictBool = ABSENT
    open: StrictBool = ABSENT


class RequestView(Closed):
    """A request as its owner sees it.

    `files` and `bytes` are what has come, with what is on its way and has its place already.
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


class RequestMade(RequestView):
    """A new request; `url` is for whoever is to send files, and is never shown again."""

    url: str


class Wanted(Closed):
    """What a request asks for, as those see it who are to send it; null is without limit."""

    title: str
    owner: str
    expires_at: str | None
    max_file_size: int | None
    files_left: int | None
    bytes_left: int | None
    allowed_types: list[str]
    needs_password: bool
    require_name: bool


class Sending(Closed):
    """A file that is about to be sent: `size` is bytes, `sha256` hexadecimal of the whole.

    `file_name` may have folders in it. `sender` is who sends it, as they want to be called.
    """

    file_name: FileName
    size: Size
    content_type: ContentType | None = None
    sha256: Sha256 | None = None
    sender: Line | None = None
    grant: Grant | None = None
