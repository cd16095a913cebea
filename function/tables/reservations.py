"""Reservations in the table files, and the releases by which they end with their right.

An upload reserves its size on the account that it uploads to, by a row in a partition of that
account. Another row finds the upload by its id, where it is another's.

A right may carry any number of reservations, which no commit can hold. So the commit that ends a
right writes one release: it names the partition where those reservations are (`Scope`).
`access.releases` looks at them and discards the uploads that no right carries any more.
"""

from dataclasses import dataclass
from typing import NamedTuple

from function.aws.dynamodb import Dynamo
from function.aws.rows import Item, Key, Rows
from function.aws.writes import Write, delete, exists, put, update
from function.contract import FILES

RESERVATIONS = "reservations"
UPLOADS = "uploads"
RESERVATIONS_PAGE = 1000
RELEASES_PARTITION = "~uploads/releases"
TIME_DIGITS = 10  # of the epoch seconds that the sort key of a release begins with


@dataclass(frozen=True)
class Reservation:
    """The storage that an upload of `size` bytes reserves until it is completed.

    It reserves from the account of its `owner`, and a slot of the file `request` that it answers,
    if any. It has a row of its own, and the account has reserved the sum of these rows: a commit
    that deletes the row also releases the storage.
    """

    size: int
    owner: str
    owner_id: str
    request: str | None = None


class Scope(NamedTuple):
    """Rows that lead to uploads: those of a partition whose sort keys begin with `prefix`.

    They are reservations on an account, or the uploads of one. With a `group`, the id of one that
    was deleted, `partition` is that of its memberships, which lead to its members' uploads.
    """

    partition: str
    prefix: str = ""
    group: str | None = None


class Release(NamedTuple):
    """A scope that is to be looked at after a sort key, and the key of the row that says so."""

    key: Key
    scope: Scope
    after: str | None = ""


def reservation_key(reservation: Reservation, upload: Key) -> Key:
    """The key of an upload's reservation, in the partition of the account that it reserves from."""
    return Key(FILES, f"{reservation.owner}/{RESERVATIONS}", f"{upload.partition}/{upload.sort}")


def held_key(owner: str, upload_id: str) -> Key:
    """The key of the row by which an owner finds another's upload by its id."""
    return Key(FILES, f"{owner}/held", f"{UPLOADS}/{upload_id}")


def held_upload(rows: Rows, owner: str, upload_id: str) -> Key | None:
    """The key of another's upload to an owner's files, if its row of this id is among the rows."""
    row = rows.get(held_key(owner, upload_id))
    return Key(FILES, str(row["upload"]), upload_id) if row else None


def put_reservation(reservation: Reservation, upload: Key, until: int) -> list[Write]:
    """Stores the reservation of an upload that expires at `until` (epoch seconds).

    The rows have no TTL: without them nobody would know that the account is charged for nothing.
    """
    row: Item = {
        "size": reservation.size,
        "owner_id": reservation.owner_id,
        "file_request": reservation.request,
        "until": until,
    }
    writes = [put(reservation_key(reservation, upload), row)]
    if _is_anothers(reservation, upload):
        held = held_key(reservation.owner, str(upload.sort))
        writes.append(put(held, {"upload": upload.partition}))
    return writes


def delete_reservation(reservation: Reservation, upload: Key, *, once: bool = False) -> list[Write]:
    """Deletes a reservation; `once` requires in the first write that it exists."""
    key = reservation_key(reservation, upload)
    writes = [delete(key, exists("owner_id") if once else None)]
    if _is_anothers(reservation, upload):
        writes.append(delete(held_key(reservation.owner, str(upload.sort))))
    return writes


def list_reservations(db: Dynamo, owner: str, owner_id: str) -> list[Item]:
    """The rows of all reservations on an account; each has the `size` in bytes."""
    rows: list[Item] = []
    after, more = "", True
    while more:
        page = db.query(FILES, f"{owner}/{RESERVATIONS}", after=after, limit=RESERVATIONS_PAGE)
        rows += [row for row in page.items if row["owner_id"] == owner_id]
        after, more = str(page.items[-1]["name"]) if page.items else "", page.more
    return rows


def reservations_on(owner: str, uploader: str | None = None) -> Scope:
    """What others' uploads reserve from an account; those of one `uploader`, or of all."""
    return Scope(f"{owner}/{RESERVATIONS}", f"{uploader}/{UPLOADS}/" if uploader else "")


def uploads_of(username: str) -> Scope:
    """The uploads of an account, to whatever account."""
    return Scope(f"{username}/{UPLOADS}")


def uploads_of_members(grantee: str, group_id: str) -> Scope:
    """The uploads of the members that a deleted group had; `grantee` is `group:<name>`."""
    return Scope(grantee, group=group_id)


def schedule_release(scope: Scope, at: float, nonce: str) -> Write:
    """Has the sweep look at a scope at a time (epoch seconds); `nonce` is a random id."""
    key = Key(FILES, RELEASES_PARTITION, f"{int(at):0{TIME_DIGITS}}/{nonce}")
    row: Item = {"scope": scope.partition, "prefix": scope.prefix or None, "group": scope.group}
    return put(key, row)


class ReleaseList:
    """Queries of releases, and their deletion."""

    def __init__(self, db: Dynamo) -> None:
        """Takes the client."""
        self._db = db

    def list_due(self, now: float, *, after: str, limit: int) -> list[Release]:
        """The releases up to `now` (epoch seconds), in the order of time, after a sort key."""
        page = self._db.query(FILES, RELEASES_PARTITION, after=after, limit=limit).map(_release)
        end = f"{int(now):0{TIME_DIGITS}}~"
        return [each for each in page.items if str(each.key.sort) < end]

    def save_position(self, release: Release, after: str) -> None:
        """Records how far a scope has been looked at."""
        self._db.write(update(release.key, set={"after": after}, when=exists("scope")))

    def delete(self, release: Release) -> None:
        """Deletes a release whose scope has been looked at."""
        self._db.write(delete(release.key))


def _release(item: Item) -> Release:
    group = item.get("group")
    scope = Scope(str(item["scope"]), str(item.get("prefix", "")), str(group) if group else None)
    key = Key(FILES, RELEASES_PARTITION, str(item["name"]))
    return Release(key, scope, str(item.get("after", "")))


def _is_anothers(reservation: Reservation, upload: Key) -> bool:
    """Whether somebody else than the owner of the files uploads."""
    return upload.partition != f"{reservation.owner}/{UPLOADS}"
