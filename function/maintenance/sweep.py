"""What falls due: uploads nobody completed, versions and trash past their time, their bytes."""

from collections.abc import Callable

from function.base import Base
from function.core.limits import DAY
from function.core.runtime import BatchResult
from function.files.purge import Purger
from function.moves.folder_job import FolderMoveService
from function.tables.expiry import ExpiryEntries, ExpiryEntry

LOOK_BACK = 30  # days without a sweep that the next one makes good
AT_ONCE = 100
# An address signed at the last moment is good for minutes, by which whoever was moving a folder has
# stopped; what is sent to an upload's takes its time.
SOON, LATE = 600, 3600


class Sweep:
    """Removes what has expired. A sweep that ends early is gone on with by the next."""

    def __init__(
        self,
        base: Base,
    ) -> None:
        self._due = ExpiryEntries(base.db)
        self._purger = base.one(Purger)
        self._folders = base.one(FolderMoveService)
        self._bucket = base.bucket
        self._runtime = base.runtime

    def sweep(self, in_time: Callable[[], bool], batch: BatchResult) -> None:
        """Removes what has expired as long as it is `in_time`, and counts it in `batch`.

        What cannot be removed is passed over, and tried again by the next sweep.
        """
        now = int(self._runtime.now())
        for day in range(now // DAY - LOOK_BACK, now // DAY + 1):
            after, more = "", True
            while more and in_time():
                lines, more = self._due.list_entries(day, after=after, limit=AT_ONCE)
                after = str(lines[-1].key.sort) if lines else after
                for line in lines:
                    if now < line.until + (LATE if line.is_upload else SOON) or not in_time():
                        continue
                    with batch.attempt():
                        self._remove(line, in_time)
                        batch.done += 1

    def _remove(self, due: ExpiryEntry, in_time: Callable[[], bool]) -> None:
        """The row first, so that nobody uses what is being removed; the list's line last.

        A line stands only for bytes that are nobody's: the commit that completes an upload strikes
        it. What was given up has its line too, for bytes that came after.
        """
        if due.is_job:
            if self._folders.resume(due.row, in_time):
                self._due.delete(due)
            return
        if not due.is_upload:
            self._purger.purge(due.row, due.key, in_time)
            return
        if self._due.claim(due) and due.object:
            self._bucket.discard(due.object, due.multipart)
        self._due.delete(due)
