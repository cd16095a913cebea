"""The changes feed in the table files, from which a client keeps a copy of an account up to date.

A change is a row of the partition `<owner>/changes`, sorted by its time, and written in the commit
that makes the change. Commits of the same moment may become visible in another order than that of
their times.
"""

from dataclasses import dataclass

from function.aws.dynamodb import Dynamo, QueryPage
from function.aws.rows import Item, Key
from function.aws.writes import Write, put
from function.contract import FILES
from function.tables.files import FileRow

CHANGES = "changes"
# Seconds after its time at which a commit is visible at the latest: a Lambda runs for 28 s.
LATE = 60


@dataclass(frozen=True)
class FileState:
    """A file's name, its size in bytes, and when it was modified (ISO 8601), at one moment."""

    name: str
    size: int
    modified: str


@dataclass(frozen=True)
class ChangeRow:
    """A change of a file: the sort key of its row, and the file before and after.

    `was` is None for a new file, `now` for a file that was deleted or moved away.
    """

    key: str
    file_id: str
    owner_id: str
    name: str
    was: FileState | None
    now: FileState | None


def put_change(old: FileRow | None, new: FileRow | None, at: str, nonce: str, until: int) -> Write:
    """Records that a file was created, replaced, renamed or deleted; kept `until` (epoch seconds).

    A sorted list that began earlier needs the state before the change as well.
    """
    row = new or old
    assert row, "a change of nothing"
    item: Item = {
        "file_id": row.id,
        "owner_id": row.owner_id,
        "file_name": row.name,
        "expires_at": until,
    }
    if old:
        item |= {"was": old.name, "was_size": old.size, "was_modified": old.modified}
    if new:
        item |= {"size": new.size, "modified": new.modified}
    return put(Key(FILES, f"{row.partition}/{CHANGES}", f"{at}/{nonce}"), item)


class Changes:
    """Queries of the changes feed."""

    def __init__(self, db: Dynamo) -> None:
        """Takes the client."""
        self._db = db

    def list_changes(self, owner: str, *, after: str, limit: int) -> QueryPage[ChangeRow]:
        """The changes after a sort key, the oldest first, in one call."""
        page = self._db.query(
            FILES, f"{owner}/{CHANGES}", after=after, limit=limit, single_call=True
        )
        return page.map(_change)


def _change(row: Item) -> ChangeRow:
    return ChangeRow(
        key=str(row["name"]),
        file_id=str(row["file_id"]),
        owner_id=str(row["owner_id"]),
        name=str(row["file_name"]),
        was=_state(row["was"], row["was_size"], row["was_modified"]) if "was" in row else None,
        now=_state(row["file_name"], row["size"], row["modified"]) if "size" in row else None,
    )


def _state(name: object, size: object, modified: object) -> FileState:
    return FileState(str(name), int(str(size)), str(modified))
