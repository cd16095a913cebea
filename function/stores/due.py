"""What falls due: rows that end at a time, and the bytes that then go with them.

The list has a shelf for each day, of which no user name can be the owner, and a line for each row;
it tells the hourly sweep what to look at without reading anything else. A line is written in the
commit that writes its row, and struck in the commit that makes the row's bytes somebody's.
"""

from dataclasses import dataclass

from function.contract import FILES
from function.request_records import Held
from function.stores.dynamo import Dynamo
from function.stores.requests import release
from function.stores.rows import Item, Key, Refused, Write

DAY = 86_400
GRACE = 30 * DAY  # how long the list itself is kept when no sweep runs


@dataclass(frozen=True)
class Due:
    """A line: the row that ends at `until` (epoch seconds), its bytes, what it holds till then."""

    key: Key
    row: Key
    object: str
    multipart: str | None
    until: int
    held: Held | None = None


def line_of(row: Key, until: int) -> Key:
    """Where the list names a row that ends at `until`."""
    return Key(FILES, due_shelf(until // DAY), f"{row.partition}/{row.sort}")


def due_shelf(day: int) -> str:
    """The list of a day, by its number since the epoch."""
    return f"~due/{day}"


def due(
    row: Key,
    object_key: str,
    until: int,
    multipart: str | None = None,
    held: Held | None = None,
) -> Write:
    """Puts a row on the list."""
    line = line_of(row, until)
    item: Item = {
        **line.item(),
        "object": object_key,
        "multipart": multipart,
        "until": until,
        "expires_at": until + GRACE,
        "held_in": held.request if held else None,
        "held": held.size if held else None,
    }
    return Write("Put", line, item=item)


def take(db: Dynamo, row: Key, line: Key, held: Held | None = None) -> bool:
    """Removes a row whose bytes are to go; False when an upload was completed after all.

    What it held is given back in the same commit, and the line then says so no more: the table may
    have removed the row before, so the line alone can tell whether that has been done.
    """
    gone = Write("Delete", row, condition="attribute_not_exists(done)")
    try:
        if held is None or not _given_back(db, gone, line, held):
            db.write(gone)
    except Refused:
        return False
    return True


def _given_back(db: Dynamo, gone: Write, line: Key, held: Held) -> bool:
    """Whether it was now; False when it was before, or there is no such request any more.

    Raises Refused when the row is to stay.
    """
    said = Write(
        "Update", line, "held_in = :id", {":id": held.request}, update="REMOVE held_in, held"
    )
    for _ in db.rounds():
        try:
            db.commit([gone, said, release(held)], token=f"back{gone.key.sort}")
        except Refused as refused:
            if 0 in refused.failed:
                raise
            if refused.failed:
                return False
            continue
        break
    return True


class DueList:
    """The lists of what falls due."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the table files through `db`."""
        self._db = db

    def of(self, day: int, *, after: str, limit: int) -> tuple[list[Due], bool]:
        """Some of what falls due on a day, by name, and whether there is more."""
        page = self._db.query(FILES, due_shelf(day), after=after, limit=limit)
        return [_read(row) for row in page.items], page.more

    def take(self, due: Due) -> bool:
        """Removes the row that fell due; False when an upload was completed after all."""
        return take(self._db, due.row, due.key, due.held)

    def strike(self, due: Due) -> None:
        """Strikes a line."""
        self._db.write(Write("Delete", due.key))


def _read(item: Item) -> Due:
    key = Key(FILES, str(item["shelf"]), str(item["name"]))
    owner, shelf, name = str(item["name"]).split("/", 2)
    return Due(
        key=key,
        row=Key(FILES, f"{owner}/{shelf}", name),
        object=str(item["object"]),
        multipart=str(item["multipart"]) if "multipart" in item else None,
        until=int(str(item["until"])),
        held=_held(item),
    )


def _held(item: Item) -> Held | None:
    """What a line says is held."""
    return Held(str(item["held_in"]), int(str(item["held"]))) if "held_in" in item else None
