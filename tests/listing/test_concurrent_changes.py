"""Lists that others change meanwhile: nothing is listed twice, and nothing is left out."""

import os
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from function.listing import sorted_files
from tests.conftest import Clock
from tests.crashes.world import elsewhere
from tests.support.client import Client, join
from tests.support.fake_aws import Call, Ground

NAMES = [f"f{number} x.jpg" for number in range(7)]
EXAMPLES = int(os.environ.get("EXAMPLES", "20"))
HELD = 27  # seconds that a commit may be on its way
SORTED = [
    {"sort": sort, "order": order} for sort in ("modified", "size") for order in ("asc", "desc")
]
NAMED: list[dict[str, str]] = [
    {"scope": "own"}, {"order": "desc"}, {"q": "f", "scope": "own"},
    {"q": "x f", "order": "desc"}, {"type": "image", "scope": "own"},
]  # fmt: skip

Op = tuple[str, str, str, int, int]  # what, name, other name, size, seconds held back


@dataclass
class House:
    """Alice's files as plain sets: which file has a name, and which was always there."""

    alice: Client
    clock: Clock
    has: dict[str, int] = field(default_factory=dict)
    changed: dict[str, float] = field(default_factory=dict)
    made: int = 0
    stayed: set[int] = field(default_factory=set)
    held: set[str] = field(default_factory=set)

    def begin(self) -> None:
        """A list begins."""
        self.stayed, self.held = set(self.has.values()), set(self.has)

    def do(self, op: Op) -> None:
        """Something happens, and is seen up to so many seconds after the time that it has."""
        what, name, other, size, late = op
        self.clock.time += 0.002
        now = self.clock.time
        since = max(self.changed.get(name, now - 900), self.changed.get(other, now - 900))
        self.clock.time = max(now - late, since + 0.001)  # it has read what was last
        try:
            getattr(self, what)(name, other, size)
        finally:
            self.clock.time = now
        self.changed |= {name: now, other: now}

    def put(self, name: str, _: str, size: int) -> None:
        """A new file, or another content."""
        assert self.alice.put(name, bytes(size)).status in {200, 201}
        if name not in self.has:
            self.made += 1
            self.has[name] = self.made

    def delete(self, name: str, _: str, __: int) -> None:
        """A file goes."""
        if name in self.has:
            assert self.alice.delete("/file", file_name=name).status == 204
            self.stayed.discard(self.has.pop(name))
            self.held.discard(name)

    def rename(self, name: str, other: str, _: int) -> None:
        """A file gets another name."""
        if name in self.has and other not in self.has:
            body = {"file_name": name, "new_name": other}
            assert self.alice.send("PATCH", "/file", json_=body).status == 200
            self.has[other] = self.has.pop(name)
            self.held.discard(name)


def ops(most: int) -> st.SearchStrategy[list[Op]]:
    name = st.sampled_from(NAMES)
    what = st.sampled_from(["put", "put", "put", "delete", "rename", "rename"])
    return st.lists(
        st.tuples(what, name, name, st.integers(0, 3), st.integers(0, HELD)), max_size=most
    )


@dataclass
class During:
    """Something happens before one of the calls of a page."""

    ground: Ground
    house: House
    at: int
    ops: list[Op]

    def __enter__(self) -> None:
        self.ground.before = self.before

    def __exit__(self, *_: object) -> None:
        self.ground.before = lambda _: None

    def before(self, _: Call) -> None:
        self.at -= 1
        if self.at == -1:
            self.ground.before = lambda _: None
            with elsewhere():
                for op in self.ops:
                    self.house.do(op)


def drive(ground: Ground, clock: Clock, data: st.DataObject, query: dict[str, Any]) -> None:
    """Lists page by page, with changes before, between and within them."""
    alice = join("alice")
    house = House(alice, clock)
    for op in data.draw(ops(9), "before"):
        house.do(op)
        clock.time += data.draw(st.sampled_from([0, 1, 20]), "seconds")
    house.begin()
    listed: list[str] = []
    ids: list[int] = []
    cursor: dict[str, str] = {}
    for _ in range(40):
        calm = len(listed) > 20
        known = dict(house.has)
        within = [] if calm else data.draw(ops(2), "within")
        with During(ground, house, data.draw(st.integers(0, 5), "call"), within):
            answer = alice.get("/files", limit=data.draw(st.integers(1, 3)), **query, **cursor)
        assert answer.status == 200, answer.text
        page = [file["file_name"] for file in answer.json()]
        listed += page
        ids += [known.get(name, house.has.get(name, 0)) for name in page]
        if "x-next-cursor" not in answer.headers:
            break
        cursor = {"cursor": answer.headers["x-next-cursor"]}
        for op in [] if calm else data.draw(ops(3), "between"):
            house.do(op)
            clock.time += data.draw(st.sampled_from([0, 1, 20]), "seconds")
    else:
        raise AssertionError("a list without end")
    if query in SORTED:
        assert house.stayed <= set(ids), (listed, ids, house.stayed)
        assert len({each for each in ids if each in house.stayed}) == len(
            [each for each in ids if each in house.stayed]
        ), (listed, ids)
    else:
        assert house.held <= set(listed)
        assert len(set(listed)) == len(listed)


def try_all(ground: Ground, clock: Clock, query: dict[str, Any], examples: int) -> None:
    """Some such lists, none of which is known before."""

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def driven(data: st.DataObject) -> None:
        ground.reset()
        drive(ground, clock, data, query)

    driven()


@pytest.mark.parametrize("query", SORTED + NAMED, ids=str)
def test_a_list_is_whole_whatever_happens(
    ground: Ground, clock: Clock, query: dict[str, Any]
) -> None:
    """Each file that is there throughout is listed once, in every order."""
    try_all(ground, clock, query, EXAMPLES if query in SORTED else EXAMPLES // 2)


WRONG: dict[str, tuple[str, Any]] = {
    "no news": ("moved_files", lambda *_: {}),
    "news of what is late is missed": ("LATE", 0),
    "what comes between news and files is missed": ("MAX_READS", 1),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_design_is_seen(
    ground: Ground, clock: Clock, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """What the method does not need is not in it: without any of it some list is not whole."""
    monkeypatch.setattr(sorted_files, *WRONG[name])
    with pytest.raises(AssertionError):
        [try_all(ground, clock, query, 150) for query in SORTED]
