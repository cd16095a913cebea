"""Bodies of `/versions`, `/restore` and `/trash`."""

from typing import Annotated

from pydantic import Field, model_validator

from function.core.fields import ExistingFile, FileName, Username, described_pattern
from function.core.limits import MAX_VERSION
from function.core.models import Closed, Conditional

Version = Annotated[int, Field(ge=1, le=MAX_VERSION)]
TrashId = Annotated[str, described_pattern(r"^[A-Za-z0-9_-]{20,1400}$", "an id of GET /trash")]


class VersionView(Closed):
    """The `current` version of a file, or a replaced one that is kept `until` a time."""

    version: int
    size: int
    modified: str
    etag: str
    sha256: str | None
    content_type: str
    modified_by: str | None
    current: bool
    until: str | None


class TrashItem(Closed):
    """A deleted file, which `POST /restore` restores until `restore_until`."""

    id: str
    file_name: str
    size: int
    deleted: str
    restore_until: str
    modified: str
    content_type: str
    sha256: str | None
    etag: str
    version: int


class Restoration(Conditional):
    """A `version` of a file to make current, or without `version` a deleted file to restore.

    Of several deleted files of that name the latest one is restored, or the one with this `id` of
    `GET /trash`; `new_name` gives it another name. `if_match` is the ETag or revision of the
    current file, or of the deleted one.
    """

    file_name: ExistingFile
    version: Version | None = None
    username: Username | None = None
    id: TrashId | None = None
    new_name: FileName | None = None

    @model_validator(mode="after")
    def require_one_kind(self) -> "Restoration":
        """An id and a new name are for deleted files only."""
        if self.version is not None and (self.id or self.new_name):
            raise ValueError("a version takes neither id nor new_name")
        return self


class Emptying(Closed):
    """The number of files that this request removed from the trash, and of those still `left`.

    `left` counts a thousand at most. Repeat the request to remove them.
    """

    removed: int
    left: int
