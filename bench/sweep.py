"""`python -m bench.sweep`: files an hour that the sweep removes, after a pause of 25 days.

It runs on moto, whose time is part of the measure, so a figure says how the work grows and not how
long AWS takes. Files an hour are those of one processor (CPU seconds). The number of calls is the
same on AWS; `docs/limits-of-scale.md` has the arithmetic.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

from moto.backends import get_backend

from bench.request_cost import muted
from function import app, base, contract
from function.aws.rows import Item, encode
from function.core.limits import DAY
from function.core.runtime import system_runtime
from function.http import problems
from function.tables.accounts import account_key
from function.tables.expiry import schedule_expiry
from function.tables.files import TRASH, FileRow, file_row_key, refcount_key, trash_name
from tests.support.client import CONTEXT, join
from tests.support.fake_aws import ACCOUNT, REGION, running_fake_aws, session

FILES = int(os.environ.get("FILES", "100000"))
OWNERS, DAYS = 100, 25
# The timeout of a run, the part of it in which new work begins, and the time between two runs.
TIMEOUT_SECONDS, WORK_SECONDS, SCHEDULE_SECONDS = 28, 18, 300


def main() -> None:
    """Measure, and print a table in Markdown."""
    with running_fake_aws() as fake_aws, muted(problems.logger):
        settings = contract.settings(fake_aws.deployed.environment)
        base.use(base.Base(settings, session().client, system_runtime()))
        fill(settings)
        fake_aws.calls.clear()
        runs, seconds, cpu = sweep_all()
        left = len(fake_aws.objects(settings.bucket))
        calls = Counter(fake_aws.calls)
        base.use(None)
    if left:
        raise RuntimeError(f"{left} objects are left")
    print("| Files | Runs | Seconds | CPU, s | Files an hour, without pause | With the schedule |")
    print("|--:|--:|--:|--:|--:|--:|")
    hourly = FILES / cpu * 3600
    scheduled = hourly * WORK_SECONDS / SCHEDULE_SECONDS
    print(f"| {FILES:,} | {runs} | {seconds:.0f} | {cpu:.0f} | {hourly:,.0f} | {scheduled:,.0f} |")
    print(f"\nCalls for a thousand files: {sum(calls.values()) / FILES * 1000:.0f}, of them")
    for name, count in calls.most_common():
        print(f"- {name}: {count / FILES * 1000:.1f}")


def sweep_all() -> tuple[int, float, float]:
    """Runs the sweep until nothing is due; the number of runs, their seconds, their CPU seconds."""
    runs, started, cpu_started = 0, time.monotonic(), time.process_time()
    while True:
        until = time.monotonic() + TIMEOUT_SECONDS
        context = SimpleNamespace(**vars(CONTEXT))
        context.get_remaining_time_in_millis = partial(milliseconds_until, until)
        counts = app.lambda_handler(dict(contract.SWEEP_EVENT), context)
        runs += 1
        if counts["failed"]:
            raise RuntimeError(f"{counts['failed']} tasks failed")
        if not counts["lag"]:
            return runs, time.monotonic() - started, time.process_time() - cpu_started


def milliseconds_until(then: float) -> float:
    """The time left until then."""
    return 1000 * (then - time.monotonic())


def fill(settings: contract.Settings) -> None:
    """Puts the files into the trash of some accounts; their time ended on each of DAYS days.

    A Query of moto takes longer in a larger partition, unlike one of DynamoDB.
    """
    now = int(time.time())
    tables: Any = get_backend("dynamodb")[ACCOUNT][REGION].tables
    owners = [f"owner{number:03}" for number in range(OWNERS)]
    for owner in owners:
        join(owner)
    page = base.current().db.scan(contract.USERS, after="", limit=OWNERS)
    accounts = {str(row["username"]): row for row in page.items}
    for number in range(FILES):
        owner = owners[number % OWNERS]
        until = now - DAY * (1 + number * DAYS // FILES)
        row = deleted_file(owner, str(accounts[owner]["id"]), number, until)
        for item in rows_of(row):
            tables[settings.files].put_item(encode(item))
    for owner in owners:
        count = len(range(owners.index(owner), FILES, OWNERS))
        used: Item = {"bytes_used": count, "files_used": count}
        tables[settings.users].put_item(
            encode({**accounts[owner], **used, **account_key(owner).item()})
        )
    client = session().client("s3")
    client.put_object(Bucket=settings.bucket, Key="first", Body=b"x")
    bucket = get_backend("s3")[ACCOUNT]["aws"].buckets[settings.bucket]
    first = bucket.keys.getlist("first")
    for number in range(FILES):  # all have the same content, so that it takes no memory
        dict.__setitem__(bucket.keys, f"{owners[number % OWNERS]}/{number:032x}", list(first))
    client.delete_object(Bucket=settings.bucket, Key="first")


def deleted_file(owner: str, owner_id: str, number: int, until: int) -> FileRow:
    """The row of a file of one byte in the trash."""
    name = f"{number % 50:02}/photo {number:06}.jpg"
    return FileRow(
        partition=f"{owner}/{TRASH}",
        name=trash_name(name, until - 30 * DAY, f"{number:08x}"),
        file_name=name,
        id=f"{number:032x}",
        owner_id=owner_id,
        rev=f"{number:032x}",
        object=f"{owner}/{number:032x}",
        size=1,
        etag="e",
        content_type="image/jpeg",
        created="2026-01-01T00:00:00.000Z",
        modified="2026-01-01T00:00:00.000Z",
        version=1,
        until=until,
        deleted="2026-01-01T00:00:00.000Z",
    )


def rows_of(row: FileRow) -> Iterator[Item]:
    """The rows of a deleted file: itself, its expiry entry, and its object's reference count."""
    yield row.model_dump() | file_row_key(row).item()
    entry = schedule_expiry(file_row_key(row), row.until or 0, object_key=row.object)
    yield entry.item or {}
    yield refcount_key(row.object).item() | {"others": 0}


if __name__ == "__main__":
    main()
