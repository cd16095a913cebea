"""The daily reconciliation of rows, counts and objects."""

import json
import time
from typing import Any

import pytest

from function import app, contract
from function.contract import Settings
from function.core.limits import DAY
from function.maintenance import reconciliation_store
from function.maintenance.reconciliation_store import ReconciliationStep
from function.tables.files import refcount_key
from function.tables.folders import folder_key
from function.tables.search_terms import SEPARATOR
from tests.conftest import Behind, Clock
from tests.crashes.world import other_process
from tests.support.client import CONTEXT, Client, join
from tests.support.fake_aws import Call, FakeAws
from tests.support.invariants import assert_consistent
from tests.support.side_by_side import spread
from tests.support.transfers import aws, start, stored, sweep

MIN_AGE = 8 * DAY + 1


def reconcile(seconds_left: int = 28) -> dict[str, int]:
    """Runs it once with this time left, and returns its report."""
    return run(contract.RECONCILE_EVENT, seconds_left)


def run(event: dict[str, str], seconds_left: int = 28) -> dict[str, Any]:
    """What the function returns to an event of the reconciliation."""

    class Context(type(CONTEXT)):  # type: ignore[misc]
        def get_remaining_time_in_millis(self) -> int:
            return seconds_left * 1000

    report: dict[str, Any] = app.lambda_handler(dict(event), Context())
    return report


def watch(behind: Behind, clock: Clock) -> None:
    """Makes it look as if sweeps had gone on until now."""
    row = behind.row("files", partition="~sweep", name="position")
    position = json.loads(str(row["position"])) | {"seen": int(clock.time)}
    behind.put("files", row | {"position": json.dumps(position)})


def orphan(settings: Settings, key: str, data: bytes = b"lost") -> None:
    aws("s3").put_object(Bucket=settings.bucket, Key=key, Body=data)


def test_a_consistent_account_stays_as_it_is(alice: Client, behind: Behind, clock: Clock) -> None:
    """With files, versions, trash and an upload: nothing is corrected and nothing freed."""
    for name in ("a", "a", "b/c"):
        alice.put(name)
    alice.delete("/file", file_name="b/c")
    alice.post("/uploads", file_name="d", size=5)
    before = [row for row in behind.rows("files") if row["partition"] != "~reconcile"]
    clock.time = time.time() + MIN_AGE  # S3 dates objects by the real clock
    report = reconcile()
    after = [row for row in behind.rows("files") if row["partition"] != "~reconcile"]
    deleted = [row for row in before if row not in after]
    assert [row["partition"] for row in deleted] == ["alice/folders"]
    assert (report["corrected"], report["freed"], report["backfilled"]) == (0, 0, 0)
    assert (report["accounts"], report["objects"], report["folders_deleted"]) == (1, 3, 1)


def test_old_objects_that_no_row_names_are_deleted(
    alice: Client, settings: Settings, fake_aws: FakeAws, clock: Clock, behind: Behind
) -> None:
    """A crash before their commit left them. A young object may become a file yet.

    Nobody's are left for a person to judge: their account may be a row that is lost.
    """
    sweep()
    alice.put("a", b"kept")
    orphan(settings, "alice/0123")
    orphan(settings, "alice/4567", b"too")
    orphan(settings, "zoe/left", b"of nobody")
    assert reconcile()["freed"] == 0
    clock.time = time.time() + MIN_AGE  # S3 dates objects by the real clock
    watch(behind, clock)
    report = reconcile()
    assert (report["freed"], report["freed_bytes"]) == (2, len(b"lost") + len(b"too"))
    assert (report["unreferenced"], report["stopped"]) == (3, 0)
    assert stored(fake_aws) == [b"kept", b"of nobody"]
    assert reconcile()["freed"] == 0
    assert run(contract.CONFIRMED_EVENT)["freed"] == 1
    assert stored(fake_aws) == [b"kept"]


def test_usage_is_corrected(alice: Client, behind: Behind, clock: Clock) -> None:
    """To the sum of the rows and of the reservations."""
    alice.put("a", b"12345")
    alice.post("/uploads", file_name="d", size=50)
    wrong = {"bytes_used": 7, "files_used": 1, "bytes_reserved": 3, "files_reserved": -1}
    for noun, count in wrong.items():
        behind.change("users", {"username": "alice"}, **{noun: count})
        clock.time += 61
        assert reconcile()["corrected"] == 1, noun
        row = behind.row("users", username="alice")
        assert [row[each] for each in wrong] == [55, 2, 50, 1]
        assert reconcile()["corrected"] == 0


