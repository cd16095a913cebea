"""Folder moves: all files below move with their grants, however often the move is interrupted."""

import random
from contextlib import suppress

import pytest

from function.contract import Settings
from function.moves import folder_job
from tests.conftest import Behind, Clock
from tests.crashes.meetings import act_before_commit
from tests.support.bulk_files import fill
from tests.support.client import Answer, Client
from tests.support.fake_aws import Call, FakeAws
from tests.support.invariants import assert_consistent
from tests.support.links import make
from tests.support.transfers import sweep
from tests.support.world import World

LATE = 3601


def move(client: Client, old: str, new: str, **fields: object) -> Answer:
    return client.send("PATCH", "/file", json_={"file_name": old, "new_name": new, **fields})


class ProcessDied(BaseException):
    """The process ended in the middle of a request."""


def test_a_small_folder_moves_in_one_commit(alice: Client, fake_aws: FakeAws) -> None:
    """All files below it move, no others do, and the old folder is gone."""
    for name in ("in/a.txt", "in/deep/b.txt", "inside.txt", "in.txt"):
        alice.put(name, name.encode())
    with fake_aws.counted() as calls:
        answer = move(alice, "in/", "out/sub/")
    assert calls.count("TransactWriteItems") == 1
    job = answer.json()
    assert (answer.status, job["state"], job["moved"]) == (200, "done", 2)
    assert alice.names() == [
        "alice/in.txt", "alice/inside.txt", "alice/out/sub/a.txt", "alice/out/sub/deep/b.txt",
    ]  # fmt: skip
    assert alice.read("out/sub/deep/b.txt").content == b"in/deep/b.txt"
    assert move(alice, "in/", "out/sub/").slug == "no-such-file"


def test_an_impossible_move_is_refused(alice: Client, bob: Client) -> None:
    """Every check comes before the first file moves."""
    alice.put("in/a.txt")
    alice.put("there/b.txt")
    assert move(alice, "in/", "there/").slug == "file-exists"
    assert move(alice, "in/", "in/").slug == "invalid-request"
    assert move(alice, "in/", "in/deeper/").slug == "invalid-request"
    assert move(alice, "in/", "in").slug == "invalid-name"
    assert move(alice, "in/a.txt", "in/").slug == "invalid-name"
    assert move(alice, "in/", "new/", description="x").slug == "invalid-request"
    assert move(alice, "in/", "new/", if_match="x").slug == "invalid-request"
    assert move(alice, "none/", "new/").slug == "no-such-file"
    long = "/".join(["x" * 250] * 3) + "/"
    alice.put("in/" + "y" * 200)
    assert move(alice, "in/", long).slug == "invalid-name"
    alice.post("/share", file_name="in/", username="bob", permission="write")
    assert move(bob, "in/", "mine/", username="alice").slug == "no-such-file"
    assert move(bob, "in/", "mine/").slug == "no-such-file"
    assert alice.names(prefix="in/") == ["alice/in/a.txt", "alice/in/" + "y" * 200]


def test_all_grants_move_with_the_folder(world: World) -> None:
    """Those of files, folders, links and file requests; none gives access at the old name."""
    alice, bob, carol, dave = world.alice, world.bob, world.carol, world.dave
    alice.put("in/deep/x.txt", b"x")
    alice.put("in/y.txt", b"y")
    alice.post("/share", file_name="in/deep/x.txt", username="bob", permission="write")
    alice.post("/share", file_name="in/", username="dave")
    alice.post("/share", file_name="in/deep/", group="team", permission="write")
    alice.post("/share", file_name="in/empty/", username="bob", permission="write")
    link = make(alice, "in/", "a.txt")
    request = alice.post("/requests", title="Slides", folder="in/deep/").json()
    assert move(alice, "in/", "out/").status == 200
    assert bob.put("out/deep/x.txt", b"by bob", username="alice").status == 200
    assert carol.put("out/deep/new.txt", b"by carol", username="alice").status == 201
    assert bob.put("out/empty/z.txt", b"by bob", username="alice").status == 201
    assert dave.read("out/y.txt", username="alice").content == b"y"
    assert dave.put("out/y.txt", username="alice").slug == "no-such-file"
    assert "out/y.txt" in link.names()
    assert alice.get(f"/requests/{request['id']}").json()["folder"] == "out/deep/"
    for name in ("in/y.txt", "in/deep/x.txt", "in/deep/new.txt", "in/empty/z.txt"):
        alice.put(name, b"new here")
        for client in (bob, carol, dave):
            assert client.read(name, username="alice").slug == "no-such-file"
    assert not [name for name in link.names() if name.startswith("in/")]
    assert alice.delete("/share", file_name="out/", username="dave").status == 204
    assert dave.read("out/y.txt", username="alice").slug == "no-such-file"
    assert alice.delete("/share", file_name="in/", username="dave").slug == "no-such-share"


