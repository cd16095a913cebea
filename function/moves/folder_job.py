"""Moves of folders: files, grants and file requests below the old name get the new one.

Rows change in DynamoDB and no bytes in S3, but a transaction takes a hundred writes, and a folder
may have a million files. So a move is a series of transactions:

1. A folder that fits one transaction moves in it.
2. Otherwise the first transaction creates a job: its row has the old and the new name, the number
   of files moved, and a `rev`. An expiry entry has the sweep find it.
3. Each later transaction moves one batch (`FolderBatches`): first the file requests and the grants
   on folders, then the files in the order of their names, each with its grants. It requires that
   the job's row, and every file, grant and folder that it moves, is as it was read, and gives the
   job a new `rev`. So of two processes that continue one job only one commits; the other reads
   again. A share, a revocation or an upload that came between makes the batch be planned again.
4. The last batch also requires that no file is left below the old name. It marks the job as done
   and deletes the expiry entry.

A request works for WORK_SECONDS and then answers with the running job. Nothing else is needed
to resume: all files that are still below the old name are to be moved. The same request again
continues the job, and so does the sweep when no request does.

The new name must be free when a move starts. A file that is uploaded to it later stays; the moved
file then gets a numbered name. An account has one job at a time for folders that overlap.
"""

from collections.abc import Callable, Iterable
from functools import partial
from itertools import product

from function.access.errors import no_such_file
from function.access.policy import Access
from function.access.releases import Releases
from function.audit.service import AuditLog
from function.aws.dynamodb import ConditionFailed
from function.aws.rows import Key
from function.aws.writes import Write
from function.base import Base
from function.contract import FILES
from function.core.errors import ChangedMeanwhile, Invalid, InvalidName
from function.core.limits import EXPIRED_SECONDS, WORK_SECONDS
from function.core.models import Caller
from function.core.names import NAME_BYTES, NAME_LEVELS, exceeds_limits, levels_of
from function.core.runtime import iso
from function.core.tokens import is_id
from function.files.errors import FileExists
from function.moves.errors import NoSuchJob
from function.moves.folder_batches import FolderBatches
from function.moves.models import FileChange, Job
from function.tables.accounts import Account, account_key, any_account_in
from function.tables.files import Files
from function.tables.jobs import (
    JOBS,
    JobRow,
    create_job,
    job_id,
    job_in,
    job_key,
    jobs_of,
    update_job,
)
from function.tables.reservations import reservations_on

MAX_NAMES_CHECKED = 1000


