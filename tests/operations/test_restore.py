"""The restore runbook of docs/operations.md, step by step, with the commands that operators run."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from function import app, contract
from function.contract import TABLES, Settings
from operations import undelete
from tests.conftest import Behind, Clock
from tests.maintenance.test_reconcile import MIN_AGE, run, watch
from tests.support.client import CONTEXT, Client
from tests.support.fake_aws import REGION, FakeAws
from tests.support.transfers import aws, fetch, stored

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator's; boto3 makes the clients."""
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
        ("AWS_DEFAULT_REGION", REGION),
    ):
        monkeypatch.setenv(name, value)


@pytest.fixture
def restored(
    fake_aws: FakeAws, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Rows], Settings]]:
    """A function that makes four new tables with these rows, as point-in-time recovery does.

    It returns the settings that `pulumi up` then gives to the function; the function's role allows
    these tables and no longer the old ones.
    """
    client, made = aws("dynamodb"), []

    def restore(rows: Rows) -> Settings:
        names = {}
        for table in TABLES:
            source = getattr(settings, table.name)
            names[table.name] = f"{source}-r1"
            described = client.describe_table(TableName=source)["Table"]
            indexes = [
                {name: index[name] for name in ("IndexName", "KeySchema", "Projection")}
                for index in described.get("GlobalSecondaryIndexes", [])
            ]
            client.create_table(
                TableName=names[table.name],
                KeySchema=described["KeySchema"],
                AttributeDefinitions=described["AttributeDefinitions"],
                BillingMode="PAY_PER_REQUEST",
                **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
            )
            made.append(names[table.name])
            for row in rows[table.name]:
                client.put_item(TableName=names[table.name], Item=row)
        new_names = {getattr(settings, noun): name for noun, name in names.items()}
        monkeypatch.setattr(fake_aws.role, "allowed", set(renamed(fake_aws, new_names)))
        return replace(settings, **names)

    yield restore
    for name in made:
        client.delete_table(TableName=name)


