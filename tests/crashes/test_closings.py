"""The deletion of an account, interleaved with each other request at each AWS call.

It is done in steps, so no sequence has the same outcome. No request is answered 500, and when the
deletion has been continued, all data of the account is gone.
"""

import copy
import itertools
import json
import re
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from function import base, contract
from tests.conftest import Clock
from tests.crashes.calls import Calls, Place, places_of
from tests.crashes.seen import renamed
from tests.crashes.world import counting, other_process
from tests.support.client import PASSWORD, Answer, Client, join
from tests.support.fake_aws import Call, FakeAws
from tests.support.invariants import assert_consistent
from tests.support.links import make
from tests.support.transfers import complete, put, start, sweep

RANDOM = re.compile(r"[0-9a-f]{32,64}|[\w-]{43}|\d{13}/[0-9a-f]{8}|\d{4}-\d\d-\d\dT[\d:.]+Z")
DAY = 24 * 3600
MOVE = {"file_name": "b.txt"}
# Partitions that are kept until they expire.
EXPIRING = {"alice/changes", "alice/jobs", "alice/logins"}  # which the table's TTL deletes
LASTING = ("trash", "versions", "changes", "uploads", "reservations", "jobs", "logins")
KEPT = {f"alice/{each}" for each in LASTING}


Act = Callable[["People"], Answer | int]


class People:
    """Alice, who has one of each thing; Bob, who shares with her; and the administrator."""

    def __init__(
        self, fake_aws: FakeAws, settings: contract.Settings, clock: Clock, session: boto3.Session
    ) -> None:
        self.fake_aws, self.settings, self.session = fake_aws, settings, session
        self.ids = itertools.count()
        self.run_by(clock)
        self.root, self.bob, self.alice = join("root"), join("bob"), join("alice")
        for name in ("a.txt", "b.txt"):
            assert self.alice.put(name).status == 201
        self.alice.put("a.txt", b"again")
        self.alice.put("gone.txt")
        self.alice.delete("/file", file_name="gone.txt")
        self.bob.put("bobs.txt")
        self.alice.post("/share", file_name="a.txt", username="bob")
        self.alice.post("/share", file_name="hers/", username="bob")
        self.bob.post("/share", file_name="bobs.txt", username="alice", permission="write")
        self.upload = start(self.alice, "sent.txt", 3)
        put(self.upload, b"abc")
        make(self.alice, "a.txt", alias="summer")
        self.asked = self.alice.post("/requests", title="t", folder="in/").json()
        for who, path in (
            (self.alice, "hers"),
            (self.alice, "hers/members/bob"),
            (self.bob, "hers/members/bob"),
            (self.bob, "bobs"),
            (self.bob, "bobs/members/alice"),
            (self.alice, "bobs/members/alice"),
            (self.bob, "later"),
        ):
            assert who.send("PUT", f"/groups/{path}").status in {200, 201}
        (account,) = (r for r in fake_aws.rows(settings.users) if r["username"] == "alice")
        self.id = account["id"]
        self.seen: set[str] = set()
        self.begin_here()

    def run_by(self, clock: Clock) -> None:
        """Starts the handler anew, with that clock and counted ids."""
        self.clock = clock
        base.use(
            base.Base(self.settings, self.session.client, counting(clock, lambda: next(self.ids)))
        )

    def begin_here(self) -> None:
        """Takes the present state as the beginning."""
        self._restore = self.fake_aws.snapshot()
        self._calls: dict[Act, Calls] = {}

    def begin(self) -> None:
        """Restores the beginning; new ids are ones that it has not used."""
        self._restore()
        self.ids = itertools.count(2000)

    def act_elsewhere(self, act: Act) -> Answer | int:
        """Acts in another process, with ids of its own."""
        ids, self.ids = self.ids, itertools.count(6000)
        with other_process():
            answer = act(self)
        self.ids = ids
        return answer

    def calls(self, act: Act) -> Calls:
        """The AWS calls of an act alone, from the beginning."""
        if act not in self._calls:
            made = self._calls[act] = Calls(self.settings)
            self.begin()
            self.fake_aws.after = made.note
            act(self)
            self.fake_aws.remove_hooks()
        return self._calls[act]

    def close(self) -> Answer:
        return self.root.delete("/users/alice")

    def state(self) -> str:
        """All rows and objects without ids, secrets and times."""
        tables = (self.settings.users, self.settings.shares, self.settings.files)
        rows = [row for table in tables for row in self.fake_aws.rows(table)]
        told = [json.dumps({**row, "password": ""}, default=str, sort_keys=True) for row in rows]
        return renamed([*told, *self.fake_aws.objects(self.settings.bucket)], RANDOM)

    def left(self) -> set[str]:
        """The partitions and grantees of rows that have the id of her account."""
        tables = (self.settings.users, self.settings.shares, self.settings.files)
        rows = [row for table in tables for row in self.fake_aws.rows(table)]
        # The name of a group that she deleted stays reserved for an account that has gone.
        named = [
            row
            for row in rows
            if self.id in map(str, row.values()) and row.get("file") != "~former"
        ]
        return {str(row.get("partition", row.get("grantee", row.get("username")))) for row in named}

    def assert_consistent(self) -> None:
        assert_consistent(
            self.fake_aws.rows(self.settings.files), self.fake_aws.rows(self.settings.users)
        )


