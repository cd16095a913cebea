"""The trash: what was deleted comes back whole or goes for good, and nothing of others' with it."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from function.contract import Settings
from function.history import trash as history_trash
from tests.conftest import Behind, Clock
from tests.crashes.crashes import collide
from tests.support.client import PASSWORD, Answer, Client, join
from tests.support.fake_aws import Call, Ground
from tests.support.invariants import balanced
from tests.support.samples import World
from tests.support.transfers import bytes_used, stored, sweep

LATE = 3601


def restore(client: Client, name: str, **fields: object) -> Answer:
    return client.post("/restore", file_name=name, **fields)


def sign_in(username: str) -> str:
    """A new session."""
    answer = Client().post("/login", username=username, password=PASSWORD)
    return str(answer.json()["token"])


def trash(client: Client, **query: object) -> list[tuple[str, int]]:
    """What is in somebody's trash: names and sizes."""
    return [(each["file_name"], each["size"]) for each in client.get("/trash", **query).json()]


def test_what_is_deleted_can_be_brought_back(alice: Client, settings: Settings) -> None:
    """With its versions, its description and what is said of it; and only once."""
    alice.put("in/a.txt", b"1")
    alice.put("in/a.txt", b"two")
    said = {"description": "what it is"}
    was = alice.send("PATCH", "/file", json_={"file_name": "in/a.txt", **said}).json()
    assert alice.delete("/file", file_name="in/a.txt").status == 204
    (item,) = alice.get("/trash").json()
    assert (item["file_name"], item["size"], item["version"]) == ("in/a.txt", 3, 2)
    assert (item["etag"], item["deleted"]) == (was["etag"], "2026-09-21T14:13:20.250Z")
    assert item["restore_until"] > item["deleted"]
    back = restore(alice, "in/a.txt")
    assert back.status == 200
    assert back.json() == was
    assert alice.read("in/a.txt").content == b"two"
    assert alice.get("/trash").json() == []
    assert [each["version"] for each in alice.get("/versions", file_name="in/a.txt").json()] == [
        2, 1,
    ]  # fmt: skip
    assert restore(alice, "in/a.txt", version=1).status == 200
    assert alice.read("in/a.txt").content == b"1"
    assert restore(alice, "in/a.txt").slug == "no-such-file"


def test_the_latest_of_a_name_comes_back_or_the_one_that_is_named(
    alice: Client, clock: Clock
) -> None:
    """By its id any of them does, under another name if that is taken."""
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


def test_it_is_nobody_elses(world: World, behind: Behind) -> None:
    """Who had it before it was deleted has it no more, nor by what they were granted then."""
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
    assert Client().get(f"/s/{world.ids['token']}").slug == "no-such-link"
    assert behind.rows("shares") == before


def test_a_grant_that_was_left_behind_stays_dead(
    alice: Client, bob: Client, behind: Behind
) -> None:
    """Even one that no clean-up has reached: it is for a place that is no more."""
    alice.put("a.txt")
    alice.post("/share", file_name="a.txt", username="bob")
    grant = behind.row("shares", grantee="user:bob", file="alice/a.txt")
    alice.delete("/file", file_name="a.txt")
    restore(alice, "a.txt")
    behind.put("shares", grant)
    assert bob.read("a.txt", username="alice").slug == "no-such-file"


def test_a_namesake_finds_no_trash(alice: Client, behind: Behind) -> None:
    """What an account that has gone deleted is not the next one's of that name."""
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
    assert len([row for row in behind.rows("files") if row["shelf"] == "alice/trash"]) == 1


def test_it_is_gone_when_its_time_is_over(alice: Client, clock: Clock, settings: Settings) -> None:
    """To the second, whenever the sweep comes."""
    alice.put("a.txt")
    alice.delete("/file", file_name="a.txt")
    (item,) = alice.get("/trash").json()
    clock.time += settings.keep_seconds
    alice = Client(sign_in("alice"))
    assert alice.get("/trash").json() == []
    for fields in ({}, {"id": item["id"]}):
        assert restore(alice, "a.txt", **fields).slug == "no-such-file"
    assert alice.delete("/trash", id=item["id"]).slug == "no-such-file"


def test_one_goes_for_good(alice: Client, ground: Ground) -> None:
    """With its versions and their bytes, and nothing else; what it took is free again."""
    for data in (b"1", b"22"):
        alice.put("a.txt", data)
    alice.delete("/file", file_name="a.txt")
    alice.put("a.txt", b"another")
    alice.put("b.txt", b"b")
    alice.delete("/file", file_name="b.txt")
    items = {each["file_name"]: each["id"] for each in alice.get("/trash").json()}
    assert alice.delete("/trash", id=items["a.txt"]).status == 204
    assert sorted(stored(ground)) == [b"another", b"b"]
    assert bytes_used(ground, "alice") == 8
    for gone in (items["a.txt"], "A" * 40, "_" * 40, "A" * 1400):
        answer = alice.delete("/trash", id=gone)
        assert (answer.slug, "has that id" in answer.json()["detail"]) == ("no-such-file", True)
        answer = restore(alice, "a.txt", id=gone)
        assert (answer.slug, "name and id" in answer.json()["detail"]) == ("no-such-file", True)
    assert alice.delete("/trash", id="short").slug == "invalid-request"
    assert trash(alice) == [("b.txt", 1)]


