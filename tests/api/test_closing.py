"""Closing an account: everything is shut at once, cleared away in time, and nobody's afterwards."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from function import app
from function.accounts import closing
from function.contract import SWEEP
from function.core.errors import Unavailable
from function.tables.folders import folder_key
from tests.api.conftest import Behind
from tests.api.samples import World
from tests.client import CONTEXT, PASSWORD, Answer, Client, join
from tests.conftest import Clock
from tests.faults.crashes import collide
from tests.faults.world import elsewhere
from tests.ground import Call, Ground, failure, sent_body
from tests.links import make


def close(who: Client, username: str = "alice") -> Answer:
    return who.delete(f"/users/{username}")


_made: list[Callable[[], None]] = []


@pytest.fixture
def rich(world: World, ground: Ground) -> World:
    """Alice has all there is to have, and something to do with everybody: it is made once."""
    if not _made:
        _enrich(world)
        _made.append(ground.snapshot())
    _made[0]()
    return world


def _enrich(world: World) -> None:
    for number in range(60):
        world.alice.put(f"many/{number:02}", b"x")
    make(world.alice, "a.txt", "many/", alias="summer", password="x")
    world.alice.post("/share", file_name="many/", group="team")
    world.alice.post("/share", file_name="many/", username="bob")
    world.bob.put("bobs.txt", b"of bob")
    world.bob.post("/share", file_name="bobs.txt", username="alice", permission="write")
    world.bob.send("PUT", "/groups/bobs")
    world.bob.send("PUT", "/groups/bobs/members/alice")


def sweep() -> dict[str, Any]:
    answer: dict[str, Any] = app.lambda_handler(dict(SWEEP), CONTEXT)
    return answer


def shut(world: World) -> None:
    """Nothing that Alice ever opened is open."""
    assert world.alice.get("/me").slug == "not-signed-in"
    login = Client().post("/login", username="alice", password=PASSWORD)
    assert login.slug == "wrong-credentials"
    for path in (f"/s/{world.ids['token']}", "/s/summer", f"/r/{world.ids['asked']}"):
        assert Client().get(path).status == 404, path
    for who in (world.bob, world.carol):
        assert who.read("a.txt", username="alice").slug == "no-such-file"
        assert not [key for key in who.names() if key.startswith("alice/")]


def left_of(behind: Behind, account_id: str) -> set[str]:
    """The shelves and grantees of rows that name an account by its id."""
    rows = [row for noun in ("users", "sessions", "shares", "files") for row in behind.rows(noun)]
    named = [row for row in rows if account_id in map(str, row.values())]
    return {str(row.get("shelf", row.get("grantee", row.get("username")))) for row in named}


def test_an_account_is_closed(rich: World, behind: Behind) -> None:
    """With all that it had; what others have stays."""
    was = str(behind.row("users", username="alice")["id"])
    answer = close(rich.root)
    assert (answer.status, answer.content) == (204, b"")
    shut(rich)
    assert [user["username"] for user in rich.root.get("/users").json()].count("alice") == 0
    assert (close(rich.root).status, close(rich.root).slug) == (404, "no-such-user")
    # Her sessions, and what is kept for its time.
    kept = {"alice"} | {
        f"alice/{each}" for each in ("trash", "changes", "uploads", "holds", "jobs")
    }
    left = left_of(behind, was)
    assert {each for each in left if not each.startswith("~")} <= kept
    assert {each.partition("/")[2] for each in left if not each.startswith("~due/")} >= {"trash"}
    shelves = {row["shelf"] for row in behind.rows("files")}
    assert not shelves & {"alice", "alice/folders", "alice/terms"}
    assert rich.bob.names() == ["bob/bobs.txt"]
    assert rich.carol.get("/groups").json() == []
    members = rich.bob.get("/groups/bobs").json()["members"]
    assert [each["username"] for each in members] == ["bob"]
    (file,) = [r for r in behind.rows("files") if (r["shelf"], r["name"]) == ("bob", "bobs.txt")]
    assert not file.get("grantees")
    reached = rich.bob.get("/shares", file_name="bobs.txt").json()
    assert [each["username"] for each in reached] == []


def test_its_files_are_in_the_trash_until_they_fall_due(
    rich: World, behind: Behind, clock: Clock
) -> None:
    """And their bytes with them."""
    close(rich.root)
    trashed = [row for row in behind.rows("files") if row["shelf"] == "alice/trash"]
    assert len(trashed) == 61
    assert sum(key.startswith("alice/") for key in behind.objects()) >= 61
    clock.time += 31 * 86_400
    sweep()
    assert not [row for row in behind.rows("files") if row["shelf"] == "alice/trash"]
    assert not [key for key in behind.objects() if key.startswith("alice/")]


def test_a_namesake_gets_nothing_of_it(rich: World) -> None:
    """Neither files nor rights, nor what others gave."""
    tokens = rich.ids["token"], rich.ids["asked"]
    close(rich.root)
    alice = join("alice")
    assert alice.names() == []
    for path in ("/groups", "/links", "/requests", "/uploads", "/shares?with_me=true"):
        where, _, query = path.partition("?")
        answer = alice.send("GET", where, query=query or None)
        assert answer.json() == [], path
    assert alice.read("bobs.txt", username="bob").slug == "no-such-file"
    alice.put("a.txt", b"of another Alice")
    assert rich.bob.read("a.txt", username="alice").slug == "no-such-file"
    assert rich.alice.get("/me").slug == "not-signed-in"
    assert Client().get(f"/s/{tokens[0]}").status == 404
    assert Client().get(f"/r/{tokens[1]}").status == 404
    assert alice.send("PUT", "/groups/team").status == 201
    assert make(alice, "a.txt", alias="summer").open().status == 200


@pytest.mark.odd_rows
def test_rows_of_earlier_namesakes_hide_nothing(
    rich: World, behind: Behind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages of links, of requests and of files that are another's by their ids come before hers."""
    for module in (closing, closing):
        monkeypatch.setattr(module, "AT_ONCE", 2)
    (link,) = [r for r in behind.rows("shares") if r["grantee"] == "links:alice"][:1]
    file = behind.row("files", shelf="alice", name="a.txt")
    for number in range(5):
        line = {"file": f"9999-{number}", "owner_id": "x"}  # the newest link is listed first
        behind.put("shares", link | line)
        behind.put("shares", {"grantee": "requests:alice", "file": f"0000/{number}"})
        behind.put("files", file | {"name": f"0/{number}", "owner_id": "x"})
    was = str(behind.row("users", username="alice")["id"])
    assert close(rich.root).status == 204
    left = {each for each in left_of(behind, was) if not each.startswith("~")}
    assert not [
        r for r in behind.rows("files") if (r["shelf"], r.get("owner_id")) == ("alice", was)
    ]
    assert not [each for each in left if each.startswith(("request:", "link"))]


