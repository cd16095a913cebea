"""Shares with accounts: who may read or write which file or folder, and until when."""

import pytest

from function.sharing import shares
from tests.conftest import Behind, Clock, reason_at
from tests.crashes.meetings import act_before_commit
from tests.support.client import Answer, Client, join
from tests.support.fake_aws import FakeAws
from tests.support.world import World


def share(owner: Client, name: str, username: str, **fields: object) -> Answer:
    return owner.post("/share", file_name=name, username=username, **fields)


def test_a_share_is_created_and_changed(alice: Client, bob: Client) -> None:
    """201 when it is new, 200 when it exists."""
    alice.put("a.txt")
    answer = share(alice, "a.txt", "Bob")
    assert answer.status == 201
    assert answer.json() == {
        "key": "alice/a.txt",
        "owner": "alice",
        "file_name": "a.txt",
        "username": "bob",
        "permission": "read",
        "created": "2026-09-21T14:13:20.250Z",
        "expires_at": None,
        "group": None,
        "link": None,
    }
    again = share(alice, "a.txt", "bob", permission="write", expires_in=60)
    assert again.status == 200
    assert again.json() == answer.json() | {
        "permission": "write",
        "expires_at": "2026-09-21T14:14:20.000Z",
    }
    assert bob.put("a.txt", b"his", username="alice").status == 200
    assert share(alice, "a.txt", "bob").json()["permission"] == "read"
    assert bob.put("a.txt", b"his again", username="alice").slug == "no-such-file"


def test_permissions_allow_reading_and_writing_only(world: World) -> None:
    """Neither deletes, shares on or revokes."""
    assert world.bob.read("a.txt", username="alice").status == 200
    assert world.bob.put("a.txt", b"x", username="alice").slug == "no-such-file"
    assert world.carol.put("a.txt", b"hers", username="alice").json()["permission"] == "write"
    assert world.alice.read("a.txt").content == b"hers"
    for person in (world.bob, world.carol, world.dave):
        assert person.delete("/file", file_name="a.txt", username="alice").status == 404
        assert share(person, "a.txt", "dave").status == 404
        taken = person.delete("/share", file_name="a.txt", username="bob")
        assert taken.slug == "no-such-share"
    assert world.bob.read("a.txt", username="alice").content == b"hers"


def test_a_share_of_a_file_does_not_cover_its_neighbours(world: World) -> None:
    """A writer of a file creates no other file in its folder."""
    for name in ("b.txt", "a.txt/b", "a.txt2", "A.txt"):
        assert world.carol.put(name, username="alice").slug == "no-such-file"
        assert world.carol.read(name, username="alice").slug == "no-such-file"
    answer = world.carol.put("a.txt", b"x", username="alice", on_conflict="rename")
    assert answer.slug == "file-exists"  # no other name is theirs to take
    assert world.alice.names() == ["alice/a.txt"]


def test_a_share_of_a_folder_covers_later_files(alice: Client, bob: Client) -> None:
    """Also of an empty folder; the owner is charged for what others put there."""
    assert share(alice, "in/", "bob", permission="write").status == 201
    assert bob.put("in/a", b"123", username="alice").status == 201
    assert bob.put("in/deep/b", b"45", username="alice").status == 201
    assert bob.put("in", b"", username="alice").status == 404
    assert bob.put("inn", b"", username="alice").status == 404
    assert alice.get("/me").json()["bytes_used"] == 5
    assert bob.get("/me").json()["bytes_used"] == 0
    assert alice.delete("/share", file_name="in/", username="bob").status == 204
    assert bob.read("in/a", username="alice").slug == "no-such-file"


def test_the_widest_of_several_grants_applies(alice: Client, bob: Client) -> None:
    """On the file and on each folder above it."""
    alice.put("f/g/a")
    share(alice, "f/", "bob", permission="write")
    share(alice, "f/g/a", "bob", permission="read")
    assert bob.put("f/g/a", b"1", username="alice").status == 200
    alice.delete("/share", file_name="f/", username="bob")
    assert bob.put("f/g/a", b"2", username="alice").status == 404
    assert bob.read("f/g/a", username="alice").content == b"1"


@pytest.mark.parametrize("expires_in", [0, -1, 10**12, 1.5, True, "60", "tomorrow", [], {}, 10**40])
def test_an_invalid_expiry_is_refused(alice: Client, bob: Client, expires_in: object) -> None:
    """It is whole seconds from now, at most ten years."""
    alice.put("a")
    answer = share(alice, "a", "bob", expires_in=expires_in)
    assert (answer.status, answer.slug) == (422, "invalid-request")
    assert reason_at(answer, "body.expires_in")
    assert bob.names() == []


def test_a_share_expires_to_the_second(
    alice: Client, bob: Client, clock: Clock, behind: Behind
) -> None:
    """For every route, although the row still exists."""
    alice.put("a", b"data")
    share(alice, "a", "bob", permission="write", expires_in=100)
    clock.time = int(clock.time) + 99.9
    assert bob.read("a", username="alice").status == 200
    clock.time += 0.1
    assert len(behind.rows("shares")) == 1
    assert bob.read("a", username="alice").slug == "no-such-file"
    assert bob.send("HEAD", "/file", query={"file_name": "a", "username": "alice"}).status == 404
    assert bob.put("a", b"x", username="alice").slug == "no-such-file"
    assert bob.get("/download", file_name="a", username="alice").status == 404
    assert bob.names() == []
    gone = alice.delete("/share", file_name="a", username="bob")
    assert gone.slug == "no-such-share"
    assert share(alice, "a", "bob").status == 201  # it is a new one
    assert bob.read("a", username="alice").content == b"data"


