"""The trash: a deleted file is restored completely, or purged without any other file."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from function.contract import Settings
from function.history import trash as history_trash
from tests.conftest import Behind, Clock
from tests.support.client import PASSWORD, Answer, Client, join
from tests.support.fake_aws import Call, FakeAws
from tests.support.invariants import assert_consistent
from tests.support.side_by_side import collide
from tests.support.transfers import bytes_used, stored, sweep
from tests.support.world import World

UPLOAD_GRACE = 3601


def restore(client: Client, name: str, **fields: object) -> Answer:
    return client.post("/restore", file_name=name, **fields)


def log_in(username: str) -> str:
    """A new session."""
    answer = Client().post("/login", username=username, password=PASSWORD)
    return str(answer.json()["token"])


def trash(client: Client, **query: object) -> list[tuple[str, int]]:
    """The names and sizes of an account's deleted files."""
    return [(each["file_name"], each["size"]) for each in client.get("/trash", **query).json()]


def test_a_deleted_file_is_restored(alice: Client, settings: Settings) -> None:
    """With its versions and its description, and only once."""
    alice.put("in/a.txt", b"1")
    alice.put("in/a.txt", b"two")
    change = {"file_name": "in/a.txt", "description": "what it is"}
    before = alice.send("PATCH", "/file", json_=change).json()
    assert alice.delete("/file", file_name="in/a.txt").status == 204
    (item,) = alice.get("/trash").json()
    assert (item["file_name"], item["size"], item["version"]) == ("in/a.txt", 3, 2)
    assert (item["etag"], item["deleted"]) == (before["etag"], "2026-09-21T14:13:20.250Z")
    assert item["restore_until"] > item["deleted"]
    restored = restore(alice, "in/a.txt")
    assert restored.status == 200
    assert restored.json() == before
    assert alice.read("in/a.txt").content == b"two"
    assert alice.get("/trash").json() == []
    assert [each["version"] for each in alice.get("/versions", file_name="in/a.txt").json()] == [
        2, 1,
    ]  # fmt: skip
    assert restore(alice, "in/a.txt", version=1).status == 200
    assert alice.read("in/a.txt").content == b"1"
    assert restore(alice, "in/a.txt").slug == "no-such-file"


def test_the_latest_deleted_file_of_a_name_is_restored_or_the_one_of_an_id(
    alice: Client, clock: Clock
) -> None:
    """With `new_name`, under another name where a file has the old one."""
    for data in (b"1", b"22", b"333"):
        alice.put("a.txt", data)
        alice.delete("/file", file_name="a.txt")
        clock.time += 1
    items = alice.get("/trash").json()
    assert [each["size"] for each in items] == [1, 2, 3]
    assert restore(alice, "a.txt").json()["size"] == 3
    assert restore(alice, "a.txt").slug == "file-exists"
    assert restore(alice, "a.txt", id=items[0]["id"]).slug == "file-exists"
    assert restore(alice, "a.txt", id=items[0]["id"], new_name="b.txt").json()["size"] == 1
    assert restore(alice, "b.txt", id=items[1]["id"]).slug == "no-such-file"
    assert trash(alice) == [("a.txt", 2)]
    assert alice.names() == ["alice/a.txt", "alice/b.txt"]
    assert restore(alice, "a.txt", if_match="x", new_name="c.txt").status == 412
    matching = {"if-match": f'"{items[1]["etag"]}"'}
    body = {"file_name": "a.txt", "new_name": "c.txt"}
    assert alice.send("POST", "/restore", json_=body, headers=matching).status == 200


def test_nobody_else_has_access_to_deleted_files(world: World, behind: Behind) -> None:
    """Grants on the file end with its deletion, and stay ended after it is restored."""
    world.alice.delete("/file", file_name="a.txt")
    (item,) = world.alice.get("/trash").json()
    for client in (world.bob, world.carol, world.dave):
        assert client.get("/trash").json() == []
        for fields in ({}, {"id": item["id"]}, {"username": "alice"}):
            assert restore(client, "a.txt", **fields).slug == "no-such-file"
        assert client.delete("/trash", id=item["id"]).slug == "no-such-file"
    before = behind.rows("shares")
    assert restore(world.alice, "a.txt").status == 200
    for client in (world.bob, world.carol):
        assert client.read("a.txt", username="alice").slug == "no-such-file"
    assert Client().get(f"/s/{world.ids.link_token}").slug == "no-such-link"
    assert behind.rows("shares") == before