ACTS: dict[str, Act] = {
    "DELETE /users/{username}": lambda p: p.close(),
    "sweep": lambda _: sweep(),
    "PUT /file, a new one": lambda p: p.alice.put("new.txt"),
    "PUT /file": lambda p: p.alice.put("a.txt", b"new"),
    "POST /uploads": lambda p: p.alice.post("/uploads", file_name="begun.txt", size=3),
    "POST /uploads/{upload_id}/complete": lambda p: complete(p.alice, p.upload),
    "DELETE /uploads/{upload_id}": lambda p: p.alice.delete(f"/uploads/{p.upload['upload_id']}"),
    "DELETE /file": lambda p: p.alice.delete("/file", file_name="a.txt"),
    "PUT /groups/{group}": lambda p: p.alice.send("PUT", "/groups/new"),
    "DELETE /groups/{group}": lambda p: p.alice.delete("/groups/hers"),
    "PUT /groups/{group}/members/{username}": lambda p: p.bob.send(
        "PUT", "/groups/later/members/alice"
    ),
    "DELETE /groups/{group}/members/{username}": lambda p: p.bob.delete("/groups/hers/members/bob"),
    "POST /links": lambda p: p.alice.post("/links", items=["b.txt"]),
    "POST /links, a folder": lambda p: p.alice.post("/links", items=["on/"]),
    "POST /requests": lambda p: p.alice.post("/requests", title="u", folder="on/"),
    "POST /share": lambda p: p.alice.post("/share", file_name="b.txt", username="bob"),
    "POST /share, a folder": lambda p: p.alice.post("/share", file_name="on/", username="bob"),
    "POST /share, her group": lambda p: p.alice.post("/share", file_name="b.txt", group="hers"),
    "POST /share of Bob, a folder": lambda p: p.bob.post(
        "/share", file_name="on/", username="alice"
    ),
    "POST /share of Bob": lambda p: p.bob.post("/share", file_name="bobs.txt", username="alice"),
    "PUT /file of Bob": lambda p: p.alice.put("bobs.txt", b"hers", username="bob"),
    "POST /restore, the trash": lambda p: p.alice.post("/restore", file_name="gone.txt"),
    "POST /restore": lambda p: p.alice.post("/restore", file_name="a.txt", version=1),
    "POST /copy": lambda p: p.alice.post("/copy", file_name="b.txt", new_name="c.txt"),
    "PATCH /file": lambda p: p.alice.send("PATCH", "/file", json_=MOVE | {"new_name": "on/c.txt"}),
    "POST /login": lambda _: Client().post("/login", username="alice", password=PASSWORD),
}
EACH = pytest.mark.parametrize("name", ACTS)


@pytest.fixture
def people(
    fake_aws: FakeAws,
    settings: contract.Settings,
    clock: Clock,
    _session: boto3.Session,
    once: dict[str, Any],
) -> People:
    """The people at the beginning, created once in a process and restored."""
    if "closings" not in once:
        once["closings"] = People(fake_aws, settings, clock, _session)
    people = copy.copy(once["closings"])
    people.run_by(clock)
    people.begin()
    return people


def interleave(people: People, first: Act, other: Act, at: int) -> tuple[list[Answer | int], int]:
    """The answers of both when `other` acts before that call of `first`.

    There is one answer if `first` makes no such call. The number is that of further calls before
    which the outcome is the same.
    """
    alone = people.calls(first)
    people.begin()
    made, met = -1, []
    touched: set[Place] = set()
    after = Calls(people.settings)

    def interrupt(call: Call) -> None:
        nonlocal made
        if made == at and not met:
            touched.update(places_of(call, people.settings))
            return
        made += 1
        if made == at:
            met.append(people.act_elsewhere(other))

    people.fake_aws.before = interrupt
    people.fake_aws.after = lambda call, answer: after.note(call, answer) if met else answer
    answer = first(people)
    people.fake_aws.remove_hooks()
    return [answer, *met], alone.skip(at).count_unaffected(after, touched)


