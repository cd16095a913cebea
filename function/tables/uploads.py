"""Uploads in the table files: files whose bytes the client sends to S3 by presigned URLs.

An upload is a row of the partition `<uploader>/uploads`. It has an expiry entry, so that the sweep
deletes one that is given up with its bytes, and a reservation on the account that it uploads to.
"""

import re
from collections.abc import Iterable

from function.aws.dynamodb import Dynamo, QueryPage
from function.aws.rows import Item, Key, Row, Rows
from function.aws.writes import Write, delete, equals, exists, missing, put, update
from function.contract import FILES, SINGLE_PUT_SUFFIX
from function.core.fields import OnConflict, PartChecksum, StoredType
from function.core.limits import DAY, UPLOAD_DAYS
from function.tables.expiry import LEGACY_DAYS, claim, expiry_key, schedule_expiry
from function.tables.reservations import (
    RESERVATIONS,
    UPLOADS,
    Reservation,
    Scope,
    delete_reservation,
    put_reservation,
    reservation_key,
)

AFTER_IDS = "~"  # sorts after every id, which is hexadecimal


class UploadRow(Row):
    """An upload. `partition` and `name` are its key, `name` is its id.

    - `user_id`: the uploader's account. `owner`, `owner_id`: the account that the file will belong
      to, which reserves the `size`; without `owner_id` nothing is reserved.
    - `file_name`, `content_type`, `description`, `tags`: of the file. `on_conflict`, `if_match`,
      `if_none_match`: what happens if a file has the name.
    - `object`: the key of the bytes. `multipart`: the id of the S3 upload; `part_size` in bytes,
      None where the client cuts the parts itself.
    - `size` in bytes, None if the client did not say it; `sha256` or `crc64nvme` in hexadecimal,
      if it did. `part_checksum`: "sha256" where each part is signed with its own.
    - `created`: ISO 8601. `expires_at`: epoch seconds. `rev`: random.
    - `done`: the response of the completion as JSON, which a repeated completion returns as well.
    - `request`: the id of the file request that it answers; `folder`: the request's folder when it
      began; `sender`: the name that the uploader gave.
    - `address`, `agent`: the IP address and User-Agent that it was begun from.
    """

    partition: str
    name: str
    user_id: str
    owner: str
    file_name: str
    object: str
    content_type: StoredType
    on_conflict: OnConflict
    created: str
    expires_at: int
    rev: str
    size: int | None = None
    owner_id: str | None = None
    part_size: int | None = None
    multipart: str | None = None
    sha256: str | None = None
    crc64nvme: str | None = None
    part_checksum: PartChecksum | None = None
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
    def sent_name(self) -> str:
        """The file's name below the folder of its file request, as the uploader chose it."""
        return self.file_name.removeprefix(self.folder)


def object_key(owner: str, username: str, upload_id: str, *, single: bool) -> str:
    """The key of an upload's bytes, which contains the names of the owner and of the uploader.

    `single` tells that one PUT sends them all. Then S3 notifies the queue, because the client may
    do nothing after the PUT.
    """
    return f"{owner}/{username}/{upload_id}" + (SINGLE_PUT_SUFFIX if single else "")


def upload_of(key: str) -> tuple[str, str] | None:
    """The uploader and the id of the upload that an object's key contains.

    None for an object that no single PUT of an upload created.
    """
    match = re.fullmatch(rf"[^/]+/([^/]+)/([0-9a-f]{{32}}){re.escape(SINGLE_PUT_SUFFIX)}", key)
    return (match[1], match[2]) if match else None


def upload_key(username: str, upload_id: str) -> Key:
    """The key of an upload."""
    return Key(FILES, f"{username}/{UPLOADS}", upload_id)


def is_upload_key(key: Key) -> bool:
    """Whether a row of the table files is an upload."""
    return key.partition.endswith(f"/{UPLOADS}")


def upload_in(rows: Rows, username: str, upload_id: str) -> UploadRow | None:
    """The upload, if it is among the rows."""
    row = rows.get(upload_key(username, upload_id))
    return UploadRow.model_validate(row) if row else None


def upload_expiry_key(row: UploadRow) -> Key:
    """The key of an upload's expiry entry."""
    return expiry_key(Key(FILES, row.partition, row.name), row.expires_at)


def reservation_of(row: UploadRow) -> Reservation | None:
    """The reservation of an upload: on the owner's account, and a slot of its file request."""
    return (
        Reservation(row.size or 0, row.owner, row.owner_id, row.request) if row.owner_id else None
    )


def create_upload(row: UploadRow) -> list[Write]:
    """Creates an upload, its expiry entry and its reservation."""
    key, reservation = Key(FILES, row.partition, row.name), reservation_of(row)
    expiry_entry = schedule_expiry(
        key, row.expires_at, object_key=row.object, multipart=row.multipart, reservation=reservation
    )
    reserved = put_reservation(reservation, key, row.expires_at) if reservation else []
    return [put(key, row), expiry_entry, *reserved]


