"""The sweep: everything that goes on without a request, in fair shares of the time."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from function import app
from function.accounts import closing
from function.aws.rows import Key
from function.base import current
from function.contract import FILES, SWEEP_EVENT, Settings
from function.core.errors import Unavailable
from function.core.limits import DAY
from function.files.purge import Purger
from function.maintenance import expired_rows
from function.maintenance.sweep import share_time
from function.tables.expiry import expiry_key
from tests.conftest import Behind, Clock
from tests.support.client import CONTEXT, PASSWORD, Client, join
from tests.support.fake_aws import Call, FakeAws, failure
from tests.support.transfers import bytes_used, send, start, stored, sweep


def run(milliseconds_left: Callable[[], int] = lambda: 28_000) -> dict[str, int]:
    """Runs the sweep with this time left, and returns its counts."""
    context = {**vars(CONTEXT), "get_remaining_time_in_millis": milliseconds_left}
    counts: dict[str, int] = app.lambda_handler(dict(SWEEP_EVENT), SimpleNamespace(**context))
    return counts


def trash(who: Client, clock: Clock, settings: Settings, count: int, *, folder: str = "") -> None:
    """Puts this number of files into the trash; their time is over."""
    for number in range(count):
        who.put(f"{folder}{number}", b"x")
        who.delete("/file", file_name=f"{folder}{number}")
    clock.time += settings.keep_seconds + 3601


def expiry_days(behind: Behind) -> set[str]:
    return {row["partition"] for row in behind.rows("files") if "~expiry/" in row["partition"]}


@pytest.mark.parametrize("days", [31, 45, 400])
def test_what_was_due_is_removed_however_late_the_sweep_comes(
    alice: Client, behind: Behind, clock: Clock, settings: Settings, fake_aws: FakeAws, days: int
) -> None:
    """Uploads and files, with their charge: neither entries nor reservations have a TTL."""
    sweep()
    send(alice, start(alice, "given up", 15), b"x" * 15)
    alice.put("a", b"12345")
    alice.delete("/file", file_name="a")
    assert bytes_used(fake_aws, "alice") == 20
    clock.time += settings.keep_seconds + days * DAY
    expire_by_ttl(behind, clock)
    assert sweep() == 2
    assert (bytes_used(fake_aws, "alice"), stored(fake_aws)) == (0, [])
    assert expiry_days(behind) == set()


def expire_by_ttl(behind: Behind, clock: Clock) -> None:
    """Deletes the rows that DynamoDB's TTL deletes."""
    for row in behind.rows("files"):
        if int(str(row.get("expires_at") or 2**40)) < clock.time:
            behind.delete("files", partition=row["partition"], name=row["name"])


def test_days_without_entries_are_not_read_again(
    alice: Client, behind: Behind, clock: Clock, settings: Settings, fake_aws: FakeAws
) -> None:
    """Yesterday and today are always read; an earlier day only while an entry is left."""
    trash(alice, clock, settings, 2)
    row = next(row for row in behind.rows("files") if row["partition"] == "alice/trash")
    behind.put("files", {**row, "size": "many"})
    with pytest.raises(Exception, match="failed to finish 1"):
        sweep()
    for _ in range(3):
        clock.time += 50 * DAY
        with pytest.raises(Exception, match="failed to finish 1"):
            sweep()
    behind.put("files", row)
    with fake_aws.counted() as calls:
        assert sweep() == 1
    days, lists = 3, 3  # that of the entry, yesterday and today; closings, moves, releases
    assert calls.count("Query") == days + lists
    with fake_aws.counted() as calls:
        assert sweep() == 0
    assert calls.count("Query") == days - 1 + lists
    assert stored(fake_aws) == []


def test_a_day_of_which_the_time_is_too_short_is_read_again(
    alice: Client, clock: Clock, settings: Settings, fake_aws: FakeAws
) -> None:
    """The days that no sweep came to are kept too."""
    trash(alice, clock, settings, 2)
    for _ in range(3):
        assert run(lambda: 100)["expired"] == 0
        clock.time += 40 * DAY
    assert (run()["expired"], stored(fake_aws)) == (2, [])