def assert_settled(people: People, clock: Clock, said: list[Answer | int]) -> None:
    """Asserts that no answer was 5xx, and that her data is gone when the deletion is continued.

    Nothing of it is visible to the next account of her name. Each state is checked once.
    """
    for each in said:
        assert isinstance(each, int) or each.status < 500, each
    if (state := people.state()) in people.seen:
        return
    people.seen.add(state)
    people.assert_consistent()
    assert people.close().status in {204, 404}
    assert people.alice.get("/me").status == 401
    people.assert_consistent()
    left = {each for each in people.left() if not each.startswith("~")} - KEPT
    assert not left
    assert people.bob.names() == ["bob/bobs.txt"]
    assert [each["group"] for each in people.bob.get("/groups").json()] == ["bobs", "later"]
    alice = join("alice")
    assert alice.names() == []
    for path in ("/groups", "/links", "/requests", "/uploads", "/trash"):
        assert alice.get(path).json() == [], path
    assert alice.read("bobs.txt", username="bob").slug == "no-such-file"
    assert people.alice.get("/me").status == 401
    for days in (10, 31):  # what a sweep looks back on is thirty days
        clock.time += days * DAY
        sweep()
        clock.time -= days * DAY
    rows = people.fake_aws.rows(people.settings.files)
    kept = {row["partition"] for row in rows if "done" not in row}  # the table removes what is done
    assert {each for each in kept if each.startswith("alice/")} <= EXPIRING
    objects = people.fake_aws.objects(people.settings.bucket)
    assert not [key for key in objects if key.startswith("alice/")]


def interleave_everywhere(people: People, clock: Clock, first: Act, other: Act) -> int:
    """Interleaves at each call of `first`; the number of its calls."""
    at = 0
    while True:
        said, more = interleave(people, first, other, at)
        if len(said) == 1:
            return at
        try:
            assert_settled(people, clock, said)
        except AssertionError as error:
            raise AssertionError(f"at call {at}: {error}") from error
        at += 1 + more


@pytest.mark.slow
@EACH
def test_another_request_at_any_call_of_a_deletion(people: People, clock: Clock, name: str) -> None:
    """It succeeds before the account is marked as closing, and is refused after it."""
    assert interleave_everywhere(people, clock, ACTS["DELETE /users/{username}"], ACTS[name]) > 20


@pytest.mark.slow
@EACH
def test_a_deletion_at_any_call_of_another_request(people: People, clock: Clock, name: str) -> None:
    """The other request is refused, or the deletion removes its data."""
    assert interleave_everywhere(people, clock, ACTS[name], ACTS["DELETE /users/{username}"]) > 0


@pytest.mark.slow
@pytest.mark.parametrize("swept_first", [True, False])
def test_an_unfinished_deletion_and_the_sweep(
    people: People, clock: Clock, swept_first: bool
) -> None:
    """Continuing the deletion and sweeping delete the same rows: one of them gets each row."""
    people.fake_aws.before = slow_commits(clock)
    assert people.close().status == 202
    people.fake_aws.before = lambda _: None
    people.begin_here()
    acts: Any = ACTS["sweep"], ACTS["DELETE /users/{username}"]
    first, other = acts if swept_first else acts[::-1]
    assert interleave_everywhere(people, clock, first, other) > 10


@pytest.mark.parametrize(
    "name", ["PUT /file, a new one", "POST /share of Bob", "DELETE /groups/{group}"]
)
def test_a_run_that_is_left_out_has_the_same_outcome(people: People, name: str) -> None:
    """As the run that stands for it."""
    at, left_out = 0, 0
    while True:
        said, more = interleave(people, ACTS["DELETE /users/{username}"], ACTS[name], at)
        if len(said) == 1:
            break
        came = [each.status for each in said], people.state()
        for other in range(at + 1, at + 1 + more):
            said, _ = interleave(people, ACTS["DELETE /users/{username}"], ACTS[name], other)
            assert ([each.status for each in said], people.state()) == came
        at, left_out = at + 1 + more, left_out + more
    assert left_out > 0


def test_two_deletions_at_once(people: People, clock: Clock) -> None:
    """At the first calls, where neither has been committed."""
    for at in range(4):
        said, _ = interleave(
            people, ACTS["DELETE /users/{username}"], ACTS["DELETE /users/{username}"], at
        )
        assert len(said) == 2
        assert_settled(people, clock, said)


def slow_commits(clock: Clock) -> Callable[[Call], None]:
    """Lets each commit take all the time of the function."""

    def take_time(call: Call) -> None:
        clock.time += 20 * (call.operation == "TransactWriteItems")

    return take_time
