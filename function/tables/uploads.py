"""Transfers in progress: a row on the uploader's shelf, a line on the list of what falls due."""

import re
from collections.abc import Sequence

from function.aws.dynamodb import Dynamo
from function.aws.rows import Key, Row, Rows
from function.aws.writes import Write, delete, equals, missing, put, update
from function.contract import ARRIVING, FILES
from function.core.fields import OnConflict
from function.core.limits import DAY, DAYS
from function.tables.accounts import Reservation, delete_reservation, put_reservation
from function.tables.expiry import GRACE, claim, expiry_key, schedule_expiry

UPLOADS = "uploads"
ID = re.compile(r"[0-9a-f]{32}")


class UploadRow(Row):
    """A transfer in progress, on the shelf of whoever uploads; its bytes go straight to S3.

    `size` is None where the client could not say. `done` is the answer of its completion, as JSON:
    whoever completes it again gets the same. What comes by a request has the request's id, its
    folder as it was then, and the name that the `sender` gave for themselves. Its `owner_id` says
    whose account its size is reserved on, `address` and `agent` from where it was begun.
    """

    shelf: str
    name: str
    user_id: str
    owner: str
    file_name: str
    object: str
    content_type: str
    on_conflict: OnConflict
    created: str
    expires_at: int
    rev: str
    size: int | None = None
    owner_id: str | None = None
    part_size: int | None = None
    multipart: str | None = None
    sha256: str | None = None
    if_match: str | None = None
    if_none_match: str | None = None
    description: str | None = None
    tags: list[str] = []  # noqa: RUF012 - pydantic copies it
    done: str | None = None
    request: str | None = None
    folder: str = ""
    sender: str | None = None
    address: str = ""
    agent: str = ""

    @property
    def called(self) -> str:
        """The file's name as its sender called it, below the request's folder."""
        return self.file_name.removeprefix(self.folder)


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


def is_upload_id(text: str) -> bool:
    """Whether it has the form of an upload's id."""
    return ID.fullmatch(text) is not None


def upload_expiry_key(row: UploadRow) -> Key:
    """Where the list of what falls due names an upload."""
    return expiry_key(Key(FILES, row.shelf, row.name), row.expires_at)


def reservation_of(row: UploadRow) -> Reservation | None:
    """What an upload holds of the account it is for, and of the request that it comes by."""
    return (
        Reservation(row.size or 0, row.owner, row.owner_id, row.request) if row.owner_id else None
    )


def create_upload(row: UploadRow) -> list[Write]:
    """Writes an upload, its expiry entry, and the reservation that it holds."""
    key, reservation = Key(FILES, row.shelf, row.name), reservation_of(row)
    expiry_entry = schedule_expiry(
        key, row.expires_at, object_key=row.object, multipart=row.multipart, reservation=reservation
    )
    reserved = [put_reservation(reservation, key, row.expires_at + GRACE)] if reservation else []
    return [put(key, row), expiry_entry, *reserved]


def finish_upload(row: UploadRow, answer: str) -> list[Write]:
    """Notes the answer of the completion, once; the upload holds nothing and falls due no more."""
    key, what = Key(FILES, row.shelf, row.name), reservation_of(row)
    unfinished = equals(rev=row.rev) & missing("done")
    return [
        update(key, set={"done": answer}, when=unfinished),
        *([delete_reservation(what, key)] if what else []),
        delete(upload_expiry_key(row)),
    ]


class Uploads:
    """The shelves of uploads."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the table files through `db`."""
        self._db = db

    def create(self, row: UploadRow, also: Sequence[Write] = ()) -> None:
        """Commits a new upload together with other writes. Raises ConditionFailed."""
        self._db.commit([*create_upload(row), *also], row.rev)

    def find(self, username: str, upload_id: str) -> UploadRow | None:
        """One upload."""
        return upload_in(self._db.read([upload_key(username, upload_id)]), username, upload_id)

    def is_abandoned(self, username: str, upload_id: str, object_key: str, now: float) -> bool:
        """Whether an upload that has no row any more is on the list of what falls due.

        Then its object is nobody's: completing it needs the row, and strikes the line. Without a
        line it may be a file's. Of what has expired nothing is said; the sweep removes it.
        """
        row = upload_key(username, upload_id)
        lines = [expiry_key(row, int(now) + day * DAY) for day in range(DAYS + 1)]
        return any(line["object"] == object_key for line in self._db.read(lines).values())

    def list_uploads(
        self, username: str, *, after: str, limit: int
    ) -> tuple[list[UploadRow], bool]:
        """Somebody's uploads, finished ones included, and whether there are more."""
        page = self._db.query(FILES, f"{username}/{UPLOADS}", after=after, limit=limit)
        return [UploadRow.model_validate(row) for row in page.items], page.more

    def delete_unfinished(self, row: UploadRow) -> bool:
        """Removes an upload that nobody completed; False when somebody did."""
        return claim(self._db, Key(FILES, row.shelf, row.name), reservation_of(row))
