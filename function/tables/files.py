"""What the tables hold. Imports `fields` alone.

Rows forgive fields that a newer version wrote, so that a roll-back can still read them.
"""

from collections.abc import Iterable

from function.aws.dynamodb import Dynamo
from function.aws.rows import Item, Key, Row, Rows
from function.aws.s3 import Stored
from function.aws.writes import (
    Condition,
    Write,
    check,
    count_equals,
    delete,
    equals,
    missing,
    put,
    update,
)
from function.contract import FILES
from function.tables.accounts import Account
from function.tables.expiry import expiry_key, schedule_expiry

VERSIONS = "versions"
TRASH = "trash"


class FileRow(Row):
    """A file: the name on a shelf, and the object that has its bytes.

    `grantees` are those it was granted to (accounts, groups, links), so that a rename knows them
    all. What they were granted is good for one `place`: a rename gives the file another, and with
    it new grants to the same grantees, so that what was left over from it opens nothing.

    One that was replaced or `deleted` stands on a shelf of its own, was called `file_name`, and is
    kept `until` (epoch seconds).
    """

    shelf: str
    name: str
    id: str
    owner_id: str
    rev: str
    object: str
    size: int
    etag: str
    content_type: str
    created: str
    modified: str
    version: int
    sha256: str | None = None
    description: str | None = None
    tags: list[str] = []  # noqa: RUF012 - pydantic copies it
    modified_by: str | None = None
    sender: str | None = None
    place: str | None = None
    grantees: frozenset[str] = frozenset()
    file_name: str | None = None
    until: int | None = None
    deleted: str | None = None

    @property
    def place_id(self) -> str:
        """What a grant on this file carries; the file's own id until it is renamed."""
        return self.place or self.id

    @property
    def stored(self) -> Stored:
        """The object in S3 that has its bytes."""
        return Stored(self.object, self.size, self.etag, self.sha256)


def file_key(owner: str, name: str) -> Key:
    """Where a live file stands."""
    return Key(FILES, owner, name)


def file_in(rows: Rows, owner: str, name: str) -> FileRow | None:
    """The live file of that name, if it was read."""
    row = rows.get(file_key(owner, name))
    return FileRow.model_validate(row) if row else None


def version_key(row: FileRow, version: int) -> Key:
    """Where a replaced version of a file is kept."""
    return Key(FILES, f"{row.shelf}/{VERSIONS}", archive_name(row.id, version))


def archive_name(file_id: str, version: int) -> str:
    """The name of what is kept: the file's id, so that a later rename does not lose it."""
    return f"{file_id}/{version:08}"


def is_archived(version: FileRow, row: FileRow, most: int, now: float) -> bool:
    """Whether a replaced version of a file is one of the `most` latest, and not too old."""
    return row.version - most <= version.version < row.version and (version.until or 0) > now


def version_in(rows: Rows, row: FileRow, version: int, most: int, now: float) -> FileRow | None:
    """The version that was replaced, under the file's name, if it was read and is still kept."""
    found = rows.get(version_key(row, version))
    kept = FileRow.model_validate(found) if found else None
    if kept is None or not is_archived(kept, row, most, now):
        return None
    return kept.model_copy(update={"shelf": row.shelf, "name": row.name})


def create_file(row: FileRow) -> Write:
    """Puts a file where none is."""
    return put(file_row_key(row), row, missing("shelf"))


def replace_file(old: FileRow, row: FileRow) -> Write:
    """Puts a file in the place of the one that was read, and only of that one."""
    return put(file_row_key(row), row, equals(rev=old.rev))


def delete_file(row: FileRow) -> Write:
    """Takes a file from its shelf, if it is still the one that was read."""
    return delete(file_row_key(row), equals(rev=row.rev))


def require_no_file(owner: str, name: str) -> Write:
    """Expects that there is no file of that name."""
    return check(file_key(owner, name), missing("shelf"))


def set_grantees(row: FileRow, grantees: frozenset[str], rev: str) -> Write:
    """Notes on the file that was read whom it is granted to, and nobody else."""
    change: Item = {"rev": rev, "grantees": grantees}
    return update(file_row_key(row), set=change, when=equals(rev=row.rev))


def add_grantee(row: FileRow, grantee: str, rev: str) -> Write:
    """Notes on the file, if it is still where it was, that something is granted to somebody.

    The file's `rev` changes, so that whoever is about to move or delete it looks again.
    """
    who: Item = {"grantees": frozenset({grantee})}
    return update(file_row_key(row), set={"rev": rev}, add=who, when=_in_place(row))


def remove_grantee(row: FileRow, grantee: str, rev: str) -> Write:
    """Notes on the file, if it is still where it was, that what was granted is taken back."""
    who: Item = {"grantees": frozenset({grantee})}
    return update(file_row_key(row), set={"rev": rev}, delete=who, when=_in_place(row))


def _in_place(row: FileRow) -> Condition:
    return equals(id=row.id, place=row.place)


def trash_name(name: str, now: float, nonce: str) -> str:
    """The name of what is deleted: by its own name, so that the latest of that name is found."""
    return f"{name}\0{int(now * 1000):013}/{nonce[:8]}"