def test_a_grant_at_the_new_name_keeps_its_permission(world: World) -> None:
    """Of two grants to one account the one that gives more remains."""
    alice, bob, carol = world.alice, world.bob, world.carol
    alice.put("in/x.txt")
    alice.post("/share", file_name="in/", username="bob", permission="write")
    alice.post("/share", file_name="out/", username="bob")
    alice.post("/share", file_name="in/", username="carol")
    alice.post("/share", file_name="out/", username="carol", permission="write")
    assert move(alice, "in/", "out/").status == 200
    for client in (bob, carol):
        assert client.put("out/x.txt", username="alice").status == 200


@pytest.mark.parametrize("change", ["share", "unshare", "put", "put in the way", "delete"])
def test_a_change_just_before_the_commit_is_respected(
    world: World, fake_aws: FakeAws, change: str
) -> None:
    """A share, a revocation, an upload or a deletion that came first has its effect."""
    alice, bob = world.alice, world.bob
    alice.put("in/x.txt", b"x")
    alice.post("/share", file_name="in/", username="dave")

    def act() -> None:
        if change == "share":
            alice.post("/share", file_name="in/", username="bob")
        elif change == "unshare":
            alice.delete("/share", file_name="in/", username="dave")
        elif change == "put":
            alice.put("in/new.txt", b"new")
        elif change == "put in the way":
            alice.put("out/x.txt", b"in the way")
        else:
            alice.delete("/file", file_name="in/x.txt")

    act_before_commit(fake_aws, act)
    answer = move(alice, "in/", "out/")
    if change == "put in the way":
        assert answer.slug == "file-exists"
    elif change == "delete":
        assert answer.slug == "no-such-file"
    else:
        assert answer.status == 200
        assert alice.names(prefix="in/") == []
        expected = {"share": (200, 200), "unshare": (404, 404), "put": (404, 200)}[change]
        statuses = [
            client.read("out/x.txt", username="alice").status for client in (bob, world.dave)
        ]
        assert tuple(statuses) == expected


