"""Versions: the owner lists replaced ones, and makes one current again."""

import pytest

from function import base
from function.aws.rows import Key
from function.contract import FILES, Settings
from function.files.purge import Purger
from tests.conftest import Clock
from tests.crashes.meetings import act_before_commit
from tests.support.client import Answer, Client
from tests.support.fake_aws import FakeAws
from tests.support.transfers import bytes_used, set_quota, stored, sweep
from tests.support.world import World

GRACE = 601


def restore(client: Client, version: int, name: str = "a.txt", **fields: object) -> Answer:
    return client.post("/restore", file_name=name, version=version, **fields)


def versions(client: Client, name: str = "a.txt", **query: object) -> list[int]:
    return [each["version"] for each in client.get("/versions", file_name=name, **query).json()]


def put_three_versions(client: Client) -> None:
    """Puts a file three times."""
    for data in (b"1", b"22", b"333"):
        assert client.put("a.txt", data).status < 300


def test_versions_are_listed(alice: Client, settings: Settings) -> None:
    """The current one first; the others have the time of their expiry."""
    put_three_versions(alice)
    listed = alice.get("/versions", file_name="a.txt").json()
    seen = [(each["version"], each["size"], each["current"]) for each in listed]
    assert seen == [(3, 3, True), (2, 2, False), (1, 1, False)]
    assert [each["until"] is None for each in listed] == [True, False, False]
    assert {each["modified_by"] for each in listed} == {"alice"}
    assert listed[0]["etag"] == alice.get("/files").json()[0]["etag"]
    assert alice.get("/versions", file_name="b.txt").slug == "no-such-file"


def test_versions_are_listed_in_pages(alice: Client) -> None:
    """Each version is on one page, though a new one is put between two pages."""
    put_three_versions(alice)
    found, query = [], {"file_name": "a.txt", "limit": 1}
    while True:
        answer = alice.get("/versions", **query)
        found += [each["version"] for each in answer.json()]
        if "x-next-cursor" not in answer.headers:
            break
        query["cursor"] = answer.headers["x-next-cursor"]
        alice.put("a.txt", b"more") if len(found) == 1 else None
    assert found == [3, 2, 1]
    assert versions(alice) == [4, 3, 2, 1]
    alice.put("b.txt")
    stolen = alice.get("/versions", file_name="b.txt", cursor=query["cursor"])
    assert stolen.slug == "invalid-cursor"


def test_a_version_becomes_current_again(alice: Client, fake_aws: FakeAws) -> None:
    """As a new version with the old bytes and type; the one that was current is kept."""
    alice.put("a.txt", b"first", content_type="text/x-first")
    alice.send("PATCH", "/file", json_={"file_name": "a.txt", "description": "changed since"})
    alice.put("a.txt", b"second")
    answer = restore(alice, 1)
    assert answer.status == 200
    restored = answer.json()
    assert (restored["version"], restored["size"], restored["content_type"]) == (
        3,
        5,
        "text/x-first",
    )
    assert restored["description"] == "changed since"
    assert alice.read("a.txt").content == b"first"
    assert versions(alice) == [3, 2, 1]
    assert bytes_used(fake_aws, "alice") == 16
    assert len(stored(fake_aws)) == 2
    again = restore(alice, 1)
    assert again.json() == restored
    assert restore(alice, 3).json() == restored
    assert restore(alice, 2).json()["version"] == 4
    assert alice.read("a.txt").content == b"second"
    assert restore(alice, 9).slug == "no-such-version"
    assert restore(alice, 1, "b.txt").slug == "no-such-file"


def test_only_the_owner_has_access_to_replaced_versions(world: World) -> None:
    """Accounts that the file is shared with have access to the current one."""
    world.alice.put("a.txt", b"second")
    for client in (world.bob, world.carol):
        assert versions(client, username="alice") == [2]
        assert restore(client, 1, username="alice").slug == "no-such-version"
    assert restore(world.dave, 1, username="alice").slug == "no-such-file"
    assert world.dave.get("/versions", file_name="a.txt", username="alice").slug == "no-such-file"
    assert restore(world.alice, 1).status == 200
    assert world.bob.read("a.txt", username="alice").content == b"the first bytes"


def test_if_match_prevents_the_restore_of_another_state(alice: Client) -> None:
    """In the body or in the header, compared with the current version."""
    put_three_versions(alice)
    assert restore(alice, 1, if_match="x").status == 412
    body = {"file_name": "a.txt", "version": 1}
    stale = alice.send("POST", "/restore", json_=body, headers={"if-match": '"x"'})
    assert stale.status == 412
    assert versions(alice) == [3, 2, 1]
    etag = alice.get("/files").json()[0]["etag"]
    assert restore(alice, 1, if_match=etag).status == 200
    assert restore(alice, 1, id="A" * 40).slug == "invalid-request"
    assert restore(alice, 1, new_name="b").slug == "invalid-request"


def test_a_restored_version_counts_toward_the_quota(alice: Client, fake_aws: FakeAws) -> None:
    """A restore that exceeds the quota changes nothing."""
    put_three_versions(alice)
    set_quota(fake_aws, "alice", 7)
    assert restore(alice, 2).slug == "quota-exceeded"
    assert restore(alice, 1).status == 200
    assert bytes_used(fake_aws, "alice") == 7
    assert alice.read("a.txt").content == b"1"


def test_bytes_are_deleted_with_the_last_version_that_has_them(
    alice: Client, fake_aws: FakeAws, clock: Clock, settings: Settings
) -> None:
    """A restored version keeps the object of the one that it was restored from."""
    put_three_versions(alice)
    clock.time += 60
    restore(alice, 1)
    clock.time += settings.keep_seconds - 30 + GRACE
    assert sweep() == 2
    assert sorted(stored(fake_aws)) == [b"1", b"333"]
    clock.time += 60
    assert sweep() == 1
    assert stored(fake_aws) == [b"1"]
    assert bytes_used(fake_aws, "alice") == 1


@pytest.mark.parametrize("change", ["purged", "replaced", "deleted", "made anew"])
def test_a_restore_is_planned_again_when_the_file_changes(
    alice: Client, fake_aws: FakeAws, change: str
) -> None:
    """It restores a version that still exists, or fails."""
    put_three_versions(alice)

    def act() -> None:
        if change == "replaced":
            alice.put("a.txt", b"4444")
        elif change == "purged":
            rows = fake_aws.rows(fake_aws.deployed.environment["SATCHEL_FILES"])
            (name,) = (row["name"] for row in rows if row.get("version") == "1")
            (entry,) = (row for row in rows if row["name"] == f"alice/versions/{name}")
            archived = Key(FILES, "alice/versions", name)
            assert base.one(Purger).purge(archived, Key(FILES, entry["partition"], entry["name"]))
        else:
            alice.delete("/file", file_name="a.txt", permanent="true")
            if change == "made anew":
                alice.put("a.txt", b"another")
                alice.put("a.txt", b"and one more")

    act_before_commit(fake_aws, act)
    answer = restore(alice, 1)
    if change == "purged":
        assert answer.slug == "no-such-version"
        assert alice.read("a.txt").content == b"333"
    elif change == "deleted":
        assert answer.slug == "no-such-file"
    elif change == "replaced":
        assert versions(alice) == [5, 4, 3, 2, 1]
        assert alice.read("a.txt").content == b"1"
    else:
        assert alice.read("a.txt").content == b"another"
