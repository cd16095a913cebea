"""Copies: a second row for the same bytes, which stay as long as any row names them."""

import itertools

import pytest

from tests.crashes.meetings import act_before_commit
from tests.crashes.world import other_process
from tests.support.client import Answer, Client
from tests.support.fake_aws import Call, FakeAws
from tests.support.transfers import aws, bytes_used, set_quota, stored
from tests.support.world import World


def copy(client: Client, name: str, new: str, **fields: object) -> Answer:
    return client.post("/copy", file_name=name, new_name=new, **fields)


def gone(client: Client, name: str) -> int:
    return client.delete("/file", file_name=name, permanent="true").status


def test_a_copy_is_a_file_of_its_own(alice: Client, fake_aws: FakeAws) -> None:
    """It has the bytes and details of its original; a change of one does not change the other."""
    alice.put("a.txt", b"bytes", content_type="text/x-own")
    alice.send("PATCH", "/file", json_={"file_name": "a.txt", "tags": ["one"]})
    with fake_aws.counted() as calls:
        made = copy(alice, "a.txt", "in/b.txt")
    assert made.status == 201
    assert calls == ["BatchGetItem", "TransactWriteItems"]
    told = made.json()
    assert (told["size"], told["content_type"], told["tags"]) == (5, "text/x-own", ["one"])
    assert (told["version"], told["permission"], told["modified_by"]) == (1, "own", "alice")
    assert stored(fake_aws) == [b"bytes"]
    assert bytes_used(fake_aws, "alice") == 10
    alice.put("a.txt", b"other")
    assert alice.read("in/b.txt").content == b"bytes"


def test_on_conflict_works_as_for_an_upload(alice: Client) -> None:
    """A copy fails by default, and renames or replaces where it is told to."""
    etag = alice.put("b.txt", b"b").json()["etag"]
    alice.put("a.txt", b"a")
    assert copy(alice, "a.txt", "b.txt").slug == "file-exists"
    assert copy(alice, "a.txt", "b.txt", on_conflict="rename").json()["file_name"] == "b (1).txt"
    assert copy(alice, "a.txt", "b.txt", on_conflict="replace", if_match="x").status == 412
    replaced = copy(alice, "a.txt", "b.txt", on_conflict="replace", if_match=etag)
    assert (replaced.status, replaced.json()["version"]) == (200, 2)
    again = copy(alice, "a.txt", "b.txt", on_conflict="replace")
    assert (again.status, again.json()) == (200, replaced.json())
    body = {"file_name": "a.txt", "new_name": "b.txt", "on_conflict": "replace"}
    stale = alice.send("POST", "/copy", json_=body, headers={"if-match": f'"{etag}"'})
    assert stale.status == 412
    assert copy(alice, "a.txt", "a.txt").slug == "file-exists"
    assert copy(alice, "a.txt", "a.txt", on_conflict="replace").json()["version"] == 1
    assert copy(alice, "a.txt", "a.txt", on_conflict="rename").json()["file_name"] == "a (1).txt"
    assert copy(alice, "c.txt", "d.txt").slug == "no-such-file"
    assert copy(alice, "a.txt", "in/").slug == "invalid-name"


def test_a_shared_file_can_be_copied(world: World, fake_aws: FakeAws) -> None:
    """The copy is the caller's, on their quota, and stays when the share ends."""
    assert copy(world.dave, "a.txt", "mine.txt", username="alice").slug == "no-such-file"
    made = copy(world.bob, "a.txt", "mine.txt", username="alice")
    assert (made.status, made.json()["key"]) == (201, "bob/mine.txt")
    assert bytes_used(fake_aws, "bob") == 15
    assert world.alice.delete("/file", file_name="a.txt", permanent="true").status == 204
    assert world.bob.read("mine.txt").content == b"the first bytes"
    assert gone(world.bob, "mine.txt") == 204
    assert stored(fake_aws) == []
    assert bytes_used(fake_aws, "bob") == 0


def test_a_copy_counts_against_the_quota(alice: Client, fake_aws: FakeAws) -> None:
    """Without room for its bytes there is none."""
    alice.put("a.txt", b"bytes")
    set_quota(fake_aws, "alice", 9)
    full = copy(alice, "a.txt", "b.txt")
    assert full.slug == "quota-exceeded"
    assert "this many bytes." in full.json()["detail"]
    set_quota(fake_aws, "alice", 10)
    assert copy(alice, "a.txt", "b.txt").status == 201