def archive(
    row: FileRow, shelf: str, name: str, until: int, deleted: str | None = None
) -> list[Write]:
    """Puts what was replaced or deleted on another shelf until `until` (epoch seconds).

    Then it falls due, and its bytes go with it.
    """
    kept: Item = row.model_dump() | {
        "shelf": f"{row.shelf}/{shelf}",
        "name": name,
        "file_name": row.name,
        "grantees": None,
        "until": until,
        "deleted": deleted,
    }
    key = Key(FILES, str(kept["shelf"]), name)
    return [put(key, kept), schedule_expiry(key, until, object_key=row.object)]


def trim_versions(row: FileRow, most: int, now: float) -> list[Write]:
    """Has the version that is now one too many fall due at once."""
    too_many = row.version - most
    return [schedule_expiry(version_key(row, too_many), int(now))] if too_many > 0 else []


class Files:
    """The table files, a shelf at a time."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the table through `db`."""
        self._db = db

    def list_files(
        self, shelf: str, *, prefix: str, after: str, limit: int
    ) -> tuple[list[FileRow], bool]:
        """Live files in the order of their names, and whether there are more."""
        page = self._db.query(FILES, shelf, prefix=prefix, after=after, limit=limit)
        return [FileRow.model_validate(row) for row in page.items], page.more

    def query_files(
        self, shelf: str, *, prefix: str, after: str, limit: int, falling: bool
    ) -> tuple[list[FileRow], bool]:
        """The same in one call, which may give fewer, and in falling order if that is wanted."""
        page = self._db.query(
            FILES,
            shelf,
            prefix=prefix,
            after=after,
            limit=limit,
            descending=falling,
            single_call=True,
        )
        return [FileRow.model_validate(row) for row in page.items], page.more

    def find_by_names(self, owner: Account, names: Iterable[str]) -> dict[str, FileRow]:
        """Those of an account's live files that there are, by name."""
        keys = {file_key(owner.username, name): name for name in names}
        found = {keys[key]: FileRow.model_validate(row) for key, row in self._db.read(keys).items()}
        return {name: row for name, row in found.items() if row.owner_id == owner.id}


def trash_key(owner: str, name: str) -> Key:
    """Where something deleted is kept."""
    return Key(FILES, f"{owner}/{TRASH}", name)


def trashed_in(rows: Rows, key: Key, now: float) -> FileRow | None:
    """Something deleted, if it was read and can still be brought back."""
    found = rows.get(key)
    row = FileRow.model_validate(found) if found else None
    return row if row and (row.until or 0) > now else None


def file_row_key(row: FileRow) -> Key:
    """Where a file stands, whatever shelf it is on."""
    return Key(FILES, row.shelf, row.name)


def require_file_unchanged(key: Key, row: FileRow) -> Write:
    """Expects that a file stands there as it was read."""
    return check(key, equals(rev=row.rev))


def delete_from_trash(row: FileRow) -> list[Write]:
    """Takes something from the trash, and from the list of what falls due."""
    key = file_row_key(row)
    return [
        delete(key, equals(rev=row.rev)),
        delete(expiry_key(key, row.until or 0)),
    ]


def expire_now(row: FileRow, now: int, rev: str) -> list[Write]:
    """Has something kept fall due at once: nobody can bring it back any more."""
    key = file_row_key(row)
    before, line = expiry_key(key, row.until or 0), schedule_expiry(key, now, object_key=row.object)
    return [
        update(key, set={"until": now, "rev": rev}, when=equals(rev=row.rev)),
        line,
        *([delete(before)] if before != line.key else []),
    ]


class Archive:
    """The shelves of versions and of the trash."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the table files through `db`."""
        self._db = db

    def list_versions(
        self, owner: str, file_id: str, *, after: str = "", limit: int
    ) -> tuple[list[FileRow], bool]:
        """The versions of a file that were replaced, the newest first, and whether more follow."""
        page = self._db.query(
            FILES,
            f"{owner}/{VERSIONS}",
            prefix=f"{file_id}/",
            after=after,
            limit=limit,
            descending=True,
        )
        return [FileRow.model_validate(row) for row in page.items], page.more

    def list_trash(self, owner: str, *, after: str = "", limit: int) -> tuple[list[FileRow], bool]:
        """What is in the trash by name and then by time, and whether more follows."""
        page = self._db.query(FILES, f"{owner}/{TRASH}", after=after, limit=limit)
        return [FileRow.model_validate(row) for row in page.items], page.more

    def list_deleted_as(self, owner: str, name: str, limit: int) -> list[FileRow]:
        """What of that name was deleted, the latest first."""
        page = self._db.query(
            FILES, f"{owner}/{TRASH}", prefix=f"{name}\0", limit=limit, descending=True
        )
        return [FileRow.model_validate(row) for row in page.items]


def refcount_key(object_key: str) -> Key:
    """Where the count of an object stands."""
    return Key(FILES, f"~references/{object_key}", "count")


def other_references(rows: Rows, object_key: str) -> int:
    """How many rows beside one name an object, as it was read."""
    return int(str(rows.get(refcount_key(object_key), {}).get("beyond", 0)))


def init_refcount(object_key: str) -> Write:
    """Says that a row names the object, unless that has been said."""
    return update(refcount_key(object_key), add={"beyond": 0})


def increment_refcount(object_key: str) -> Write:
    """Counts another row that names the object."""
    return update(refcount_key(object_key), add={"beyond": 1})


def decrement_refcount(object_key: str, seen: int) -> Write:
    """Counts one row less than the `seen` others, or expects that there are still none."""
    key = refcount_key(object_key)
    if not seen:
        return delete(key, count_equals(beyond=0))
    return update(key, add={"beyond": -1}, when=equals(beyond=seen))
