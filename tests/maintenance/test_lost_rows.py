"""Tables that lost rows: by a restore, a wrong setting, an accident. No object is deleted then."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from function import contract
from function.contract import Settings
from function.core.limits import DAY
from function.maintenance.reconciliation_store import Evidence
from function.maintenance.unreferenced import reasons_to_stop
from tests.conftest import Behind, Clock
from tests.crashes.world import other_process
from tests.maintenance.test_reconcile import MIN_AGE, orphan, reconcile, run, watch
from tests.support.client import PASSWORD, Client, join
from tests.support.fake_aws import Call, FakeAws
from tests.support.transfers import (
    bytes_used,
    count_multipart_uploads,
    send,
    start,
    stored,
    sweep,
    use_small_parts,
)

pytestmark = pytest.mark.odd_rows
PEOPLE = ("alice", "bob", "carol")
Rows = dict[str, list[dict[str, Any]]]


def rows_of(behind: Behind) -> Rows:
    return {noun: behind.rows(noun) for noun in ("files", "users")}


def replace_rows(behind: Behind, noun: str, rows: list[dict[str, Any]]) -> None:
    """Makes these the rows of a table."""
    keys = ("partition", "name") if noun == "files" else ("username",)
    for row in behind.rows(noun):
        behind.delete(noun, **{key: str(row[key]) for key in keys})
    for row in rows:
        behind.put(noun, row)


DAMAGES: dict[str, Callable[[Rows, Rows, str], list[dict[str, Any]]]] = {
    "emptied": lambda _now, _old, _noun: [],
    "one half": lambda now, _old, noun: now[noun][::2],
    "the other half": lambda now, _old, noun: now[noun][1::2],
    "rolled back": lambda _now, old, noun: old[noun],
}


@pytest.fixture
def filled(fake_aws: FakeAws, behind: Behind, clock: Clock) -> Rows:
    """Three people with files, versions, trash and uploads in progress; the rows of before."""
    clients = [join(name) for name in PEOPLE]
    sweep()
    reconcile()
    for client in clients:
        for number in range(4):
            client.put(f"old/{number}", f"old {number}".encode())
    before = rows_of(behind)
    for _ in range(2 * 12 + 1):
        clock.time += 300
        sweep()
    for client in clients:
        for number in range(4):
            client.put(f"new/{number}", f"new {number}".encode())
        client.delete("/file", file_name="old/1", permanent="true")
        client.put("old/2", b"another")
        client.post("/uploads", file_name="begun", size=5)
    clock.time += 300
    sweep()
    reconcile()
    return before


@pytest.mark.parametrize("tables", [("files",), ("users",), ("files", "users")], ids="+".join)
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("jumps", [True, False])
def test_damaged_tables_free_nothing(
    filled: Rows,
    behind: Behind,
    fake_aws: FakeAws,
    clock: Clock,
    tables: tuple[str, ...],
    damage: str,
    jumps: bool,
) -> None:
    """However long it stays so, with sweeps that went on and with a pause."""
    now = rows_of(behind)
    for noun in tables:
        replace_rows(behind, noun, DAMAGES[damage](now, filled, noun))
    charged = usage(behind)
    objects = stored(fake_aws)
    clock.time += 300
    sweep()
    for _ in range(3):
        clock.time = max(clock.time, time.time()) + MIN_AGE  # S3 dates objects by the real clock
        if not jumps:
            watch(behind, clock)
        report = reconcile()
        assert report["freed"] == 0
    assert stored(fake_aws) == objects
    if tables == ("files",):
        lowered = [name for name, used in usage(behind).items() if used < charged[name]]
        assert lowered == []


def usage(behind: Behind) -> dict[str, int]:
    return {str(row["username"]): int(str(row["bytes_used"])) for row in behind.rows("users")}


def test_an_emptied_table_is_an_error_and_a_metric(
    alice: Client,
    behind: Behind,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The operator is told, each day."""
    alice.put("a", b"12345")
    replace_rows(behind, "files", [])
    sweep()
    capsys.readouterr()
    report = reconcile()
    assert (report["overcharged"], report["stopped"]) == (1, 1)
    (error,) = [vars(each) for each in caplog.records if each.levelname == "ERROR"]
    assert "charged for more than their rows hold" in error["reason"]
    assert error["findings"] == [
        "alice is charged for 1 files and 5 bytes more than its rows hold."
    ]
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    metrics = next(each for each in told if "_aws" in each)
    assert (metrics["overcharged"], metrics["stopped"]) == ([1.0], [1.0])


