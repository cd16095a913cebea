"""Uploads side by side: their transactions overlap, and none of them fails for that."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bench.contention import (
    BEGINNING,
    REQUESTS,
    Send,
    put_into_folders,
    put_into_no_folder,
    put_into_one_folder,
    simulate,
)
from function import base, contract
from function.core.runtime import system_runtime
from function.tables.folders import fold_count, folder_key
from tests.conftest import Behind, Clock
from tests.crashes.meetings import act_before_commit
from tests.support.client import PASSWORD, Answer, Client
from tests.support.fake_aws import Call, FakeAws, session
from tests.support.invariants import assert_consistent
from tests.support.side_by_side import SideBySide, collide, other_process, spread

CLIENTS = 50
SCENARIOS = (put_into_one_folder, put_into_folders, put_into_no_folder)


FLAGS = "true", "false"


def shards(behind: Behind, kind: str) -> list[Any]:
    """The rows of shards of a kind."""
    return [row for row in behind.rows("files") if row["partition"] == f"alice/{kind}"]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_uploads_of_different_names_succeed(
    fake_aws: FakeAws,
    settings: contract.Settings,
    rewire: Callable[..., None],
    scenario: Callable[[Client], Send],
) -> None:
    """Of fifty clients, as `curl -Z` has; afterwards all is counted."""
    settings = replace(settings, quota=0, files_quota=0)
    met = simulate(fake_aws, settings, CLIENTS, scenario)
    assert met.statuses == {201: CLIENTS * REQUESTS}
    assert met.conflicts > 0
    rewire(settings)
    token = Client().post("/login", username="alice", password=PASSWORD).json()["token"]
    alice = Client(token)
    assert alice.get("/usage").json()[0]["files_used"] == CLIENTS * REQUESTS
    folders = alice.get("/files", folders="true").json()
    if scenario is not put_into_no_folder:
        assert [each["files"] for each in folders if "files" in each] == [CLIENTS * REQUESTS]


def test_a_quota_is_exact_side_by_side(fake_aws: FakeAws, settings: contract.Settings) -> None:
    """As many files as there is room for, and the others are told that there is no room."""
    room = CLIENTS * REQUESTS // 2
    met = simulate(fake_aws, replace(settings, files_quota=room), CLIENTS, put_into_one_folder)
    assert met.statuses[201] == room
    assert met.statuses[409] == 0
    assert met.statuses[503] <= CLIENTS * REQUESTS / 100


def test_conflicts_for_good_are_unavailable(
    alice: Client, fake_aws: FakeAws, settings: contract.Settings
) -> None:
    """With the time after which to try again; nothing has failed that the client could mend."""
    fake_aws.before = lambda call: collide(call) if call.operation[:8] == "Transact" else None
    answer = alice.put("a.txt")
    assert (answer.slug, answer.headers["retry-after"]) == ("unavailable", "2")
    fake_aws.remove_hooks()
    assert alice.names() == []
    assert fake_aws.objects(settings.bucket) == {}


def test_who_works_alone_has_no_shards(alice: Client, behind: Behind) -> None:
    """And nobody has before the second conflict: the first one only sets the set's name."""
    alice.put("in/a.txt")
    assert shards(behind, "usage") == shards(behind, "counts") == []
    assert "spread" not in behind.row("users", username="alice")


def test_usage_and_folders_count_what_is_in_shards(
    alice: Client, fake_aws: FakeAws, behind: Behind
) -> None:
    """In every list, in every order."""
    spread(alice, fake_aws, "a/1", "a/2", "a/3", "b/c/1", "b/c/2")
    alice.put("b/2")
    assert len(shards(behind, "usage")) >= 1
    assert len(shards(behind, "counts")) >= 2
    for path in ("/me", "/usage"):
        seen = alice.get(path).json()
        seen = seen[0] if isinstance(seen, list) else seen
        assert (seen["files_used"], seen["bytes_used"]) == (6, 6 * len(b"data"))
    for order in ("asc", "desc"):
        level = alice.get("/files", folders="true", order=order).json()
        assert {each["key"]: each["files"] for each in level} == {"alice/a/": 3, "alice/b/": 3}
    (only,) = alice.get("/files", folders="true", prefix="b/").json()[:1]
    assert (only["key"], only["files"]) == ("alice/b/c/", 2)


