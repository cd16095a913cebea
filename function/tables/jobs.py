"""Jobs in the table files: folder moves that take longer than a request.

A job is a row of the partition `<owner>/jobs`. An expiry entry has the hourly sweep continue a job
that nothing else continues.
"""

import hashlib

from function.aws.dynamodb import Dynamo
from function.aws.rows import Key, Row, Rows
from function.aws.writes import Write, delete, equals, missing, put
from function.contract import FILES
from function.tables.expiry import expiry_key, schedule_expiry

JOBS = "jobs"
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
    """Creates a job, or replaces the `old` one of the same folder, and its expiry entry."""
    key = Key(FILES, row.partition, row.name)
    unchanged = equals(rev=old.rev) if old else missing("partition")
    return [put(key, row, unchanged), schedule_expiry(key, row.created)]


def update_job(row: JobRow, old: JobRow) -> list[Write]:
    """Records the progress of a job, and deletes its expiry entry when it is done."""
    key = Key(FILES, row.partition, row.name)
    change = put(key, row, equals(rev=old.rev))
    return [change, *([delete(expiry_key(key, row.created))] if row.done else [])]