def test_the_lag_is_the_age_of_the_oldest_overdue_entry(
    alice: Client, clock: Clock, settings: Settings
) -> None:
    """In seconds; 0 when nothing is overdue, and nothing is before its time."""
    alice.put("a")
    alice.delete("/file", file_name="a")
    assert run(lambda: 100)["lag"] == 0
    clock.time += settings.keep_seconds + expired_rows.GRACE
    assert run(lambda: 100)["lag"] == 0
    clock.time += 3 * DAY + 7
    assert run(lambda: 100)["lag"] == 3 * DAY + 7
    assert run()["lag"] == 0


def test_the_lag_is_a_metric_in_seconds(
    alice: Client, clock: Clock, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    trash(alice, clock, settings, 1)
    run(lambda: 100)
    told = capsys.readouterr().out
    assert '{"Name":"lag","Unit":"Seconds"}' in told
    assert '"lag":[3001.0]' in told


def test_many_files_are_deleted_in_few_calls(
    alice: Client, clock: Clock, settings: Settings, fake_aws: FakeAws
) -> None:
    """A hundred with one DeleteObjects, twenty in a commit, and one refund for each commit."""
    trash(alice, clock, settings, 100)
    run(lambda: 100)
    with fake_aws.counted() as calls:
        assert sweep() == 100
    assert calls.count("DeleteObjects") == 1
    assert calls.count("TransactWriteItems") == 5 + 1  # and the deletion of the entries
    assert len(calls) < 60
    assert (bytes_used(fake_aws, "alice"), stored(fake_aws)) == (0, [])


def test_batches_run_side_by_side(
    alice: Client,
    bob: Client,
    clock: Clock,
    settings: Settings,
    fake_aws: FakeAws,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They meet in the rows of the owners, and each file is deleted and refunded once."""
    monkeypatch.setattr(expired_rows, "BATCH_SIZE", 3)
    for who in (alice, bob):
        for number in range(15):
            who.put(f"{number}", b"xyz")
            who.post("/copy", file_name=f"{number}", new_name=f"copy {number}")
            for name in (f"{number}", f"copy {number}"):
                who.delete("/file", file_name=name)
    count = len(stored(fake_aws))
    assert count == 30
    clock.time += settings.keep_seconds + 3601
    assert sweep() == 60
    assert [bytes_used(fake_aws, who) for who in ("alice", "bob")] == [0, 0]
    assert stored(fake_aws) == []


def test_a_file_that_is_changed_meanwhile_stops_no_other(
    alice: Client, clock: Clock, settings: Settings, fake_aws: FakeAws
) -> None:
    """The commit of its group fails, and each file is purged alone."""
    trash(alice, clock, settings, 5)
    failed: list[Call] = []

    def fail_once(call: Call) -> Any:
        if call.operation == "TransactWriteItems" and not failed:
            failed.append(call)
            return failure(call, 400, "TransactionCanceledException")
        return None

    fake_aws.before = fail_once
    assert sweep() == 5
    assert (bytes_used(fake_aws, "alice"), stored(fake_aws)) == (0, [])


def test_a_purge_without_an_entry_that_is_cut_off_is_finished(
    alice: Client, clock: Clock, settings: Settings, behind: Behind, fake_aws: FakeAws
) -> None:
    """Its entry was lost long ago; the one that it leaves is of a day that sweeps read."""
    trash(alice, clock, settings, 1)
    (entry,) = [row for row in behind.rows("files") if "~expiry/" in row["partition"]]
    behind.delete("files", partition=entry["partition"], name=entry["name"])
    (row,) = [row for row in behind.rows("files") if row["partition"] == "alice/trash"]
    clock.time += 9 * DAY
    sweep()
    archived = Key(FILES, "alice/trash", row["name"])
    fake_aws.before = lambda call: (
        failure(call, 503, "SlowDown") if call.operation == "DeleteObject" else None
    )
    with pytest.raises(Unavailable):
        current().one(Purger).purge(archived, expiry_key(archived, int(row["until"])))
    fake_aws.remove_hooks()
    assert stored(fake_aws) == [b"x"]
    clock.time += 601
    assert (sweep(), stored(fake_aws)) == (1, [])


def test_a_row_that_dynamodb_refuses_stops_no_other(
    alice: Client, bob: Client, clock: Clock, settings: Settings, behind: Behind, fake_aws: FakeAws
) -> None:
    """Files of one commit fail alone; here one owner's usage is no number."""
    bob.put("b", b"b")
    bob.delete("/file", file_name="b")
    trash(alice, clock, settings, 5)
    right = behind.row("users", username="bob")
    behind.put("users", {**right, "bytes_used": 1, "files_used": "none"})
    with pytest.raises(Exception, match="failed to finish 1 of its tasks"):
        sweep()
    assert stored(fake_aws) == [b"b"]
    behind.put("users", right)
    assert (sweep(), stored(fake_aws)) == (1, [])


def test_a_reconciliation_that_fails_hides_nothing_of_the_sweep(
    alice: Client,
    behind: Behind,
    clock: Clock,
    settings: Settings,
    fake_aws: FakeAws,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It goes on after each sweep: metrics tell of both, and the invocation counts as failed."""
    trash(alice, clock, settings, 1)
    position = json.dumps({"last_account": "aaron"})
    behind.put("files", {"partition": "~reconcile", "name": "position", "position": position})
    fake_aws.before = refuse_scan
    with pytest.raises(Unavailable, match="failed to finish 1 of its tasks"):
        sweep()
    fake_aws.remove_hooks()
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    metrics = next(each for each in told if "_aws" in each)
    assert (metrics["expired"], metrics["failed"]) == ([1.0], [1.0])
    assert stored(fake_aws) == []


def refuse_scan(call: Call) -> None:
    """A fault that no code expects."""
    if call.operation == "Scan":
        raise KeyError("position")


def test_an_entry_of_an_earlier_release_is_handled(
    alice: Client, behind: Behind, clock: Clock, settings: Settings, fake_aws: FakeAws
) -> None:
    """Entries had a TTL, and those of folder moves were among them."""
    trash(alice, clock, settings, 1)
    (entry,) = [row for row in behind.rows("files") if "~expiry/" in row["partition"]]
    behind.put("files", entry | {"expires_at": int(str(entry["until"])) + 30 * DAY})
    job = Key(FILES, "alice/jobs", "0" * 32)
    key = expiry_key(job, int(clock.time) - DAY)
    behind.put("files", {**key.item(), "until": int(clock.time) - DAY})
    assert sweep() == 2
    assert expiry_days(behind) == set()
    assert [row["name"] for row in behind.rows("files") if row["partition"] == "~jobs/running"] == [
        f"alice/jobs/{'0' * 32}"
    ]
    assert run()["moves_finished"] == 1
    assert stored(fake_aws) == []


def test_deletions_of_accounts_and_files_share_the_time(
    alice: Client,
    bob: Client,
    clock: Clock,
    settings: Settings,
    fake_aws: FakeAws,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither waits until the other has nothing left to do."""
    monkeypatch.setattr(closing, "PAGE", 5)
    join("root")
    for number in range(40):
        bob.put(f"{number:02}")
    trash(alice, clock, settings, 40)
    root = Client(Client().post("/login", username="root", password=PASSWORD).json()["token"])
    fake_aws.before = lambda call: slow(call, clock, 20)
    assert root.delete("/users/bob").status == 202
    fake_aws.before = lambda call: slow(call, clock, 1)
    until = clock.time + 28
    counts = run(lambda: int(1000 * (until - clock.time)))
    fake_aws.remove_hooks()
    rows = [str(row["partition"]) for row in fake_aws.rows(settings.files)]
    assert 20 <= counts["expired"] <= 40
    assert 0 < rows.count("bob") < 40
    assert rows.count("bob/trash") > 0


def slow(call: Call, clock: Clock, seconds: float) -> None:
    """Lets a commit take this long."""
    clock.time += seconds * (call.operation == "TransactWriteItems")


@pytest.mark.parametrize(
    ("needs", "given"),
    [
        ((100, 100, 100), (6, 6, 6)),
        ((1, 100, 100), (1, 9, 8)),
        ((0, 0, 100), (0, 0, 18)),
        ((100, 0, 0), (18, 0, 0)),
        ((100, 2, 1), (15, 2, 1)),
        ((3, 4, 5), (3, 4, 5)),
    ],
)
def test_time_is_shared(needs: tuple[int, ...], given: tuple[int, ...]) -> None:
    """Equally among those who need it; what one leaves is the others'."""
    left, open_needs, spent = [18], list(needs), [0] * len(needs)

    def task(number: int) -> Callable[[Callable[[], bool]], bool]:
        def work(has_time: Callable[[], bool]) -> bool:
            while open_needs[number] and has_time():
                open_needs[number] -= 1
                spent[number] += 1
                left[0] -= 1
            return open_needs[number] > 0

        return work

    share_time([task(number) for number in range(len(needs))], lambda: left[0])
    assert tuple(spent) == given
