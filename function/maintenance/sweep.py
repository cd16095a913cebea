"""The sweep, every five minutes: everything that goes on without a request.

- It deletes uploads whose right has ended, or that nobody completed in time, with their bytes.
- It deletes replaced versions and deleted files whose time is over, with their bytes.
- It finishes deletions from the trash that were interrupted.
- It continues folder moves that no request continues.
- It continues deletions of accounts.

The first three have an expiry entry (`tables/expiry.py`), which names the row. The entry is deleted
after everything else, so a sweep that is interrupted is continued by the next one. The sweep keeps
which days may have entries, and since when it has watched the table without a gap.

Uploads without a right, deletions of accounts, folder moves and expired rows have equal shares of
the time; what one of them leaves is the others'.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from function.access.releases import Releases
from function.accounts.closing import AccountDeletion
from function.aws.rows import Key
from function.base import Base
from function.core.runtime import BatchResult
from function.maintenance.expired_rows import ExpiredRows
from function.moves.folder_job import FolderMoveService
from function.tables.jobs import RunningJobs

JOBS_PAGE = 100
# Seconds after a job was created, for which a request continues it.
JOB_GRACE = 600

HasTime = Callable[[], bool]
# Does its work while it has time; returns whether the time was too short.
Task = Callable[[HasTime], bool]


class SweepResult(NamedTuple):
    """The outcome of a sweep.

    `expired` are the rows that it deleted, `moves` the folder moves and `accounts` the deletions
    of accounts that it finished. `lag` is the age in seconds of the oldest overdue entry that it
    left, 0 for none.
    """

    expired: BatchResult
    moves: BatchResult
    accounts: BatchResult
    lag: int


class Sweep:
    """Does the work of every five minutes."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self._releases = base.one(Releases)
        self._running_jobs = RunningJobs(base.db)
        self._folder_moves = base.one(FolderMoveService)
        self._account_deletion = base.one(AccountDeletion)
        self._runtime = base.runtime

    def run(self, seconds_left: Callable[[], float]) -> SweepResult:
        """Works as long as `seconds_left` is positive. Errors are in the result."""
        accounts, moves = BatchResult(), BatchResult()
        expired_rows = ExpiredRows(self._base)

        def delete_accounts(has_time: HasTime) -> bool:
            with accounts.attempt():
                self._account_deletion.sweep(has_time, accounts)
            return not has_time()

        def end_uploads(has_time: HasTime) -> bool:
            with expired_rows.result.attempt():
                self._releases.sweep(has_time, expired_rows.result)
            return not has_time()

        def move_folders(has_time: HasTime) -> bool:
            with moves.attempt():
                self._move_folders(has_time, moves)
            return not has_time()

        tasks = [end_uploads, delete_accounts, move_folders, expired_rows.delete]
        share_time(tasks, seconds_left)
        return SweepResult(expired_rows.result, moves, accounts, expired_rows.finish())

    def _move_folders(self, has_time: HasTime, batch: BatchResult) -> None:
        """Continues the jobs that no request continues. One that fails stops no other."""
        after, more = "", True
        while more and has_time():
            jobs, more = self._running_jobs.list_jobs(after=after, limit=JOBS_PAGE)
            for job, created in jobs:
                after = f"{job.partition}/{job.sort}"
                if has_time() and self._runtime.now() >= created + JOB_GRACE:
                    with batch.attempt():
                        batch.done += self._move(job, has_time)

    def _move(self, job: Key, has_time: HasTime) -> bool:
        if not self._folder_moves.resume(job, has_time):
            return False
        self._running_jobs.delete(job)
        return True


def share_time(tasks: Sequence[Task], seconds_left: Callable[[], float]) -> None:
    """Gives each task an equal share of the time, and again those whose share was too short.

    Each runs at least once, so that it can tell what it leaves.
    """
    waiting = list(tasks)
    while waiting:
        unfinished = []
        for number, task in enumerate(waiting):
            left = seconds_left()
            kept = max(left - left / (len(waiting) - number), 0)  # for those that follow
            if task(lambda kept=kept: seconds_left() > kept):  # type: ignore[misc]
                unfinished.append(task)
        waiting = unfinished if seconds_left() > 0 else []
