"""An account that is being closed meets others at each call of AWS, and they meet its closing.

It is done in steps, so there is no one order to compare with: nobody is answered 500, and when it
has been gone on with, all is gone, whoever came between.
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
from tests.crashes.world import counting, elsewhere
from tests.support.client import PASSWORD, Answer, Client, join
from tests.support.fake_aws import Call, Ground
from tests.support.invariants import assert_consistent
from tests.support.links import make
from tests.support.transfers import complete, put, start, sweep

RANDOM = re.compile(r"[0-9a-f]{32,64}|[\w-]{43}|\d{13}/[0-9a-f]{8}|\d{4}-\d\d-\d\dT[\d:.]+Z")
DAY = 24 * 3600
MOVE = {"file_name": "b.txt"}
# What is left until its time is over: the trash, and who was where.
LASTING = ("trash", "versions", "changes", "uploads", "reservations", "jobs")
KEPT = {f"alice/{each}" for each in LASTING}


Act = Callable[["People"], Answer | int]


class People:
    """Alice, who has all sorts of things; Bob, with whom she has to do; and who closes."""

    def __init__(
        self, ground: Ground, settings: contract.Settings, clock: Clock, session: boto3.Session
    ) -> None:
        self.ground, self.settings, self.session = ground, settings, session
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
            (self.bob, "bobs"),
            (self.bob, "bobs/members/alice"),
            (self.bob, "later"),
        ):
            assert who.send("PUT", f"/groups/{path}").status == 201
        (account,) = (r for r in ground.rows(settings.users) if r["username"] == "alice")
        self.id = account["id"]
        self.seen: set[str] = set()
        self.begin_here()

    def run_by(self, clock: Clock) -> None:
        """Has the handler start anew, by that clock and with ids that are counted."""
        self.clock = clock
        base.use(
            base.Base(self.settings, self.session.client, counting(clock, lambda: next(self.ids)))
        )

    def begin_here(self) -> None:
        """What there is now is the beginning."""
        self._restore = self.ground.snapshot()
        self._calls: dict[Act, Calls] = {}

    def begin(self) -> None:
        """Back to the beginning, with ids that it has not used."""
        self._restore()
        self.ids = itertools.count(2000)

    def act_elsewhere(self, act: Act) -> Answer | int:
        """Somebody acts in another process, with ids of its own."""
        ids, self.ids = self.ids, itertools.count(6000)
        with elsewhere():
            answer = act(self)
        self.ids = ids
        return answer

    def calls(self, act: Act) -> Calls:
        """The calls that somebody makes where all begins, if nobody comes."""
        if act not in self._calls:
            made = self._calls[act] = Calls(self.settings)
            self.begin()
            self.ground.after = made.and_note
            act(self)
            self.ground.undisturbed()
        return self._calls[act]

    def close(self) -> Answer:
        return self.root.delete("/users/alice")

    def state(self) -> str:
        """All that is stored, whatever its ids, secrets and times are."""
        tables = (self.settings.users, self.settings.shares, self.settings.files)
        rows = [row for table in tables for row in self.ground.rows(table)]
        told = [json.dumps({**row, "password": ""}, default=str, sort_keys=True) for row in rows]
        return renamed([*told, *self.ground.objects(self.settings.bucket)], RANDOM)

    def left(self) -> set[str]:
        """The partitions and grantees of rows that name her by her id."""
        tables = (self.settings.users, self.settings.shares, self.settings.files)
        rows = [row for table in tables for row in self.ground.rows(table)]
        named = [row for row in rows if self.id in map(str, row.values())]
        return {str(row.get("partition", row.get("grantee", row.get("username")))) for row in named}

    def assert_consistent(self) -> None:
        assert_consistent(
            self.ground.rows(self.settings.files), self.ground.rows(self.settings.users)
        )


ACTS: dict[str, Act] = {
    "closes it too": lambda p: p.close(),
    "sweeps": lambda _: sweep(),
    "puts a file": lambda p: p.alice.put("new.txt"),
    "replaces a file": lambda p: p.alice.put("a.txt", b"new"),
    "begins an upload": lambda p: p.alice.post("/uploads", file_name="begun.txt", size=3),
    "completes an upload": lambda p: complete(p.alice, p.upload),
    "gives an upload up": lambda p: p.alice.delete(f"/uploads/{p.upload['upload_id']}"),
    "deletes a file": lambda p: p.alice.delete("/file", file_name="a.txt"),
    "founds a group": lambda p: p.alice.send("PUT", "/groups/new"),
    "ends her group": lambda p: p.alice.delete("/groups/hers"),
    "takes her in": lambda p: p.bob.send("PUT", "/groups/later/members/alice"),
    "leaves her group": lambda p: p.bob.delete("/groups/hers/members/bob"),
    "makes a link": lambda p: p.alice.post("/links", items=["b.txt"]),
    "links a folder": lambda p: p.alice.post("/links", items=["on/"]),
    "asks for files": lambda p: p.alice.post("/requests", title="u", folder="on/"),
    "shares with Bob": lambda p: p.alice.post("/share", file_name="b.txt", username="bob"),
    "shares a folder": lambda p: p.alice.post("/share", file_name="on/", username="bob"),
    "shares with her group": lambda p: p.alice.post("/share", file_name="b.txt", group="hers"),
    "shares a folder with her": lambda p: p.bob.post("/share", file_name="on/", username="alice"),
    "shares with her": lambda p: p.bob.post("/share", file_name="bobs.txt", username="alice"),
    "writes to Bob's": lambda p: p.alice.put("bobs.txt", b"hers", username="bob"),
    "takes from the trash": lambda p: p.alice.post("/restore", file_name="gone.txt"),
    "takes a version": lambda p: p.alice.post("/restore", file_name="a.txt", version=1),
    "copies": lambda p: p.alice.post("/copy", file_name="b.txt", new_name="c.txt"),
    "renames": lambda p: p.alice.send("PATCH", "/file", json_=MOVE | {"new_name": "on/c.txt"}),
    "signs in": lambda _: Client().post("/login", username="alice", password=PASSWORD),
}
EACH = pytest.mark.parametrize("name", ACTS)


_made: list[People] = []


@pytest.fixture
def people(
    ground: Ground, settings: contract.Settings, clock: Clock, _session: boto3.Session
) -> People:
    """They, as they begin: made once in a process, and brought back."""
    if not _made:
        _made.append(People(ground, settings, clock, _session))
    people = copy.copy(_made[0])
    people.run_by(clock)
    people.begin()
    return people


def meet(people: People, first: Act, other: Act, at: int) -> tuple[list[Answer | int], int]:
    """What both were answered, of whom the other acts before that call of the first one's.

    One answer alone when there is no such call. And how many calls more there are of which the
    other one may come before just as well.
    """
    people.begin()
    made, met = -1, []
    touched: set[Place] = set()
    after = Calls(people.settings)

    def before(call: Call) -> None:
        nonlocal made
        if made == at and not met:
            touched.update(places_of(call, people.settings))
            return
        made += 1
        if made == at:
            met.append(people.act_elsewhere(other))

    people.ground.before = before
    people.ground.after = lambda call, answer: after.and_note(call, answer) if met else answer
    answer = first(people)
    people.ground.undisturbed()
    return [answer, *met], people.calls(first).since(at).unaffected(after, touched)


def settled(people: People, clock: Clock, said: list[Answer | int]) -> None:
    """Nobody met a fault; when all has been gone on with, nothing of hers is left but its time.

    Nor does any of it open anything to whoever has her name next. What comes to the same as has
    been looked at is not looked at again.
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
    rows = people.ground.rows(people.settings.files)
    kept = {row["partition"] for row in rows if "done" not in row}  # the table removes what is done
    assert {each for each in kept if each.startswith("alice/")} <= {"alice/changes", "alice/jobs"}
    objects = people.ground.objects(people.settings.bucket)
    assert not [key for key in objects if key.startswith("alice/")]