@pytest.fixture
def one_commit_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request has time for one commit."""
    monkeypatch.setattr(folder_job, "WORK_SECONDS", 0)


@pytest.mark.usefixtures("one_commit_a_request")
def test_a_large_folder_moves_as_a_job(world: World, clock: Clock, settings: Settings) -> None:
    """Each request continues it. A file that moves to a name that is taken gets another name."""
    alice, dave = world.alice, world.dave
    fill(settings, "alice", [f"in/{number:03}.txt" for number in range(40)])
    alice.post("/share", file_name="in/", username="dave")
    first = move(alice, "in/", "out/")
    assert (first.status, first.json()["state"]) == (202, "running")
    job = first.json()["id"]
    assert move(alice, "in/", "elsewhere/").slug == "changed-meanwhile"
    for old, new in (("out/", "x/"), ("out/sub/", "x/"), ("x/", "out/sub/"), ("x/", "in/y/")):
        assert move(alice, old, new).slug == "changed-meanwhile", (old, new)
    assert alice.get(f"/jobs/{job}").json() == first.json()
    assert dave.get(f"/jobs/{job}").slug == "no-such-job"
    assert alice.delete("/share", file_name="out/", username="dave").status == 204
    assert alice.put("out/039.txt", b"in the way").status == 201
    answers = [first]
    while answers[-1].status == 202:
        answers.append(move(alice, "in/", "out/"))
    moved = [each.json()["moved"] for each in answers]
    assert moved == sorted(moved)
    assert moved[-1] == 40
    assert answers[-1].json()["state"] == "done"
    assert alice.get(f"/jobs/{job}").json() == answers[-1].json()
    names = alice.names(prefix="out/")
    assert len(names) == 41
    assert {"alice/out/039.txt", "alice/out/039 (1).txt"} <= set(names)
    assert alice.names(prefix="in/") == []
    assert dave.names() == []
    assert move(alice, "in/", "out/").json() == answers[-1].json()
    alice.put("in/again.txt")
    assert move(alice, "in/", "third/").json()["moved"] == 1
    clock.time += 1
    assert sweep() == 0


@pytest.mark.parametrize("has_time", [True, False])
def test_two_processes_may_continue_a_job(
    alice: Client,
    settings: Settings,
    fake_aws: FakeAws,
    monkeypatch: pytest.MonkeyPatch,
    has_time: bool,
) -> None:
    """Each file moves once, and both processes report the progress of the job."""
    fill(settings, "alice", [f"in/{number:03}.txt" for number in range(40)])
    with monkeypatch.context() as patch:
        patch.setattr(folder_job, "WORK_SECONDS", 0)
        assert move(alice, "in/", "out/").status == 202
        if not has_time:
            act_before_commit(fake_aws, lambda: move(alice, "in/", "out/"))
            answers = [move(alice, "in/", "out/")]
    if has_time:
        met = act_before_commit(fake_aws, lambda: move(alice, "in/", "out/"))
        answers = [move(alice, "in/", "out/"), *met]
    while answers[-1].status == 202:
        answers.append(move(alice, "in/", "out/"))
    assert (answers[-1].json()["state"], answers[-1].json()["moved"]) == ("done", 40)
    assert alice.names() == [f"alice/out/{number:03}.txt" for number in range(40)]


@pytest.mark.usefixtures("one_commit_a_request")
def test_the_sweep_finishes_a_job(
    alice: Client, bob: Client, clock: Clock, settings: Settings
) -> None:
    """No request needs to be repeated."""
    fill(settings, "alice", [f"in/{number:03}.txt" for number in range(30)])
    alice.post("/share", file_name="in/", username="bob")
    job = move(alice, "in/", "out/").json()["id"]
    clock.time += LATE
    sweep()
    assert alice.get(f"/jobs/{job}").json()["state"] == "done"
    assert len(alice.names(prefix="out/")) == 30
    assert len(bob.names(prefix="out/")) == 30
    assert sweep() == 0


@pytest.mark.usefixtures("one_commit_a_request")
def test_a_new_name_that_is_too_long_is_shortened(
    alice: Client, bob: Client, settings: Settings
) -> None:
    """A file uploaded during the job cannot stop it, and its new name gives nobody access to it."""
    new = "/".join(["x" * 250] * 3) + "/"
    deep = "/".join(["y" * 250] * 3) + "/"
    fill(settings, "alice", [f"in/{number:03}.txt" for number in range(40)])
    assert move(alice, "in/", new).status == 202
    late = {"in/" + "z" * 250 + ".md": b"long", f"in/{deep}a.md": b"deep", f"in/{deep}b.md": b"too"}
    for name, text in late.items():
        assert alice.put(name, text).status == 201
    alice.post("/share", file_name=f"in/{deep}b.md", username="bob")
    alice.post("/share", file_name=f"in/{deep}", username="bob")
    for _ in range(60):
        if (answer := move(alice, "in/", new)).status == 200:
            break
    assert (answer.json()["state"], answer.json()["moved"]) == ("done", 43)
    names = [name.removeprefix("alice/") for name in alice.names()]
    assert len(names) == 43
    assert all(name.startswith(new) and len(name.encode()) <= 900 for name in names)
    cut = [name for name in names if name.endswith(".md")]
    assert sorted(alice.read(name).content for name in cut) == [b"deep", b"long", b"too"]
    assert [
        bob.read(name.removeprefix("alice/"), username="alice").content for name in bob.names()
    ] == [b"too"]


def test_only_the_first_names_are_checked_before_a_move(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name among them that would be too long is refused; a later one is shortened."""
    monkeypatch.setattr(folder_job, "MAX_NAMES_CHECKED", 2)
    new = "/".join(["x" * 250] * 3) + "/"
    for name in ("in/a", "in/b", "in/" + "c" * 250):
        alice.put(name)
    assert move(alice, "in/", new).json()["moved"] == 3
    assert len(alice.names(prefix=new)) == 3
    for name in ("in/a", "in/" + "b" * 250):
        alice.put(name)
    assert move(alice, "in/", new[:-1] + "y/").slug == "invalid-name"
    assert len(alice.names(prefix="in/")) == 2


@pytest.mark.usefixtures("one_commit_a_request")
def test_a_job_waits_for_a_disabled_account(
    alice: Client, behind: Behind, clock: Clock, settings: Settings
) -> None:
    """The sweep moves nothing for it, and continues when the account is enabled again."""
    fill(settings, "alice", [f"in/{number:03}.txt" for number in range(30)])
    started = move(alice, "in/", "out/").json()
    behind.change("users", {"username": "alice"}, disabled=True)
    clock.time += LATE
    sweep()
    behind.change("users", {"username": "alice"}, disabled=False)
    assert alice.get(f"/jobs/{started['id']}").json() == started
    sweep()
    assert alice.get(f"/jobs/{started['id']}").json()["state"] == "done"
    assert len(alice.names(prefix="out/")) == 30


@pytest.mark.usefixtures("one_commit_a_request")
@pytest.mark.parametrize("change", [{"disabled": True, "deleting": True}, {"id": "another"}])
def test_the_sweep_drops_the_job_of_a_deleted_account(
    alice: Client, behind: Behind, clock: Clock, settings: Settings, change: dict[str, object]
) -> None:
    """The account is being deleted, or its name belongs to another one."""
    fill(settings, "alice", [f"in/{number:03}.txt" for number in range(30)])
    job = move(alice, "in/", "out/").json()["id"]
    account = behind.row("users", username="alice")
    behind.change("users", {"username": "alice"}, **change)
    clock.time += LATE
    sweep()
    assert not [row for row in behind.rows("files") if row["partition"] == "~jobs/running"]
    behind.put("users", account)
    assert alice.get(f"/jobs/{job}").json()["state"] == "running"


