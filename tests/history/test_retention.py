"""How long replaced and deleted files are kept, and that the sweep then deletes their bytes."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest
from pydantic import ValidationError

from function.contract import Settings
from tests.conftest import Behind, Clock
from tests.support.client import Client
from tests.support.fake_aws import Call, FakeAws, response, sent_body
from tests.support.transfers import aws, bytes_used, fetch, stored, sweep, upload

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
    """Beside the current one. Older ones are in the trash at once, until the sweep deletes them."""
    limit = settings.keep_versions
    for number in range(limit + 3):
        alice.put("a.txt", str(number).encode())
    trashed = {each["version"]: each["file_name"] for each in alice.get("/trash").json()}
    assert trashed == {1: "a.txt", 2: "a.txt"}
    answer = alice.get("/versions", file_name="a.txt", limit=limit + 1)
    assert [each["version"] for each in answer.json()] == list(range(limit + 3, 2, -1))
    more = alice.get("/versions", file_name="a.txt", limit=limit + 2)
    assert len(more.json()) == limit + 1
    assert "x-next-cursor" not in more.headers
    for version, status in ((2, 404), (3, 200)):  # when this is current again, it is the third
        where: dict[str, Any] = {"file_name": "a.txt", "version": version}
        assert alice.get("/download", **where).status == status
        assert alice.post("/restore", **where).status == status
    assert len(alice.get("/trash").json()) == 3
    clock.time += GRACE
    assert sweep() == 0
    assert sorted(map(int, stored(fake_aws))) == list(range(limit + 3))
    clock.time += settings.keep_seconds
    sweep()
    assert stored(fake_aws) == [b"2"]


def share(owner: Client, with_: str) -> None:
    """Shares a.txt, to write."""
    answer = owner.post("/share", file_name="a.txt", username=with_, permission="write")
    assert answer.status in {200, 201}


def versions(owner: Client, **query: Any) -> dict[int, bool]:
    """The numbers of the versions of a.txt on all pages, and whether the owner put them."""
    found: list[Any] = []
    while True:
        answer = owner.get("/versions", file_name="a.txt", **query)
        found += answer.json()
        if "x-next-cursor" not in answer.headers:
            return {each["version"]: each["modified_by"] == "alice" for each in found}
        query |= {"cursor": answer.headers["x-next-cursor"]}


def overwrite_by_bob(alice: Client, bob: Client, times: int, how: str = "put") -> None:
    """Alice puts two versions, then Bob, who may write, as many as he likes."""
    alice.put("a.txt", b"her first")
    alice.put("a.txt", b"her last")
    share(alice, "bob")
    for number in range(times):
        data = str(number).encode()
        if how == "put":
            assert bob.put("a.txt", data, username="alice").status == 200
        else:
            assert upload(bob, "a.txt", data, username="alice").status == 200


@pytest.mark.parametrize("how", ["put", "upload"])
def test_others_never_push_out_the_owners_latest_version(
    alice: Client, bob: Client, settings: Settings, fake_aws: FakeAws, how: str
) -> None:
    """However many versions they put; what is too many goes to the trash."""
    limit = settings.keep_versions
    overwrite_by_bob(alice, bob, limit + 5, how)
    with fake_aws.counted() as calls:
        bob.put("a.txt", b"!", username="alice")
    assert calls == ["BatchGetItem", "PutObject", "BatchGetItem", "TransactWriteItems"]
    newest = limit + 8
    kept = [2, *range(newest - limit, newest + 1)]
    for query in ({}, {"limit": 1}, {"limit": 5}, {"limit": limit + 1}, {"limit": limit + 2}):
        assert versions(alice, **query) == {each: each == 2 for each in kept}
    assert fetch(alice, "a.txt", version=2) == b"her last"
    trashed = {each["version"] for each in alice.get("/trash").json()}
    assert trashed == {*range(1, newest)} - {*kept}
    assert alice.post("/restore", file_name="a.txt", version=2).status == 200
    assert alice.read("a.txt").content == b"her last"


def test_a_later_version_of_the_owners_takes_the_place_of_the_kept_one(
    alice: Client, bob: Client, settings: Settings
) -> None:
    """The one that was kept goes to the trash with the oldest of the others."""
    limit = settings.keep_versions
    overwrite_by_bob(alice, bob, limit + 2)
    assert 2 in versions(alice)
    before = {each["version"] for each in alice.get("/trash").json()}
    alice.put("a.txt", b"again hers")
    newest = limit + 5
    assert [*versions(alice)] == [*range(newest, newest - limit - 1, -1)]
    assert {each["version"] for each in alice.get("/trash").json()} == before | {2, 4}
    for number in range(limit + 3):
        bob.put("a.txt", str(number).encode(), username="alice")
    assert versions(alice)[newest]
    assert fetch(alice, "a.txt", version=newest) == b"again hers"


def test_a_version_in_the_trash_is_a_file_of_its_own(
    alice: Client, bob: Client, settings: Settings, fake_aws: FakeAws
) -> None:
    """It is restored beside the file, or purged, and takes no other version with it."""
    overwrite_by_bob(alice, bob, settings.keep_versions + 2)
    used = bytes_used(fake_aws, "alice")
    trashed = alice.get("/trash").json()
    first, third = sorted(trashed, key=lambda each: int(each["version"]))
    assert (first["version"], third["version"]) == (1, 3)
    answer = alice.post("/restore", file_name="a.txt", id=first["id"])
    assert answer.slug == "file-exists"
    answer = alice.post("/restore", file_name="a.txt", id=first["id"], new_name="mine.txt")
    assert answer.status == 200
    assert alice.read("mine.txt").content == b"her first"
    assert bytes_used(fake_aws, "alice") == used
    before = versions(alice)
    assert alice.delete("/trash", id=third["id"]).status == 204
    assert versions(alice) == before
    assert len(alice.send("GET", "/versions", query={"file_name": "mine.txt"}).json()) == 1
    assert b"0" not in stored(fake_aws)
    assert bob.read("mine.txt", username="alice").slug == "no-such-file"


def test_a_row_of_an_older_release_knows_its_last_writer(
    alice: Client, bob: Client, settings: Settings, behind: Behind
) -> None:
    """It has no number of the owner's latest version."""
    limit = settings.keep_versions
    alice.put("a.txt", b"hers")
    share(alice, "bob")
    row = behind.row("files", partition="alice", name="a.txt")
    del row["owner_version"]
    behind.put("files", row)
    for number in range(limit + 3):
        bob.put("a.txt", str(number).encode(), username="alice")
    assert versions(alice)[1]
    row = behind.row("files", partition="alice", name="a.txt")
    del row["owner_version"]
    behind.put("files", row)
    bob.put("a.txt", b"more", username="alice")
    assert 1 not in versions(alice)


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