def test_a_sweep_during_the_count_is_no_loss(
    alice: Client, behind: Behind, clock: Clock, settings: Settings, fake_aws: FakeAws
) -> None:
    """It purges a version between two reads, and leaves no change in the feed."""
    for data in (b"1", b"22", b"333"):
        alice.put("a", data)
    clock.time += settings.keep_seconds + 601
    met: list[Call] = []

    def before(call: Call) -> None:
        if call.operation == "Query" and b'"alice/versions"' in call.request.body and not met:
            met.append(call)
            with other_process():
                assert sweep() == 2

    fake_aws.before = before
    report = reconcile()
    assert (len(met), report["overcharged"], report["skipped"]) == (1, 0, 1)
    fake_aws.before = lambda _: None
    assert (reconcile()["skipped"], bytes_used(fake_aws, "alice")) == (0, 3)


def test_few_calls_for_an_account(alice: Client, fake_aws: FakeAws) -> None:
    """There may be many thousands."""
    for name in ("bob", "carol"):
        join(name).put("a/b")
    alice.put("a/b")
    with fake_aws.counted() as calls:
        assert reconcile()["accounts"] == 3
    assert len(calls) <= 3 * 9 + 8


def test_the_usage_is_lowered_when_a_person_confirms_that_the_rows_are_right(
    alice: Client, behind: Behind, clock: Clock, fake_aws: FakeAws
) -> None:
    """A dry run tells it before; then the account is in order."""
    alice.put("a", b"12345")
    behind.change("users", {"username": "alice"}, bytes_used=105, files_used=3)
    clock.time += 61
    assert reconcile()["corrected"] == 0
    before = behind.state()
    report = run(contract.DRY_RUN_EVENT)
    assert report["findings"] == [
        "alice is charged for 2 files and 100 bytes more than its rows hold."
    ]
    assert report["reasons"]
    assert report["done"] is True
    assert run(contract.CONFIRMED_EVENT)["corrected"] == 1
    assert bytes_used(fake_aws, "alice") == 5
    assert (reconcile()["stopped"], run(contract.DRY_RUN_EVENT)["findings"]) == (0, [])
    assert before != behind.state()


def test_a_reservation_that_is_lost_is_released(
    alice: Client, behind: Behind, clock: Clock, fake_aws: FakeAws
) -> None:
    """It stands for no bytes that anybody was told are stored."""
    alice.put("a", b"12345")
    alice.post("/uploads", file_name="d", size=50)
    (row,) = [row for row in behind.rows("files") if row["partition"] == "alice/reservations"]
    behind.delete("files", partition=row["partition"], name=row["name"])
    clock.time += 61
    report = reconcile()
    assert (report["corrected"], report["overcharged"]) == (1, 0)
    assert bytes_used(fake_aws, "alice") == 5


@pytest.mark.parametrize(("lost", "freed"), [(0, 0), (1, 1), (10, 10), (11, 0), (12, 0)])
def test_few_objects_are_deleted_in_a_run(
    alice: Client,
    behind: Behind,
    clock: Clock,
    settings: Settings,
    fake_aws: FakeAws,
    lost: int,
    freed: int,
) -> None:
    """More are a sign that rows are lost: nothing is deleted, and the reason says how many."""
    sweep()
    for number in range(lost):
        orphan(settings, f"alice/{number}")
    clock.time = time.time() + MIN_AGE
    watch(behind, clock)
    report = reconcile()
    assert (report["unreferenced"], report["freed"]) == (lost, freed)
    assert report["stopped"] == (freed < lost)
    assert len(stored(fake_aws)) == lost - freed
    assert run(contract.CONFIRMED_EVENT)["freed"] == lost - freed


@pytest.mark.parametrize(("objects", "limit"), [(0, 10), (1099, 10), (2000, 20), (50_000, 100)])
def test_the_limit_is_one_in_a_hundred(objects: int, limit: int) -> None:
    """At least ten, at most a hundred."""
    assert reasons_to_stop(Evidence(objects=objects, unreferenced=limit)) == []
    assert len(reasons_to_stop(Evidence(objects=objects, unreferenced=limit + 1))) == 1