def share_with_many(alice: Client, behind: Behind, *names: str) -> None:
    """Shares each file or folder with sixty accounts."""
    for number in range(60):
        who = f"user{number:02}"
        behind.put("users", behind.row("users", username="bob") | {"username": who, "id": who})
        for name in names:
            alice.post("/share", file_name=name, username=who)


def test_a_file_with_many_grants_moves_in_commits_of_its_own(
    alice: Client, bob: Client, behind: Behind
) -> None:
    """Its grants do not fit one commit, and all move with it."""
    for name in ("in/a.txt", "in/b.txt", "in/c.txt"):
        alice.put(name, b"bytes")
    share_with_many(alice, behind, "in/b.txt", "in/")
    alice.post("/share", file_name="in/b.txt", username="bob")
    assert move(alice, "in/", "out/").json()["state"] == "done"
    assert bob.names() == ["alice/out/b.txt"]
    shares = [row["file"] for row in behind.rows("shares")]
    assert (shares.count("alice/out/b.txt"), shares.count("alice/out/")) == (61, 60)
    assert len(shares) == 121


@pytest.mark.parametrize("levels", [1, 17])
def test_a_folder_may_have_only_a_file_with_many_grants(
    alice: Client, bob: Client, behind: Behind, levels: int
) -> None:
    """A folder that counts its files, and one that is too deep to count them."""
    old, new = "in/" * levels, "out/" * levels
    alice.put(old + "b.txt", b"bytes")
    share_with_many(alice, behind, old + "b.txt")
    alice.post("/share", file_name=old + "b.txt", username="bob")
    job = move(alice, old, new).json()
    assert (job["state"], job["moved"]) == ("done", 1)
    assert alice.names() == bob.names() == [f"alice/{new}b.txt"]
    assert [row["file"] for row in behind.rows("shares")] == [f"alice/{new}b.txt"] * 61


def interrupt_ten_times(alice: Client, fake_aws: FakeAws, seed: int, expected_calls: int) -> int:
    """Repeats the request, whose process dies ten times; returns the number of requests."""
    chance, tries = random.Random(seed), 0
    for _ in range(10):
        left = chance.randrange(1, expected_calls // 10)
        late = chance.random() < 0.5

        def die(call: Call, answer: object = None) -> object:
            nonlocal left
            left -= 1
            if left == 0:
                raise ProcessDied
            return answer

        fake_aws.before, fake_aws.after = (lambda _: None, die) if late else (die, lambda _, a: a)
        with suppress(ProcessDied):
            tries += 1
            move(alice, "in/", "out/")
        fake_aws.before, fake_aws.after = lambda _: None, lambda _, answer: answer
    while move(alice, "in/", "out/").status == 202:
        tries += 1
    return tries


@pytest.mark.parametrize(
    ("files", "calls"), [(60, 30), pytest.param(5000, 3000, marks=pytest.mark.slow)]
)
def test_a_move_that_is_interrupted_ten_times_is_complete(
    alice: Client, bob: Client, fake_aws: FakeAws, settings: Settings, files: int, calls: int
) -> None:
    """Every file moves once, with its bytes and its grants, and all counts are right."""
    names = [f"in/{number // 100}/{number:04}" for number in range(files - 2)]
    rows = fill(settings, "alice", names)
    for name in ("in/bytes.txt", "in/0/more.txt"):
        alice.put(name, name.encode())
    alice.post("/share", file_name="in/0/", username="bob")
    alice.post("/share", file_name="in/bytes.txt", username="bob", permission="write")
    interrupt_ten_times(alice, fake_aws, 5, calls)
    live = {
        row["name"]: row["id"]
        for row in fake_aws.rows(settings.files)
        if row["partition"] == "alice"
    }
    assert len(live) == files
    assert {live["out/" + row.name.removeprefix("in/")] for row in rows} == {row.id for row in rows}
    assert not [name for name in live if not name.startswith("out/")]
    assert alice.read("out/0/more.txt").content == b"in/0/more.txt"
    assert bob.put("out/bytes.txt", username="alice").status == 200
    assert bob.read("out/0/more.txt", username="alice").content == b"in/0/more.txt"
    granted = {(row["grantee"], row["file"]) for row in fake_aws.rows(settings.shares)}
    assert granted == {("user:bob", "alice/out/0/"), ("user:bob", "alice/out/bytes.txt")}
    assert_consistent(fake_aws.rows(settings.files), fake_aws.rows(settings.users))
