"""What has changed among an account's files, so that a copy of them can be kept up.

A change is a row on the shelf `<owner>/changes`, under its time, written in the commit that it
tells of. Commits of the same moment may become visible in another order than that of their times.
"""

from dataclasses import dataclass

from function.aws.dynamodb import Dynamo
from function.aws.rows import Item, Key
from function.aws.writes import Write, put
from function.contract import FILES
from function.tables.files import FileRow

CHANGES = "changes"
# A commit is seen at most that much later than its time says: the 28 s that a Lambda has, and more.
LATE = 60


@dataclass(frozen=True)
class FileState:
    """What a file was called, how big it was and when it had changed."""

    name: str
    size: int
    modified: str


@dataclass(frozen=True)
class Change:
    """One change of a file: where it is told, what the file was, and what it then was."""

    key: str
    file_id: str
    owner_id: str
    name: str
    was: FileState | None
    now: FileState | None


def put_change(old: FileRow | None, new: FileRow | None, at: str, nonce: str, until: int) -> Write:
    """Tells of a file that is new, otherwise, elsewhere or gone, until `until` (epoch seconds).

    What it was before is said as well: a sorted list that began earlier goes by that.
    """
    row = new or old
    assert row, "a change of nothing"
    key = Key(FILES, f"{row.shelf}/{CHANGES}", f"{at}/{nonce}")
    item: Item = {
        "file_id": row.id,
        "owner_id": row.owner_id,
        "file_name": row.name,
        "gone": new is None,
        "rev": row.rev,
        "expires_at": until,
    }
    if old:
        item |= {"was": old.name, "was_size": old.size, "was_modified": old.modified}
    if new:
        item |= {"size": new.size, "modified": new.modified}
    return put(key, item)


class Changes:
    """The news."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the table files through `db`."""
        self._db = db

    def list_changes(self, owner: str, *, after: str, limit: int) -> tuple[list[Change], bool]:
        """The next changes, oldest first, in one call, and whether there are more."""
        page = self._db.query(
            FILES, f"{owner}/{CHANGES}", after=after, limit=limit, single_call=True
        )
        return [_read(row) for row in page.items], page.more


def _read(row: Item) -> Change:
    return Change(
        key=str(row["name"]),
        file_id=str(row["file_id"]),
        owner_id=str(row["owner_id"]),
        name=str(row["file_name"]),
        was=_state(row["was"], row["was_size"], row["was_modified"]) if "was" in row else None,
        now=_state(row["file_name"], row["size"], row["modified"]) if "size" in row else None,
    )


def _state(name: object, size: object, modified: object) -> FileState:
    return FileState(str(name), int(str(size)), str(modified))