def finish_upload(row: UploadRow, answer: str) -> list[Write]:
    """Records the response of the completion, if the upload has not been completed.

    The file has the bytes now, so the reservation and the expiry entry are deleted.
    """
    key, reservation = Key(FILES, row.partition, row.name), reservation_of(row)
    unfinished = equals(rev=row.rev) & missing("done")
    return [
        update(key, set={"done": answer}, when=unfinished),
        *(delete_reservation(reservation, key) if reservation else []),
        delete(upload_expiry_key(row)),
    ]


def list_forgotten_again(
    db: Dynamo, owner: str, reservations: Iterable[Item], before: int, now: int
) -> list[list[Write]]:
    """Commits that list uploads again which expired before a time, and whose entry is lost.

    `reservations` are the rows of those on an account; times are epoch seconds. DynamoDB's TTL may
    have deleted the row of the upload, which names its bytes: then they are an object without a
    row. Raises Unavailable.
    """
    late: dict[Key, tuple[Key, Item]] = {}
    for row in reservations:
        partition, _, name = str(row["name"]).rpartition("/")
        until = int(str(row.get("until") or int(str(row["expires_at"])) - LEGACY_DAYS * DAY))
        if until < before:
            upload = Key(FILES, partition, name)
            late[expiry_key(upload, until)] = upload, row
    rows = db.read([*late, *(upload for upload, _ in late.values())])
    forgotten = [each for entry, each in late.items() if entry not in rows]
    return [_list_again(key, row, owner, rows.get(key), now) for key, row in forgotten]


def _list_again(upload: Key, row: Item, owner: str, found: Item | None, now: int) -> list[Write]:
    """Lists an upload as expired now, by the rows of its reservation and, if there, its own."""
    known = UploadRow.model_validate(found) if found else None
    request = str(row.get("file_request") or (known.request if known else None) or "") or None
    reservation = Reservation(int(str(row["size"])), owner, str(row["owner_id"]), request)
    entry = schedule_expiry(
        upload,
        now,
        object_key=known.object if known else None,
        multipart=known.multipart if known else None,
        reservation=reservation,
    )
    changes: Item = {"until": now, "expires_at": None}
    key = reservation_key(reservation, upload)
    return [entry, update(key, set=changes, when=exists("owner_id"))]


class Uploads:
    """Queries of uploads, and the deletion of one that is given up."""

    def __init__(self, db: Dynamo) -> None:
        """Takes the client."""
        self._db = db

    def find(self, username: str, upload_id: str) -> UploadRow | None:
        """An upload."""
        return upload_in(self._db.read([upload_key(username, upload_id)]), username, upload_id)

    def find_at(self, key: Key) -> UploadRow | None:
        """The upload under a key."""
        row = self._db.read([key]).get(key)
        return UploadRow.model_validate(row) if row else None

    def list_uploads(self, username: str, *, after: str, limit: int) -> QueryPage[UploadRow]:
        """An account's uploads by id, completed ones included, after an id."""
        page = self._db.query(FILES, f"{username}/{UPLOADS}", after=after, limit=limit)
        return page.map(UploadRow.model_validate)

    def list_reserving(
        self, scope: Scope, *, after: str, limit: int
    ) -> tuple[list[UploadRow], str | None]:
        """A page of uploads in progress that a scope leads to, and the position of the next page.

        Reservations on an account lead to the uploads of others, not to its own.
        """
        own = f"{scope.partition.partition('/')[0]}/{UPLOADS}/"
        page = self._db.query(FILES, scope.partition, prefix=scope.prefix, after=after, limit=limit)
        rows, last = page.items, str(page.items[-1]["name"]) if page.more else None
        if scope.partition.endswith(f"/{RESERVATIONS}"):
            paths = [str(row["name"]) for row in rows]
            others = [path.rpartition("/") for path in paths if not path.startswith(own)]
            keys = [Key(FILES, partition, name) for partition, _, name in others]
            found = self._db.read(keys)
            rows = [found[key] for key in keys if key in found]
            if last and last.startswith(own):
                last = own + AFTER_IDS
        uploads = map(UploadRow.model_validate, rows)
        return [row for row in uploads if row.done is None], last

    def is_abandoned(self, username: str, upload_id: str, object_key: str, now: float) -> bool:
        """Whether an upload without a row still has an expiry entry, so that no file has its bytes.

        A completion needs the row, and deletes the entry. Without an entry the bytes may be a
        file's. Entries of the past are left to the sweep; `now` is epoch seconds.
        """
        row = upload_key(username, upload_id)
        entries = [expiry_key(row, int(now) + day * DAY) for day in range(UPLOAD_DAYS + 1)]
        return any(each["object"] == object_key for each in self._db.read(entries).values())

    def delete_unfinished(self, row: UploadRow) -> bool:
        """Deletes an upload and releases its reservation; False when it has been completed."""
        return claim(self._db, Key(FILES, row.partition, row.name), reservation_of(row))
