"""Deletion of accounts: disabled at once, deleted in steps, and no data left to a namesake."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from function import app
from function.accounts import closing
from function.contract import SWEEP_EVENT
from function.core.errors import Unavailable
from function.tables.folders import folder_key
from tests.conftest import Behind, Clock
from tests.crashes.world import other_process
from tests.support.client import CONTEXT, PASSWORD, Answer, Client, join
from tests.support.fake_aws import Call, FakeAws, failure, sent_body
from tests.support.links import make
from tests.support.side_by_side import collide
from tests.support.world import World


def delete(who: Client, username: str = "alice") -> Answer:
    """Deletes an account."""
    return who.delete(f"/users/{username}")


@pytest.fixture
def rich(world: World, fake_aws: FakeAws, once: dict[str, Any]) -> World:
    """Alice has data of every kind, given and got; made once in a process."""
    if "rich" not in once:
        _enrich(world)
        once["rich"] = fake_aws.snapshot()
    once["rich"]()
    return world


def _enrich(world: World) -> None:
    """Gives Alice data of every kind."""
    for number in range(60):
        world.alice.put(f"many/{number:02}", b"x")
    make(world.alice, "a.txt", "many/", alias="summer", password="knock twice")
    world.alice.post("/share", file_name="many/", group="team")
    world.alice.post("/share", file_name="many/", username="bob")
    world.bob.put("bobs.txt", b"of bob")
    world.bob.post("/share", file_name="bobs.txt", username="alice", permission="write")
    world.bob.send("PUT", "/groups/bobs")
    world.bob.send("PUT", "/groups/bobs/members/alice")
    world.alice.send("PUT", "/groups/bobs/members/alice")


def sweep() -> dict[str, Any]:
    answer: dict[str, Any] = app.lambda_handler(dict(SWEEP_EVENT), CONTEXT)
    return answer


def assert_disabled(world: World) -> None:
    """Alice's sessions, password, links, file requests and shares do not work."""
    assert world.alice.get("/me").slug == "not-signed-in"
    login = Client().post("/login", username="alice", password=PASSWORD)
    assert login.slug == "wrong-credentials"
    for path in (f"/s/{world.ids.link_token}", "/s/summer", f"/r/{world.ids.request_token}"):
        assert Client().get(path).status == 404, path
    for who in (world.bob, world.carol):
        assert who.read("a.txt", username="alice").slug == "no-such-file"
        assert not [key for key in who.names() if key.startswith("alice/")]


def rows_of(behind: Behind, account_id: str) -> set[str]:
    """The partitions of rows that contain an account's id."""
    rows = [row for noun in ("users", "sessions", "shares", "files") for row in behind.rows(noun)]
    named = [row for row in rows if account_id in map(str, row.values())]
    return {str(row.get("partition", row.get("grantee", row.get("username")))) for row in named}


def test_an_account_is_deleted(rich: World, behind: Behind) -> None:
    """With all its data; what others own stays."""
    was = str(behind.row("users", username="alice")["id"])
    answer = delete(rich.root)
    assert (answer.status, answer.content) == (204, b"")
    assert_disabled(rich)
    assert [user["username"] for user in rich.root.get("/users").json()].count("alice") == 0
    assert (delete(rich.root).status, delete(rich.root).slug) == (404, "no-such-user")
    # Her sessions, and what is kept for its time.
    kept = {"alice"} | {
        f"alice/{each}"
        for each in ("trash", "changes", "uploads", "reservations", "jobs", "logins")
    }
    left = rows_of(behind, was)
    assert {each for each in left if not each.startswith("~")} <= kept
    assert {each.partition("/")[2] for each in left if not each.startswith("~expiry/")} >= {"trash"}
    partitions = {row["partition"] for row in behind.rows("files")}
    assert not partitions & {"alice", "alice/folders", "alice/terms"}
    assert rich.bob.names() == ["bob/bobs.txt"]
    assert rich.carol.get("/groups").json() == []
    members = rich.bob.get("/groups/bobs").json()["members"]
    assert [each["username"] for each in members] == ["bob"]
    (file,) = [
        r for r in behind.rows("files") if (r["partition"], r["name"]) == ("bob", "bobs.txt")
    ]
    assert not file.get("grantees")
    reached = rich.bob.get("/shares", file_name="bobs.txt").json()
    assert [each["username"] for each in reached] == []


