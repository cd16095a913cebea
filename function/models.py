"""The nouns, and the bodies of requests and answers: frozen, and closed to unknown fields.

Imports `fields` and `roles`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from function.fields import (
    Base64,
    ContentType,
    Description,
    Etag,
    FileName,
    FileOrFolder,
    OnConflict,
    Permission,
    Tags,
    Username,
    bad_name,
)
from function.roles import Power

MOST_AGENT = 200
# Who may make an account: everybody, who has an invitation, or nobody.
Registration = Literal["open", "invite", "closed"]


class Closed(BaseModel):
    """What people send and get.

    A model is made ready when it is first used: most requests use two, a cold start would wait for
    all of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


@dataclass(frozen=True)
class Caller:
    """Who the token says is calling. Nothing is proven until `Access.open` has read its session.

    `power` is what the route takes, `address` and `agent` where the request came from.
    """

    username: str
    token_hash: str
    power: Power | None = None
    address: str = ""
    agent: str = ""


@dataclass(frozen=True)
class Incoming:
    """A request as the gateway delivered it; header names are lower case, `body` is bytes."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    address: str
    request_id: str
    base: str
    as_text: bool = False

    @property
    def agent(self) -> str:
        """What the client calls itself, as far as anybody wants to read."""
        return self.headers.get("user-agent", "")[:MOST_AGENT]


@dataclass(frozen=True)
class Conditions:
    """What a request's header says must be so of a file (RFC 9110, section 13.1)."""

    if_match: str | None = None
    if_none_match: str | None = None


class Conditional(Closed):
    """The same in a body: the ETag or revision that the file has, or does not have; or `*`."""

    if_match: Etag | None = None
    if_none_match: Etag | None = None


class PutFile(Conditional):
    """A small file in one JSON body; `content` is Base64 (RFC 4648, section 4), padded."""

    file_name: FileName
    content: Base64
    username: Username | None = None
    content_type: ContentType | None = None
    on_conflict: OnConflict = "replace"


class FileChange(Conditional):
    """What is to be otherwise about a file; null clears its description or tags, and no name.

    `if_match` is the file's ETag or revision, as the caller knows it. A folder, whose name ends
    with `/`, takes a `new_name` alone, which is a folder's as well.
    """

    file_name: FileOrFolder
    username: Username | None = None
    new_name: FileOrFolder | None = None
    description: Description | None = None
    tags: Tags | None = None

    @model_validator(mode="after")
    def alike(self) -> "FileChange":
        """A file stays a file, and a folder a folder."""
        if self.new_name and self.new_name.endswith("/") is not self.file_name.endswith("/"):
            raise bad_name("a file's name does not end with '/', and a folder's does")
        return self


@dataclass(frozen=True)
class Upload:
    """A small file that has arrived, however it was sent."""

    file_name: str
    data: bytes
    content_type: str
    username: str | None = None
    on_conflict: OnConflict = "replace"
    if_match: str | None = None
    if_none_match: str | None = None


class FileObject(Closed):
    """A file as the caller sees it: `key` is `owner/file_name`, `size` bytes, `sha256` hexadecimal.

    `sha256` is of the whole file and null where nobody has verified one. `modified_by` is the
    account that put these bytes, `sender` who says to have sent them by a request.

    `etag` is of the bytes; `revision` changes with whatever is said of the file as well. Conditions
    (`If-Match`, `if_match`) take either.
    """

    key: str
    owner: str
    file_name: str
    size: int
    modified: str
    created: str
    content_type: str
    sha256: str | None
    etag: str
    revision: str
    version: int
    permission: Permission
    description: str | None = None
    tags: list[str] = []
    modified_by: str | None = None
    sender: str | None = None


class LinkedFile(FileObject):
    """The same with an address that gives its bytes for some minutes, as an attachment."""

    url: str


class Folder(Closed):
    """A folder, whose name (`folder`) ends with `/`; `files` are those below it at any depth."""

    key: str
    owner: str
    folder: str
    files: int


class Changed(Closed):
    """What has become of a name: the `file` that has it now, or that none has it (`gone`).

    `was` is what the file was called before: a copy of it with the same `etag` need not be fetched.
    """

    file_name: str
    gone: bool
    was: str | None = None
    file: FileObject | None = None


class Health(Closed):
    """It answers."""

    status: str
    version: str


class Limits(Closed):
    """Sizes are bytes, times seconds, lengths code points."""

    small_file_bytes: int
    file_bytes: int
    single_put_bytes: int
    smallest_part_bytes: int
    most_parts: int
    most_parts_signed_at_once: int
    upload_seconds: int
    url_seconds: int
    name_bytes: int
    segment_bytes: int
    password_min_length: int
    session_seconds: int
    keep_seconds: int


class Info(Closed):
    """What this Satchel can do, and up to where."""

    version: str
    registration: Registration
    features: list[str]
    limits: Limits


class FieldError(Closed):
    """Where a request is wrong (`body.file_name`), and why."""

    at: str
    reason: str


class Problem(Closed):
    """What went wrong (RFC 9457); `type` names the kind and never changes."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[FieldError] = []