def test_an_object_from_before_a_gap_stays(
    alice: Client, behind: Behind, clock: Clock, settings: Settings, fake_aws: FakeAws
) -> None:
    """The table may have been restored while no sweep watched it, or have another name."""
    sweep()
    orphan(settings, "alice/0123")
    clock.time = time.time() + 3601
    sweep()
    clock.time += MIN_AGE
    watch(behind, clock)
    report = reconcile()
    assert (report["unreferenced"], report["freed"], report["stopped"]) == (1, 0, 0)
    assert len(stored(fake_aws)) == 1


def test_an_object_from_before_a_restore_stays(
    alice: Client, behind: Behind, clock: Clock, settings: Settings, fake_aws: FakeAws
) -> None:
    """A restored table has another name, and the row of the last sweep before."""
    sweep()
    orphan(settings, "alice/0123")
    clock.time = time.time() + 300
    row = behind.row("files", partition="~sweep", name="position")
    position = json.loads(str(row["position"])) | {"table": "other", "seen": int(clock.time)}
    behind.put("files", row | {"position": json.dumps(position)})
    sweep()
    clock.time += MIN_AGE
    watch(behind, clock)
    assert (reconcile()["freed"], len(stored(fake_aws))) == (0, 1)


def test_an_account_that_changed_keeps_its_objects(
    alice: Client, behind: Behind, clock: Clock, settings: Settings, fake_aws: FakeAws
) -> None:
    """Nobody knows what its rows hold; the next pass does."""
    sweep()
    orphan(settings, "alice/0123")
    clock.time = time.time() + MIN_AGE
    watch(behind, clock)
    behind.change("users", {"username": "alice"}, bytes_used=1, files_used=1)
    alice = Client(alice.post("/login", username="alice", password=PASSWORD).json()["token"])
    assert alice.put("a", b"12345").status == 201
    assert reconcile()["freed"] == 0
    behind.change("users", {"username": "alice"}, bytes_used=5, files_used=1)
    clock.time += 61
    watch(behind, clock)
    assert reconcile()["freed"] == 1


def test_a_dry_run_changes_nothing(
    alice: Client, behind: Behind, clock: Clock, settings: Settings, fake_aws: FakeAws
) -> None:
    """It tells what a run would do, and that does it."""
    sweep()
    alice.put("f/a", b"12345")
    behind.change("users", {"username": "alice"}, bytes_used=1)
    orphan(settings, "alice/0123")
    clock.time = time.time() + MIN_AGE
    watch(behind, clock)
    before, position = behind.state(), behind.row("files", partition="~sweep", name="position")
    report = run(contract.DRY_RUN_EVENT)
    rows = [row for row in behind.rows("files") if row["name"] != "dry-run"]
    assert (report["corrected"], report["freed"], report["done"]) == (1, 1, True)
    assert any("alice/0123" in each for each in report["findings"])
    assert behind.objects() == before[1]
    assert position in rows
    assert bytes_used(fake_aws, "alice") == 1
    report = reconcile()
    assert (report["corrected"], report["freed"]) == (1, 1)


def test_a_dry_run_that_takes_longer_is_continued(alice: Client, behind: Behind) -> None:
    """By the same event; the daily run has a position of its own."""
    for name in ("bob", "carol"):
        join(name)
    assert run(contract.DRY_RUN_EVENT, 5)["done"] is False
    assert run(contract.DRY_RUN_EVENT)["done"] is True
    assert reconcile()["accounts"] == 3


@pytest.mark.parametrize("begun", [True, False])
def test_the_setting_stops_it(
    alice: Client,
    behind: Behind,
    settings: Settings,
    clock: Clock,
    rewire: Callable[[Settings], None],
    begun: bool,
) -> None:
    """Neither the schedule nor a sweep runs it; a person may."""
    alice.put("a", b"12345")
    if begun:
        unfinished(behind)
    behind.change("users", {"username": "alice"}, bytes_used=1)
    clock.time += 61
    rewire(replace(settings, reconcile=0))
    assert reconcile() == {}
    assert "accounts" not in run(contract.SWEEP_EVENT)
    assert run(contract.DRY_RUN_EVENT)["corrected"] == 1
    assert behind.row("users", username="alice")["bytes_used"] == 1


def unfinished(behind: Behind) -> None:
    """Saves the position of a run that was short of time."""
    position = json.dumps({"last_account": "aaron"})
    behind.put("files", {"partition": "~reconcile", "name": "position", "position": position})


