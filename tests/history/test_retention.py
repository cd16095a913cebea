"""How long replaced and deleted files are kept, and that the sweep then deletes their bytes."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest
from pydantic import ValidationError

from function.contract import Settings
from tests.conftest import Behind, Clock
from tests.support.client import Client
from tests.support.fake_aws import Call, FakeAws, response, sent_body
from tests.support.transfers import aws, bytes_used, stored, sweep

GRACE, UPLOAD_GRACE = 601, 3601


def test_the_sweep_deletes_expired_versions_and_trash_with_their_bytes(
    alice: Client, fake_aws: FakeAws, clock: Clock, settings: Settings
) -> None:
    """Not before their time, and never the bytes of a live file."""
    for data in (b"1", b"2", b"3"):
        alice.put("a.txt", data)
    alice.put("b.txt", b"b")
    alice.delete("/file", file_name="b.txt")
    clock.time += settings.keep_seconds
    assert sweep() == 0
    assert sorted(stored(fake_aws)) == [b"1", b"2", b"3", b"b"]
    clock.time += UPLOAD_GRACE
    assert sweep() == 3
    assert stored(fake_aws) == [b"3"]
    rows = fake_aws.rows(fake_aws.deployed.environment["SATCHEL_FILES"])
    partitions = {str(row["partition"]).partition("/")[2] or row["partition"] for row in rows}
    assert not partitions & {"versions", "trash"}
    assert [row["name"] for row in rows if row["partition"] == "alice"] == ["a.txt"]
    assert bytes_used(fake_aws, "alice") == 1


def test_only_the_configured_number_of_versions_is_kept(
    alice: Client, fake_aws: FakeAws, clock: Clock, settings: Settings
) -> None:
    """Beside the current one. Older ones are hidden at once, and the sweep deletes them."""
    limit = settings.keep_versions
    for number in range(limit + 3):
        alice.put("a.txt", str(number).encode())
    answer = alice.get("/versions", file_name="a.txt", limit=limit + 1)
    assert [each["version"] for each in answer.json()] == list(range(limit + 3, 2, -1))
    more = alice.get("/versions", file_name="a.txt", limit=limit + 2)
    assert len(more.json()) == limit + 1
    assert "x-next-cursor" not in more.headers
    for version, status in ((2, 404), (3, 200)):  # when this is current again, it is the third
        where: dict[str, Any] = {"file_name": "a.txt", "version": version}
        assert alice.get("/download", **where).status == status
        assert alice.post("/restore", **where).status == status
    assert sweep() == 0
    clock.time += GRACE
    assert sweep() == 3
    assert sorted(map(int, stored(fake_aws))) == list(range(2, settings.keep_versions + 3))


def trash_two(alice: Client, clock: Clock, settings: Settings) -> None:
    """Two deleted files whose time is over."""
    for name in ("a", "b"):
        alice.put(name, name.encode())
        alice.delete("/file", file_name=name)
    clock.time += settings.keep_seconds + UPLOAD_GRACE


def test_an_object_that_s3_does_not_delete_is_tried_again(
    alice: Client, fake_aws: FakeAws, clock: Clock, settings: Settings
) -> None:
    """DeleteObjects answers 200 with an error for each; the others are done."""
    trash_two(alice, clock, settings)
    refused: list[str] = []

    def refuse(call: Call, answer: Any) -> Any:
        if call.operation != "DeleteObjects":
            return answer
        key = str(ET.fromstring(sent_body(call)).findtext(".//{*}Key"))
        aws("s3").put_object(Bucket=settings.bucket, Key=key, Body=b"stays")
        refused.append(key)
        error = f"<Error><Key>{key}</Key><Code>InternalError</Code></Error>"
        body = f"<DeleteResult>{error}</DeleteResult>"
        return response(200, {"content-type": "application/xml"}, body.encode())

    fake_aws.after = refuse
    with pytest.raises(Exception, match="failed to finish 1 of its tasks"):
        sweep()
    fake_aws.after = lambda _, answer: answer
    assert (len(refused), stored(fake_aws)) == (1, [b"stays"])
    assert sweep() == 1
    assert stored(fake_aws) == []


def test_an_unreadable_row_stops_no_other(
    alice: Client, fake_aws: FakeAws, clock: Clock, settings: Settings, behind: Behind
) -> None:
    """The sweep handles the others, then raises the error; the next one tries again."""
    trash_two(alice, clock, settings)
    row = next(row for row in behind.rows("files") if row["partition"] == "alice/trash")
    behind.put("files", {**row, "size": "many"})
    with pytest.raises(Exception, match="failed to finish 1 of its tasks") as raised:
        sweep()
    assert isinstance(raised.value.__cause__, ValidationError)
    assert len(stored(fake_aws)) == 1
    behind.put("files", row)
    assert sweep() == 1
    assert stored(fake_aws) == []
