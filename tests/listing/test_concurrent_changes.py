"""Lists of files that change between and during pages: no file is left out or listed twice."""

import os
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from function.listing import sorted_files
from tests.conftest import Clock
from tests.crashes.world import other_process
from tests.support.client import Client, join
from tests.support.fake_aws import Call, FakeAws

NAMES = [f"f{number} x.jpg" for number in range(7)]
EXAMPLES = int(os.environ.get("EXAMPLES", "20"))
MAX_DELAY = 27  # seconds after its time at which a commit becomes visible
SORTED = [
    {"sort": sort, "order": order} for sort in ("modified", "size") for order in ("asc", "desc")
]
NAMED: list[dict[str, str]] = [
    {"scope": "own"}, {"order": "desc"}, {"q": "f", "scope": "own"},
    {"q": "x f", "order": "desc"}, {"type": "image", "scope": "own"},
]  # fmt: skip

Op = tuple[str, str, str, int, int]  # method, name, other name, size, seconds of delay


@dataclass
class FilesModel:
    """Alice's files as plain sets: which file has a name, and which existed throughout a list."""

    alice: Client
    clock: Clock
    has: dict[str, int] = field(default_factory=dict)
    changed: dict[str, float] = field(default_factory=dict)
    made: int = 0
    kept_files: set[int] = field(default_factory=set)
    kept_names: set[str] = field(default_factory=set)

    def begin(self) -> None:
        """Notes the files and names that exist when a list begins."""
        self.kept_files, self.kept_names = set(self.has.values()), set(self.has)

    def do(self, op: Op) -> None:
        """Makes a change, which becomes visible up to `late` seconds after its time."""
        what, name, other, size, late = op
        self.clock.time += 0.002
        now = self.clock.time
        since = max(self.changed.get(name, now - 900), self.changed.get(other, now - 900))
        self.clock.time = max(now - late, since + 0.001)  # later than the change that it has read
        try:
            getattr(self, what)(name, other, size)
        finally:
            self.clock.time = now
        self.changed |= {name: now, other: now}

    def put(self, name: str, _: str, size: int) -> None:
        """Creates or replaces a file."""
        assert self.alice.put(name, bytes(size)).status in {200, 201}
        if name not in self.has:
            self.made += 1
            self.has[name] = self.made

    def delete(self, name: str, _: str, __: int) -> None:
        """Deletes a file."""
        if name in self.has:
            assert self.alice.delete("/file", file_name=name).status == 204
            self.kept_files.discard(self.has.pop(name))
            self.kept_names.discard(name)

    def rename(self, name: str, other: str, _: int) -> None:
        """Renames a file."""
        if name in self.has and other not in self.has:
            body = {"file_name": name, "new_name": other}
            assert self.alice.send("PATCH", "/file", json_=body).status == 200
            self.has[other] = self.has.pop(name)
            self.kept_names.discard(name)


def ops(most: int) -> st.SearchStrategy[list[Op]]:
    name = st.sampled_from(NAMES)
    what = st.sampled_from(["put", "put", "put", "delete", "rename", "rename"])
    return st.lists(
        st.tuples(what, name, name, st.integers(0, 3), st.integers(0, MAX_DELAY)), max_size=most
    )


@dataclass
class ChangesDuringPage:
    """Makes changes before one of the AWS calls of a page."""

    fake_aws: FakeAws
    model: FilesModel
    at: int
    ops: list[Op]

    def __enter__(self) -> None:
        self.fake_aws.before = self.before

    def __exit__(self, *_: object) -> None:
        self.fake_aws.before = lambda _: None

    def before(self, _: Call) -> None:
        self.at -= 1
        if self.at == -1:
            self.fake_aws.before = lambda _: None
            with other_process():
                for op in self.ops:
                    self.model.do(op)


def drive(fake_aws: FakeAws, clock: Clock, data: st.DataObject, query: dict[str, Any]) -> None:
    """Lists page by page, with changes before, between and during the pages."""
    alice = join("alice")
    model = FilesModel(alice, clock)
    for op in data.draw(ops(9), "before"):
        model.do(op)
        clock.time += data.draw(st.sampled_from([0, 1, 20]), "seconds")
    model.begin()
    listed: list[str] = []
    ids: list[int] = []
    cursor: dict[str, str] = {}
    for _ in range(40):
        calm = len(listed) > 20
        known = dict(model.has)
        within = [] if calm else data.draw(ops(2), "within")
        with ChangesDuringPage(fake_aws, model, data.draw(st.integers(0, 5), "call"), within):
            answer = alice.get("/files", limit=data.draw(st.integers(1, 3)), **query, **cursor)
        assert answer.status == 200, answer.text
        page = [file["file_name"] for file in answer.json()]
        listed += page
        ids += [known.get(name, model.has.get(name, 0)) for name in page]
        if "x-next-cursor" not in answer.headers:
            break
        cursor = {"cursor": answer.headers["x-next-cursor"]}
        for op in [] if calm else data.draw(ops(3), "between"):
            model.do(op)
            clock.time += data.draw(st.sampled_from([0, 1, 20]), "seconds")
    else:
        raise AssertionError("the list has no end")
    if query in SORTED:
        assert model.kept_files <= set(ids), (listed, ids, model.kept_files)
        assert len({each for each in ids if each in model.kept_files}) == len(
            [each for each in ids if each in model.kept_files]
        ), (listed, ids)
    else:
        assert model.kept_names <= set(listed)
        assert len(set(listed)) == len(listed)


def try_all(fake_aws: FakeAws, clock: Clock, query: dict[str, Any], examples: int) -> None:
    """Tries random lists, other ones each time."""

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
        fake_aws.reset()
        drive(fake_aws, clock, data, query)

    driven()


@pytest.mark.slow
@pytest.mark.parametrize("query", SORTED + NAMED, ids=str)
def test_a_list_is_complete_whatever_changes_meanwhile(
    fake_aws: FakeAws, clock: Clock, query: dict[str, Any]
) -> None:
    """Each file that exists throughout is listed once, in every order."""
    try_all(fake_aws, clock, query, EXAMPLES if query in SORTED else EXAMPLES // 2)


WRONG: dict[str, tuple[str, Any]] = {
    "changes are not read": ("moved_files", lambda *_: {}),
    "late changes are missed": ("LATE", 0),
    "changes between two reads are missed": ("MAX_READS", 1),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WRONG)
def test_each_step_of_the_method_is_needed(
    fake_aws: FakeAws, clock: Clock, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Without any one of them, some list is incomplete."""
    monkeypatch.setattr(sorted_files, *WRONG[name])
    with pytest.raises(AssertionError):
        [try_all(fake_aws, clock, query, 150) for query in SORTED]
