"""Files in the table files: live files, replaced versions, the trash, and references to objects.

The partition key is the attribute `partition`, which is the owner's name for live files, and the
owner's name with `/versions` or `/trash` for archived ones. A file's `rev` changes with each write,
so a commit that requires the `rev` it read cannot overwrite another one.
"""

from collections.abc import Iterable

from function.aws.dynamodb import Dynamo, QueryPage
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
from function.core.fields import StoredType
from function.tables.accounts import Account
from function.tables.expiry import expiry_key, schedule_expiry

VERSIONS = "versions"
TRASH = "trash"


class FileRow(Row):
    """A file. `partition` and `name` are its key; `id` outlives renames and replacements.

    - `owner_id`: the id of the account that owns it; a later account of the same name has another.
    - `rev`: random, another one with each write.
    - `object`: the key of its bytes in S3; `size` in bytes, `etag` without quotes, `sha256` in
      hexadecimal, where it is known.
    - `created`, `modified`: ISO 8601; `version` counts from 1; `modified_by`: a user name.
    - `sender`: the name that the uploader gave, for a file that came by a file request.
    - `grantees`: to whom the file is granted (accounts, groups, links), so that a rename finds all
      grants. A grant holds for one `place`: a rename gives the file another place, and the same
      grantees new grants, so that a grant that is left over opens nothing.

    - `owner_version`: the latest version that the owner put. It is kept however many others follow.

    An archived file, replaced or `deleted` (ISO 8601), was called `file_name` and is kept `until`
    (epoch seconds).
    """

    partition: str
    name: str
    id: str
    owner_id: str
    rev: str
    object: str
    size: int
    etag: str
    content_type: StoredType
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
    owner_version: int | None = None
    file_name: str | None = None
    until: int | None = None
    deleted: str | None = None

    @property
    def place_id(self) -> str:
        """The id that a grant on this file carries: the file's own until its first rename."""
        return self.place or self.id

    @property
    def stored(self) -> Stored:
        """The object in S3 that has its bytes."""
        return Stored(self.object, self.size, self.etag, self.sha256)


def file_key(owner: str, name: str) -> Key:
    """The key of a live file."""
    return Key(FILES, owner, name)


def file_row_key(row: FileRow) -> Key:
    """The key of a file, live or archived."""
    return Key(FILES, row.partition, row.name)


def version_key(row: FileRow, version: int) -> Key:
    """The key of a replaced version of a live file."""
    return Key(FILES, f"{row.partition}/{VERSIONS}", archive_name(row.id, version))


def archive_name(file_id: str, version: int) -> str:
    """The sort key of a replaced version: by the file's id, so that a rename does not lose it."""
    return f"{file_id}/{version:08}"


def trash_key(owner: str, name: str) -> Key:
    """The key of a deleted file."""
    return Key(FILES, f"{owner}/{TRASH}", name)


def trash_name(name: str, now: float, nonce: str) -> str:
    """The sort key of a deleted file: by its name and the time, so that the latest is found.

    `now` is epoch seconds.
    """
    return f"{name}\0{int(now * 1000):013}/{nonce[:8]}"


def file_in(rows: Rows, owner: str, name: str) -> FileRow | None:
    """The live file of that name, if it is among the rows."""
    row = rows.get(file_key(owner, name))
    return FileRow.model_validate(row) if row else None


def version_in(
    rows: Rows, row: FileRow, version: int, max_versions: int, now: float
) -> FileRow | None:
    """A replaced version of a file, under the file's present name, if it is among the rows.

    None when it is no longer kept, though its row may still exist.
    """
    found = rows.get(version_key(row, version))
    archived = FileRow.model_validate(found) if found else None
    if archived is None or not is_archived(archived, row, max_versions, now):
        return None
    return archived.model_copy(update={"partition": row.partition, "name": row.name})


def is_archived(version: FileRow, row: FileRow, max_versions: int, now: float) -> bool:
    """Whether a replaced version is kept, and has not expired; `now` is epoch seconds."""
    return is_kept(version.version, row, max_versions) and (version.until or 0) > now


def is_kept(version: int, row: FileRow, max_versions: int) -> bool:
    """Whether a version is one of the latest `max_versions` replaced ones, or its owner's latest.

    Otherwise others who may write could remove all that the owner had.
    """
    is_recent = version >= row.version - max_versions
    return version < row.version and (is_recent or version == row.owner_version)


def surplus_versions(old: FileRow, row: FileRow, max_versions: int) -> list[int]:
    """The versions that are kept no more once `row` replaces `old`: at most two."""
    candidates = {old.version - max_versions, old.owner_version or 0}
    return sorted(v for v in candidates if v > 0 and not is_kept(v, row, max_versions))


def trashed_in(rows: Rows, key: Key, now: float) -> FileRow | None:
    """The deleted file under `key`, if it is among the rows and has not expired."""
    found = rows.get(key)
    row = FileRow.model_validate(found) if found else None
    return row if row and (row.until or 0) > now else None


def create_file(row: FileRow) -> Write:
    """Creates a live file, where none has its name."""
    return put(file_row_key(row), row, missing("partition"))


def replace_file(old: FileRow, row: FileRow) -> Write:
    """Replaces a live file, if it has not changed since it was read."""
    return put(file_row_key(row), row, equals(rev=old.rev))


def delete_file(row: FileRow) -> Write:
    """Deletes a live file, if it has not changed since it was read."""
    return delete(file_row_key(row), equals(rev=row.rev))


def require_no_file(owner: str, name: str) -> Write:
    """Requires that no live file has this name."""
    return check(file_key(owner, name), missing("partition"))


def require_file_unchanged(key: Key, row: FileRow) -> Write:
    """Requires that the file under `key` has not changed since it was read."""
    return check(key, equals(rev=row.rev))


