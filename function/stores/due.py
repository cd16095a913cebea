"""What falls due: rows that end at a time, and the bytes that then go with them.

The list has a shelf for each day, of which no user name can be the owner, and a line for each row;
it tells the hourly sweep what to look at without reading anything else. A line is written in the
commit that writes its row, and struck in the commit that makes the row's bytes somebody's.
"""

from dataclasses import dataclass

from function.contract import FILES
from function.stores.dynamo import Dynamo
from function.stores.rows import Item, Key, Refused, Write

DAY = 86_400
GRACE = 30 * DAY  # how long the list itself is kept when no sweep runs


@dataclass(frozen=True)
class Due:
    """A line: the row that ends at `until` (epoch seconds), and its bytes."""

    key: Key
    row: Key
    object: str
    multipart: str | None
    until: int


def line_of(row: Key, until: int) -> Key:
    """Where the list names a row that ends at `until`."""
    return Key(FILES, due_shelf(until // DAY), f"{row.partition}/{row.sort}")


def due_shelf(day: int) -> str:
    """The list of a day, by its number since the epoch."""
    return f"~due/{day}"


def due(row: Key, object_key: str, until: int, multipart: str | None = None) -> Write:
    """Puts a row on the list."""
    line = line_of(row, until)
    item: Item = {
        **line.item(),
        "object": object_key,
        "multipart": multipart,
        "until": until,
        "expires_at": until + GRACE,
    }
    return Write("Put", line, item=item)


def take(db: Dynamo, row: Key) -> bool:
    """Removes a row whose bytes are to go; False when an upload was completed after all."""
    try:
        db.write(Write("Delete", row, condition="attribute_not_exists(done)"))
    except Refused:
        return False
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
        return take(self._db, due.row)

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
    )