def test_usage_is_not_corrected_while_uploads_start_and_end(
    alice: Client, behind: Behind, fake_aws: FakeAws, clock: Clock
) -> None:
    """They leave no change in the feed, and another upload of the same size the same counts."""
    upload = start(alice, "film", 50)
    behind.change("users", {"username": "alice"}, files_used=0)
    clock.time += 61
    met: list[str] = []

    def before(call: Call) -> None:
        now = {"Query": "aborted", "TransactWriteItems": "started"}.get(call.operation, "")
        if now == "aborted" and not met and b"alice/reservations" in call.request.body:
            met.append(now)
            with other_process():
                assert alice.delete(f"/uploads/{upload['upload_id']}").status == 204
        elif now == "started" and met == ["aborted"]:
            met.append(now)
            with other_process():
                start(alice, "film", 50)

    fake_aws.before = before
    report = reconcile()
    assert met == ["aborted", "started"]
    assert (report["corrected"], report["skipped"]) == (0, 1)
    assert reconcile()["corrected"] == 1
    row = behind.row("users", username="alice")
    assert (row["bytes_used"], row["files_used"], row["files_reserved"]) == (50, 1, 1)


def test_a_folder_that_changes_during_the_check_is_not_corrected(
    alice: Client, behind: Behind, fake_aws: FakeAws, clock: Clock
) -> None:
    """A file that is deleted and one that is put leave the count as it was."""
    alice.put("f/x")
    behind.put("files", {**place("phantom/"), "files": 3})
    clock.time += 61
    met: list[str] = []

    def before(call: Call) -> None:
        body = call.request.body
        if not met and call.operation == "Query" and b'"f/"' in body:
            met.append("deleted")
            with other_process():
                assert alice.delete("/file", file_name="f/x").status == 204
        elif met == ["deleted"] and call.operation == "Query" and b"alice/changes" in body:
            met.append("put")
            with other_process():
                assert alice.put("f/y").status == 201

    fake_aws.before = before
    reconcile()
    fake_aws.before = lambda _: None
    assert met == ["deleted", "put"]
    assert behind.row("files", **place("f/"))["files"] == 1
    clock.time += DAY
    assert reconcile()["folders_corrected"] == 1