def set_grantees(row: FileRow, grantees: frozenset[str], rev: str) -> Write:
    """Sets all grantees of a file, if it has not changed since it was read."""
    change: Item = {"rev": rev, "grantees": grantees}
    return update(file_row_key(row), set=change, when=equals(rev=row.rev))


def add_grantee(row: FileRow, grantee: str, rev: str) -> Write:
    """Adds a grantee to a file, if it is still in its place.

    The new `rev` fails a move or a deletion that was planned before, so that it is planned again
    with this grantee.
    """
    grantees: Item = {"grantees": frozenset({grantee})}
    return update(file_row_key(row), set={"rev": rev}, add=grantees, when=_in_place(row))


def remove_grantee(row: FileRow, grantee: str, rev: str) -> Write:
    """Removes a grantee from a file, if it is still in its place."""
    grantees: Item = {"grantees": frozenset({grantee})}
    return update(file_row_key(row), set={"rev": rev}, delete=grantees, when=_in_place(row))


def archive(
    row: FileRow, kind: str, name: str, until: int, deleted: str | None = None
) -> list[Write]:
    """Archives a replaced or deleted file until `until` (epoch seconds), when its bytes expire.

    `kind` is VERSIONS or TRASH, `name` the sort key there.
    """
    partition = f"{row.partition}/{kind}"
    archived: Item = row.model_dump() | {
        "partition": partition,
        "name": name,
        "file_name": row.name,
        "grantees": None,
        "until": until,
        "deleted": deleted,
    }
    key = Key(FILES, partition, name)
    return [put(key, archived), schedule_expiry(key, until, object_key=row.object)]


def delete_archived(row: FileRow) -> list[Write]:
    """Deletes the row of an archived file and its expiry entry, because another row follows it."""
    key = file_row_key(row)
    return [
        delete(key, equals(rev=row.rev)),
        delete(expiry_key(key, row.until or 0)),
    ]


def expire_now(row: FileRow, now: int, rev: str) -> list[Write]:
    """Expires an archived file at once: from now on nobody can restore it."""
    key = file_row_key(row)
    old, entry = expiry_key(key, row.until or 0), schedule_expiry(key, now, object_key=row.object)
    return [
        update(key, set={"until": now, "rev": rev}, when=equals(rev=row.rev)),
        entry,
        *([delete(old)] if old != entry.key else []),
    ]


class Files:
    """Queries of live files."""

    def __init__(self, db: Dynamo) -> None:
        """Takes the client."""
        self._db = db

    def list_files(
        self,
        owner: str,
        *,
        prefix: str,
        after: str,
        limit: int,
        descending: bool = False,
        single_call: bool = False,
    ) -> QueryPage[FileRow]:
        """At most `limit` files whose names begin with `prefix`, after the name `after`.

        With `single_call` there may be fewer, although more follow.
        """
        page = self._db.query(
            FILES,
            owner,
            prefix=prefix,
            after=after,
            limit=limit,
            descending=descending,
            single_call=single_call,
        )
        return page.map(FileRow.model_validate)

    def find_by_names(self, owner: Account, names: Iterable[str]) -> dict[str, FileRow]:
        """An account's files that have one of these names, by name."""
        keys = {file_key(owner.username, name): name for name in names}
        found = {keys[key]: FileRow.model_validate(row) for key, row in self._db.read(keys).items()}
        return {name: row for name, row in found.items() if row.owner_id == owner.id}


class Archive:
    """Queries of replaced versions and of the trash."""

    def __init__(self, db: Dynamo) -> None:
        """Takes the client."""
        self._db = db

    def list_versions(
        self, owner: str, file_id: str, *, after: str = "", limit: int
    ) -> QueryPage[FileRow]:
        """The replaced versions of a file, the newest first."""
        page = self._db.query(
            FILES,
            f"{owner}/{VERSIONS}",
            prefix=f"{file_id}/",
            after=after,
            limit=limit,
            descending=True,
        )
        return page.map(FileRow.model_validate)

    def list_trash(self, owner: str, *, after: str = "", limit: int) -> QueryPage[FileRow]:
        """The deleted files of an owner, by name and then by time."""
        page = self._db.query(FILES, f"{owner}/{TRASH}", after=after, limit=limit)
        return page.map(FileRow.model_validate)

    def list_deleted_as(self, owner: str, name: str, limit: int) -> list[FileRow]:
        """The deleted files that had this name, the latest first."""
        page = self._db.query(
            FILES, f"{owner}/{TRASH}", prefix=f"{name}\0", limit=limit, descending=True
        )
        return page.map(FileRow.model_validate).items


def refcount_key(object_key: str) -> Key:
    """The key of an object's count of references.

    The count is how many rows refer to the object besides one: copies share an object.
    """
    return Key(FILES, f"~references/{object_key}", "count")


def other_references(rows: Rows, object_key: str) -> int:
    """How many rows besides one refer to an object, by its count among the rows."""
    return int(str(rows.get(refcount_key(object_key), {}).get("others", 0)))


def init_refcount(object_key: str) -> Write:
    """Counts the first reference to an object; changes nothing if it has a count."""
    return update(refcount_key(object_key), add={"others": 0})


def increment_refcount(object_key: str) -> Write:
    """Counts another reference to an object."""
    return update(refcount_key(object_key), add={"others": 1})


def decrement_refcount(object_key: str, others: int) -> Write:
    """Counts a reference less, if there are still `others` besides it; the last deletes the count.

    Whoever commits that deletion deletes the object.
    """
    key = refcount_key(object_key)
    if not others:
        return delete(key, count_equals(others=0))
    return update(key, add={"others": -1}, when=equals(others=others))


def _in_place(row: FileRow) -> Condition:
    return equals(id=row.id, place=row.place)