def test_deleting_a_file_revokes_its_shares(alice: Client, bob: Client, behind: Behind) -> None:
    """A new file of the same name is not shared."""
    alice.put("a", b"old")
    alice.put("ab", b"other")
    share(alice, "a", "bob", permission="write")
    share(alice, "ab", "bob")
    assert alice.delete("/file", file_name="a").status == 204
    assert [row["file"] for row in behind.rows("shares")] == ["alice/ab"]
    alice.put("a", b"new")
    assert bob.read("a", username="alice").slug == "no-such-file"
    assert bob.put("a", b"x", username="alice").slug == "no-such-file"
    assert bob.read("ab", username="alice").content == b"other"


def test_a_stale_grant_gives_no_access(alice: Client, bob: Client, behind: Behind) -> None:
    """It carries the id of the deleted file, not its name alone."""
    alice.put("a", b"old")
    share(alice, "a", "bob")
    (left,) = behind.rows("shares")
    alice.delete("/file", file_name="a")
    behind.put("shares", left)
    alice.put("a", b"new")
    assert bob.read("a", username="alice").slug == "no-such-file"
    assert bob.names() == []
    assert share(alice, "a", "bob").status == 201  # for what stood opened nothing
    assert bob.read("a", username="alice").content == b"new"


def test_replacing_a_file_keeps_its_shares(alice: Client, bob: Client) -> None:
    """It is the same file with other bytes."""
    alice.put("a", b"old")
    share(alice, "a", "bob")
    alice.put("a", b"new")
    assert bob.read("a", username="alice").content == b"new"


def test_revoking_a_share_is_effective_immediately(alice: Client, bob: Client) -> None:
    """A second revoke is 404; other shares stay."""
    join("carol")
    alice.put("a")
    share(alice, "a", "bob")
    share(alice, "a", "carol")
    assert alice.delete("/share", file_name="a", username="BOB").status == 204
    assert bob.read("a", username="alice").slug == "no-such-file"
    assert alice.delete("/share", file_name="a", username="bob").slug == "no-such-share"
    assert alice.delete("/share", file_name="a", username="carol").status == 204


def test_sharing_with_an_unknown_account_is_refused(alice: Client, behind: Behind) -> None:
    """By decision: a mistyped name must not look shared."""
    alice.put("a")
    answer = share(alice, "a", "nobody")
    assert (answer.status, answer.slug) == (404, "no-such-user")
    assert share(alice, "b", "nobody").slug == "no-such-file"
    answer = share(alice, "a", "alice")
    assert (answer.status, answer.slug) == (422, "invalid-request")
    assert reason_at(answer, "body.username")
    assert share(alice, "none", "alice").slug == "no-such-file"
    assert behind.rows("shares") == []


def test_deleting_a_file_keeps_shares_of_similar_names(alice: Client, bob: Client) -> None:
    """Deleting `a` keeps the shares of `ab`, of `a/b` and of the `a` of other accounts."""
    carol = join("carol")
    for person in (alice, bob):
        for name in ("a", "ab", "a/b"):
            person.put(name, person.get("/me").content)
            share(person, name, "carol")
    alice.delete("/file", file_name="a")
    seen = {key for key in carol.names() if not key.startswith("carol/")}
    assert seen == {"alice/ab", "alice/a/b", "bob/a", "bob/ab", "bob/a/b"}


def test_the_grants_on_a_file_are_limited(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The permission of an existing share can still be changed."""
    monkeypatch.setattr(shares, "MAX_GRANTS", 3)  # two shares and a link
    assert share(world.alice, "a.txt", "dave").slug == "limit-reached"
    assert share(world.alice, "a.txt", "bob", permission="write").status == 200
    assert world.alice.post("/links", items=["a.txt"]).slug == "limit-reached"


def test_expired_grants_do_not_count(
    world: World, clock: Clock, behind: Behind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether DynamoDB has deleted their rows or not."""
    monkeypatch.setattr(shares, "MAX_GRANTS", 4)
    assert share(world.alice, "a.txt", "dave", expires_in=60).status == 201
    assert world.alice.post("/links", items=["a.txt"]).slug == "limit-reached"
    clock.time += 60
    assert world.alice.post("/links", items=["a.txt"]).status == 201
    behind.delete("shares", grantee="user:bob", file="alice/a.txt")
    assert share(world.alice, "a.txt", "dave").status == 201
    assert world.dave.read("a.txt", username="alice").status == 200
    assert world.carol.read("a.txt", username="alice").status == 200


def test_a_file_that_changes_while_room_is_made_is_asked_for_again(
    world: World, clock: Clock, fake_aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another process did meanwhile stays done; the same request then finds room."""
    monkeypatch.setattr(shares, "MAX_GRANTS", 4)
    assert share(world.alice, "a.txt", "dave", expires_in=60).status == 201
    clock.time += 60
    act_before_commit(fake_aws, lambda: world.alice.put("a.txt", b"new"))
    assert world.alice.post("/links", items=["a.txt"]).status in {201, 409}
    assert world.alice.read("a.txt").content == b"new"
    assert world.alice.post("/links", items=["a.txt"]).status in {201, 409}


def test_expired_grants_on_a_folder_do_not_count(
    world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They make room, and the others stay."""
    monkeypatch.setattr(shares, "MAX_GRANTS", 2)
    world.alice.put("full/x.txt")
    assert share(world.alice, "full/", "bob", expires_in=60).status == 201
    assert share(world.alice, "full/", "carol").status == 201
    assert share(world.alice, "full/", "dave").slug == "limit-reached"
    clock.time += 60
    assert share(world.alice, "full/", "dave").status == 201
    statuses = [
        client.read("full/x.txt", username="alice").status
        for client in (world.bob, world.carol, world.dave)
    ]
    assert statuses == [404, 200, 200]
