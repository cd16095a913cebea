"""What the tables hold of requests for files. Imports `records` alone."""

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
from function.tables.accounts import Reservation

REQUEST = "~request/"  # and its id: each has its own place in the index by file
# What an owner may change; the counts are not among them, for others count meanwhile.
SETTINGS = (
    "title", "folder", "rev", "seal", "password", "ends", "max_files", "max_file_size",
    "max_total_size", "allowed_types", "require_name", "open", "expires_at",
)  # fmt: skip


class RequestRow(Row):
    """A request for files: `id` is the hash of its token, `rev` changes with what its owner says.

    It takes files below `folder` while it is `open` and until it `ends` (epoch seconds, None is
    never). `files` and `bytes` are what completed uploads brought and what open ones hold; `seal`
    changes with the password. The table forgets the row after `expires_at`.
    """

    id: str
    owner: str
    owner_id: str
    title: str
    folder: str
    created: str
    rev: str
    seal: str
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
    """Where a request stands."""
    return Key(SHARES, f"request:{request_id}", REQUEST + request_id)


def request_in(rows: Rows, request_id: str, now: float) -> RequestRow | None:
    """The request, if it was read and the table should not have forgotten it."""
    found = rows.get(request_key(request_id))
    row = RequestRow.model_validate(found) if found else None
    return None if row is None or (row.expires_at or now + 1) <= now else row


def reserve_slot(row: RequestRow, size: int) -> Write:
    """Takes a place for one file, if there is one and the request is still as it was read."""
    when = equals(rev=row.rev)
    if row.max_files is not None:
        when &= below(files=row.max_files)
    if row.max_total_size is not None:
        when &= at_most(bytes=row.max_total_size - size)
    return update(request_key(row.id), add={"files": 1, "bytes": size}, when=when)


def release_slot(held: Reservation) -> Write:
    """Gives a place back, if there is such a request."""
    key = request_key(str(held.request))
    return update(key, add={"files": -1, "bytes": -held.size}, when=exists("grantee"))


def require_request(request_id: str) -> Write:
    """Expects that there is such a request."""
    return check(request_key(request_id), exists("grantee"))


def create_request(row: RequestRow) -> list[Write]:
    """Puts a new file request, and its entry in the list of its owner."""
    return [put(request_key(row.id), row, missing("grantee")), _line(row)]


def update_request(old: RequestRow, row: RequestRow, *, same_counts: bool) -> list[Write]:
    """Writes the settings of a file request over those that were read, and its list entry.

    `same_counts` expects the counts as they were read as well.
    """
    unchanged = equals(rev=old.rev)
    if same_counts:
        unchanged &= equals(files=old.files, bytes=old.bytes)
    settings = row.model_dump(include=set(SETTINGS))
    return [update(request_key(row.id), set=settings, when=unchanged), _line(row)]


def delete_request(row: RequestRow) -> list[Write]:
    """Deletes a request and its line."""
    return [delete(request_key(row.id), exists("grantee")), delete(_line(row).key)]


def move_request(row: RequestRow, folder: str, rev: str) -> Write:
    """Has a request take files below another folder, if it is as it was read."""
    change: Item = {"folder": folder, "rev": rev}
    return update(request_key(row.id), set=change, when=equals(rev=row.rev))


class Requests:
    """The requests in the table shares."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the table through `db`."""
        self._db = db

    def find(self, request_id: str, now: float) -> RequestRow | None:
        """One request."""
        return request_in(self._db.read([request_key(request_id)]), request_id, now)

    def list_below(self, owner: str, folder: str, now: float) -> list[RequestRow]:
        """Somebody's requests that take files below a folder."""
        found: list[RequestRow] = []
        last: str | None = ""
        while last is not None:
            rows, last = self.list_requests(owner, now, after=last, limit=BATCH_GET_LIMIT)
            found += [row for row in rows if row.folder.startswith(folder)]
        return found

    def list_requests(
        self, owner: str, now: float, *, after: str, limit: int
    ) -> tuple[list[RequestRow], str | None]:
        """Somebody's requests, oldest first, and the last line read when others follow."""
        page = self._db.query(SHARES, _ledger(owner), after=after, limit=limit + 1)
        lines = [str(item["file"]) for item in page.items]
        ids = [line.partition("/")[2] for line in lines[:limit]]
        rows = self._db.read(request_key(each) for each in ids)
        found = [request_in(rows, each, now) for each in ids]
        return [row for row in found if row], lines[limit - 1] if lines[limit:] else None


def _ledger(owner: str) -> str:
    return f"requests:{owner}"


def _line(row: RequestRow) -> Write:
    key = Key(SHARES, _ledger(row.owner), f"{row.created}/{row.id}")
    return put(key, {"expires_at": row.expires_at})