def test_a_grant_that_was_not_cleaned_up_gives_no_access(
    alice: Client, bob: Client, behind: Behind
) -> None:
    """A restored file has another place than the grant."""
    alice.put("a.txt")
    alice.post("/share", file_name="a.txt", username="bob")
    grant = behind.row("shares", grantee="user:bob", file="alice/a.txt")
    alice.delete("/file", file_name="a.txt")
    restore(alice, "a.txt")
    behind.put("shares", grant)
    assert bob.read("a.txt", username="alice").slug == "no-such-file"


def test_a_new_account_of_a_deleted_name_has_an_empty_trash(alice: Client, behind: Behind) -> None:
    """The deleted files of the earlier account are hidden from it."""
    alice.put("a.txt")
    alice.delete("/file", file_name="a.txt")
    (item,) = alice.get("/trash").json()
    behind.delete("users", username="alice")
    namesake = join("alice")
    assert namesake.get("/trash").json() == []
    for fields in ({}, {"id": item["id"]}):
        assert restore(namesake, "a.txt", **fields).slug == "no-such-file"
    assert namesake.delete("/trash", id=item["id"]).slug == "no-such-file"
    assert namesake.delete("/trash").status == 204
    assert len([row for row in behind.rows("files") if row["partition"] == "alice/trash"]) == 1


def test_an_expired_file_cannot_be_restored(
    alice: Client, clock: Clock, settings: Settings
) -> None:
    """From the second of its expiry, before any sweep."""
    alice.put("a.txt")
    alice.delete("/file", file_name="a.txt")
    (item,) = alice.get("/trash").json()
    clock.time += settings.keep_seconds
    alice = Client(log_in("alice"))
    assert alice.get("/trash").json() == []
    for fields in ({}, {"id": item["id"]}):
        assert restore(alice, "a.txt", **fields).slug == "no-such-file"
    assert alice.delete("/trash", id=item["id"]).slug == "no-such-file"


def test_one_deleted_file_is_purged(alice: Client, fake_aws: FakeAws) -> None:
    """With its versions and their bytes, without any other file; the owner is refunded."""
    for data in (b"1", b"22"):
        alice.put("a.txt", data)
    alice.delete("/file", file_name="a.txt")
    alice.put("a.txt", b"another")
    alice.put("b.txt", b"b")
    alice.delete("/file", file_name="b.txt")
    items = {each["file_name"]: each["id"] for each in alice.get("/trash").json()}
    assert alice.delete("/trash", id=items["a.txt"]).status == 204
    assert sorted(stored(fake_aws)) == [b"another", b"b"]
    assert bytes_used(fake_aws, "alice") == 8
    for item in (items["a.txt"], "A" * 40, "_" * 40, "A" * 1400):
        answer = alice.delete("/trash", id=item)
        assert (answer.slug, "has that id" in answer.json()["detail"]) == ("no-such-file", True)
        answer = restore(alice, "a.txt", id=item)
        assert (answer.slug, "name and id" in answer.json()["detail"]) == ("no-such-file", True)
    assert alice.delete("/trash", id="short").slug == "invalid-request"
    assert trash(alice) == [("b.txt", 1)]


@pytest.mark.parametrize("item", ["A" * 40, "_" * 40, "A" * 1400])
def test_a_key_without_the_scope_is_refused_for_any_id(alice: Client, item: str) -> None:
    """The answer is 403 whether the id exists or not."""
    reading = Client(
        alice.post("/keys", name="r", scopes=["read"], current_password=PASSWORD).json()["token"]
    )
    assert reading.delete("/trash", id=item).slug == "not-allowed"
    assert restore(reading, "a.txt", id=item).slug == "not-allowed"


def test_the_trash_is_emptied(alice: Client, bob: Client, fake_aws: FakeAws) -> None:
    """The trash of other accounts stays."""
    for client in (alice, bob):
        for name in ("a.txt", "b/c.txt"):
            client.put(name, name.encode())
            client.delete("/file", file_name=name)
    assert alice.delete("/trash").status == 204
    assert (trash(alice), trash(bob)) == ([], [("a.txt", 5), ("b/c.txt", 7)])
    assert bytes_used(fake_aws, "alice") == 0
    assert alice.delete("/trash").status == 204


