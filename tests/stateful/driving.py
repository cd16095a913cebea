"""The base of the state machine: sends requests, compares answers and views with the model."""

from collections.abc import Callable, Iterable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition

from tests.crashes.seen import require
from tests.stateful.house import BY_NAME, Cut, House
from tests.stateful.model import FOLDERS, GROUPS, NAMES, PEOPLE, Model, Place, covers, shown
from tests.stateful.requests import Effect
from tests.stateful.visiting import Visiting
from tests.stateful.watching import Watching, everything
from tests.support.client import Answer, Client

people = st.sampled_from(PEOPLE)
# Most requests use few names, so that they affect one another.
owners = st.sampled_from(["alice", "alice", "alice", "bob", "bob", "carol", "dave"])
names = st.sampled_from(["a/x", "a/x", "a/x", *NAMES])
places = st.sampled_from(["a/x", "a/x", "a/", "a/", *NAMES, *FOLDERS])
groups = st.sampled_from(GROUPS)
grantees = st.sampled_from([f"user:{who}" for who in PEOPLE] + [f"group:{g}" for g in GROUPS])
rights = st.sampled_from(["read", "write"])
lasting = st.sampled_from([None, 60, 3600])
# Most requests read, and then commit.
at_call = st.sampled_from([0, 1, 1, 1, 1, 2, 2, 3])
# Faults after which the client does not know whether the request was done are drawn more often.
open_ended = [fault.name for fault in BY_NAME.values() if fault.effect and 503 in fault.ends]
faults = st.sampled_from([*BY_NAME, *open_ended])
cut = st.builds(Cut, at_call, faults, st.booleans())
cuts = st.none() | cut | cut
mostly_not = st.none() | st.none() | st.none()
rarely = st.sampled_from([False] * 5 + [True])


def choice(of: Callable[[Model], list[Any]]) -> Any:
    """Draws one of the things in the model."""
    return st.runner().flatmap(lambda machine: st.sampled_from(of(machine.model)))


def when(of: Callable[[Model], Any]) -> Any:
    """The rule applies while the model has such things."""
    return precondition(lambda machine: bool(of(machine.model)))


class Driving(RuleBasedStateMachine):
    """The steps that all rules consist of."""

    def __init__(self, house: House) -> None:
        super().__init__()
        self.house, self.step = house, 0
        self.watching, self.visiting = Watching(house), Visiting(house)
        self.model = house.beginning

    def do(
        self,
        who: str | None,
        send: Callable[[Client], Answer],
        effect: Effect,
        place: Place | None,
        cut: Cut | None,
        *,
        repeatable: bool = True,
    ) -> Answer | None:
        """Sends a request and compares its answer and the views with the model."""
        before, showed = everything(self.model), self.showing()
        fits, after = effect(self.model)
        answer = self.house.send(send, who, cut)
        self.hit("no room", 507 in fits)
        if answer is not None and answer.status in fits:
            self.model = after
            self.hit("acknowledged under a fault", bool(cut) and answer.status < 300)
        else:
            ends = BY_NAME[cut.fault].ends if cut else frozenset()
            refused = answer is None or answer.status in ends
            require(refused, f"it answered {answer and answer.status}, not {fits}")
            self.find_out(who, send, effect, again=repeatable and bool(cut and cut.again))
        now, shows = everything(self.model), self.showing()
        self.look(place, {each for each in PEOPLE if before[each] != now[each]})
        for note in shows:
            if shows[note] != showed.get(note):
                self.visiting.open(self.model, note)
        return answer

    def showing(self) -> dict[str, set[str]]:
        """The files that each link shows whose URL is known."""
        return {note: shown(self.model, self.model.links[note]) for note in self.house.paths}

    def find_out(
        self, who: str | None, send: Callable[[Client], Answer], effect: Effect, *, again: bool
    ) -> None:
        """Requires that a failed request was done wholly or not at all, and its replay done."""
        seen = self.watching.everything()
        before = self.model
        possible = [each for each in (before, effect(before)[1]) if everything(each) == seen]
        require(bool(possible), f"it is half done: {seen}")
        self.hit("seen not done", everything(possible[-1]) == everything(before))
        self.hit("seen done", possible[0] is not before)
        if again or len(possible) > 1:
            answer = self.house.send(send, who, None)
            assert answer is not None
            goals = [effect(each) for each in possible]
            possible = [after for fits, after in goals if answer.status in fits]
            require(bool(possible), f"its replay answered {answer.status}, not {goals}")
        self.model = possible[0]

    def look(self, place: Place | None, affected: Iterable[str] = ()) -> None:
        """Compares the views of what changed, and of some of the rest."""
        self.step += 1
        self.hit("steps")
        if place:
            owner, where = place
            self.watching.probe(self.model, (owner, self.one_of(where)))
        limit = 2 if self.step % 7 == 0 else 1000
        for who in sorted({PEOPLE[self.step % len(PEOPLE)], *affected}):
            self.watching.compare(self.model, who, limit)
        notes = sorted(self.house.paths)
        if notes and self.step % 2:
            self.visiting.open(self.model, notes[self.step % len(notes)])

    def one_of(self, where: str) -> str:
        """A file in a folder, or the file itself; for a moved folder, a name that may be in it."""
        within = [name for name in NAMES if covers(where, name)] or [f"{where}x"]
        return within[self.step % len(within)]

    def hit(self, what: str, happened: bool = True) -> None:
        """Counts an event, so that a test can require that it occurred."""
        self.house.hits[what] += happened

    def teardown(self) -> None:
        """At the end each person tries every file and link."""
        for who in PEOPLE:
            self.watching.charged(self.model, who)
            self.watching.groups(self.model, who)
            for owner, name in self.model.files:
                self.watching.read(self.model, who, owner, name)
        self.open_links()

    def open_links(self) -> None:
        """Compares all links with the model."""
        for note in sorted(self.house.paths):
            self.visiting.open(self.model, note)
