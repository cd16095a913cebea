"""Purging archived files: replaced versions and what is in the trash.

The row goes before the bytes, and the owner is refunded in the same commit. That commit also notes
on the file's expiry entry whether its object belongs to no other row, so a purge that was cut off
is finished by the next one: the entry stays until the bytes are gone.
"""

from collections.abc import Callable
from typing import NamedTuple

from function.aws.rows import Key, Rows
from function.aws.writes import Write, delete, equals
from function.base import Base
from function.tables.accounts import StorageAmount, account_key, any_account_in, refund
from function.tables.expiry import expiry_key, freed_object, mark_freed
from function.tables.files import (
    TRASH,
    Archive,
    FileRow,
    decrement_refcount,
    file_row_key,
    other_references,
    refcount_key,
)

BATCH_SIZE = 100


class _Purged(NamedTuple):
    """Whether the commit removed the row, and what remains to be deleted after it."""

    removed: bool
    object_key: str | None = None
    entry_left: bool = False


class Purger:
    """Purges archived files."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._archive = Archive(base.db)
        self._bucket = base.bucket
        self._runtime = base.runtime

    def purge(self, archived: Key, entry: Key, has_time: Callable[[], bool] = lambda: True) -> bool:
        """Removes an archived file, and its bytes if no other row has them.

        `archived` is the key of its row, `entry` that of its expiry entry. The versions of a
        deleted file go before it; when they take longer than `has_time`, it stays, and another call
        goes on. Returns False when the row was gone already or stays. Raises Unavailable,
        ChangedMeanwhile.
        """
        purged = self._db.transact(lambda: self._plan(archived, entry, has_time))
        if purged.object_key:
            self._bucket.delete(purged.object_key)
        if purged.entry_left:
            self._db.write(delete(entry))
        return purged.removed

    def _plan(
        self, archived: Key, entry: Key, has_time: Callable[[], bool]
    ) -> tuple[list[Write], _Purged]:
        rows = self._db.read([archived, entry])
        if archived not in rows:  # an earlier purge was cut off after its commit, or did it all
            return [], _Purged(False, freed_object(rows, entry), entry in rows)
        row = FileRow.model_validate(rows[archived])
        is_deleted_file = archived.partition.endswith(f"/{TRASH}")
        if is_deleted_file and not self._purge_versions(row, archived, has_time):
            return [], _Purged(False)
        owner = archived.partition.partition("/")[0]
        rows = self._db.read([refcount_key(row.object), account_key(owner)])
        is_shared = other_references(rows, row.object) > 0
        writes = self._writes(archived, entry, row, rows)
        return writes, _Purged(True) if is_shared else _Purged(True, row.object, entry_left=True)

    def _purge_versions(self, row: FileRow, archived: Key, has_time: Callable[[], bool]) -> bool:
        """Purges the versions of a deleted file; False when there is no time for all."""
        owner, now, more = archived.partition.partition("/")[0], int(self._runtime.now()), True
        while more:
            versions, more = self._archive.list_versions(owner, row.id, limit=BATCH_SIZE)
            for version in versions:
                if not has_time():
                    return False
                key = file_row_key(version)
                self.purge(key, expiry_key(key, now))
        return True

    def _writes(self, archived: Key, entry: Key, row: FileRow, rows: Rows) -> list[Write]:
        """Removes the row, its reference to the object, and its charge.

        Where `entry` is not the file's own expiry entry, both go.
        """
        owner, now = archived.partition.partition("/")[0], int(self._runtime.now())
        references, account = other_references(rows, row.object), any_account_in(rows, owner)
        own_entry = expiry_key(archived, row.until or 0)
        charged = account is not None and account.id == row.owner_id
        return [
            delete(archived, equals(rev=row.rev)),
            decrement_refcount(row.object, references),
            delete(entry) if references else mark_freed(entry, row.object, now),
            *([delete(own_entry)] if own_entry != entry else []),
            *([refund(owner, row.owner_id, StorageAmount(row.size, 1))] if charged else []),
        ]
