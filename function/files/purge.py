"""Purging archived files: replaced versions and deleted files.

The row is deleted before the bytes, and the owner is refunded in the same commit. That commit also
notes on the file's expiry entry whether its object belongs to no other row, so a purge that was cut
off is finished by the next one: the entry stays until the bytes are gone.

The sweep purges many at once (`purge_rows`): one commit removes up to GROUP_SIZE rows, and the
sweep then deletes their bytes and entries together.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from function.aws.rows import Key, Rows
from function.aws.writes import Write, delete, equals
from function.base import Base
from function.core.errors import Unavailable
from function.core.runtime import BatchResult
from function.tables.accounts import account_key, any_account_in
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
from function.tables.usage import StorageAmount, refund

BATCH_SIZE = 100
# Files of one commit, each with up to five writes of the hundred that a transaction takes.
GROUP_SIZE = 20


class _Purged(NamedTuple):
    """Whether the commit removed the row, and the bytes and the entry to delete after it."""

    removed: bool
    object_key: str | None = None
    entry_left: Key | None = None


class _Due(NamedTuple):
    """An archived file that has expired, and the key of the entry that tells so."""

    archived: Key
    entry: Key
    row: FileRow


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
            self._db.write(delete(purged.entry_left))
        return purged.removed

    def purge_rows(
        self, due: Iterable[tuple[Key, Key]], has_time: Callable[[], bool], batch: BatchResult
    ) -> dict[Key, str | None]:
        """Removes archived files, given as the keys of their rows and of their expiry entries.

        Returns the entries that are done. Where one has an object, no row has it any more: the
        caller deletes it, and the entry after it. Errors are collected in `batch`. Files with
        versions, and those that another process changes, are purged one by one.
        """
        pairs = list(due)
        rows = self._db.read(key for pair in pairs for key in pair)
        done, plain, single = self._sort(pairs, rows, batch)
        for start in range(0, len(plain), GROUP_SIZE):
            group, others = _one_of_each_object(plain[start : start + GROUP_SIZE])
            single += others
            if has_time():
                with batch.attempt():
                    removed = self._purge_group(group)
                    done |= removed
                    single += [each for each in group if each.entry not in removed]
        for each in single:
            if has_time():
                with batch.attempt():
                    if self.purge(each.archived, each.entry, has_time):
                        done[each.entry] = None
        return done

    def _sort(
        self, pairs: list[tuple[Key, Key]], rows: Rows, batch: BatchResult
    ) -> tuple[dict[Key, str | None], list[_Due], list[_Due]]:
        """The entries of rows that are gone, the files that go together, and the others."""
        gone: dict[Key, str | None] = {}
        plain: list[_Due] = []
        single: list[_Due] = []
        for archived, entry in pairs:
            if archived not in rows:  # an earlier purge was cut off after its commit, or did it all
                gone[entry] = freed_object(rows, entry)
                continue
            with batch.attempt():
                row = FileRow.model_validate(rows[archived])
                has_versions = archived.partition.endswith(f"/{TRASH}") and row.version > 1
                (single if has_versions else plain).append(_Due(archived, entry, row))
        return gone, plain, single

    def _purge_group(self, group: list[_Due]) -> dict[Key, str | None]:
        """Removes the rows of files in one commit; none when it is refused for one of them.

        Raises Unavailable.
        """
        owners = {each.archived.partition.partition("/")[0] for each in group}
        keys = [refcount_key(each.row.object) for each in group]
        rows = self._db.read([*keys, *map(account_key, sorted(owners))])
        writes = [write for each in group for write in self._writes(*each, rows)]
        try:
            self._db.commit([*writes, *_refunds(group, rows)])
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - each is purged alone, and only the odd one fails
            return {}
        return {
            each.entry: None if other_references(rows, each.row.object) else each.row.object
            for each in group
        }

    def _plan(
        self, archived: Key, entry: Key, has_time: Callable[[], bool]
    ) -> tuple[list[Write], _Purged]:
        rows = self._db.read([archived, entry])
        if archived not in rows:  # an earlier purge was cut off after its commit, or did it all
            left = entry if entry in rows else None
            return [], _Purged(False, freed_object(rows, entry), left)
        row = FileRow.model_validate(rows[archived])
        is_deleted_file = archived.partition.endswith(f"/{TRASH}")
        if is_deleted_file and not self._purge_versions(row, archived, has_time):
            return [], _Purged(False)
        if entry not in rows:  # the sweep reads no days before yesterday that had no entries
            entry = expiry_key(archived, int(self._runtime.now()))
        owner = archived.partition.partition("/")[0]
        rows = self._db.read([refcount_key(row.object), account_key(owner)])
        is_shared = other_references(rows, row.object) > 0
        due = _Due(archived, entry, row)
        writes = [*self._writes(*due, rows), *_refunds([due], rows)]
        return writes, _Purged(True) if is_shared else _Purged(True, row.object, entry)

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
        """Removes the row and its reference to the object.

        Where `entry` is not the file's own expiry entry, both go.
        """
        references = other_references(rows, row.object)
        own_entry = expiry_key(archived, row.until or 0)
        freed = mark_freed(entry, row.object, int(self._runtime.now()))
        return [
            delete(archived, equals(rev=row.rev)),
            decrement_refcount(row.object, references),
            delete(entry) if references else freed,
            *([delete(own_entry)] if own_entry != entry else []),
        ]


def _refunds(group: list[_Due], rows: Rows) -> list[Write]:
    """Refunds the owners of the files, one write for each."""
    storage: dict[tuple[str, str], StorageAmount] = defaultdict(StorageAmount)
    for archived, _, row in group:
        owner = archived.partition.partition("/")[0]
        account = any_account_in(rows, owner)
        if account is not None and account.id == row.owner_id:
            storage[owner, row.owner_id] += StorageAmount(row.size, 1)
    return [refund(owner, owner_id, amount) for (owner, owner_id), amount in storage.items()]


def _one_of_each_object(due: list[_Due]) -> tuple[list[_Due], list[_Due]]:
    """Files with different objects, and the others: a transaction writes a row once."""
    first = {each.row.object: each for each in reversed(due)}
    return list(first.values()), [each for each in due if first[each.row.object] is not each]