def test_emptying_continues_with_the_next_request(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request removes at least one file, and answers with the number of those left."""
    for name in ("a", "b", "c"):
        alice.put(name)
        alice.delete("/file", file_name=name)
    monkeypatch.setattr(history_trash, "WORK_SECONDS", 0)
    answers = []
    while (answer := alice.delete("/trash")).status == 202:
        answers.append(answer.json())
    assert answers == [{"removed": 1, "left": 2}, {"removed": 1, "left": 1}]
    assert answer.status == 204
    assert trash(alice) == []


def test_emptying_repeats_a_commit_that_conflicts(alice: Client, fake_aws: FakeAws) -> None:
    """A conflict with another transaction leaves no file behind."""
    alice.put("a.txt")
    alice.delete("/file", file_name="a.txt")
    collided: list[Call] = []

    def before(call: Call) -> object:
        if call.operation == "TransactWriteItems" and not collided:
            collided.append(call)
            return collide(call)
        return None

    fake_aws.before = before
    assert alice.delete("/trash").status == 204
    assert collided
    assert trash(alice) == []


def test_the_trash_is_listed_in_pages(alice: Client) -> None:
    """Each deleted file is on one page."""
    for name in ("b", "a", "c/d"):
        alice.put(name)
        alice.delete("/file", file_name=name)
    found, query = [], {"limit": 1}
    while True:
        answer = alice.get("/trash", **query)
        found += [each["file_name"] for each in answer.json()]
        if "x-next-cursor" not in answer.headers:
            break
        query["cursor"] = answer.headers["x-next-cursor"]
    assert found == ["a", "b", "c/d"]
    assert alice.get("/trash", cursor="x").slug == "invalid-cursor"


def test_a_permanent_delete_skips_the_trash(world: World, fake_aws: FakeAws) -> None:
    """The versions and grants go with the file. Only the owner may do it."""
    world.alice.put("a.txt", b"second")
    query = {"file_name": "a.txt", "permanent": "true"}
    assert world.carol.delete("/file", **query, username="alice").slug == "no-such-file"
    stale = world.alice.send("DELETE", "/file", query=query, headers={"if-match": '"x"'})
    assert stale.status == 412
    assert world.alice.delete("/file", **query).status == 204
    assert (world.alice.names(), trash(world.alice), stored(fake_aws)) == ([], [], [])
    assert bytes_used(fake_aws, "alice") == 100 * 1024 * 1024 * 2
    assert world.alice.delete("/file", **query).slug == "no-such-file"
    world.alice.put("a.txt")
    assert world.bob.read("a.txt", username="alice").slug == "no-such-file"
    assert restore(world.alice, "a.txt").slug == "no-such-file"


class ProcessDied(BaseException):
    """The process ended in the middle of a request."""


WAYS: dict[str, Callable[[Client], Answer]] = {
    "permanent": lambda client: client.delete("/file", file_name="a.txt", permanent="true"),
    "empty": lambda client: client.delete("/trash"),
    "remove": lambda client: client.delete("/trash", id=client.get("/trash").json()[0]["id"]),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_sweep_finishes_an_interrupted_purge(
    alice: Client, fake_aws: FakeAws, clock: Clock, settings: Settings, way: str
) -> None:
    """At whichever call the process dies, a file that nobody can restore loses its bytes."""
    for data in (b"1", b"22"):
        alice.put("a.txt", data)
    if way != "permanent":
        alice.delete("/file", file_name="a.txt")
    begin, now = fake_aws.snapshot(), clock.time
    for at in range(1, 40):
        begin()
        clock.time, calls = now, 0

        def before(call: Call, at: int = at) -> None:
            nonlocal calls
            calls += 1
            if calls == at:
                raise ProcessDied

        fake_aws.before = before
        with suppress(ProcessDied):
            assert WAYS[way](alice).status == 204
        fake_aws.before = lambda _: None
        exists = bool(alice.names() or trash(alice))
        clock.time += UPLOAD_GRACE
        sweep()
        assert len(stored(fake_aws)) == (2 if exists else 0)
        assert_consistent(fake_aws.rows(settings.files), fake_aws.rows(settings.users))
        if calls < at:
            break
    assert at > 12


def test_a_delete_leaves_files_with_similar_names(world: World) -> None:
    """A file that begins with the same letters, or is in a folder of that name, is another file."""
    names = ("a", "ab", "a/b", "a.txt/x")
    for name in names:
        world.alice.put(name)
        world.alice.post("/share", file_name=name, username="dave")
    for query in ({}, {"permanent": "true"}):
        assert world.alice.delete("/file", file_name="a", **query).status == 204
        for name in names[1:]:
            assert world.dave.read(name, username="alice").status == 200
        world.alice.put("a")
    (item,) = world.alice.get("/trash").json()
    assert world.alice.delete("/trash", id=item["id"]).status == 204
    assert world.bob.read("a.txt", username="alice").status == 200
