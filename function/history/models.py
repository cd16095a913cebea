"""The bodies of versions, the trash and copies. Imports `fields` and `models`."""

from typing import Annotated

from pydantic import Field, model_validator

from function.core.fields import FileName, Username, described_pattern
from function.core.models import Closed, Conditional

MOST_VERSIONS = 99_999_999
Version = Annotated[int, Field(ge=1, le=MOST_VERSIONS)]
TrashId = Annotated[str, described_pattern(r"^[A-Za-z0-9_-]{20,1400}$", "an id of GET /trash")]


class VersionView(Closed):
    """A version of a file: the `current` one, or one that was replaced and is kept `until` then."""

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
    """A deleted file, which `POST /restore` brings back until `restore_until`."""

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
    """A `version` that is to be the current one, or a file that is to come back from the trash.

    Of several deleted files of that name it is the latest, unless an `id` of `GET /trash` is given.
    `if_match` is the ETag or revision of the file as it is now, or of the deleted one.
    """

    file_name: FileName
    version: Version | None = None
    username: Username | None = None
    id: TrashId | None = None
    new_name: FileName | None = None

    @model_validator(mode="after")
    def either(self) -> "Restoration":
        """A version has no id, and stays where it is."""
        if self.version is not None and (self.id or self.new_name):
            raise ValueError("a version goes with neither id nor new_name")
        return self


class Emptying(Closed):
    """How many files of the trash this request removed, and how many are left, a thousand at most.

    Those that are left go with the next such request.
    """

    removed: int
    left: int