def test_a_copy_counts_as_a_file(alice: Client, fake_aws: FakeAws) -> None:
    """Versions and trash count too, and not one file more fits."""
    aws("dynamodb").update_item(
        TableName=fake_aws.deployed.environment["SATCHEL_USERS"],
        Key={"username": {"S": "alice"}},
        UpdateExpression="SET files_quota = :q",
        ExpressionAttributeValues={":q": {"N": "3"}},
    )
    alice.put("a", b"")
    alice.put("a", b"")
    alice.delete("/file", file_name="a")
    assert alice.put("b", b"").status == 201
    assert alice.put("c", b"").slug == "quota-exceeded"
    assert copy(alice, "b", "c").slug == "quota-exceeded"
    assert alice.put("b", b"").slug == "quota-exceeded"
    assert alice.delete("/trash").status == 204
    assert copy(alice, "b", "c").status == 201
    assert alice.put("c", b"1").status == 200
    full = alice.put("d", b"")
    assert full.slug == "quota-exceeded"
    assert "this many files." in full.json()["detail"]
    assert all(way in full.json()["detail"] for way in ("DELETE /trash", "permanent=true"))


@pytest.mark.parametrize("order", list(itertools.permutations(("a", "b", "c"))))
def test_bytes_are_deleted_with_their_last_file(
    alice: Client, fake_aws: FakeAws, order: tuple[str, ...]
) -> None:
    """In any order and by any way of deletion; a copy of a copy is no exception."""
    alice.put("a", b"bytes")
    copy(alice, "a", "b")
    copy(alice, "b", "c")
    for name in order:
        assert stored(fake_aws) == [b"bytes"]
        if name == "b":
            assert alice.delete("/file", file_name=name).status == 204
            assert alice.delete("/trash").status == 204
        else:
            assert gone(alice, name) == 204
    assert stored(fake_aws) == []
    assert bytes_used(fake_aws, "alice") == 0


@pytest.mark.parametrize("at", range(6))
def test_two_deletions_at_once_delete_the_bytes(alice: Client, fake_aws: FakeAws, at: int) -> None:
    """Wherever they meet, the bytes neither stay nor go while a file has them."""
    alice.put("a", b"bytes")
    copy(alice, "a", "b")
    calls = 0

    def before(call: Call) -> None:
        nonlocal calls
        calls += 1
        if calls == at + 1:
            with other_process():
                assert gone(alice, "b") == 204

    fake_aws.before = before
    assert gone(alice, "a") == 204
    assert calls > at
    assert (alice.names(), stored(fake_aws)) == ([], [])


@pytest.mark.parametrize("at", range(8))
def test_a_copy_of_a_file_that_is_being_purged_has_its_bytes(
    alice: Client, fake_aws: FakeAws, at: int
) -> None:
    """Or there is no copy."""
    alice.put("a", b"bytes")
    made: list[Answer] = []
    calls = 0

    def before(call: Call) -> None:
        nonlocal calls
        calls += 1
        if calls == at + 1:
            with other_process():
                made.append(copy(alice, "a", "b"))

    fake_aws.before = before
    assert gone(alice, "a") == 204
    fake_aws.before = lambda _: None
    assert [each.status for each in made] == [201 if at < 2 else 404]
    assert stored(fake_aws) == ([b"bytes"] if at < 2 else [])
    assert alice.names() == (["alice/b"] if at < 2 else [])


@pytest.mark.parametrize("what", ["gone", "replaced", "moved"])
def test_an_original_that_changes_meanwhile_is_read_again(
    alice: Client, fake_aws: FakeAws, what: str
) -> None:
    """The copy has the bytes of the current original."""
    alice.put("a", b"bytes")

    def meanwhile() -> None:
        if what == "gone":
            assert gone(alice, "a") == 204
        elif what == "replaced":
            alice.put("a", b"other")
        else:
            alice.send("PATCH", "/file", json_={"file_name": "a", "new_name": "c"})

    act_before_commit(fake_aws, meanwhile)
    answer = copy(alice, "a", "b")
    if what == "replaced":
        assert answer.status == 201
        assert alice.read("b").content == b"other"
    else:
        assert answer.slug == "no-such-file"
        assert alice.read("b").status == 404


def test_a_copy_has_the_details_of_its_original(alice: Client) -> None:
    """Those of a file that it replaces do not stay."""
    for name in ("a", "b"):
        alice.put(name, name.encode())
    told = {"file_name": "b", "tags": ["secret"], "description": "old"}
    assert alice.send("PATCH", "/file", json_=told).status == 200
    copy = alice.post("/copy", file_name="a", new_name="b", on_conflict="replace").json()
    assert (copy["tags"], copy["description"]) == ([], None)


def test_a_right_revoked_before_the_commit_copies_nothing(
    alice: Client, bob: Client, fake_aws: FakeAws
) -> None:
    """A grant on a folder too, whose revocation leaves the file's row unchanged."""
    alice.put("in/a")
    alice.post("/share", file_name="in/", username="bob")
    met: list[Answer] = []

    def before(call: Call) -> None:
        if call.operation == "TransactWriteItems" and not met:
            fake_aws.before = lambda _: None
            with other_process():
                met.append(alice.delete("/share", file_name="in/", username="bob"))

    fake_aws.before = before
    answer = bob.post("/copy", file_name="in/a", username="alice", new_name="mine")
    assert (met[0].status, answer.slug) == (204, "no-such-file")
    assert bob.names() == []