def test_the_sweep_continues_an_unfinished_reconciliation(alice: Client, behind: Behind) -> None:
    """Every five minutes, until it is done; it begins none."""
    alice.put("a", b"12345")
    assert "accounts" not in run(contract.SWEEP_EVENT)
    unfinished(behind)
    assert run(contract.SWEEP_EVENT)["accounts"] == 1
    assert "accounts" not in run(contract.SWEEP_EVENT)


def test_expired_files_without_an_entry_are_listed_again(
    alice: Client, behind: Behind, clock: Clock, settings: Settings, fake_aws: FakeAws
) -> None:
    """An earlier release forgot entries after thirty days; the next sweep deletes the files."""
    for data in (b"1", b"22"):
        alice.put("a", data)
    alice.put("b", b"333")
    alice.delete("/file", file_name="b")
    for row in behind.rows("files"):
        if row["partition"].startswith("~expiry/"):
            behind.delete("files", partition=row["partition"], name=row["name"])
    clock.time += settings.keep_seconds + 3600
    assert reconcile()["listed_again"] == 0
    clock.time += DAY
    assert run(contract.DRY_RUN_EVENT)["listed_again"] == 2
    assert reconcile()["listed_again"] == 2
    assert reconcile()["listed_again"] == 0
    clock.time += 601
    assert sweep() == 2
    assert (stored(fake_aws), bytes_used(fake_aws, "alice")) == ([b"22"], 2)


def test_expired_files_of_deleted_accounts_are_listed_again(
    alice: Client, bob: Client, behind: Behind, clock: Clock, settings: Settings, fake_aws: FakeAws
) -> None:
    """No account leads to them, but their objects do."""
    root = join("root")
    bob.put("a", b"1")
    bob.put("a", b"2")
    alice.put("b", b"stays")
    assert root.delete("/users/bob").status == 204
    for row in behind.rows("files"):
        if row["partition"].startswith("~expiry/"):
            behind.delete("files", partition=row["partition"], name=row["name"])
    clock.time += settings.keep_seconds + DAY + 1
    assert reconcile()["listed_again"] == 2
    assert reconcile()["listed_again"] == 0
    clock.time += 601
    assert sweep() == 2
    assert stored(fake_aws) == [b"stays"]


@pytest.mark.parametrize("earlier_release", [True, False])
@pytest.mark.parametrize("row_is_left", [True, False])
@pytest.mark.parametrize("size", [15, 45])
def test_expired_uploads_without_an_entry_are_listed_again(
    alice: Client,
    behind: Behind,
    clock: Clock,
    fake_aws: FakeAws,
    monkeypatch: pytest.MonkeyPatch,
    earlier_release: bool,
    row_is_left: bool,
    size: int,
) -> None:
    """Their reservations tell of them; the next sweep releases these once, and deletes the bytes.

    TTL deletes the row of an upload, and earlier releases had one for reservations.
    """
    use_small_parts(monkeypatch)
    alice.put("a", b"1")
    view = start(alice, "given up", size)
    send(alice, view, bytes(size))
    for row in behind.rows("files"):
        if row["partition"].startswith("~expiry/"):
            behind.delete("files", partition=row["partition"], name=row["name"])
    (row,) = [row for row in behind.rows("files") if row["partition"] == "alice/reservations"]
    until = int(str(row["until"]))
    if earlier_release:
        old = {name: value for name, value in row.items() if name not in {"until", "file_request"}}
        behind.put("files", old | {"expires_at": until + 30 * DAY})
    if not row_is_left:
        behind.delete("files", partition="alice/uploads", name=view["upload_id"])
    clock.time = until + DAY - 1
    assert reconcile()["listed_again"] == 0
    clock.time += 3
    assert run(contract.DRY_RUN_EVENT)["listed_again"] == 1
    assert reconcile()["listed_again"] == 1
    assert reconcile()["listed_again"] == 0
    clock.time += 3601
    assert (sweep(), sweep()) == (1, 0)
    assert bytes_used(fake_aws, "alice") == 1
    if row_is_left:
        assert (stored(fake_aws), count_multipart_uploads(fake_aws)) == ([b"1"], 0)


def test_an_unknown_event_is_an_error(alice: Client) -> None:
    with pytest.raises(ValueError, match="unknown event"):
        run({"satchel": "reconcile", "mode": "dry"})
