"""Jobs in the table files: folder moves that take longer than a request.

A job is a row of the partition `<owner>/jobs`. A list of those that are running lets the sweep
continue a job that nothing else continues.
"""

import hashlib

from function.aws.dynamodb import Dynamo, QueryPage
from function.aws.rows import Item, Key, Row, Rows
from function.aws.writes import Write, delete, equals, missing, put
from function.contract import FILES

JOBS = "jobs"
RUNNING_PARTITION = "~jobs/running"
MAX_JOBS = 10_000  # more than an account can have before they expire


class JobRow(Row):
    """The move of a folder from `file_name` to `new_name`. A folder has at most one at a time.

    `partition` and `name` are its key, `name` is its id. `moved` counts the files that were moved.
    `created` and `expires_at` are epoch seconds; `rev` changes with each write.
    """

    partition: str
    name: str
    owner_id: str
    file_name: str
    new_name: str
    created: int
    rev: str
    moved: int = 0
    done: bool = False
    expires_at: int


def job_key(owner: str, job_id: str) -> Key:
    """The key of a job."""
    return Key(FILES, f"{owner}/{JOBS}", job_id)


def is_job_key(key: Key) -> bool:
    """Whether a row of the table files is a job."""
    return key.partition.endswith(f"/{JOBS}")


def job_id(owner_id: str, folder: str) -> str:
    """The id of the job that moves a folder: one for each folder, so there is one at a time."""
    return hashlib.sha256(f"{owner_id}/{folder}".encode()).hexdigest()[:32]


def job_in(rows: Rows, key: Key) -> JobRow | None:
    """The job under `key`, if it is among the rows."""
    return JobRow.model_validate(rows[key]) if key in rows else None


def jobs_of(db: Dynamo, owner: str) -> dict[str, JobRow]:
    """All jobs of an owner that have not expired, by id."""
    page = db.query(FILES, f"{owner}/{JOBS}", limit=MAX_JOBS)
    jobs = [JobRow.model_validate(row) for row in page.items]
    return {job.name: job for job in jobs}


def create_job(row: JobRow, old: JobRow | None) -> list[Write]:
    """Creates a job, or replaces the `old` one of the same folder, and lists it as running."""
    key = Key(FILES, row.partition, row.name)
    unchanged = equals(rev=old.rev) if old else missing("partition")
    return [put(key, row, unchanged), list_as_running(key, row.created)]


def update_job(row: JobRow, old: JobRow) -> list[Write]:
    """Records the progress of a job, and takes it off the list when it is done."""
    key = Key(FILES, row.partition, row.name)
    change = put(key, row, equals(rev=old.rev))
    return [change, *([delete(running_key(key))] if row.done else [])]


def running_key(job: Key) -> Key:
    """The key of a job's entry on the list of those that are running."""
    return Key(FILES, RUNNING_PARTITION, f"{job.partition}/{job.sort}")


def list_as_running(job: Key, created: int) -> Write:
    """Lists a job that was `created` (epoch seconds) among those that are running."""
    return put(running_key(job), {"created": created})


class RunningJobs:
    """The list of the jobs that are running."""

    def __init__(self, db: Dynamo) -> None:
        """Takes the client."""
        self._db = db

    def list_jobs(self, *, after: str, limit: int) -> QueryPage[tuple[Key, int]]:
        """The keys of jobs and when they were created (epoch seconds), after a sort key."""
        page = self._db.query(FILES, RUNNING_PARTITION, after=after, limit=limit)
        return page.map(_running_job)

    def delete(self, job: Key) -> None:
        """Takes a job off the list."""
        self._db.write(delete(running_key(job)))


def _running_job(item: Item) -> tuple[Key, int]:
    partition, _, name = str(item["name"]).rpartition("/")
    return Key(FILES, partition, name), int(str(item["created"]))