@pytest.mark.parametrize("item", ["A" * 40, "_" * 40, "A" * 1400])
def test_who_may_not_is_told_so_whatever_the_id(alice: Client, item: str) -> None:
    """403 before it is looked at which of them it is."""
    reading = Client(alice.post("/keys", name="r", scopes=["read"]).json()["token"])
    assert reading.delete("/trash", id=item).slug == "not-allowed"
    assert restore(reading, "a.txt", id=item).slug == "not-allowed"


def test_all_goes_for_good(alice: Client, bob: Client, ground: Ground) -> None:
    """And nobody else's."""
    for client in (alice, bob):
        for name in ("a.txt", "b/c.txt"):
            client.put(name, name.encode())
            client.delete("/file", file_name=name)
    assert alice.delete("/trash").status == 204
    assert (trash(alice), trash(bob)) == ([], [("a.txt", 5), ("b/c.txt", 7)])
    assert bytes_used(ground, "alice") == 0
    assert alice.delete("/trash").status == 204


def test_what_takes_longer_than_a_request_is_gone_on_with(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One request removes at least something, and says what is left."""
    for name in ("a", "b", "c"):
        alice.put(name)
        alice.delete("/file", file_name=name)
    monkeypatch.setattr(history_trash, "AT_MOST", 0)
    said = []
    while (answer := alice.delete("/trash")).status == 202:
        said.append(answer.json())
    assert said == [{"removed": 1, "left": 2}, {"removed": 1, "left": 1}]
    assert answer.status == 204
    assert trash(alice) == []


def test_what_changes_meanwhile_is_emptied_all_the_same(alice: Client, ground: Ground) -> None:
    """A commit that others are in the way of is tried again, not passed over."""
    alice.put("a.txt")
    alice.delete("/file", file_name="a.txt")
    collided: list[Call] = []

    def before(call: Call) -> object:
        if call.operation == "TransactWriteItems" and not collided:
            collided.append(call)
            return collide(call)
        return None

    ground.before = before
    assert alice.delete("/trash").status == 204
    assert collided
    assert trash(alice) == []


def test_a_page_of_trash_is_a_page(alice: Client) -> None:
    """Each item once, whatever the pages."""
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


def test_a_file_is_deleted_for_good_at_once(world: World, ground: Ground) -> None:
    """Past the trash, with its versions and grants; of another's file it is refused."""
    world.alice.put("a.txt", b"second")
    query = {"file_name": "a.txt", "permanent": "true"}
    assert world.carol.delete("/file", **query, username="alice").slug == "no-such-file"
    stale = world.alice.send("DELETE", "/file", query=query, headers={"if-match": '"x"'})
    assert stale.status == 412
    assert world.alice.delete("/file", **query).status == 204
    assert (world.alice.names(), trash(world.alice), stored(ground)) == ([], [], [])
    assert bytes_used(ground, "alice") == 100 * 1024 * 1024 * 2
    assert world.alice.delete("/file", **query).slug == "no-such-file"
    world.alice.put("a.txt")
    assert world.bob.read("a.txt", username="alice").slug == "no-such-file"
    assert restore(world.alice, "a.txt").slug == "no-such-file"


class Cut(BaseException):
    """The process is gone."""


WAYS: dict[str, Callable[[Client], Answer]] = {
    "delete for good": lambda client: client.delete("/file", file_name="a.txt", permanent="true"),
    "empty": lambda client: client.delete("/trash"),
    "remove": lambda client: client.delete("/trash", id=client.get("/trash").json()[0]["id"]),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_was_cut_off_is_swept(
    alice: Client, ground: Ground, clock: Clock, settings: Settings, way: str
) -> None:
    """Wherever the process dies, what nobody can bring back is gone within hours, bytes and all."""
    for data in (b"1", b"22"):
        alice.put("a.txt", data)
    if way != "delete for good":
        alice.delete("/file", file_name="a.txt")
    begin, now = ground.snapshot(), clock.time
    for at in range(1, 40):
        begin()
        clock.time, calls = now, 0

        def before(call: Call, at: int = at) -> None:
            nonlocal calls
            calls += 1
            if calls == at:
                raise Cut

        ground.before = before
        with suppress(Cut):
            assert WAYS[way](alice).status == 204
        ground.before = lambda _: None
        there = bool(alice.names() or trash(alice))
        clock.time += LATE
        sweep()
        assert len(stored(ground)) == (2 if there else 0)
        balanced(ground.rows(settings.files), ground.rows(settings.users))
        if calls < at:
            break
    assert at > 12


def test_a_delete_leaves_its_neighbours_alone(world: World) -> None:
    """What begins with the same letters, or is below a folder of that name, is another file."""
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
