"""Moving a folder: everything below it, a commit at a time, as often as it takes.

A folder that fits one commit moves in it. Of a larger one a job is noted first, in the commit of
which all the others expect that it is as it was: so of several who go on with it each does what the
others have not. What was granted on folders is found by their rows and goes first, at one commit
from one name to the other, so whoever takes it back has taken it back. The job is done in a commit
that expects no file to be left below the old name; what is cut off is gone on with by whoever
repeats the request, and by the sweep.
"""

from collections.abc import Callable, Iterable
from functools import partial
from itertools import product

from function.access.errors import NoSuchFile
from function.access.policy import Access
from function.audit.service import AuditTrail
from function.aws.dynamodb import ConditionFailed
from function.aws.rows import Key
from function.base import Base
from function.contract import FILES
from function.core.errors import ChangedMeanwhile, Invalid, InvalidName
from function.core.limits import AT_MOST
from function.core.models import Caller
from function.core.names import is_too_long
from function.core.runtime import iso
from function.files.errors import FileExists
from function.moves.errors import NoSuchJob
from function.moves.folder_batches import FolderBatches
from function.moves.models import FileChange, Job
from function.tables.accounts import Account, account_at, account_key
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
from function.tables.uploads import is_upload_id

REMEMBERED = 90 * 24 * 3600  # how long one can be told what became of a job
AT_ONCE = 1000