@pytest.mark.odd_rows
def test_a_folder_that_many_have_is_cleared_in_steps(
    world: World, behind: Behind, ground: Ground, clock: Clock
) -> None:
    """No step takes longer than a request may; a collision with another is no end."""
    many = frozenset(f"user:u{number}" for number in range(1000))
    for number in range(4):
        key = folder_key("alice", f"f{number}/")
        row = {"shelf": key.partition, "name": str(key.sort), "grantees": many}
        behind.put("files", row)
    rapid = slow(ground, clock, 1)
    begun, answer = clock.time, close(world.root)
    assert (answer.status, answer.json()["left"]) == (202, ["folders"])
    assert clock.time - begun < 28
    rapid()
    met: list[Call] = []

    def before(call: Call) -> Any:
        if call.operation == "TransactWriteItems" and not met:
            met.append(call)
            return collide(call)
        return None

    ground.before = before
    assert close(world.root).status == 204
    assert met
    assert not [row for row in behind.rows("files") if row["shelf"] == "alice/folders"]


def slow(ground: Ground, clock: Clock, seconds: float) -> Callable[[], None]:
    """Has each commit take so long; and how to end that."""

    def before(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            clock.time += seconds

    ground.before = before
    return lambda: setattr(ground, "before", lambda _: None)


def test_what_takes_long_is_gone_on_with(
    rich: World, ground: Ground, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is shut from the first request on; the name stays taken until it is over."""
    for module in (closing, closing):
        monkeypatch.setattr(module, "AT_ONCE", 2)
    rapid = slow(ground, clock, 3)
    said = []
    while (answer := close(rich.root)).status == 202:
        assert answer.json()["username"] == "alice"
        said.append(answer.json()["left"])
        assert len(said) < 20
        shut(rich)
        taken = Client().post("/register", username="alice", password=PASSWORD)
        assert taken.slug == "username-taken"
        change = rich.root.send("PATCH", "/users/alice", json_={"disabled": False})
        assert change.slug == "no-such-user"
    rapid()
    assert answer.status == 204
    assert len(said) > 2
    assert said[-1][-1] == "folders"
    assert said == sorted(said, key=len, reverse=True)
    assert join("alice").names() == []


def test_the_sweep_finishes_it(rich: World, ground: Ground, clock: Clock) -> None:
    """However far the request came."""
    rapid = slow(ground, clock, 100)
    assert close(rich.root).status == 202
    rapid()
    assert sweep()["closed"] == 1
    assert sweep()["closed"] == 0
    assert close(rich.root).slug == "no-such-user"
    shut(rich)
    assert join("alice").names() == []


@pytest.mark.parametrize("breaks", ["closing", "reading", "sweeping"])
def test_one_that_fails_keeps_no_other(
    world: World,
    ground: Ground,
    clock: Clock,
    capsys: pytest.CaptureFixture[str],
    breaks: str,
) -> None:
    """Neither another account nor two uploads that expired; the error comes after the counts."""
    rapid = slow(ground, clock, 100)
    assert [close(world.root, name).status for name in ("alice", "carol")] == [202, 202]
    rapid()
    clock.time += 8 * 86_400
    capsys.readouterr()
    ground.before = broken(breaks)
    with pytest.raises(Unavailable, match=r"^1 could not be removed"):
        sweep()
    rapid()
    told = capsys.readouterr().out
    counts = next(json.loads(line) for line in told.splitlines() if "CloudWatchMetrics" in line)
    swept, closed = (0, 2) if breaks == "sweeping" else (2, 1)
    assert (counts["swept"], counts["closed"], counts["failed"]) == ([swept], [closed], [1])
    assert sweep() == {"swept": 2 - swept, "closed": 2 - closed, "failed": 0}


def broken(what: str) -> Callable[[Call], Any]:
    """Has fail what is about Alice, or the first look at what has expired."""
    operation, words = {
        "closing": ("Query", '"links:alice"'),
        "reading": ("BatchGetItem", '"username": {"S": "alice"}'),
        "sweeping": ("Query", "~due/"),
    }[what]

    def before(call: Call) -> Any:
        hit = call.operation == operation and words in sent_body(call).decode()
        return failure(call, 500, "InternalServerError") if hit else None

    return before


def test_an_administrator_remains(world: World, behind: Behind) -> None:
    """Nobody closes their own account here, nor anybody the configured administrator's."""
    world.root.send("PATCH", "/users/bob", json_={"role": "admin"})
    before = behind.state()
    for who, whom in ((world.bob, "bob"), (world.bob, "root"), (world.root, "root")):
        answer = close(who, whom)
        assert (answer.status, answer.slug) == (409, "protected-account")
    assert behind.state() == before


@pytest.mark.slow
@pytest.mark.parametrize("namesake", [True, False])
def test_who_is_overtaken_leaves_a_namesake_alone(ground: Ground, namesake: bool) -> None:
    """At any call after the mark somebody else may finish it, and the name be another's."""
    root, bob, alice = join("root"), join("bob"), join("alice")
    bob.put("bobs.txt", b"of bob")
    given(bob)
    alice.send("PUT", "/groups/hers")
    alice.put("a.txt")
    make(alice, "a.txt")
    restore, at = ground.snapshot(), 0
    while True:
        restore()
        others = overtaken(ground, root, at, lambda: renewed(root, bob, namesake=namesake))
        if not others:
            break
        at += 1
        for other in filter(None, others):
            groups = other.get("/groups").json()
            assert {each["group"] for each in groups} == {"hers", "team"}, at
            assert other.read("bobs.txt", username="bob").content == b"of bob", at
            assert other.names() == ["alice/a.txt", "bob/bobs.txt"], at
    assert at > 10


def given(bob: Client) -> None:
    """Bob has Alice in his group, and in his file."""
    for path in ("team", "team/members/alice"):
        assert bob.send("PUT", f"/groups/{path}").status in {200, 201}
    assert bob.post("/share", file_name="bobs.txt", username="alice").status == 201


def renewed(root: Client, bob: Client, *, namesake: bool) -> Client | None:
    """It is closed, and then there is another of the name, who has the like."""
    assert close(root).status == 204
    if not namesake:
        return None
    alice = join("alice")
    given(bob)
    assert alice.send("PUT", "/groups/hers").status == 201
    assert alice.put("a.txt").status == 201
    return alice


def overtaken(ground: Ground, root: Client, at: int, act: Callable[[], Any]) -> list[Any]:
    """Closes Alice, and has somebody act before that call after the mark; what they got."""
    made, met = -1, []

    def before(call: Call) -> None:
        nonlocal made
        made += made >= 0
        if made == at + 1:
            ground.before = lambda _: None
            with elsewhere():
                met.append(act())
        made = max(made, 0) if call.operation == "TransactWriteItems" else made

    ground.before = before
    assert close(root).status == 204
    ground.before = lambda _: None
    return met


@pytest.mark.odd_rows
def test_what_another_of_the_name_was_given_does_not_stop_it(
    world: World, behind: Behind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages of it before what the account was given; it stays, and the rest goes."""
    monkeypatch.setattr(closing, "AT_ONCE", 2)
    for number in range(5):
        world.bob.put(f"{number}.txt")
        world.bob.post("/share", file_name=f"{number}.txt", username="alice")
    for number in range(4):
        key = {"grantee": "user:alice", "file": f"bob/{number}.txt"}
        behind.change("shares", key, grantee_id="another")
    assert close(world.root).status == 204
    left = [row["file"] for row in behind.rows("shares") if row["grantee"] == "user:alice"]
    assert sorted(map(str, left)) == [f"bob/{number}.txt" for number in range(4)]


class Cut(BaseException):
    """The process is gone."""


@pytest.mark.slow
@pytest.mark.parametrize("effect", [False, True], ids=["before", "after"])
def test_it_can_be_cut_anywhere(world: World, ground: Ground, effect: bool) -> None:
    """At each of its calls: nothing has happened, or it is shut; done again, it ends the same."""
    world.bob.put("bobs.txt", b"of bob")
    world.bob.post("/share", file_name="bobs.txt", username="alice")
    restore, at, ends = ground.snapshot(), 0, set()
    while True:
        restore()
        made, at = 0, at + 1

        def cut(call: Call, answer: Any = None) -> Any:
            nonlocal made
            made += 1
            if made == at:  # noqa: B023 - used at once
                raise Cut
            return answer

        ground.before, ground.after = (lambda _: None, cut) if effect else (cut, ground.after)
        try:
            answer = close(world.root)
        except Cut:
            answer = None
        ground.before, ground.after = lambda _: None, lambda _, answer: answer
        if answer is not None and made < at:
            break
        if world.alice.get("/me").status == 401:
            shut(world)
        again = close(world.root)
        assert again.status in {204, 404}
        names = {row["username"] for row in ground.rows(world_users(ground))}
        ends.add((frozenset(names), len(world.bob.names())))
    assert at > 12
    assert len(ends) == 1


def world_users(ground: Ground) -> str:
    return str(ground.deployed.environment["SATCHEL_USERS"])
