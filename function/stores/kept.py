"""What is kept of files: versions that were replaced, and the trash, each on a shelf of its own."""

from function.contract import FILES
from function.records import FileRow
from function.stores.due import due, line_of
from function.stores.dynamo import Dynamo
from function.stores.files import TRASH, VERSIONS
from function.stores.rows import Item, Key, Rows, Write


def trash_key(owner: str, name: str) -> Key:
    """Where something deleted is kept."""
    return Key(FILES, f"{owner}/{TRASH}", name)


def trashed_in(rows: Rows, key: Key, now: float) -> FileRow | None:
    """Something deleted, if it was read and can still be brought back."""
    found = rows.get(key)
    row = FileRow.model_validate(found) if found else None
    return row if row and (row.until or 0) > now else None


def key_of(row: FileRow) -> Key:
    """Where a file stands, whatever shelf it is on."""
    return Key(FILES, row.shelf, row.name)


def unchanged(key: Key, row: FileRow) -> Write:
    """Expects that a file stands there as it was read."""
    return Write("ConditionCheck", key, "rev = :was", values={":was": row.rev})


def taken_out(row: FileRow) -> list[Write]:
    """Takes something from the trash, and from the list of what falls due."""
    key = key_of(row)
    return [
        Write("Delete", key, "rev = :was", values={":was": row.rev}),
        Write("Delete", line_of(key, row.until or 0)),
    ]


def condemned(row: FileRow, now: int, rev: str) -> list[Write]:
    """Has something kept fall due at once: nobody can bring it back any more."""
    key = key_of(row)
    values: Item = {":was": row.rev, ":now": now, ":rev": rev}
    update = "SET #until = :now, rev = :rev"
    names = {"#until": "until"}
    before, line = line_of(key, row.until or 0), due(key, now, object_key=row.object)
    return [
        Write("Update", key, "rev = :was", values, update=update, names=names),
        line,
        *([Write("Delete", before)] if before != line.key else []),
    ]


class Kept:
    """The shelves of versions and of the trash."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the table files through `db`."""
        self._db = db

    def versions(
        self, owner: str, file_id: str, *, after: str = "", limit: int
    ) -> tuple[list[FileRow], bool]:
        """The versions of a file that were replaced, the newest first, and whether more follow."""
        page = self._db.query(
            FILES,
            f"{owner}/{VERSIONS}",
            prefix=f"{file_id}/",
            after=after,
            limit=limit,
            newest=True,
        )
        return [FileRow.model_validate(row) for row in page.items], page.more

    def trash(self, owner: str, *, after: str = "", limit: int) -> tuple[list[FileRow], bool]:
        """What is in the trash by name and then by time, and whether more follows."""
        page = self._db.query(FILES, f"{owner}/{TRASH}", after=after, limit=limit)
        return [FileRow.model_validate(row) for row in page.items], page.more

    def latest(self, owner: str, name: str, limit: int) -> list[FileRow]:
        """What of that name was deleted, the latest first."""
        page = self._db.query(
            FILES, f"{owner}/{TRASH}", prefix=f"{name}\0", limit=limit, newest=True
        )
        return [FileRow.model_validate(row) for row in page.items]