class FolderMoveService:
    """Moves folders."""

    def __init__(
        self,
        base: Base,
    ) -> None:
        self._db = base.db
        self._files = Files(base.db)
        self._access = base.one(Access)
        self._batches = partial(FolderBatches, base)
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime

    def move(self, caller: Caller, wanted: FileChange) -> Job:
        """Moves a folder of the caller's, or goes on with that, as long as there is time.

        Raises NoSuchFile, FileExists, Invalid, InvalidName, ChangedMeanwhile.
        """
        new, owner = target(wanted), caller.username
        in_time = self._runtime.within(AT_MOST)
        noted = self._audit.record(caller, "folder.move", wanted.file_name, subject=new)
        for _ in self._runtime.attempts():
            account, was = self._look(caller, wanted)
            if was and not was.done:
                if was.new_name != new:
                    raise ChangedMeanwhile(f"It is on its way to {was.new_name}; repeat that.")
                return job_view(self._go_on(was, in_time))
            job = self._new(account, wanted.file_name, new)
            taken = bool(self._files.list_files(owner, prefix=new, after="", limit=1)[0])
            batch = self._batches(job).next()
            if batch.last and not batch.moved:
                if was and was.new_name == new:
                    return job_view(was)  # its answer was lost, perhaps
                raise NoSuchFile
            if taken:
                raise FileExists("There is something in that folder; choose another name.")
            self._fits(owner, wanted.file_name, new)
            try:
                if batch.last:
                    self._db.commit([*batch.writes, noted], job.rev)
                    return job_view(job.model_copy(update={"moved": batch.moved, "done": True}))
                self._db.commit([*create_job(job, was), noted], job.rev)
            except ConditionFailed:
                continue
            return job_view(self._run(job, in_time))
        raise AssertionError

    def _look(self, caller: Caller, wanted: FileChange) -> tuple[Account, JobRow | None]:
        """Whose folder it is, and the latest job that moved it.

        Raises NoSuchFile, and ChangedMeanwhile while others are at these folders.
        """
        entry = self._access.authenticate_owner(caller, wanted.username)
        jobs = jobs_of(self._db, caller.username)
        was = jobs.pop(job_id(entry.account.id, wanted.file_name), None)
        mine = (job for job in jobs.values() if job.owner_id == entry.account.id and not job.done)
        for job in mine:
            if overlap((job.file_name, job.new_name), (wanted.file_name, target(wanted))):
                raise ChangedMeanwhile(
                    f"{job.file_name} is on its way to {job.new_name}; repeat that first."
                )
        return entry.account, was

    def _new(self, account: Account, old: str, new: str) -> JobRow:
        now = int(self._runtime.now())
        return JobRow(
            shelf=f"{account.username}/{JOBS}",
            name=job_id(account.id, old),
            owner_id=account.id,
            file_name=old,
            new_name=new,
            begun=now,
            rev=self._runtime.new_id(),
            expires_at=now + REMEMBERED,
        )

    def _fits(self, owner: str, old: str, new: str) -> None:
        """Whether the first names below stay within their limit, in one call; later ones are cut.

        Raises InvalidName.
        """
        longer = len(new.encode()) - len(old.encode())
        if longer <= 0:
            return
        rows, _ = self._files.list_files(
            owner, prefix=old, after="", limit=AT_ONCE, single_call=True
        )
        if any(is_too_long(new + row.name.removeprefix(old)) for row in rows):
            raise InvalidName("A name below that folder would become too long.")

    def job(self, caller: Caller, name: str) -> Job:
        """A job of the caller's. Raises NoSuchJob."""
        key = job_key(caller.username, name)
        entry = self._access.authenticate(caller, more=[key] if is_upload_id(name) else [])
        row = job_in(entry.rows, key)
        if row is None or row.owner_id != entry.account.id:
            raise NoSuchJob
        return job_view(row)

    def resume(self, key: Key, in_time: Callable[[], bool]) -> bool:
        """Goes on with a job that was cut off; whether nothing is left to do.

        That of a disabled account waits until it is enabled again.
        """
        owner = key.partition.partition("/")[0]
        rows = self._db.read([key, account_key(owner)])
        row, account = job_in(rows, key), account_at(rows, owner)
        if row is None or row.done or account is None or account.id != row.owner_id:
            return True
        if account.disabled:
            return account.deleting
        return self._run(row, in_time).done

    def _go_on(self, job: JobRow, in_time: Callable[[], bool]) -> JobRow:
        """Goes on as far as there is time; whoever else is at it may be quicker."""
        try:
            return self._run(job, in_time)
        except ChangedMeanwhile:
            key = Key(FILES, job.shelf, job.name)
            return job_in(self._db.read([key]), key) or job

    def _run(self, job: JobRow, in_time: Callable[[], bool]) -> JobRow:
        """Commits batch after batch, at least one. Raises ChangedMeanwhile."""
        batches = self._batches(job)
        while True:
            job = self._step(job, batches)
            if job.done or not in_time():
                return job

    def _step(self, job: JobRow, batches: FolderBatches) -> JobRow:
        for _ in self._runtime.attempts():
            batch = batches.next()
            progress = {"moved": job.moved + batch.moved, "done": batch.last}
            row = job.model_copy(update=progress | {"rev": self._runtime.new_id()})
            noted = update_job(row, job)
            try:
                if batch.large:
                    batches.carry(batch.large, noted)
                else:
                    self._db.commit([*batch.writes, *noted], row.rev)
            except ConditionFailed:
                batches.look_again()
                key = job_key(job.shelf.partition("/")[0], job.name)
                job = job_in(self._db.read([key]), key) or job
                if job.done:
                    return job
                continue
            return row
        raise AssertionError


def overlap(some: Iterable[str], others: Iterable[str]) -> bool:
    """Whether one of some folders is, or is below or above, one of the others."""
    pairs = product(some, others)
    return any(one.startswith(other) or other.startswith(one) for one, other in pairs)


def target(wanted: FileChange) -> str:
    """Where a folder is to be. Raises Invalid."""
    old, new = wanted.file_name, wanted.new_name
    if new is None or wanted.model_fields_set - {"file_name", "username", "new_name"}:
        raise Invalid("A folder takes a new_name, and nothing else.")
    if new.startswith(old):
        raise Invalid("A folder cannot be moved into itself.")
    return new


def job_view(row: JobRow) -> Job:
    """A job, as its owner sees it."""
    return Job(
        id=row.name,
        kind="move",
        state="done" if row.done else "running",
        file_name=row.file_name,
        new_name=row.new_name,
        moved=row.moved,
        created=iso(row.begun),
    )