def every_meeting(people: People, clock: Clock, first: Act, other: Act) -> int:
    """Has them meet at each call of the first; how many there were."""
    at = 0
    while True:
        said, more = meet(people, first, other, at)
        if len(said) == 1:
            return at
        try:
            settled(people, clock, said)
        except AssertionError as error:
            raise AssertionError(f"at call {at}: {error}") from error
        at += 1 + more


@pytest.mark.slow
@EACH
def test_somebody_at_any_call_of_a_closing(people: People, clock: Clock, name: str) -> None:
    """Before the mark they had their way, after it they have none."""
    assert every_meeting(people, clock, ACTS["closes it too"], ACTS[name]) > 20


@pytest.mark.slow
@EACH
def test_a_closing_at_any_call_of_somebodys(people: People, clock: Clock, name: str) -> None:
    """Whatever they have begun finds the account gone, or was in time to be cleared away."""
    assert every_meeting(people, clock, ACTS[name], ACTS["closes it too"]) > 0


@pytest.mark.slow
@pytest.mark.parametrize("swept_first", [True, False])
def test_a_closing_that_was_cut_short_meets_the_sweep(
    people: People, clock: Clock, swept_first: bool
) -> None:
    """Who goes on with it and who sweeps are at the same rows: one of each pair has them."""
    people.ground.before = late(clock)
    assert people.close().status == 202
    people.ground.before = lambda _: None
    people.begin_here()
    acts: Any = ACTS["sweeps"], ACTS["closes it too"]
    first, other = acts if swept_first else acts[::-1]
    assert every_meeting(people, clock, first, other) > 10


@pytest.mark.parametrize("name", ["puts a file", "shares with her", "ends her group"])
def test_a_meeting_that_is_left_out_comes_to_the_same(people: People, name: str) -> None:
    """As the one that stands for it."""
    at, left_out = 0, 0
    while True:
        said, more = meet(people, ACTS["closes it too"], ACTS[name], at)
        if len(said) == 1:
            break
        came = [each.status for each in said], people.state()
        for other in range(at + 1, at + 1 + more):
            said, _ = meet(people, ACTS["closes it too"], ACTS[name], other)
            assert ([each.status for each in said], people.state()) == came
        at, left_out = at + 1 + more, left_out + more
    assert left_out > 0


def test_two_who_close_it_at_once(people: People, clock: Clock) -> None:
    """At the first calls of either, where they are not yet after one another."""
    for at in range(4):
        said, _ = meet(people, ACTS["closes it too"], ACTS["closes it too"], at)
        assert len(said) == 2
        settled(people, clock, said)


def late(clock: Clock) -> Callable[[Call], None]:
    """Has a commit take all the time that there is."""

    def before(call: Call) -> None:
        clock.time += 20 * (call.operation == "TransactWriteItems")

    return before