def test_a_deleted_account_does_not_stop_the_run(
    alice: Client, behind: Behind, fake_aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was the last account, and the last run ended within its rows."""
    for name in ("bob", "carol"):
        join(name)
    last = [row["username"] for row in fake_aws.rows(behind.settings.users)][-1]
    position = {"last_account": None, "account": last, "step": ReconciliationStep.TRASH}
    saved = {"partition": "~reconcile", "name": "position", "position": json.dumps(position)}
    for row in fake_aws.rows(behind.settings.users):
        behind.delete("users", username=row["username"])
    behind.put("files", saved)
    with fake_aws.counted() as calls:
        reconcile()
    assert len(calls) < 10


def test_a_position_of_another_release_is_continued(alice: Client, behind: Behind) -> None:
    """Unknown fields are ignored."""
    saved = {"partition": "~reconcile", "name": "position"}
    behind.put("files", saved | {"position": json.dumps({"accounts_done": True, "later": 1})})
    assert reconcile()["accounts"] == 0
    assert reconcile()["accounts"] == 1


def test_a_row_that_is_deleted_meanwhile_gets_no_reference_count(
    alice: Client, behind: Behind, fake_aws: FakeAws
) -> None:
    """A missing count is created only while the row exists."""
    alice.put("a", b"1")
    met: list[Call] = []

    def before(call: Call) -> None:
        if call.operation == "BatchGetItem" and b"~references" in call.request.body and not met:
            met.append(call)
            with other_process():
                query = {"file_name": "a", "permanent": "true"}
                assert alice.send("DELETE", "/file", query=query).status == 204

    fake_aws.before = before
    assert reconcile()["backfilled"] == 0
    assert met
    assert not [row for row in behind.rows("files") if row["partition"].startswith("~references")]


FOLDERS = {"a/": 5, "a/b/": 3, "a/b/c/": 2, "d/": 1, "e/f/": 1, "e/": 1}
NAMES = ("a/1", "a/2", "a/b/3", "a/b/c/4", "a/b/c/5", "a!", "d/6", "e/f/7", "x")


@pytest.mark.odd_rows
@pytest.mark.parametrize("page_size", [1, 2, 4, 1000])
def test_counts_of_folders_are_corrected(
    alice: Client,
    behind: Behind,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    page_size: int,
) -> None:
    """Wrong and missing ones, at any page size; a folder without files is deleted."""
    for limit in ("PAGE_SIZE", "FOLDER_PAGE_SIZE"):
        monkeypatch.setattr(reconciliation_store, limit, page_size)
    for name in NAMES:
        alice.put(name)
    join("bob")
    for given in ("given/", "back/"):
        alice.post("/share", file_name=given, username="bob")
    alice.delete("/share", file_name="back/", username="bob")
    assert reconcile()["folders_corrected"] == 0
    behind.delete("files", **place("a/b/"))
    for wrong, files in {"a/": 0, "e/": 7, "given/": 2}.items():
        behind.change("files", place(wrong), files=files)
    for phantom, files in {"phantom/": 3, "a/gone/": -1}.items():
        behind.put("files", {**place(phantom), "files": files})
    clock.time += 61
    assert reconcile()["folders_corrected"] == 6
    counts = {
        each["name"]: each.get("files")
        for each in behind.rows("files")
        if "/folders" in each["partition"]
    }
    assert {
        name.replace(SEPARATOR, ""): files for name, files in counts.items() if files
    } == FOLDERS
    report = reconcile()
    assert (report["folders_corrected"], report["folders_deleted"]) == (0, 2)
    assert "given/" in {r["name"].replace(SEPARATOR, "") for r in behind.rows("files")}


def place(folder: str) -> dict[str, str]:
    """The key of a folder's row."""
    key = folder_key("alice", folder)
    return {"partition": key.partition, "name": str(key.sort)}


def test_a_folder_of_an_account_that_just_changed_waits_for_the_next_run(
    alice: Client, behind: Behind, clock: Clock
) -> None:
    """The count may be right by now."""
    alice.put("a/1")
    behind.change("files", place("a/"), files=9)
    assert reconcile()["folders_corrected"] == 0
    clock.time += 61
    assert reconcile()["folders_corrected"] == 1


def test_folders_are_checked_one_by_one_only_if_there_are_too_many(
    alice: Client, fake_aws: FakeAws, clock: Clock
) -> None:
    """The number of calls grows with pages, not with folders."""
    for name in NAMES:
        alice.put(name)
    clock.time += 61
    with fake_aws.counted() as calls:
        reconcile()
    few = len(calls)
    for number in range(20):
        alice.put(f"more/{number}/file")
    clock.time += 61
    with fake_aws.counted() as calls:
        reconcile()
    assert len(calls) == few


def test_an_account_that_just_changed_waits_for_the_next_run(
    alice: Client, behind: Behind, clock: Clock
) -> None:
    """Its rows may have been counted twice, or not at all."""
    alice.put("a", b"12345")
    behind.change("users", {"username": "alice"}, bytes_used=3)
    report = reconcile()
    assert (report["corrected"], report["skipped"]) == (0, 1)
    clock.time += DAY
    assert reconcile()["corrected"] == 1


def test_the_bytes_of_a_row_are_never_deleted(
    alice: Client, behind: Behind, fake_aws: FakeAws, clock: Clock
) -> None:
    """A missing reference count is created before any object is deleted."""
    alice.put("a", b"kept")
    key = refcount_key(str(behind.row("files", partition="alice", name="a")["object"]))
    behind.delete("files", partition=key.partition, name=str(key.sort))
    clock.time = time.time() + MIN_AGE  # S3 dates objects by the real clock
    report = reconcile()
    assert (report["backfilled"], report["freed"]) == (1, 0)
    assert stored(fake_aws) == [b"kept"]


def test_a_run_continues_where_the_last_one_ended(
    alice: Client, settings: Settings, fake_aws: FakeAws, clock: Clock, behind: Behind
) -> None:
    """With time for one step each, the runs reach all accounts and objects."""
    sweep()
    for name in ("bob", "carol", "dave"):
        join(name).put("a", name.encode())
    orphan(settings, "alice/0123")
    clock.time = time.time() + MIN_AGE  # S3 dates objects by the real clock
    watch(behind, clock)
    calls = 0

    class OneStep(type(CONTEXT)):  # type: ignore[misc]
        def get_remaining_time_in_millis(self) -> int:
            nonlocal calls
            calls += 1
            return 28_000 if calls % 2 else 0  # time for one step

    runs = [app.lambda_handler(contract.RECONCILE_EVENT, OneStep()) for _ in range(5)]
    assert [run["accounts"] for run in runs] == [1, 1, 1, 1, 0]
    assert [run["freed"] for run in runs] == [0, 0, 0, 0, 1]
    assert len(stored(fake_aws)) == 3


@pytest.mark.parametrize("event", [contract.SWEEP_EVENT, contract.RECONCILE_EVENT])
def test_the_counts_are_metrics(
    alice: Client, event: dict[str, str], clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    """CloudWatch's embedded metric format, on the function's output; none is 0."""
    alice.put("a")
    alice.delete("/file", file_name="a")
    clock.time += 4 * DAY
    counts = app.lambda_handler(event, CONTEXT)
    text = capsys.readouterr().out
    assert '"Namespace":"Satchel"' in text
    assert '"stack":"dev"' in text
    assert any(counts.values())
    for name, count in counts.items():
        assert (f'"Name":"{name}"' in text) == (count > 0)


def test_a_run_without_time_changes_nothing(alice: Client, behind: Behind) -> None:
    """Its position is not saved either."""
    alice.put("a")
    before = behind.state()
    assert reconcile(seconds_left=5)["accounts"] == 0
    assert behind.state() == before
    assert_consistent(
        behind.fake_aws.rows(behind.settings.files), behind.fake_aws.rows(behind.settings.users)
    )


def test_an_account_larger_than_a_run_is_continued_by_the_next(
    alice: Client, behind: Behind, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its usage is corrected if the account did not change between the runs."""
    monkeypatch.setattr(reconciliation_store, "PAGE_SIZE", 2)
    for name in "abcde":
        alice.put(name, b"1")
    behind.change("users", {"username": "alice"}, bytes_used=1)
    clock.time += 61
    calls = 0

    class OneStep(type(CONTEXT)):  # type: ignore[misc]
        def get_remaining_time_in_millis(self) -> int:
            nonlocal calls
            calls += 1
            return 28_000 if calls % 2 else 0

    runs = [app.lambda_handler(contract.RECONCILE_EVENT, OneStep()) for _ in range(3)]
    assert [run["accounts"] for run in runs] == [0, 0, 1]
    assert runs[-1]["corrected"] == 1
    assert behind.row("users", username="alice")["bytes_used"] == 5


def test_an_account_with_an_unreadable_row_is_skipped(alice: Client, behind: Behind) -> None:
    """The run continues with the objects."""
    alice.put("a")
    row = behind.row("files", partition="alice", name="a")
    behind.put("files", {**row, "size": "many"})
    report = reconcile()
    assert (report["skipped"], report["objects"]) == (1, 1)
    behind.put("files", row)


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_an_account_that_cannot_be_read_is_skipped(
    alice: Client, bob: Client, behind: Behind, clock: Clock, settings: Settings, name: str
) -> None:
    """The others are compared, and none of its objects is deleted: nobody knows what it has."""
    sweep()
    for each in ("alice", "bob"):
        orphan(settings, f"{each}/0123", each.encode())
    clock.time = time.time() + MIN_AGE
    watch(behind, clock)
    row = behind.row("users", username=name)
    behind.put("users", {**row, "bytes_used": "many"})
    report = reconcile()
    assert (report["skipped"], report["accounts"], report["freed"]) == (1, 1, 1)
    assert stored(behind.fake_aws) == [name.encode()]
    assert f"A row of {name} cannot be read." in run(contract.DRY_RUN_EVENT)["findings"]
    behind.put("users", row)
    assert (reconcile()["freed"], stored(behind.fake_aws)) == (1, [])


def test_an_account_with_an_odd_folder_is_skipped(
    alice: Client, bob: Client, behind: Behind
) -> None:
    """A row that is no file's stops no other account either."""
    alice.put("a/b")
    row = behind.row("files", **place("a/"))
    behind.put("files", {**row, "files": "many"})
    report = reconcile()
    assert (report["skipped"], report["objects"]) == (1, 1)
    behind.put("files", row)


def test_shards_are_folded(alice: Client, behind: Behind) -> None:
    """Also those of an account that has changed just now."""
    spread(alice, behind.fake_aws, "a/1", "a/2", "a/3")
    report = reconcile()
    assert (report["corrected"], report["skipped"], report["folders_corrected"]) == (0, 0, 0)
    row = behind.row("users", username="alice")
    assert (row["bytes_used"], row["files_used"], "spread" in row) == (12, 3, False)
    folder = behind.row("files", **place("a/"))
    assert (folder["files"], "spread" in folder) == (3, False)


def test_a_dry_run_counts_shards_and_leaves_them(
    alice: Client, behind: Behind, clock: Clock
) -> None:
    """A folder whose shards hold the rest is right; one whose row is wrong beside them is not."""
    spread(alice, behind.fake_aws, "a/1", "a/2", "a/3")
    clock.time += 61
    before = behind.state()
    assert run(contract.DRY_RUN_EVENT)["folders_corrected"] == 0
    assert behind.state()[1] == before[1]
    row = behind.row("files", **place("a/"))
    assert "spread" in row
    behind.put("files", {**row, "files": 7})
    clock.time += 61
    assert run(contract.DRY_RUN_EVENT)["folders_corrected"] == 1
    assert behind.row("files", **place("a/"))["files"] == 7
    behind.put("files", row)


def test_usage_that_is_wrong_beside_shards_is_corrected(
    alice: Client, behind: Behind, clock: Clock
) -> None:
    """In the run that folds them."""
    spread(alice, behind.fake_aws, "a/1", "a/2", "a/3")
    behind.change("users", {"username": "alice"}, bytes_used=0)
    clock.time += 61
    assert reconcile()["corrected"] == 1
    assert alice.get("/me").json()["bytes_used"] == 12
