"""The bodies of links, for those who make them and those who open them.

Imports `fields`, `models` and `transfer_models`.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, StrictBool, StrictInt, StringConstraints

from function.core.fields import (
    FileName,
    FileOrFolder,
    Seconds,
    Username,
    described_pattern,
    encodable,
)
from function.core.models import Closed
from function.files.models import Download

WEEK = 7 * 24 * 3600
MOST_ITEMS = 40
Kind = Literal["opened", "unlocked", "downloaded"]
Way = Literal["page", "json", "head", "redirect", "curl"]
Items = Annotated[
    tuple[FileOrFolder, ...], Field(min_length=1, max_length=MOST_ITEMS, fail_fast=True)
]
LinkPassword = Annotated[SecretStr, Field(min_length=1, max_length=1024), AfterValidator(encodable)]
MostDownloads = Annotated[StrictInt, Field(ge=1, le=2**31)]
# Any text with line breaks, and nothing else that a terminal or a page would obey.
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
GrantText = Annotated[str, StringConstraints(max_length=200)]


class LinkRequest(Closed):
    """Files and folders of the caller's, and who may get them by a link.

    `expires_in` is seconds, a week by default, null for never; `audience` is the only account that
    may open it; `alias` is an address that people can remember, and guess.
    """

    items: Items
    password: LinkPassword | None = None
    expires_in: Seconds | None = WEEK
    max_downloads: MostDownloads | None = None
    allow_download: StrictBool = True
    audience: Username | None = None
    note: Note | None = None
    alias: Alias | None = None


class LinkChanges(LinkRequest):
    """What shall be otherwise; null clears, and what is left out stays as it is."""

    items: Items = ()
    expires_in: Seconds | None = None


class LinkSummary(Closed):
    """A link as its owner sees it; `url` is said once, when it is made."""

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
    """A link, with the files and folders that it shows."""

    items: list[str]


class LinkEvent(Closed):
    """What was done with a link: `times` in the minute from `created`, where it is counted so."""

    kind: Kind
    how: Way
    file_name: str | None
    created: str
    times: int


class LinkItem(Closed):
    """A file that a link shows; `size` is bytes."""

    file_name: str
    size: int
    content_type: str
    modified: str


class LinkPage(Closed):
    """What a link shows; `downloads_left` is null where they are not counted."""

    owner: str
    note: str | None
    items: list[LinkItem]
    needs_password: bool
    expires_at: str | None
    max_downloads: int | None
    downloads_left: int | None
    allow_download: bool


class LinkDownloadRequest(Closed):
    """Which file of a link; it may be left out where there is one only.

    With `format` curl it is all files of a page. `inline` is to be shown, where that is safe.
    """

    file_name: FileName | None = None
    grant: GrantText | None = None
    format: Literal["curl"] | None = None
    inline: bool = False


class LinkDownload(Download):
    """Where to get the bytes; with `grant` the same file may be asked for again, uncounted."""

    grant: str