def renamed(fake_aws: FakeAws, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The permissions of the role, for tables of these new names."""
    for action, resource in fake_aws.role.allowed:
        table, slash, index = resource.partition("/")
        yield action, names.get(table, table) + slash + index


def rows_at(settings: Settings) -> Rows:
    """All rows of the four tables, as DynamoDB has them."""
    client = aws("dynamodb")
    return {
        table.name: [
            item
            for page in client.get_paginator("scan").paginate(
                TableName=getattr(settings, table.name)
            )
            for item in page["Items"]
        ]
        for table in TABLES
    }


ACCIDENTS: dict[str, Callable[[Behind], None]] = {
    "emptied": lambda behind: delete_rows(behind, lambda _: True),
    "halved": lambda behind: delete_rows(behind, lambda number: number % 2 == 0),
    "kept": lambda _: None,
}


def delete_rows(behind: Behind, choose: Callable[[int], bool]) -> None:
    """Deletes rows of the table of files."""
    for number, row in enumerate(behind.rows("files")):
        if choose(number):
            behind.delete("files", partition=str(row["partition"]), name=str(row["name"]))


@pytest.mark.odd_rows
@pytest.mark.parametrize("accident", ACCIDENTS)
def test_the_runbook_brings_everything_back(
    alice: Client,
    bob: Client,
    behind: Behind,
    fake_aws: FakeAws,
    settings: Settings,
    clock: Clock,
    rewire: Callable[[Settings], None],
    restored: Callable[[Rows], Settings],
    capsys: pytest.CaptureFixture[str],
    accident: str,
) -> None:
    """Afterwards every file reads as it was, and the reconciliation finds nothing wrong."""
    run(contract.SWEEP_EVENT)
    files = {f"f/{number}": f"bytes {number}".encode() for number in range(12)}
    for name, data in files.items():
        alice.put(name, b"before")
        alice.put(name, data)
    alice.put("trashed", b"in the trash")
    alice.delete("/file", file_name="trashed")
    alice.post("/share", file_name="f/1", username="bob")
    bob.put("bobs", b"of bob")
    clock.time += 300
    run(contract.SWEEP_EVENT)
    backup = rows_at(settings)

    # After that moment people go on, and then the accident happens.
    clock.time += 300
    alice.put("new", b"later")
    for name in ("f/2", "f/3"):
        assert alice.delete("/file", file_name=name, permanent="true").status == 204
    alice.send("DELETE", "/trash")
    for key in list(fake_aws.objects(settings.bucket))[::3]:
        aws("s3").delete_object(Bucket=settings.bucket, Key=key)
    ACCIDENTS[accident](behind)

    # 1. Paused: no sweep runs. 2. and 3. The restored tables are taken over.
    adopted = restored(backup)
    rewire(adopted)
    clock.time += 2 * 3600

    # 4. The bytes of the restored rows.
    arguments = ["--table", adopted.files, "--bucket", adopted.bucket]
    assert undelete.main(arguments) == 0
    before = stored(fake_aws)
    assert undelete.main([*arguments, "--apply"]) == 0
    assert len(stored(fake_aws)) > len(before)
    assert undelete.main(arguments) == 0
    assert "To be brought back: 0.\nLost: 0." in capsys.readouterr().out

    # 5. The dry run finds nothing wrong.
    report = run(contract.DRY_RUN_EVENT)
    assert (report["done"], report["reasons"], report["findings"]) == (True, [], [])
    assert (report["overcharged"], report["corrected"], report["skipped"]) == (0, 0, 0)

    # 6. It is started again.
    counts = app.lambda_handler(dict(contract.SWEEP_EVENT), CONTEXT)
    assert counts["failed"] == 0
    report = run(contract.RECONCILE_EVENT)
    assert (report["overcharged"], report["stopped"], report["freed"]) == (0, 0, 0)
    for name, data in files.items():
        assert fetch(alice, name) == data
        assert fetch(alice, name, version=1) == b"before"
    assert fetch(bob, "f/1", username="alice") == files["f/1"]
    assert fetch(bob, "bobs") == b"of bob"
    (item,) = alice.get("/trash").json()
    assert alice.post("/restore", file_name="trashed", id=item["id"]).status == 200
    assert fetch(alice, "trashed") == b"in the trash"
    assert alice.put("again", b"works").status == 201


@pytest.mark.odd_rows
def test_what_was_uploaded_after_the_moment_stays_in_the_bucket(
    alice: Client,
    behind: Behind,
    fake_aws: FakeAws,
    settings: Settings,
    clock: Clock,
    rewire: Callable[[Settings], None],
    restored: Callable[[Rows], Settings],
) -> None:
    """No row names it. A person may look at it, and confirm that it can be deleted."""
    run(contract.SWEEP_EVENT)
    alice.put("a", b"kept")
    backup = rows_at(settings)
    alice.put("b", b"later")
    adopted = restored(backup)
    rewire(adopted)
    behind = replace(behind, settings=adopted)
    clock.time = time.time() + 300  # S3 dates objects by the real clock
    run(contract.SWEEP_EVENT)
    for _ in range(3):
        clock.time = max(clock.time, time.time()) + MIN_AGE
        watch(behind, clock)
        assert run(contract.RECONCILE_EVENT)["freed"] == 0
    assert stored(fake_aws) == [b"kept", b"later"]
    (finding,) = run(contract.DRY_RUN_EVENT)["findings"]
    assert finding.endswith("of 5 bytes has no row.")
    assert run(contract.CONFIRMED_EVENT)["freed"] == 1
    assert stored(fake_aws) == [b"kept"]


@pytest.mark.odd_rows
def test_bytes_that_are_gone_are_named(
    alice: Client,
    settings: Settings,
    fake_aws: FakeAws,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Their noncurrent version has expired. An object that was deleted twice is brought back."""
    for name in ("gone", "deleted"):
        alice.put(name, name.encode())
    s3 = aws("s3")
    objects = {data: key for key, data in fake_aws.objects(settings.bucket).items()}
    s3.delete_object(Bucket=settings.bucket, Key=objects[b"deleted"])
    s3.delete_object(Bucket=settings.bucket, Key=objects[b"deleted"])
    listed = s3.list_object_versions(Bucket=settings.bucket, Prefix=objects[b"gone"])
    (version,) = listed["Versions"]
    s3.delete_object(Bucket=settings.bucket, Key=version["Key"], VersionId=version["VersionId"])
    arguments = ["--table", settings.files, "--bucket", settings.bucket, "--apply"]
    assert undelete.main(arguments) == 1
    assert f"Lost: 1.\n  {objects[b'gone']}\n" in capsys.readouterr().out
    assert stored(fake_aws) == [b"deleted"]
