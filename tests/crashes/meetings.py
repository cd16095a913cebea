"""The interleaver: stops operation A before each of its AWS calls, runs B whole, resumes A.

The answers and the view afterwards must be those of A and B in sequence, in either order. B runs
inside the hook in which A waits, so the result does not depend on threads.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.crashes.calls import Calls, Place, places_of
from tests.crashes.operations import Operation
from tests.crashes.seen import Report, Said, require, said
from tests.crashes.world import Step, World, other_process
from tests.support.fake_aws import Call, FakeAws

# Calls whose effect others see at once; an object is seen when a row names it.
CHANGES = (
    "TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem",
    "CreateMultipartUpload", "CompleteMultipartUpload", "AbortMultipartUpload", "DeleteObject",
)  # fmt: skip
Outcome = tuple[Said, Said, Any]


def meetings(
    world: World, first: Operation, others: tuple[Operation, ...], known: dict[Any, Outcome]
) -> Report:
    """Interleaves `first` with each of the others; `known` keeps the outcomes of sequences."""
    report = Report()
    steps = world.steps(first)
    report.seen["calls"] = len(steps)
    for other in others:
        if alone(steps, first, other):
            continue
        report.seen["others"] += 1
        meeting = Meeting(world, steps, first, other, known)
        for at, step in enumerate(steps):
            with report.case(first.name, f"{step[0]} {step[1]}", other.name):
                judge(meeting, at, report)
        report.seen["runs"] += len(meeting.runs)
    return report


def alone(steps: list[Step], first: Operation, other: Operation) -> bool:
    """Whether the interleaving of two is always a sequence: neither writes, or one writes once.

    All reads of one fall between two calls of the other. They see the state before its one write,
    or after it.
    """
    if other.writes:
        return False
    changes = [label for label, _ in steps if label.startswith(CHANGES)]
    return not first.writes or len(changes) <= 1


@dataclass(frozen=True)
class Run:
    """An outcome, and the last call (`until`) before which the other one would lead to the same.

    `again`: whether the first one read again, because it made more calls than alone.
    """

    outcome: Outcome
    until: int
    again: bool


class Meeting:
    """Two operations; `other` runs before each AWS call of `first`.

    One run stands for those before the next calls while their outcome would be the same
    (`Calls.count_unaffected`).
    """

    def __init__(
        self,
        world: World,
        steps: list[Step],
        first: Operation,
        other: Operation,
        known: dict[Any, Outcome],
    ) -> None:
        self.first, self.other, self._twins = first, other, first is other
        self._world, self._steps, self._known = world, steps, known
        self._undisturbed = world.calls(first, other)
        self.runs: dict[int, Run] = {}

    def find_run(self, at: int) -> Run:
        """The run that stands for the one in which `other` comes before that call."""
        for start, run in self.runs.items():
            if start <= at <= run.until:
                return run
        self.runs[at] = self.run(at)
        return self.runs[at]

    def first_then_other(self) -> Outcome:
        """The outcome of the sequence."""
        return self._run_in_sequence(self.first, self.other)

    def other_then_first(self) -> Outcome:
        """The outcome of the reverse sequence."""
        other, first, view = self._run_in_sequence(self.other, self.first)
        return first, other, view

    def _run_in_sequence(self, one: Operation, two: Operation) -> Outcome:
        if (one.name, two.name) not in self._known:
            self._world.begin(one, two)
            came = said(self._world.send(one))
            then = said(self._world.send_elsewhere(two, twin=self._twins))
            self._known[one.name, two.name] = came, then, self._world.view()
        return self._known[one.name, two.name]

    def run(self, at: int) -> Run:
        """Stops `first` before that call, runs `other` whole, and resumes."""
        world, first, other = self._world, self.first, self.other
        world.begin(first, other)
        met: list[Said] = []
        touched: set[Place] = set()
        after = Calls(world.settings)

        def meet(call: Call, step: Step) -> None:
            if world.is_elsewhere:
                touched.update(places_of(call, world.settings))
            elif step == self._steps[at] and not met:
                met.append(said(world.send_elsewhere(other, twin=self._twins)))

        def follow(call: Call, _: Step, answer: Any) -> Any:
            return after.note(call, answer) if met else answer

        with world.hooks(before=meet, after=follow):
            answer = said(world.send(first))
        require(bool(met), "the call was not made")
        left = self._undisturbed.skip(at)
        same = min(left.count_unaffected(after, touched), len(self._steps) - 1 - at)
        again = len(after.made) > len(left.made)
        return Run((answer, met[0], world.view()), at + same, again)


def judge(meeting: Meeting, at: int, report: Report) -> None:
    """One case: compares the outcome with both sequences; before the first call with one."""
    run, first, other = meeting.find_run(at), meeting.first, meeting.other
    for operation, (status, _) in zip((first, other), run.outcome[:2], strict=True):
        require(status in operation.allowed, f"{operation.name} answered {status}")
    report.seen["looked again"] += run.again
    reverse = meeting.other_then_first()
    if same(run.outcome, reverse, first, other):
        report.seen["first came second"] += 1
        return
    require(at > 0, f"{other.name} came before the first call, and the sequence differs")
    order = meeting.first_then_other()
    require(
        same(run.outcome, order, first, other) or is_reread(run.outcome, order, reverse, first),
        f"{first.name} answered {run.outcome[0]}, {other.name} {run.outcome[1]}, "
        "which is no sequence of both",
    )
    report.seen["first came first"] += 1


def is_reread(outcome: Outcome, order: Outcome, reverse: Outcome, first: Operation) -> bool:
    """Whether a list has the entries of the sequence, each in its state before or after the other.

    It is documented so for the changes feed, which lists a late change again.
    """
    if not first.rereads or outcome[1:] != order[1:]:
        return False
    (got_status, got), (status, earlier), (_, later) = outcome[0], order[0], reverse[0]
    found, before, after = json.loads(got), json.loads(earlier), json.loads(later)
    keys, expected = ([each[first.rereads] for each in page] for page in (found, before))
    return got_status == status and keys == expected and all(e in before + after for e in found)


def same(outcome: Outcome, order: Outcome, first: Operation, other: Operation) -> bool:
    """Whether an outcome is that of a sequence."""
    return (
        outcome[2] == order[2]
        and alike(outcome[0], order[0], first)
        and alike(outcome[1], order[1], other)
    )


def alike(got: Said, ordered: Said, operation: Operation) -> bool:
    """Whether an answer is that of a sequence, or both operations may succeed at once."""
    return got == ordered or (got[0] != ordered[0] and {got[0], ordered[0]} <= operation.alike)


def act_before_commit(fake_aws: FakeAws, act: Callable[[], Any]) -> list[Any]:
    """Runs `act` in another process just before the next commit, and lists its result."""
    met: list[Any] = []

    def interrupt(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            fake_aws.before = lambda _: None
            with other_process():
                met.append(act())

    fake_aws.before = interrupt
    return met
