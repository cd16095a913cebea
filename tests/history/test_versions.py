"""Versions: what was replaced is there for its owner, and can be made current again."""

import pytest

from function import base
from function.aws.rows import Key
from function.contract import FILES, Settings
from function.files.purge import Purger
from tests.conftest import Clock
from tests.crashes.meetings import at_the_commit
from tests.support.client import Answer, Client
from tests.support.fake_aws import Ground
from tests.support.samples import World
from tests.support.transfers import bytes_used, set_quota, stored, sweep

LATE = 601


def restore(client: Client, version: int, name: str = "a.txt", **fields: object) -> Answer:
    return client.post("/restore", file_name=name, version=version, **fields)


def versions(client: Client, name: str = "a.txt", **query: object) -> list[int]:
    return [each["version"] for each in client.get("/versions", file_name=name, **query).json()]


def three(client: Client) -> None:
    """A file of three versions."""
    for data in (b"1", b"22", b"333"):
        assert client.put("a.txt", data).status < 300


def test_each_version_is_told(alice: Client, settings: Settings) -> None:
    """The newest first, which is the current one; the others are kept for a time."""
    three(alice)
    listed = alice.get("/versions", file_name="a.txt").json()
    said = [(each["version"], each["size"], each["current"]) for each in listed]
    assert said == [(3, 3, True), (2, 2, False), (1, 1, False)]
    assert [each["until"] is None for each in listed] == [True, False, False]
    assert {each["modified_by"] for each in listed} == {"alice"}
    assert listed[0]["etag"] == alice.get("/files").json()[0]["etag"]
    assert alice.get("/versions", file_name="b.txt").slug == "no-such-file"


def test_a_page_of_versions_is_a_page(alice: Client) -> None:
    """Each once, though another comes meanwhile."""
    three(alice)
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


def test_a_version_becomes_current_again(alice: Client, ground: Ground) -> None:
    """As a new version, with its own bytes and type; what was current is kept."""
    alice.put("a.txt", b"first", content_type="text/x-first")
    alice.send("PATCH", "/file", json_={"file_name": "a.txt", "description": "said since"})
    alice.put("a.txt", b"second")
    back = restore(alice, 1)
    assert back.status == 200
    told = back.json()
    assert (told["version"], told["size"], told["content_type"]) == (3, 5, "text/x-first")
    assert told["description"] == "said since"
    assert alice.read("a.txt").content == b"first"
    assert versions(alice) == [3, 2, 1]
    assert bytes_used(ground, "alice") == 16
    assert len(stored(ground)) == 2
    again = restore(alice, 1)
    assert again.json() == told
    assert restore(alice, 3).json() == told
    assert restore(alice, 2).json()["version"] == 4
    assert alice.read("a.txt").content == b"second"
    assert restore(alice, 9).slug == "no-such-version"
    assert restore(alice, 1, "b.txt").slug == "no-such-file"


def test_only_the_owner_sees_what_was_before(world: World) -> None:
    """Others have the current one, as far as they have the file at all."""
    world.alice.put("a.txt", b"second")
    for client in (world.bob, world.carol):
        assert versions(client, username="alice") == [2]
        assert restore(client, 1, username="alice").slug == "no-such-version"
    assert restore(world.dave, 1, username="alice").slug == "no-such-file"
    assert world.dave.get("/versions", file_name="a.txt", username="alice").slug == "no-such-file"
    assert restore(world.alice, 1).status == 200
    assert world.bob.read("a.txt", username="alice").content == b"the first bytes"


def test_a_condition_holds_or_nothing_happens(alice: Client) -> None:
    """In the body or as a header, against the file as it is now."""
    three(alice)
    assert restore(alice, 1, if_match="x").status == 412
    body = {"file_name": "a.txt", "version": 1}
    stale = alice.send("POST", "/restore", json_=body, headers={"if-match": '"x"'})
    assert stale.status == 412
    assert versions(alice) == [3, 2, 1]
    etag = alice.get("/files").json()[0]["etag"]
    assert restore(alice, 1, if_match=etag).status == 200
    assert restore(alice, 1, id="A" * 40).slug == "invalid-request"
    assert restore(alice, 1, new_name="b").slug == "invalid-request"


def test_a_version_counts_when_it_is_restored(alice: Client, ground: Ground) -> None:
    """Where there is no room for it, nothing changes."""
    three(alice)
    set_quota(ground, "alice", 7)
    assert restore(alice, 2).slug == "quota-exceeded"
    assert restore(alice, 1).status == 200
    assert bytes_used(ground, "alice") == 7
    assert alice.read("a.txt").content == b"1"


def test_bytes_go_with_the_last_version_that_has_them(
    alice: Client, ground: Ground, clock: Clock, settings: Settings
) -> None:
    """A restored version outlives the one that it was restored from."""
    three(alice)
    clock.time += 60
    restore(alice, 1)
    clock.time += settings.keep_seconds - 30 + LATE
    assert sweep() == 2
    assert sorted(stored(ground)) == [b"1", b"333"]
    clock.time += 60
    assert sweep() == 1
    assert stored(ground) == [b"1"]
    assert bytes_used(ground, "alice") == 1


@pytest.mark.parametrize("what", ["purged", "replaced", "deleted", "made anew"])
def test_a_version_that_changes_meanwhile_is_looked_at_again(
    alice: Client, ground: Ground, what: str
) -> None:
    """What is restored is what is there, or there is no such thing."""
    three(alice)

    def meanwhile() -> None:
        if what == "replaced":
            alice.put("a.txt", b"4444")
        elif what == "purged":
            rows = ground.rows(ground.deployed.environment["SATCHEL_FILES"])
            (name,) = (row["name"] for row in rows if row.get("version") == "1")
            (line,) = (row for row in rows if row["name"] == f"alice/versions/{name}")
            kept, due = Key(FILES, "alice/versions", name), Key(FILES, line["shelf"], line["name"])
            assert base.one(Purger).purge(kept, due)
        else:
            alice.delete("/file", file_name="a.txt", permanent="true")
            if what == "made anew":
                alice.put("a.txt", b"another")
                alice.put("a.txt", b"and one more")

    at_the_commit(ground, meanwhile)
    answer = restore(alice, 1)
    if what == "purged":
        assert answer.slug == "no-such-version"
        assert alice.read("a.txt").content == b"333"
    elif what == "deleted":
        assert answer.slug == "no-such-file"
    elif what == "replaced":
        assert versions(alice) == [5, 4, 3, 2, 1]
        assert alice.read("a.txt").content == b"1"
    else:
        assert alice.read("a.txt").content == b"another"
