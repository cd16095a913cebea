"""The hourly sweep: everything that runs every hour.

- It deletes uploads that nobody completed in time, with their bytes.
- It deletes replaced versions and deleted files whose time is over, with their bytes.
- It finishes deletions from the trash that were interrupted.
- It continues folder moves that no request continues.
- It continues deletions of accounts.

All but the last have an expiry entry (`tables/expiry.py`), which names the row. The entry is
deleted after everything else, so a sweep that is interrupted is continued by the next one.
"""

from collections.abc import Callable
from typing import NamedTuple

from function.accounts.closing import AccountDeletion
from function.base import Base
from function.core.limits import DAY
from function.core.runtime import BatchResult
from function.files.purge import Purger
from function.moves.folder_job import FolderMoveService
from function.tables.expiry import MAX_DAYS_BACK, ExpiryEntries, ExpiryEntry

BATCH_SIZE = 100
# Seconds after the expiry. A download URL that was signed just before it works for minutes, and a
# request continues a move for seconds. A PUT to an upload URL may take long.
GRACE, UPLOAD_GRACE = 600, 3600


class SweepResult(NamedTuple):
    """What a sweep did: rows that expired, and accounts that are completely deleted."""

    expired: BatchResult
    accounts: BatchResult


class Sweep:
    """Does the work of every hour."""

    def __init__(self, base: Base) -> None:
        self._entries = ExpiryEntries(base.db)
        self._purger = base.one(Purger)
        self._folder_moves = base.one(FolderMoveService)
        self._account_deletion = base.one(AccountDeletion)
        self._bucket = base.bucket
        self._runtime = base.runtime

    def run(self, has_time: Callable[[], bool]) -> SweepResult:
        """Deletes what has expired, then accounts, as long as `has_time` returns True.

        An error in one of them does not stop the other; it is in the result.
        """
        result = SweepResult(BatchResult(), BatchResult())
        with result.expired.attempt():
            self._expire(has_time, result.expired)
        with result.accounts.attempt():
            self._account_deletion.sweep(has_time, result.accounts)
        return result

    def _expire(self, has_time: Callable[[], bool], batch: BatchResult) -> None:
        """Handles the entries of each day. One that fails is left for the next sweep."""
        now = int(self._runtime.now())
        for day in range(now // DAY - MAX_DAYS_BACK, now // DAY + 1):
            after, more = "", True
            while more and has_time():
                entries, more = self._entries.list_entries(day, after=after, limit=BATCH_SIZE)
                after = str(entries[-1].key.sort) if entries else after
                for entry in entries:
                    grace = UPLOAD_GRACE if entry.is_upload else GRACE
                    if now < entry.until + grace or not has_time():
                        continue
                    with batch.attempt():
                        self._handle(entry, has_time)
                        batch.done += 1

    def _handle(self, entry: ExpiryEntry, has_time: Callable[[], bool]) -> None:
        """Deletes the row, then the bytes, then the entry.

        An upload that was completed has no entry any more, or its row cannot be claimed; so no
        bytes of a file are deleted. An aborted upload keeps its entry: its URL may bring bytes yet.
        """
        if entry.is_job:
            if self._folder_moves.resume(entry.row, has_time):
                self._entries.delete(entry)
        elif entry.is_upload:
            if self._entries.claim(entry) and entry.object:
                self._bucket.discard(entry.object, entry.multipart)
            self._entries.delete(entry)
        else:
            self._purger.purge(entry.row, entry.key, has_time)
