"""File requests in the table shares: their rows, their counts, and the list of each owner.

A file request lets people without an account upload into a folder. An upload in progress holds a
slot, so that the counts never exceed the limits.
"""

from function.aws.dynamodb import BATCH_GET_LIMIT, Dynamo
from function.aws.rows import Item, Key, Row, Rows
from function.aws.writes import (
    Write,
    at_most,
    below,
    check,
    delete,
    equals,
    exists,
    missing,
    put,
    update,
)
from function.contract import SHARES
from function.tables.reservations import Reservation

REQUEST = "~request/"  # and the id, which keeps file requests apart in the index by file
# The fields that an owner's change writes. Uploads change the counts at the same time.
SETTINGS = (
    "title", "folder", "rev", "signing_key", "password", "ends", "max_files", "max_file_size",
    "max_total_size", "allowed_types", "require_name", "open", "expires_at",
)  # fmt: skip


class RequestRow(Row):
    """A file request; `id` is the SHA-256 of its token.

    - `owner`, `owner_id`: the account that receives the files, below `folder`. `created`: ISO 8601.
    - `rev`: random, another one with each change of a setting, but not with an upload.
    - `signing_key`: the random key that signs its access tokens; each new password replaces it.
    - `password`: its hash. `open`: whether it takes files; `ends`: until when (epoch seconds, None
      is never).
    - `max_files`, `max_total_size` limit the counts `files` and `bytes`, which include uploads in
      progress; `max_file_size` is bytes. `allowed_types`: extensions and media types, none is all.
    - `require_name`: whether uploaders must give a name.
    - `expires_at`: epoch seconds, after which the table's TTL deletes the row.
    """

    id: str
    owner: str
    owner_id: str
    title: str
    folder: str
    created: str
    rev: str
    signing_key: str
    password: str | None = None
    ends: int | None = None
    max_files: int | None = None
    max_file_size: int | None = None
    max_total_size: int | None = None
    allowed_types: list[str]
    require_name: bool = False
    open: bool = True
    files: int = 0
    bytes: int = 0
    expires_at: int | None = None


def request_key(request_id: str) -> Key:
    """The key of a file request."""
    return Key(SHARES, f"request:{request_id}", REQUEST + request_id)


def request_in(rows: Rows, request_id: str, now: float) -> RequestRow | None:
    """The file request, if it is among the rows and has not expired. `now` is epoch seconds."""
    found = rows.get(request_key(request_id))
    row = RequestRow.model_validate(found) if found else None
    return None if row is None or (row.expires_at or now + 1) <= now else row


def reserve_slot(row: RequestRow, size: int) -> Write:
    """Counts a file of `size` bytes, if the request has its `rev` and its limits allow it."""
    when = equals(rev=row.rev)
    if row.max_files is not None:
        when &= below(files=row.max_files)
    if row.max_total_size is not None:
        when &= at_most(bytes=row.max_total_size - size)
    return update(request_key(row.id), add={"files": 1, "bytes": size}, when=when)


def release_slot(reservation: Reservation) -> Write:
    """Takes back the count of an upload that was given up, if the file request still exists."""
    key = request_key(str(reservation.request))
    return update(key, add={"files": -1, "bytes": -reservation.size}, when=exists("grantee"))


def require_open_request(request_id: str) -> Write:
    """Requires that the file request exists, and that its owner has not closed it."""
    is_open = equals(open=True) | missing("open")
    return check(request_key(request_id), exists("grantee") & is_open)


def create_request(row: RequestRow) -> list[Write]:
    """Creates a file request, and its entry on its owner's list."""
    return [put(request_key(row.id), row, missing("grantee")), _owner_entry(row)]


def update_request(old: RequestRow, row: RequestRow, *, same_counts: bool) -> list[Write]:
    """Writes the settings of a file request that has its `rev`, and its entry on the list.

    `same_counts` requires that the counts have not changed since they were read either.
    """
    unchanged = equals(rev=old.rev)
    if same_counts:
        unchanged &= equals(files=old.files, bytes=old.bytes)
    settings = row.model_dump(include=set(SETTINGS))
    return [update(request_key(row.id), set=settings, when=unchanged), _owner_entry(row)]


def delete_request(row: RequestRow) -> list[Write]:
    """Deletes a file request, if it exists, and its entry on its owner's list."""
    return [delete(request_key(row.id), exists("grantee")), delete(_owner_entry(row).key)]


def move_request(row: RequestRow, folder: str, rev: str) -> Write:
    """Changes the folder of a file request, if it has its `rev`."""
    change: Item = {"folder": folder, "rev": rev}
    return update(request_key(row.id), set=change, when=equals(rev=row.rev))


class Requests:
    """Queries of file requests."""

    def __init__(self, db: Dynamo) -> None:
        """Takes the client."""
        self._db = db

    def find(self, request_id: str, now: float) -> RequestRow | None:
        """A file request that has not expired; `now` is epoch seconds."""
        return request_in(self._db.read([request_key(request_id)]), request_id, now)

    def list_requests(
        self, owner: str, now: float, *, after: str, limit: int
    ) -> tuple[list[RequestRow], str | None]:
        """An owner's file requests, the oldest first, and the sort key after which more follow."""
        page = self._db.query(SHARES, f"requests:{owner}", after=after, limit=limit + 1)
        entries = [str(item["file"]) for item in page.items]
        ids = [entry.partition("/")[2] for entry in entries[:limit]]
        rows = self._db.read(request_key(each) for each in ids)
        found = [request_in(rows, each, now) for each in ids]
        return [row for row in found if row], entries[limit - 1] if entries[limit:] else None

    def list_below(self, owner: str, folder: str, now: float) -> list[RequestRow]:
        """All file requests of an owner whose folder is this one or below it."""
        found: list[RequestRow] = []
        last: str | None = ""
        while last is not None:
            rows, last = self.list_requests(owner, now, after=last, limit=BATCH_GET_LIMIT)
            found += [row for row in rows if row.folder.startswith(folder)]
        return found


def _owner_entry(row: RequestRow) -> Write:
    key = Key(SHARES, f"requests:{row.owner}", f"{row.created}/{row.id}")
    return put(key, {"expires_at": row.expires_at})
