"""Expiry entries in the table files: which rows the sweep deletes, with their bytes.

An entry is a row of the partition of a day, which is no user's name, so the sweep finds the rows
that have expired without reading any others. The commit that writes a row that expires writes its
entry, and the commit that makes the row's bytes a file's deletes the entry.

Entries have no TTL: only the sweep deletes them, however late it comes. Those of earlier releases
have one of LEGACY_DAYS.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from function.aws.dynamodb import ConditionFailed, Dynamo, QueryPage
from function.aws.rows import Item, Key, Rows
from function.aws.writes import Write, delete, missing, put, update
from function.contract import FILES
from function.core.limits import DAY
from function.tables.requests import release_slot
from function.tables.reservations import Reservation, delete_reservation
from function.tables.usage import StorageAmount, refund

# For which entries of earlier releases outlive their rows; the first sweep begins there.
LEGACY_DAYS = 30
# A commit may write an entry of a day that has just ended.
OPEN_DAYS = 1
# Sweeps further apart leave a time of which the table tells nothing (`SweepPosition.since`).
MAX_GAP = 3600
SWEEP_KEY = Key(FILES, "~sweep", "position")


@dataclass(frozen=True)
class ExpiryEntry:
    """The entry under `key`: the row under the key `row` expires at `until` (epoch seconds).

    `object` is the key of the bytes in S3 and `multipart` the id of a multipart upload, where the
    row does not name them; `reservation` is that of an upload in progress.
    """

    key: Key
    row: Key
    object: str | None
    multipart: str | None
    until: int
    reservation: Reservation | None


@dataclass(frozen=True)
class SweepPosition:
    """What a sweep leaves for the next one.

    - `days`: the days (since the epoch) before `next_day` that may still have entries. All days
      from `next_day` on may have some.
    - `seen`: when the last sweep ended (epoch seconds); `table`: the name of its table files.
    - `since`: since when sweeps followed each other within MAX_GAP in this table. A table that was
      restored has another name, or none of the last sweeps: before `since` it may have lost rows.
    """

    days: tuple[int, ...]
    next_day: int
    seen: int
    since: int
    table: str

    def open_days(self, today: int) -> list[int]:
        """The days that may have entries that are due."""
        return [*self.days, *range(self.next_day, today + 1)]

    def after(self, open_days: list[int], now: int) -> "SweepPosition":
        """The position after a sweep that left entries on these days."""
        first_open = now // DAY - OPEN_DAYS
        past = tuple(day for day in open_days if day < first_open)
        return replace(self, days=past, next_day=max(self.next_day, first_open), seen=now)


def expiry_key(row: Key, until: int) -> Key:
    """The key of the entry of a row that expires at `until` (epoch seconds)."""
    return Key(FILES, expiry_partition(until // DAY), f"{row.partition}/{row.sort}")


def expiry_partition(day: int) -> str:
    """The partition of a day, which is a number of days since the epoch."""
    return f"~expiry/{day}"


def schedule_expiry(
    row: Key,
    until: int,
    *,
    object_key: str | None = None,
    multipart: str | None = None,
    reservation: Reservation | None = None,
) -> Write:
    """Writes the expiry entry of a row; `object_key` is not needed if the row names its bytes."""
    entry: Item = {"object": object_key, "multipart": multipart, "until": until}
    if reservation:
        entry |= {
            "reserved": reservation.size,
            "reserved_owner": reservation.owner,
            "reserved_owner_id": reservation.owner_id,
            "reserved_request": reservation.request,
        }
    return put(expiry_key(row, until), entry)


def mark_freed(entry: Key, object_key: str, now: int) -> Write:
    """Records that the row is deleted and that its bytes are next; creates a missing entry."""
    return update(entry, set={"freed": object_key}, default={"until": now})


def freed_object(rows: Rows, entry: Key) -> str | None:
    """The key of the bytes that `mark_freed` recorded, if the entry is among the rows."""
    freed = rows.get(entry, {}).get("freed")
    return str(freed) if freed else None


def claim(db: Dynamo, row: Key, reservation: Reservation | None) -> bool:
    """Deletes an expired row, so that the caller may delete its bytes; False if it must not.

    It must not when the upload has been completed. The same commit releases its reservation. The
    table's TTL may have deleted the row before; the reservation has a row of its own, which tells
    whether it has been released. Raises Unavailable.
    """
    deletion = delete(row, missing("done"))
    try:
        if reservation is None or not _release(db, deletion, reservation):
            db.write(deletion)
    except ConditionFailed:
        return False
    return True


def _release(db: Dynamo, deletion: Write, reservation: Reservation) -> bool:
    """Deletes a row and releases its reservation; False when that was released before.

    Does not release to a file request or an account that no longer exists. Raises ConditionFailed
    when the row must stay.
    """
    storage = StorageAmount(reservation.size, 1)
    held, *releases = delete_reservation(reservation, deletion.key, once=True)
    releases += [release_slot(reservation)] if reservation.request else []
    releases.append(refund(reservation.owner, reservation.owner_id, storage, storage))
    while True:
        try:
            db.commit([deletion, held, *releases])
        except ConditionFailed as error:
            if 0 in error.failed:
                raise
            if 1 in error.failed:
                return False
            releases = [each for at, each in enumerate(releases, 2) if at not in error.failed]
        else:
            return True


class ExpiryEntries:
    """Queries of expiry entries, and the deletion of them and of their rows."""

    def __init__(self, db: Dynamo) -> None:
        """Takes the client."""
        self._db = db

    def list_entries(self, day: int, *, after: str, limit: int) -> QueryPage[ExpiryEntry]:
        """The entries of a day, by the keys of their rows, after a sort key."""
        page = self._db.query(FILES, expiry_partition(day), after=after, limit=limit)
        return page.map(_entry)

    def load_position(self, table: str, now: int) -> SweepPosition:
        """What the last sweep left; `table` is the name of the table files."""
        row = self._db.read([SWEEP_KEY]).get(SWEEP_KEY)
        if row is None:
            return SweepPosition((), now // DAY - LEGACY_DAYS, now, now, table)
        saved = json.loads(str(row["position"]))
        position = SweepPosition(**saved | {"days": tuple(saved["days"])})
        if position.table == table and now - position.seen <= MAX_GAP:
            return position
        return replace(position, since=now, table=table)

    def save_position(self, position: SweepPosition) -> None:
        """Saves what a sweep leaves."""
        self._db.write(put(SWEEP_KEY, {"position": json.dumps(asdict(position))}))

    def claim(self, entry: ExpiryEntry) -> bool:
        """Deletes the row that has expired; False when its upload has been completed."""
        return claim(self._db, entry.row, entry.reservation)

    def delete(self, entries: Iterable[Key]) -> None:
        """Deletes entries."""
        self._db.commit_each([delete(entry) for entry in entries])


def _entry(item: Item) -> ExpiryEntry:
    owner, kind, name = str(item["name"]).split("/", 2)
    return ExpiryEntry(
        key=Key(FILES, str(item["partition"]), str(item["name"])),
        row=Key(FILES, f"{owner}/{kind}", name),
        object=str(item["object"]) if "object" in item else None,
        multipart=str(item["multipart"]) if "multipart" in item else None,
        until=int(str(item["until"])),
        reservation=_reservation(item) if "reserved" in item else None,
    )


def _reservation(item: Item) -> Reservation:
    request = item.get("reserved_request")
    return Reservation(
        size=int(str(item["reserved"])),
        owner=str(item["reserved_owner"]),
        owner_id=str(item["reserved_owner_id"]),
        request=str(request) if request else None,
    )