def test_a_folder_whose_files_are_gone_is_not_listed(alice: Client, fake_aws: FakeAws) -> None:
    """Whether its row or its shards counted them."""
    spread(alice, fake_aws, "a/1", "a/2")
    for name in ("a/1", "a/2"):
        alice.delete("/file", file_name=name)
    assert alice.get("/files", folders="true").json() == []


@pytest.fixture
def root(sign_up: Callable[[str, str], Client]) -> Client:
    return sign_up("root", "192.0.2.9")


@pytest.mark.parametrize(
    "change", [{"quota": 1000}, {"files_quota": 10}, {"disabled": True}, {"role": "client"}]
)
def test_a_change_folds_the_shards(
    alice: Client, root: Client, fake_aws: FakeAws, behind: Behind, change: dict[str, Any]
) -> None:
    """What a commit in progress must not miss; a commit into a closed shard is planned again."""
    spread(alice, fake_aws, "1", "2", "3")
    answer = root.send("PATCH", "/users/alice", json_=change)
    assert answer.status == 200
    assert (answer.json()["files_used"], answer.json()["bytes_used"]) == (3, 12)
    row = behind.row("users", username="alice")
    assert (row["files_used"], row["bytes_used"], row.get("spread")) == (3, 12, None)
    assert all(shard["closed"] and shard["expires_at"] for shard in shards(behind, "usage"))


@pytest.mark.parametrize(("quota", "status"), [(100, 201), (10, 507)])
def test_an_upload_does_not_miss_a_quota(
    alice: Client, root: Client, fake_aws: FakeAws, quota: int, status: int
) -> None:
    """Which is set between the conflict of its commit and the next try, that names a shard."""
    spread(alice, fake_aws, "1", "2")
    tries = 0

    def before(call: Call) -> Any:
        nonlocal tries
        tries += call.operation == "TransactWriteItems"
        if call.operation != "TransactWriteItems" or tries > 2:
            return None
        if tries == 1:
            return collide(call)
        fake_aws.remove_hooks()
        assert root.send("PATCH", "/users/alice", json_={"quota": quota}).status == 200
        return None

    fake_aws.before = before
    answer = alice.put("3")
    assert answer.status == status
    assert tries == 2
    assert alice.get("/me").json()["bytes_used"] == (12 if status == 201 else 8)


def test_an_account_with_shards_is_deleted_whole(
    alice: Client, root: Client, fake_aws: FakeAws, behind: Behind
) -> None:
    """Only closed shards stay, until their time has passed."""
    spread(alice, fake_aws, "a/1", "a/2", "3")
    assert root.delete("/users/alice").status == 204
    assert shards(behind, "counts") == []
    assert all(shard["closed"] for shard in shards(behind, "usage"))


def test_a_folder_with_shards_moves(alice: Client, fake_aws: FakeAws) -> None:
    """Its last batch requires that no file came meanwhile, which its row alone can tell."""
    spread(alice, fake_aws, "a/1", "a/2", "a/3")
    body = {"file_name": "a/", "new_name": "b/"}
    answer = alice.send("PATCH", "/file", json_=body)
    assert (answer.status, answer.json()["state"]) == (200, "done")
    level = alice.get("/files", folders="true").json()
    assert {each["key"]: each["files"] for each in level} == {"alice/b/": 3}


def test_a_folder_moves_with_the_files_that_come_meanwhile(
    alice: Client, fake_aws: FakeAws
) -> None:
    """Also where its row counts as many files as before, and a shard counts one more."""
    alice.put("a/1")

    def come_and_go() -> None:
        spread(alice, fake_aws, "a/2", "a/3")
        assert alice.delete("/file", file_name="a/2").status == 204

    met = act_before_commit(fake_aws, come_and_go)
    body = {"file_name": "a/", "new_name": "b/"}
    assert alice.send("PATCH", "/file", json_=body).json()["state"] == "done"
    assert met
    assert alice.names() == ["alice/b/1", "alice/b/3"]


def test_two_processes_fold_once(alice: Client, fake_aws: FakeAws, clock: Clock) -> None:
    """Both see the same count; the second one adds nothing to the row."""
    spread(alice, fake_aws, "a/1", "a/2", "a/3")
    db, key = base.current().db, folder_key("alice", "a/")
    row = db.read([key])[key]
    assert [fold_count(db, key, row, clock()) for _ in range(2)] == [3, 3]
    assert db.read([key])[key]["files"] == 3


