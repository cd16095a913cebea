"""What the tables hold. Imports `fields` alone.

Rows forgive fields that a newer version wrote, so that a roll-back can still read them.
"""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from function.fields import Grantable, OnConflict


class Row(BaseModel):
    """What a table holds."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Account(Row):
    """An account. `id` is never reused; `epoch` ends every session that carries another.

    `groups` names the groups to look at; whether it belongs to them is said by their memberships.
    `keys` are the ids of the API keys to look at; whether they are good is said by their rows.
    What is used is bytes, and rows that have some: files, their versions, the trash, and what is
    reserved for uploads in progress, which `reserved` says again; `charges` counts its changes. No
    quota is no limit.

    `totp` is the secret of its second factor, from which codes are computed, so that it cannot be
    hashed; `totp_new` is one that is not confirmed, `totp_step` the last step that was used, and
    `recovery` the SHA-256 of codes that are good once.
    """

    username: str
    id: str
    password: str
    role: str
    created: str
    epoch: str
    rev: str
    email: str | None = None
    disabled: bool = False
    deleting: bool = False
    quota: int | None = None
    bytes_used: int = 0
    bytes_reserved: int = 0
    files_quota: int | None = None
    files_used: int = 0
    files_reserved: int = 0
    charges: int = 0
    groups: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    totp: str | None = None
    totp_new: str | None = None
    totp_step: int = 0
    recovery: frozenset[str] = frozenset()


class Session(Row):
    """A signed-in caller; `expires_at` is epoch seconds, compared at every read.

    An API key is a session that has a `key`, its name: it may do what its `scopes` say. `address`
    and `agent` are where it was begun, `seen` is when it was last used, to ten minutes.
    """

    token_hash: str
    username: str
    user_id: str
    epoch: str
    created: str
    expires_at: int
    rev: str
    key: str | None = None
    scopes: frozenset[str] = frozenset()
    address: str = ""
    agent: str = ""
    seen: str | None = None


class FileRow(Row):
    """A file: the name on a shelf, and the object that has its bytes.

    `grantees` are those it was granted to (accounts, groups, links), so that a rename knows them
    all. What they were granted is good for one `place`: a rename gives the file another, and with
    it new grants to the same grantees, so that what was left over from it opens nothing.

    One that was replaced or `deleted` stands on a shelf of its own, was called `file_name`, and is
    kept `until` (epoch seconds).
    """

    shelf: str
    name: str
    id: str
    owner_id: str
    rev: str
    object: str
    size: int
    etag: str
    content_type: str
    created: str
    modified: str
    version: int
    sha256: str | None = None
    description: str | None = None
    tags: list[str] = []
    modified_by: str | None = None
    sender: str | None = None
    place: str | None = None
    grantees: frozenset[str] = frozenset()
    file_name: str | None = None
    until: int | None = None
    deleted: str | None = None

    @property
    def place_id(self) -> str:
        """What a grant on this file carries; the file's own id until it is renamed."""
        return self.place or self.id


class UploadRow(Row):
    """A transfer in progress, on the shelf of whoever uploads; its bytes go straight to S3.

    `size` is None where the client could not say. `done` is the answer of its completion, as JSON:
    whoever completes it again gets the same. What comes by a request has the request's id, its
    folder as it was then, and the name that the `sender` gave for themselves. Its `owner_id` says
    whose account its size is reserved on, `address` and `agent` from where it was begun.
    """

    shelf: str
    name: str
    user_id: str
    owner: str
    file_name: str
    object: str
    content_type: str
    on_conflict: OnConflict
    created: str
    expires_at: int
    rev: str
    size: int | None = None
    owner_id: str | None = None
    part_size: int | None = None
    multipart: str | None = None
    sha256: str | None = None
    if_match: str | None = None
    if_none_match: str | None = None
    description: str | None = None
    tags: list[str] = []
    done: str | None = None
    request: str | None = None
    folder: str = ""
    sender: str | None = None
    address: str = ""
    agent: str = ""

    @property
    def called(self) -> str:
        """The file's name as its sender called it, below the request's folder."""
        return self.file_name.removeprefix(self.folder)


class Grant(Row):
    """A right of `grantee` on `file`, good for the ids it carries; a folder's has no `file_id`.

    `grantee` is `user:bob`, `group:eng` or `link:<hash>`, `file` is `alice/report.pdf` or
    `alice/photos/`; `file_id` is the file's `place_id`, `grantee_id` the account's, group's or
    link's id.
    """

    grantee: str
    file: str
    owner: str
    owner_id: str
    grantee_id: str
    permission: Grantable
    created: str
    rev: str
    file_id: str | None = None
    expires_at: int | None = None


class Group(Row):
    """A group. `id` is never reused: what was given to a namesake that has gone is dead."""

    grantee: str
    file: str
    id: str
    owner: str
    owner_id: str
    created: str
    rev: str

    @property
    def name(self) -> str:
        """Its name."""
        return self.grantee.removeprefix("group:")


class Membership(Row):
    """Somebody's membership of a group, good for the ids it carries."""

    grantee: str
    file: str
    username: str
    member_id: str
    group_id: str
    created: str
    rev: str

    @property
    def group(self) -> str:
        """The group's name."""
        return self.grantee.removeprefix("group:")


@dataclass(frozen=True)
class Load:
    """What an account is charged for: bytes, and the rows that have them."""

    bytes: int = 0
    files: int = 0

    def __neg__(self) -> "Load":
        return Load(-self.bytes, -self.files)

    def __add__(self, other: "Load") -> "Load":
        return Load(self.bytes + other.bytes, self.files + other.files)

    def __sub__(self, other: "Load") -> "Load":
        return Load(self.bytes - other.bytes, self.files - other.files)
