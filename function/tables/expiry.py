"""What falls due: rows that end at a time, and the bytes that then go with them.

The list has a shelf for each day, of which no user name can be the owner, and a line for each row;
it tells the hourly sweep what to look at without reading anything else. A line is written in the
commit that writes its row, and struck in the commit that makes the row's bytes somebody's.
"""

from dataclasses import dataclass

from function.aws.dynamodb import ConditionFailed, Dynamo
from function.aws.rows import Item, Key, Rows
from function.aws.writes import Write, delete, missing, put, update
from function.contract import FILES
from function.core.limits import DAY
from function.tables.accounts import Load, Reservation, delete_reservation, refund
from function.tables.requests import release_slot

GRACE = 30 * DAY  # how long the list itself is kept when no sweep runs


@dataclass(frozen=True)
class ExpiryEntry:
    """A line: the row that ends at `until` (epoch seconds), its bytes, what it holds till then."""

    key: Key
    row: Key
    object: str | None
    multipart: str | None
    until: int
    held: Reservation | None

    @property
    def is_upload(self) -> bool:
        """Whether it is an upload in progress, and not a version or trash."""
        return self.row.partition.endswith("/uploads")

    @property
    def is_job(self) -> bool:
        """Whether it is work that somebody has to go on with."""
        return self.row.partition.endswith("/jobs")


def expiry_key(row: Key, until: int) -> Key:
    """Where the list names a row that ends at `until`."""
    return Key(FILES, expiry_partition(until // DAY), f"{row.partition}/{row.sort}")


def expiry_partition(day: int) -> str:
    """The list of a day, by its number since the epoch."""
    return f"~due/{day}"


def schedule_expiry(
    row: Key,
    until: int,
    *,
    object_key: str | None = None,
    multipart: str | None = None,
    held: Reservation | None = None,
) -> Write:
    """Puts a row on the list; of one that names its bytes itself the line may be silent of them."""
    line = expiry_key(row, until)
    item: Item = {
        "object": object_key,
        "multipart": multipart,
        "until": until,
        "expires_at": until + GRACE,
    }
    if held:
        item |= {
            "held": held.size,
            "held_of": held.owner,
            "held_of_id": held.owner_id,
            "held_in": held.request,
        }
    return put(line, item)


def mark_freed(line: Key, object_key: str, now: int) -> Write:
    """Notes that the row is gone, and its bytes are to go; a line that is not there is made."""
    times: Item = {"until": now, "expires_at": now + GRACE}
    return update(line, set={"freed": object_key}, default=times)


def freed_object(rows: Rows, line: Key) -> str | None:
    """The object that a line says is nobody's."""
    freed = rows.get(line, {}).get("freed")
    return str(freed) if freed else None


def claim(db: Dynamo, row: Key, held: Reservation | None) -> bool:
    """Removes a row whose bytes are to go; False when an upload was completed after all.

    What it held is given back in the same commit. The table may have removed the row before; what
    it holds stands on the account's shelf, and tells whether that has been done.
    """
    gone = delete(row, missing("done"))
    try:
        if held is None or not _given_back(db, gone, held):
            db.write(gone)
    except ConditionFailed:
        return False
    return True


def _given_back(db: Dynamo, gone: Write, held: Reservation) -> bool:
    """Whether it was now; False when it was before. Raises Refused when the row is to stay.

    Nothing is given back to a request or an account that is there no more.
    """
    load = Load(held.size, 1)
    back = [release_slot(held)] if held.request else []
    back.append(refund(held.owner, held.owner_id, load, load))
    for _ in db.rounds():
        writes = [gone, delete_reservation(held, gone.key, once=True), *back]
        try:
            db.commit(writes, token=f"b{len(back)}{gone.key.sort}")
        except ConditionFailed as refused:
            if 0 in refused.failed:
                raise
            if 1 in refused.failed:
                return False
            back = [each for at, each in enumerate(back, 2) if at not in refused.failed]
            continue
        break
    return True


class ExpiryEntries:
    """The lists of what falls due."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the table files through `db`."""
        self._db = db

    def list_entries(self, day: int, *, after: str, limit: int) -> tuple[list[ExpiryEntry], bool]:
        """Some of what falls due on a day, by name, and whether there is more."""
        page = self._db.query(FILES, expiry_partition(day), after=after, limit=limit)
        return [_read(row) for row in page.items], page.more

    def claim(self, due: ExpiryEntry) -> bool:
        """Removes the row that fell due; False when an upload was completed after all."""
        return claim(self._db, due.row, due.held)

    def delete(self, due: ExpiryEntry) -> None:
        """Strikes a line."""
        self._db.write(delete(due.key))


def _read(item: Item) -> ExpiryEntry:
    key = Key(FILES, str(item["shelf"]), str(item["name"]))
    owner, shelf, name = str(item["name"]).split("/", 2)
    return ExpiryEntry(
        key=key,
        row=Key(FILES, f"{owner}/{shelf}", name),
        object=str(item["object"]) if "object" in item else None,
        multipart=str(item["multipart"]) if "multipart" in item else None,
        until=int(str(item["until"])),
        held=_held(item) if "held" in item else None,
    )


def _held(item: Item) -> Reservation:
    request = item.get("held_in")
    return Reservation(
        size=int(str(item["held"])),
        owner=str(item["held_of"]),
        owner_id=str(item["held_of_id"]),
        request=str(request) if request else None,
    )
