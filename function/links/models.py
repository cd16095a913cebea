"""Bodies of requests and answers about links, for their owners and for their visitors."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, StrictBool, StrictInt

from function.core.fields import (
    AccessTokenText,
    ExistingFile,
    FileOrFolder,
    Seconds,
    Username,
    described_pattern,
    encodable,
)
from function.core.limits import WEEK
from function.core.models import Closed, ConditionalRead
from function.files.models import Download

MAX_ITEMS = 40
EventKind = Literal["opened", "unlocked", "downloaded"]
Channel = Literal["page", "json", "head", "redirect", "curl"]
LinkItemNames = Annotated[
    tuple[FileOrFolder, ...], Field(min_length=1, max_length=MAX_ITEMS, fail_fast=True)
]
LinkPassword = Annotated[SecretStr, Field(min_length=1, max_length=1024), AfterValidator(encodable)]
MaxDownloads = Annotated[StrictInt, Field(ge=1, le=2**31)]
# Line breaks and tabs are allowed; a terminal or a browser would act on other control characters.
Note = Annotated[
    str,
    described_pattern(
        r"^[^\x00-\x08\x0b-\x1f\x7f]+$", "text without control characters, or null", 2000
    ),
]
Alias = Annotated[
    str,
    described_pattern(
        r"^[a-z0-9][a-z0-9-]{2,39}$",
        "3 to 40 of the characters a-z 0-9 -, the first a letter or a digit",
    ),
]


class LinkRequest(Closed):
    """Files and folders of the caller, and the conditions under which a link gives access to them.

    `expires_in` is seconds, a week by default; null never expires. `audience` is the only account
    that can open the link. `alias` is an address that people can remember, and guess; when
    a link has it no more, it stays yours for 90 days. `password` has at least 8 characters, and is
    no common one.
    """

    items: LinkItemNames
    password: LinkPassword | None = None
    expires_in: Seconds | None = WEEK
    max_downloads: MaxDownloads | None = None
    allow_download: StrictBool = True
    audience: Username | None = None
    note: Note | None = None
    alias: Alias | None = None


class LinkChanges(LinkRequest):
    """The fields of a link to change: a field that is left out stays, null clears one."""

    items: LinkItemNames = ()
    expires_in: Seconds | None = None


class LinkSummary(Closed):
    """A link as its owner sees it. `url` is shown once, when the link is created."""

    id: str
    url: str | None
    created: str
    expires_at: str | None
    has_password: bool
    max_downloads: int | None
    downloads: int
    allow_download: bool
    audience: str | None
    note: str | None
    alias: str | None


class Link(LinkSummary):
    """A link with the names of its files and folders."""

    items: list[str]


class LinkEvent(Closed):
    """An access by a link: `times` within the minute from `created`, where they are counted."""

    kind: EventKind
    how: Channel
    file_name: str | None
    created: str
    times: int


class LinkItem(Closed):
    """A file that a link shows; `size` is bytes.

    `sha256` is the hexadecimal hash of the whole file, null where none was verified or the link
    gives no downloads.
    """

    file_name: str
    size: int
    content_type: str
    modified: str
    sha256: str | None = None


class LinkPage(Closed):
    """The files that a link shows; `downloads_left` is null where downloads are unlimited.

    `curl` is a command that downloads the files of this page. It is null where there are none to
    download, and for a page of more than 90 files.
    """

    owner: str
    note: str | None
    items: list[LinkItem]
    needs_password: bool
    expires_at: str | None
    max_downloads: int | None
    downloads_left: int | None
    allow_download: bool
    curl: str | None = None


class LinkDownloadRequest(ConditionalRead):
    """The file of a link to download; the name is optional where the link shows one file.

    `grant` is the access token of an unlock or of an earlier download. `format` curl asks for all
    files of a page, whose names begin with no dot unless `dotfiles` is true. `inline` asks for a
    file to be displayed, where its media type is safe. `if_match` is the ETag of the file whose
    download is resumed.
    """

    file_name: ExistingFile | None = None
    grant: AccessTokenText | None = None
    format: Literal["curl"] | None = None
    inline: bool = False
    dotfiles: bool = False


class LinkDownload(Download):
    """Where to get the bytes; with `grant` the same file is downloaded again without counting."""

    grant: str
