"""Transfers in progress: a row on the uploader's shelf, and one in the list of what falls due.

The list has a shelf for each day, of which no user name can be the owner; it tells the daily sweep
what to look at without reading anything else.
"""

import re
from dataclasses import dataclass

from function.contract import ARRIVING, FILES
from function.records import UploadRow
from function.stores.dynamo import Dynamo
from function.stores.rows import Item, Key, Refused, Rows, Write

UPLOADS = "uploads"
DAY = 86_400
GRACE = 30 * DAY  # how long the list itself is kept when no sweep runs


def object_key(owner: str, username: str, upload_id: str, *, single: bool) -> str:
    """The object of an upload: below its owner, and naming the uploader and the upload.

    The bucket tells of those that one PUT makes, for that may be all that their client does.
    """
    return f"{owner}/{username}/{upload_id}" + (ARRIVING if single else "")


def upload_of(key: str) -> tuple[str, str] | None:
    """Who uploaded an object of this key, and by which upload; None when it is no upload's."""
    match = re.fullmatch(rf"[^/]+/([^/]+)/([0-9a-f]{{32}}){re.escape(ARRIVING)}", key)
    return (match[1], match[2]) if match else None


def upload_key(username: str, upload_id: str) -> Key:
    """Where an upload of somebody's stands."""
    return Key(FILES, f"{username}/{UPLOADS}", upload_id)


def upload_in(rows: Rows, username: str, upload_id: str) -> UploadRow | None:
    """The upload, if it was read."""
    row = rows.get(upload_key(username, upload_id))
    return UploadRow.model_validate(row) if row else None


@dataclass(frozen=True)
class Due:
    """An upload that nobody has completed and that ends at `until` (epoch seconds)."""

    key: Key
    username: str
    upload_id: str
    object: str
    multipart: str | None
    until: int


def due_key(row: UploadRow) -> Key:
    """Where the list of what falls due names an upload."""
    return Key(FILES, due_shelf(row.expires_at // DAY), f"{row.shelf}/{row.name}")


def due_shelf(day: int) -> str:
    """The list of a day, by its number since the epoch."""
    return f"~due/{day}"


def finish(row: UploadRow, answer: str) -> list[Write]:
    """Notes the answer of the completion, once; the upload falls due no more."""
    noted = Write(
        "Update",
        Key(FILES, row.shelf, row.name),
        condition="rev = :rev AND attribute_not_exists(done)",
        update="SET done = :answer",
        values={":rev": row.rev, ":answer": answer},
    )
    return [noted, Write("Delete", due_key(row))]


class Transfers:
    """The shelves of uploads, and the lists of what falls due."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the table files through `db`."""
        self._db = db

    def start(self, row: UploadRow) -> None:
        """Writes an upload, and when it falls due, in one commit."""
        due = due_key(row)
        item: Item = {
            **due.item(),
            "object": row.object,
            "multipart": row.multipart,
            "until": row.expires_at,
            "expires_at": row.expires_at + GRACE,
        }
        upload = Write("Put", Key(FILES, row.shelf, row.name), item=row.model_dump())
        self._db.commit([upload, Write("Put", due, item=item)], row.rev)

    def find(self, username: str, upload_id: str) -> UploadRow | None:
        """One upload."""
        return upload_in(self._db.read([upload_key(username, upload_id)]), username, upload_id)

    def of(self, username: str, *, after: str, limit: int) -> tuple[list[UploadRow], bool]:
        """Somebody's uploads, finished ones included, and whether there are more."""
        page = self._db.query(FILES, f"{username}/{UPLOADS}", after=after, limit=limit)
        return [UploadRow.model_validate(row) for row in page.items], page.more

    def remove(self, username: str, upload_id: str) -> bool:
        """Removes an upload that nobody completed; False when somebody did."""
        key = upload_key(username, upload_id)
        try:
            self._db.write(Write("Delete", key, condition="attribute_not_exists(done)"))
        except Refused:
            return False
        return True

    def due(self, day: int, limit: int) -> list[Due]:
        """Some of the uploads that fall due on a day."""
        page = self._db.query(FILES, due_shelf(day), limit=limit)
        return [self._due(row) for row in page.items]

    def _due(self, row: Item) -> Due:
        username, _, upload_id = str(row["name"]).split("/")
        return Due(
            key=Key(FILES, str(row["shelf"]), str(row["name"])),
            username=username,
            upload_id=upload_id,
            object=str(row["object"]),
            multipart=str(row["multipart"]) if "multipart" in row else None,
            until=int(str(row["until"])),
        )

    def strike(self, key: Key) -> None:
        """Strikes an upload from the list of what falls due."""
        self._db.write(Write("Delete", key))
