"""What the tables hold of work that takes longer than a request. Imports `records` alone."""

import hashlib

from function.aws.dynamodb import Dynamo
from function.aws.rows import Key, Row, Rows
from function.aws.writes import Write, delete, equals, missing, put
from function.contract import FILES
from function.tables.expiry import expiry_key, schedule_expiry

JOBS = "jobs"
MOST = 10_000


class JobRow(Row):
    """A folder on its way from `file_name` to `new_name`; `moved` counts the files that are there.

    There is at most one of each folder at a time. `begun` and `expires_at` are epoch seconds.
    """

    shelf: str
    name: str
    owner_id: str
    file_name: str
    new_name: str
    begun: int
    rev: str
    moved: int = 0
    done: bool = False
    expires_at: int


def job_key(owner: str, job_id: str) -> Key:
    """Where a job stands."""
    return Key(FILES, f"{owner}/{JOBS}", job_id)


def job_id(owner_id: str, folder: str) -> str:
    """The id of the job that moves a folder: the folder's own, so that there is one at a time."""
    return hashlib.sha256(f"{owner_id}/{folder}".encode()).hexdigest()[:32]


def job_in(rows: Rows, key: Key) -> JobRow | None:
    """A job, if it was read."""
    return JobRow.model_validate(rows[key]) if key in rows else None


def jobs_of(db: Dynamo, owner: str) -> dict[str, JobRow]:
    """Somebody's jobs by their ids: those that run, and those that one can still ask for."""
    page = db.query(FILES, f"{owner}/{JOBS}", limit=MOST)
    jobs = [JobRow.model_validate(row) for row in page.items]
    return {job.name: job for job in jobs}


def create_job(row: JobRow, was: JobRow | None) -> list[Write]:
    """Puts a job where none is, or in the place of one that is done; the sweep looks after it."""
    key = job_key(row.shelf.partition("/")[0], row.name)
    unchanged = equals(rev=was.rev) if was else missing("shelf")
    return [put(key, row, unchanged), schedule_expiry(key, row.begun)]


def update_job(row: JobRow, was: JobRow) -> list[Write]:
    """Notes how far a job has come; when it is done, the sweep need not look at it any more."""
    key = Key(FILES, row.shelf, row.name)
    change = put(key, row, equals(rev=was.rev))
    return [change, *([delete(expiry_key(key, row.begun))] if row.done else [])]
