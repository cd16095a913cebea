"""The interleaver: operation A stopped before each of its calls of AWS, B run whole, A resumed.

However two operations meet, the answers and what is seen afterwards must be those of one after the
other, in either order. B runs inside the hook in which A waits, so nothing depends on luck.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.crashes.calls import Calls, Place, places_of
from tests.crashes.operations import Operation
from tests.crashes.seen import Report, Said, require, said
from tests.crashes.world import Step, World, elsewhere
from tests.support.fake_aws import Call, Ground

# What others see at once; a new object is seen when a row names it.
CHANGES = (
    "TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem",
    "CreateMultipartUpload", "CompleteMultipartUpload", "AbortMultipartUpload", "DeleteObject",
)  # fmt: skip
Outcome = tuple[Said, Said, Any]


def meetings(
    world: World, first: Operation, others: tuple[Operation, ...], known: dict[Any, Outcome]
) -> Report:
    """Has `first` meet each of the others; `known` remembers what one after the other gives."""
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
    """Whether two are always as if one had come after the other: nobody writes, or one once.

    Who only reads, all of it between two calls of another, sees what there was before the one
    change that this makes, or after it.
    """
    if other.writes:
        return False
    changes = [label for label, _ in steps if label.startswith(CHANGES)]
    return not first.writes or len(changes) <= 1


@dataclass(frozen=True)
class Run:
    """What came of a meeting, and the last of the calls before which it would have been the same.

    `again` is whether the first one has had to look again: it made more calls than if nobody comes.
    """

    outcome: Outcome
    until: int
    again: bool


class Meeting:
    """Two operations, of which the other one comes before each call of the first one.

    A meeting stands for those at the calls that follow, as long as they would come to the same
    (`Calls.unaffected`).
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

    def before(self, at: int) -> Run:
        """What comes of it when the other one comes before that call."""
        for since, run in self.runs.items():
            if since <= at <= run.until:
                return run
        self.runs[at] = self.run(at)
        return self.runs[at]

    def first_then_other(self) -> Outcome:
        """In the other order."""
        pair = self.first.name, self.other.name
        if pair not in self._known:
            self._world.begin(self.first, self.other)
            first = said(self._world.send(self.first))
            other = said(self._world.send_elsewhere(self.other, twin=self._twins))
            self._known[pair] = first, other, self._world.view()
        return self._known[pair]

    def run(self, at: int) -> Run:
        """Stops the first one there, lets the other run whole, and resumes."""
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
            return after.and_note(call, answer) if met else answer

        with world.stepping_in(before=meet, after=follow):
            answer = said(world.send(first))
        require(bool(met), "they never met")
        left = self._undisturbed.since(at)
        same = min(left.unaffected(after, touched), len(self._steps) - 1 - at)
        again = len(after.made) > len(left.made)
        return Run((answer, met[0], world.view()), at + same, again)


def judge(meeting: Meeting, at: int, report: Report) -> None:
    """One case: compares what came of it with both orders."""
    run, first, other = meeting.before(at), meeting.first, meeting.other
    for operation, (status, _) in zip((first, other), run.outcome[:2], strict=True):
        require(status in operation.allowed, f"{operation.name} answered {status}")
    report.seen["looked again"] += run.again
    if same(run.outcome, meeting.before(0).outcome, first, other):
        report.seen["first came second"] += 1
    else:
        require(
            same(run.outcome, meeting.first_then_other(), first, other),
            f"{first.name} answered {run.outcome[0]}, {other.name} {run.outcome[1]}, "
            "and is like no order",
        )
        report.seen["first came first"] += 1


def same(outcome: Outcome, order: Outcome, first: Operation, other: Operation) -> bool:
    """Whether it is what that order gives."""
    return (
        outcome[2] == order[2]
        and alike(outcome[0], order[0], first)
        and alike(outcome[1], order[1], other)
    )


def alike(got: Said, ordered: Said, operation: Operation) -> bool:
    """Whether it is the answer of that order; who want the same at once may both be told yes."""
    return got == ordered or (got[0] != ordered[0] and {got[0], ordered[0]} <= operation.alike)


def at_the_commit(ground: Ground, act: Callable[[], Any]) -> list[Any]:
    """Has somebody do something when the next commit is about to be made; what they got."""
    met: list[Any] = []

    def before(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            ground.before = lambda _: None
            with elsewhere():
                met.append(act())

    ground.before = before
    return met