@pytest.mark.parametrize("change", [{"quota": 10}, {"disabled": True}, None])
def test_a_change_between_any_two_calls(
    alice: Client,
    root: Client,
    fake_aws: FakeAws,
    settings: contract.Settings,
    change: dict[str, Any] | None,
) -> None:
    """Of an upload that counts in shards; None deletes the account."""
    spread(alice, fake_aws, "1", "2")
    restore, statuses = fake_aws.snapshot(), set[int]()
    for stop in range(9):
        restore()
        number, collided = -1, False

        def before(call: Call, stop: int = stop) -> Any:
            nonlocal number, collided
            number += 1
            if number == stop:
                fake_aws.before = lambda _: None
                with other_process():
                    if change is None:
                        root.delete("/users/alice")
                    else:
                        root.send("PATCH", "/users/alice", json_=change)
                fake_aws.before = before
            if call.operation == "TransactWriteItems" and not collided:
                collided = True
                return collide(call)
            return None

        fake_aws.before = before
        statuses.add(alice.put("3").status)
        fake_aws.remove_hooks()
        users = fake_aws.rows(settings.users)
        assert_consistent(fake_aws.rows(settings.files), users)
        assert not [row for row in users if "spread" in row] or number < stop
    assert statuses == ({201, 507} if change == {"quota": 10} else {201, 401})


@pytest.mark.parametrize("seed", range(3))
def test_anything_side_by_side_is_consistent(
    alice: Client, root: Client, fake_aws: FakeAws, settings: contract.Settings, seed: int
) -> None:
    """Uploads, deletions, renames, copies, a folder that moves, and quotas that come and go."""
    world = SideBySide(fake_aws, seed)
    runtime = replace(system_runtime(), now=lambda: BEGINNING + world.time, sleep=world.sleep)
    base.use(base.Base(settings, session().client, runtime))
    names = [f"{folder}{number}" for folder in ("a/", "a/b/", "") for number in range(3)]

    def act(number: int) -> Callable[[], list[int]]:
        chosen = random.Random(f"{seed} {number}")

        def one() -> int:
            name, new = chosen.choice(names), chosen.choice(names)
            acts: list[Callable[[], Answer]] = [
                lambda: alice.put(name, b"x" * chosen.randrange(9)),
                lambda: alice.delete("/file", file_name=name, permanent=chosen.choice(FLAGS)),
                lambda: alice.send("PATCH", "/file", json_={"file_name": name, "new_name": new}),
                lambda: alice.post("/copy", file_name=name, new_name=new),
                lambda: alice.post("/restore", file_name=name),
            ]
            return chosen.choice(acts)().status

        return lambda: [one() for _ in range(12)]

    def administer() -> list[int]:
        users = [{"quota": 40}, {"quota": None}] * 4
        return [root.send("PATCH", "/users/alice", json_=each).status for each in users]

    def move() -> list[int]:
        moves = [("a/", "c/"), ("c/", "a/")] * 3
        return [
            alice.send("PATCH", "/file", json_={"file_name": old, "new_name": new}).status
            for old, new in moves
        ]

    statuses = world.run([*map(act, range(12)), administer, move])
    assert not {500, 503} & {status for each in statuses for status in each}
    assert world.conflicts > 0
    assert_consistent(fake_aws.rows(settings.files), fake_aws.rows(settings.users))


def test_single_writes_meet_transactions_too(
    alice: Client, fake_aws: FakeAws, behind: Behind
) -> None:
    """In the simulation as in DynamoDB: they are refused while one is in progress on their row."""
    world = SideBySide(fake_aws)
    key = {"username": {"S": "alice"}}
    name = behind.settings.users

    def write() -> str:
        world.sleep(0.004)
        try:
            behind.db.delete_item(TableName=name, Key=key)
        except behind.db.exceptions.TransactionConflictException:
            return "conflict"
        return "done"

    def transact() -> str:
        each = {"TableName": name, "Key": key, "ConditionExpression": "attribute_exists(username)"}
        behind.db.transact_write_items(
            TransactItems=[{"ConditionCheck": each}], ClientRequestToken="1"
        )
        return "done"

    assert world.run([transact, write]) == ["done", "conflict"]