def test_its_files_stay_in_the_trash_until_they_expire(
    rich: World, behind: Behind, clock: Clock
) -> None:
    """And their objects as well."""
    delete(rich.root)
    trashed = [row for row in behind.rows("files") if row["partition"] == "alice/trash"]
    assert len(trashed) == 61
    assert sum(key.startswith("alice/") for key in behind.objects()) >= 61
    clock.time += 31 * 86_400
    sweep()
    assert not [row for row in behind.rows("files") if row["partition"] == "alice/trash"]
    assert not [key for key in behind.objects() if key.startswith("alice/")]


def test_a_namesake_gets_nothing(rich: World) -> None:
    """Neither files nor rights, nor what others gave."""
    tokens = rich.ids.link_token, rich.ids.request_token
    delete(rich.root)
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
    assert alice.send("PUT", "/groups/team").slug == "group-taken"  # reserved for a year
    assert alice.post("/links", items=["a.txt"], alias="summer").slug == "alias-taken"
    assert make(alice, "a.txt", alias="winter").open().status == 200


@pytest.mark.odd_rows
def test_rows_of_earlier_namesakes_hide_nothing(
    rich: World, behind: Behind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole pages of rows with other owner ids come before the account's own."""
    monkeypatch.setattr(closing, "PAGE", 2)
    (link,) = [r for r in behind.rows("shares") if r["grantee"] == "links:alice"][:1]
    file = behind.row("files", partition="alice", name="a.txt")
    for number in range(5):
        line = {"file": f"9999-{number}", "owner_id": "x"}  # the newest link is listed first
        behind.put("shares", link | line)
        behind.put("shares", {"grantee": "requests:alice", "file": f"0000/{number}"})
        behind.put("files", file | {"name": f"0/{number}", "owner_id": "x"})
    was = str(behind.row("users", username="alice")["id"])
    assert delete(rich.root).status == 204
    left = {each for each in rows_of(behind, was) if not each.startswith("~")}
    assert not [
        r for r in behind.rows("files") if (r["partition"], r.get("owner_id")) == ("alice", was)
    ]
    assert not [each for each in left if each.startswith(("request:", "link"))]


@pytest.mark.odd_rows
def test_a_folder_with_many_grantees_is_deleted_in_steps(
    world: World, behind: Behind, fake_aws: FakeAws, clock: Clock
) -> None:
    """No step exceeds the time of a request, and a collision ends nothing."""
    many = frozenset(f"user:u{number}" for number in range(1000))
    for number in range(4):
        key = folder_key("alice", f"f{number}/")
        row = {"partition": key.partition, "name": str(key.sort), "grantees": many}
        behind.put("files", row)
    rapid = slow_commits(fake_aws, clock, 1)
    begun, answer = clock.time, delete(world.root)
    assert (answer.status, answer.json()["left"]) == (202, ["folders"])
    assert clock.time - begun < 28
    rapid()
    met: list[Call] = []

    def before(call: Call) -> Any:
        if call.operation == "TransactWriteItems" and not met:
            met.append(call)
            return collide(call)
        return None

    fake_aws.before = before
    assert delete(world.root).status == 204
    assert met
    assert not [row for row in behind.rows("files") if row["partition"] == "alice/folders"]


def slow_commits(fake_aws: FakeAws, clock: Clock, seconds: float) -> Callable[[], None]:
    """Lets each commit take `seconds`; returns a function that ends it."""

    def before(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            clock.time += seconds

    fake_aws.before = before
    return lambda: setattr(fake_aws, "before", lambda _: None)


def test_a_long_deletion_goes_on_with_each_request(
    rich: World, fake_aws: FakeAws, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account is disabled from the first on, and its name stays taken until the last."""
    monkeypatch.setattr(closing, "PAGE", 2)
    rapid = slow_commits(fake_aws, clock, 3)
    said = []
    while (answer := delete(rich.root)).status == 202:
        assert answer.json()["username"] == "alice"
        said.append(answer.json()["left"])
        assert len(said) < 20
        assert_disabled(rich)
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


def test_the_sweep_finishes_a_deletion(rich: World, fake_aws: FakeAws, clock: Clock) -> None:
    """However far the request came."""
    rapid = slow_commits(fake_aws, clock, 100)
    assert delete(rich.root).status == 202
    rapid()
    assert sweep()["accounts_deleted"] == 1
    assert sweep()["accounts_deleted"] == 0
    assert delete(rich.root).slug == "no-such-user"
    assert_disabled(rich)
    assert join("alice").names() == []


@pytest.mark.parametrize("breaks", ["closing", "reading", "sweeping"])
def test_a_failed_deletion_stops_no_other(
    world: World,
    fake_aws: FakeAws,
    clock: Clock,
    capsys: pytest.CaptureFixture[str],
    breaks: str,
) -> None:
    """Neither of another account nor of expired uploads; the error comes after the counts."""
    rapid = slow_commits(fake_aws, clock, 100)
    assert [delete(world.root, name).status for name in ("alice", "carol")] == [202, 202]
    rapid()
    clock.time += 8 * 86_400
    capsys.readouterr()
    fake_aws.before = failing(breaks)
    with pytest.raises(Unavailable, match=r"failed to finish \d of its tasks"):
        sweep()
    rapid()
    told = capsys.readouterr().out
    counts = next(json.loads(line) for line in told.splitlines() if "CloudWatchMetrics" in line)
    expired, deleted = (0, 2) if breaks == "sweeping" else (2, 1)
    names = ("expired", "accounts_deleted", "failed")
    failed = counts["failed"] if breaks == "reading" else [1]  # that fails her uploads as well
    assert [counts.get(name, [0]) for name in names] == [[expired], [deleted], failed]
    counts = sweep()
    assert [counts[name] for name in names] == [2 - expired, 2 - deleted, 0]


def failing(what: str) -> Callable[[Call], Any]:
    """Fails a call for Alice, or the first read of expired rows."""
    operation, words = {
        "closing": ("Query", '"links:alice"'),
        "reading": ("BatchGetItem", '"username": {"S": "alice"}'),
        "sweeping": ("Query", "~expiry/"),
    }[what]

    def before(call: Call) -> Any:
        hit = call.operation == operation and words in sent_body(call).decode()
        return failure(call, 500, "InternalServerError") if hit else None

    return before


def test_an_administrator_remains(world: World, behind: Behind) -> None:
    """Nobody deletes their own account here, nor the configured administrator's."""
    world.root.send("PATCH", "/users/bob", json_={"role": "admin"})
    before = behind.state()
    for who, whom in ((world.bob, "bob"), (world.bob, "root"), (world.root, "root")):
        answer = delete(who, whom)
        assert (answer.status, answer.slug) == (409, "protected-account")
    assert behind.state() == before


@pytest.mark.slow
@pytest.mark.parametrize("namesake", [True, False])
def test_an_overtaken_deletion_leaves_a_namesake_alone(fake_aws: FakeAws, namesake: bool) -> None:
    """At any call another process can finish it, and another owner register the name."""
    root, bob, alice = join("root"), join("bob"), join("alice")
    bob.put("bobs.txt", b"of bob")
    give(bob, alice)
    alice.send("PUT", "/groups/hers")
    alice.put("a.txt")
    make(alice, "a.txt")
    restore, at = fake_aws.snapshot(), 0
    while True:
        restore()
        others = overtake(
            fake_aws, root, at, lambda: delete_and_register(root, bob, namesake=namesake)
        )
        if not others:
            break
        at += 1
        for other in filter(None, others):
            groups = other.get("/groups").json()
            assert {each["group"] for each in groups} == {
                "hers-too" if namesake else "hers",
                "team",
            }, at
            assert other.read("bobs.txt", username="bob").content == b"of bob", at
            assert other.names() == ["alice/a.txt", "bob/bobs.txt"], at
    assert at > 10


def give(bob: Client, alice: Client) -> None:
    """Alice joins Bob's group, and he shares his file with her."""
    for who, path in ((bob, "team"), (bob, "team/members/alice"), (alice, "team/members/alice")):
        assert who.send("PUT", f"/groups/{path}").status in {200, 201}
    assert bob.post("/share", file_name="bobs.txt", username="alice").status == 201


def delete_and_register(root: Client, bob: Client, *, namesake: bool) -> Client | None:
    """Deletes Alice; a namesake with the same kinds of data follows."""
    assert delete(root).status == 204
    if not namesake:
        return None
    alice = join("alice")
    give(bob, alice)
    assert alice.send("PUT", "/groups/hers-too").status == 201
    assert alice.put("a.txt").status == 201
    return alice


def overtake(fake_aws: FakeAws, root: Client, at: int, act: Callable[[], Any]) -> list[Any]:
    """Deletes Alice, and acts before one call after the mark; returns the results."""
    made, met = -1, []

    def before(call: Call) -> None:
        nonlocal made
        made += made >= 0
        if made == at + 1:
            fake_aws.before = lambda _: None
            with other_process():
                met.append(act())
        made = max(made, 0) if call.operation == "TransactWriteItems" else made

    fake_aws.before = before
    assert delete(root).status == 204
    fake_aws.before = lambda _: None
    return met


@pytest.mark.odd_rows
def test_grants_of_a_namesake_do_not_stop_a_deletion(
    world: World, behind: Behind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole pages of them come before the account's own; they stay."""
    monkeypatch.setattr(closing, "PAGE", 2)
    for number in range(5):
        world.bob.put(f"{number}.txt")
        world.bob.post("/share", file_name=f"{number}.txt", username="alice")
    for number in range(4):
        key = {"grantee": "user:alice", "file": f"bob/{number}.txt"}
        behind.change("shares", key, grantee_id="another")
    assert delete(world.root).status == 204
    left = [row["file"] for row in behind.rows("shares") if row["grantee"] == "user:alice"]
    assert sorted(map(str, left)) == [f"bob/{number}.txt" for number in range(4)]


class Cut(BaseException):
    """The process is gone."""


@pytest.mark.slow
@pytest.mark.parametrize("effect", [False, True], ids=["before", "after"])
def test_a_deletion_can_be_interrupted_at_any_call(
    world: World, fake_aws: FakeAws, effect: bool
) -> None:
    """Nothing has happened, or the account is disabled; repeated, the end is the same."""
    world.bob.put("bobs.txt", b"of bob")
    world.bob.post("/share", file_name="bobs.txt", username="alice")
    restore, at, ends = fake_aws.snapshot(), 0, set()
    while True:
        restore()
        made, at = 0, at + 1

        def cut(call: Call, answer: Any = None) -> Any:
            nonlocal made
            made += 1
            if made == at:  # noqa: B023 - used at once
                raise Cut
            return answer

        fake_aws.before, fake_aws.after = (lambda _: None, cut) if effect else (cut, fake_aws.after)
        try:
            answer = delete(world.root)
        except Cut:
            answer = None
        fake_aws.before, fake_aws.after = lambda _: None, lambda _, answer: answer
        if answer is not None and made < at:
            break
        if world.alice.get("/me").status == 401:
            assert_disabled(world)
        again = delete(world.root)
        assert again.status in {204, 404}
        names = {row["username"] for row in fake_aws.rows(world_users(fake_aws))}
        ends.add((frozenset(names), len(world.bob.names())))
    assert at > 12
    assert len(ends) == 1


def world_users(fake_aws: FakeAws) -> str:
    return str(fake_aws.deployed.environment["SATCHEL_USERS"])
