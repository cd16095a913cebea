"""Where a list has come: the steps of the stream that it is."""

from dataclasses import dataclass

from function.fields import Permission
from function.records import FileRow
from function.stores.folders import FolderRow


@dataclass(frozen=True)
class Place:
    """How far a list has come: what was shared (empty for one's own), and the name within.

    Without a row or folder it only says so; `end` says that to read on would take another round.
    `past` are the shared folders above that the list has come past, and that have listed what they
    cover. Of one's own, `name` is where it stands on the shelf that is read, and `since` what a
    sorted list remembers.
    """

    shared: str = ""
    name: str = ""
    row: FileRow | None = None
    permission: Permission = "read"
    past: frozenset[str] = frozenset()
    end: bool = False
    folder: FolderRow | None = None
    since: tuple[str, ...] = ()

    def position(self) -> list[str]:
        """What the cursor carries."""
        above = sorted(each for each in self.past if self.shared.startswith(each))
        return [self.shared, self.name, *self.since, *above]


def place_at(position: list[str]) -> Place:
    """The place that a cursor carries."""
    shared, name, *more = position
    if shared:
        return Place(shared, name, past=frozenset(more))
    return Place("", name, since=tuple(more))