class FolderMoveService:
    """Moves folders, and returns the progress of the moves."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._files = Files(base.db)
        self._access = base.one(Access)
        self._make_batches = partial(FolderBatches, base)
        self._releases = base.one(Releases)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime

    def move(self, caller: Caller, request: FileChange) -> Job:
        """Moves a folder of the caller's, or continues its move, for up to WORK_SECONDS seconds.

        The job is `done` or `running`. Raises NoSuchFile, FileExists, Invalid, InvalidName,
        ChangedMeanwhile.
        """
        has_time = self._runtime.within(WORK_SECONDS)
        job, is_new = self._db.transact(lambda: self._plan(caller, request))
        if not job.done:
            job = self._run(job, has_time) if is_new else self._continue(job, has_time)
        return job_view(job)

    def get_job(self, caller: Caller, name: str) -> Job:
        """A job of the caller's, by its id. Raises NoSuchJob."""
        key = job_key(caller.username, name)
        authentication = self._access.authenticate(caller, more=[key] if is_id(name) else [])
        row = job_in(authentication.rows, key)
        if row is None or row.owner_id != authentication.account.id:
            raise NoSuchJob
        return job_view(row)

    def resume(self, key: Key, has_time: Callable[[], bool]) -> bool:
        """Continues the job under `key`, for the sweep; True when nothing is left to do.

        The job of a disabled account waits until the account is enabled again; one of an account
        that was deleted has nothing left to do. Raises ChangedMeanwhile, Unavailable.
        """
        owner = key.partition.partition("/")[0]
        rows = self._db.read([key, account_key(owner)])
        row, account = job_in(rows, key), any_account_in(rows, owner)
        if row is None or row.done or account is None or account.id != row.owner_id:
            return True
        if account.disabled:
            return account.deleting
        return self._run(row, has_time).done

    def _plan(self, caller: Caller, request: FileChange) -> tuple[list[Write], tuple[JobRow, bool]]:
        """The first transaction of a move: all of it, or the creation of a job.

        Its result is the job, and whether it is new. The job of an earlier request is continued.
        """
        new_name = target_of(request)
        account, existing = self._authorize(caller, request)
        if existing and not existing.done:
            if existing.new_name != new_name:
                raise _in_progress(existing)
            return [], (existing, False)
        job = self._new_job(account, request.file_name, new_name)
        target_files, _ = self._files.list_files(
            caller.username, prefix=new_name, after="", limit=1
        )
        batch = self._make_batches(job).next()
        if batch.last and not batch.moved:
            if existing and existing.new_name == new_name:
                return [], (existing, False)  # the client did not get the answer of its last batch
            raise no_such_file(request.file_name)
        if target_files:
            raise FileExists("A folder with files has that name; choose another name.")
        self._require_short_names(caller.username, request.file_name, new_name)
        audit_write = self._audit.record(caller, "folder.move", request.file_name, subject=new_name)
        if batch.last:
            job = job.model_copy(update={"moved": batch.moved, "done": True})
            release = self._releases.schedule(reservations_on(caller.username))
            return [*batch.writes, release, audit_write], (job, True)
        return [*create_job(job, existing), audit_write], (job, True)

    def _authorize(self, caller: Caller, request: FileChange) -> tuple[Account, JobRow | None]:
        """The caller's account, which owns the folder, and the latest job of the folder.

        Raises NoSuchFile, and ChangedMeanwhile while another job moves a folder that overlaps.
        """
        authentication = self._access.authenticate_owner(
            caller, request.username, request.file_name
        )
        jobs = jobs_of(self._db, caller.username)
        existing = jobs.pop(job_id(authentication.account.id, request.file_name), None)
        names = (request.file_name, target_of(request))
        for job in jobs.values():
            is_running = job.owner_id == authentication.account.id and not job.done
            if is_running and overlap((job.file_name, job.new_name), names):
                raise _in_progress(job)
        return authentication.account, existing

    def _new_job(self, account: Account, old_name: str, new_name: str) -> JobRow:
        now = int(self._runtime.now())
        return JobRow(
            partition=f"{account.username}/{JOBS}",
            name=job_id(account.id, old_name),
            owner_id=account.id,
            file_name=old_name,
            new_name=new_name,
            created=now,
            rev=self._runtime.new_id(),
            expires_at=now + EXPIRED_SECONDS,
        )

    def _require_short_names(self, owner: str, old_name: str, new_name: str) -> None:
        """Checks the new names of the files that one Query returns, at most MAX_NAMES_CHECKED.

        A later file whose new name exceeds the limits gets a shorter one. Raises InvalidName.
        """
        deeper = levels_of(new_name) > levels_of(old_name)
        if not deeper and len(new_name.encode()) <= len(old_name.encode()):
            return
        rows, _ = self._files.list_files(
            owner, prefix=old_name, after="", limit=MAX_NAMES_CHECKED, single_call=True
        )
        if any(exceeds_limits(new_name + row.name.removeprefix(old_name)) for row in rows):
            raise InvalidName(
                f"The name of a file in that folder would have more than {NAME_BYTES} bytes or "
                f"{NAME_LEVELS} levels; choose a shorter new_name."
            )

    def _continue(self, job: JobRow, has_time: Callable[[], bool]) -> JobRow:
        """Continues a job; when other processes commit every batch first, returns its progress."""
        try:
            return self._run(job, has_time)
        except ChangedMeanwhile:
            key = Key(FILES, job.partition, job.name)
            return job_in(self._db.read([key]), key) or job

    def _run(self, job: JobRow, has_time: Callable[[], bool]) -> JobRow:
        """Commits at least one batch, and others while there is time. Raises ChangedMeanwhile."""
        batches = self._make_batches(job)
        while True:
            job = self._commit_batch(job, batches)
            if job.done or not has_time():
                return job

    def _commit_batch(self, job: JobRow, batches: FolderBatches) -> JobRow:
        """Commits the next batch with the job's progress, and returns the job's new row."""
        for _ in self._runtime.attempts():  # no single transaction: a large file takes several
            batch = batches.next()
            progress = {"moved": job.moved + batch.moved, "done": batch.last}
            row = job.model_copy(update=progress | {"rev": self._runtime.new_id()})
            owner = job.partition.partition("/")[0]
            job_writes = update_job(row, job)
            if row.done:  # the shares have moved: uploads to the old names may have none
                job_writes.append(self._releases.schedule(reservations_on(owner)))
            try:
                if batch.large_file:
                    batches.move_large_file(batch.large_file, job_writes)
                else:
                    self._db.commit([*batch.writes, *job_writes])
            except ConditionFailed:
                batches.reset()
                key = job_key(owner, job.name)
                job = job_in(self._db.read([key]), key) or job
                if job.done:
                    return job
                continue
            return row
        raise AssertionError


def overlap(folders: Iterable[str], others: Iterable[str]) -> bool:
    """Whether a folder is one of the others, or is above or below one."""
    pairs = product(folders, others)
    return any(one.startswith(other) or other.startswith(one) for one, other in pairs)


def target_of(request: FileChange) -> str:
    """The new name of a folder. Raises Invalid where the request gives none, or more than that."""
    old_name, new_name = request.file_name, request.new_name
    if new_name is None or request.model_fields_set - {"file_name", "username", "new_name"}:
        raise Invalid("For a folder send its new_name, and nothing else.")
    if new_name.startswith(old_name):
        raise Invalid("A folder cannot be moved into itself; choose a new_name outside it.")
    return new_name


def job_view(row: JobRow) -> Job:
    """The job as its owner sees it."""
    return Job(
        id=row.name,
        kind="move",
        state="done" if row.done else "running",
        file_name=row.file_name,
        new_name=row.new_name,
        moved=row.moved,
        created=iso(row.created),
    )


def _in_progress(job: JobRow) -> ChangedMeanwhile:
    return ChangedMeanwhile(
        f"{job.file_name} is being moved to {job.new_name}; "
        "repeat that request until its state is done."
    )
