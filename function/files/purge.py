"""Removing for good what was kept: its row, what the account is charged for it, and its bytes.

The row goes first, and the line on the list of what falls due then says whether the bytes are
nobody's; so whoever goes on after a crash knows it as well.
"""

from collections.abc import Callable

from function.aws.dynamodb import ConditionFailed
from function.aws.rows import Key, Rows
from function.aws.writes import delete, equals
from function.base import Base
from function.tables.accounts import Load, account_at, account_key, refund
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

AT_ONCE = 100


class Purger:
    """Empties shelves."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._kept = Archive(base.db)
        self._bucket = base.bucket
        self._runtime = base.runtime

    def purge(self, kept: Key, line: Key, in_time: Callable[[], bool] = lambda: True) -> bool:
        """Removes a kept row that `line` names; False when it was not there any more.

        The versions of what was deleted go before it; when they take longer than `in_time`, it
        stays, and False is said. Doing it again finishes what was cut off.

        Raises Unavailable, ChangedMeanwhile.
        """
        for _ in self._runtime.attempts():
            rows = self._db.read([kept, line])
            if kept not in rows:
                self._finish(rows, line)
                return False
            row = FileRow.model_validate(rows[kept])
            if kept.partition.endswith(f"/{TRASH}") and not self._versions(row, kept, in_time):
                return False
            try:
                last = self._take(row, kept, line)
            except ConditionFailed:
                continue
            if last:
                self._bucket.delete(row.object)
                self._db.write(delete(line))
            return True
        raise AssertionError

    def _versions(self, row: FileRow, kept: Key, in_time: Callable[[], bool]) -> bool:
        """Removes the versions of a deleted file; False when there was not the time for all."""
        owner, now, more = kept.partition.partition("/")[0], int(self._runtime.now()), True
        while more:
            rows, more = self._kept.list_versions(owner, row.id, limit=AT_ONCE)
            for version in rows:
                if not in_time():
                    return False
                self.purge(file_row_key(version), expiry_key(file_row_key(version), now))
        return True

    def _take(self, row: FileRow, kept: Key, line: Key) -> bool:
        """Takes the row away; whether its bytes are now nobody's. Raises Refused."""
        owner = kept.partition.partition("/")[0]
        rows = self._db.read([refcount_key(row.object), account_key(owner)])
        seen, account = other_references(rows, row.object), account_at(rows, owner)
        writes = [
            delete(kept, equals(rev=row.rev)),
            decrement_refcount(row.object, seen),
            mark_freed(line, row.object, int(self._runtime.now())) if not seen else delete(line),
        ]
        if (own := expiry_key(kept, row.until or 0)) != line:
            writes.append(delete(own))
        if account and account.id == row.owner_id:
            writes.append(refund(owner, account.id, Load(row.size, 1)))
        self._db.commit(writes, self._runtime.new_id())
        return not seen

    def _finish(self, rows: Rows, line: Key) -> None:
        """Removes the bytes that a line says are nobody's, and strikes the line."""
        if object_key := freed_object(rows, line):
            self._bucket.delete(object_key)
        if line in rows:
            self._db.write(delete(line))
