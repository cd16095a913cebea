"""The crash enumerator: an operation, each of its AWS calls, each way in which a call can fail.

After each case all invariants must hold (`World.view`). The view must be that of before or of after
the operation. An acknowledged operation must have been done. The same request, sent again, must
lead to the view of after.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError

from tests.crashes.operations import Operation
from tests.crashes.seen import Report, Said, require, said
from tests.crashes.world import Step, World
from tests.support.client import Answer
from tests.support.fake_aws import Call, failure
from tests.support.side_by_side import SINGLE_WRITES, collide


class Killed(BaseException):
    """The process has been killed: no handler of exceptions catches it."""


def kill(call: Call) -> AWSResponse:
    raise Killed


def lose(call: Call) -> AWSResponse:
    raise ConnectionClosedError(endpoint_url=call.request.url)


def refuse(call: Call) -> AWSResponse:
    return failure(call, 503, "ServiceUnavailable")


def throttle(call: Call) -> AWSResponse:
    if "dynamodb" in call.request.url:
        return failure(call, 400, "ProvisionedThroughputExceededException")
    return failure(call, 503, "SlowDown")


@dataclass(frozen=True)
class Fault:
    """How a call fails: without effect or after it, once or at every try.

    `ends` are the statuses of an operation that was not done.
    """

    name: str
    fail: Callable[[Call], Any]
    effect: bool = False
    once: bool = True
    ends: frozenset[int] = frozenset({503})


NONE: frozenset[int] = frozenset()
FAULTS = (
    Fault("killed before", kill),
    Fault("killed after", kill, effect=True),
    Fault("answer lost", lose, effect=True, ends=NONE),
    Fault("every answer lost", lose, effect=True, once=False),
    Fault("one 503", refuse, ends=NONE),
    Fault("503 for good", refuse, once=False),
    Fault("503 after effect", refuse, effect=True, ends=NONE),
    Fault("503 after effect for good", refuse, effect=True, once=False),
    Fault("throttled for good", throttle, once=False),
    Fault("one collision", collide, ends=NONE),
    Fault("collisions for good", collide, once=False),
)


@dataclass(frozen=True)
class Course:
    """The operation when nothing fails: the views before, after, and after its replay."""

    views: list[Any]
    answers: list[Any]

    @classmethod
    def record(cls, world: World, operation: Operation) -> "Course":
        world.begin(operation)
        views, answers = [world.view()], []
        for status in (operation.done, operation.again):
            answer = world.send(operation)
            require(answer.status == status, f"it answers {answer.status}, not {status}")
            answers.append(said(answer))
            views.append(world.view())
        return cls(views, answers)


class Again:
    """The replay of a request: its answer, and the view after it.

    Both depend only on the stored rows and objects and on the state of the process, because the
    clock stands still and the ids are the same each time. So each state is tried once.
    """

    def __init__(self, world: World, operation: Operation) -> None:
        self.known: dict[str, tuple[Said, Any]] = {}
        self._world, self._operation = world, operation

    def send(self) -> tuple[Said, Any]:
        """Sends it."""
        return said(self._world.send(self._operation, twin=True)), self._world.view()

    def outcome(self) -> tuple[Said, Any]:
        """The answer and the view from the present state."""
        stored = self._world.stored()
        if stored not in self.known:
            self.known[stored] = self.send()
        return self.known[stored]


def crashes(
    world: World,
    operation: Operation,
    faults: tuple[Fault, ...] = FAULTS,
    again: Callable[[World, Operation], Again] = Again,
) -> Report:
    """Runs every case of an operation."""
    report = Report()
    repeated = again(world, operation)
    with report.case(operation.name, "undisturbed"):
        course = Course.record(world, operation)
        report.seen["changes"] = course.views[0] != course.views[1]
        for step in world.steps(operation):
            report.seen["calls"] += 1
            for fault in faults:
                if fault.fail is collide and step[0] not in {"TransactWriteItems", *SINGLE_WRITES}:
                    continue
                with report.case(operation.name, f"{step[0]} {step[1]}", fault.name):
                    one(world, operation, step, fault, course, repeated, report)
    return report


def one(
    world: World,
    operation: Operation,
    step: Step,
    fault: Fault,
    course: Course,
    repeated: Again,
    report: Report,
) -> None:
    """One case: fails a call, checks the view, sends the request again, checks the view."""
    before, after, after_twice = course.views
    world.begin(operation)
    with failing(world, step, fault) as hits:
        answer = send(world, operation)
    require(bool(hits), "the call was not made")
    report.seen["killed" if answer is None else str(answer.status)] += 1
    now = world.view()
    if answer is None:
        require(fault.fail is kill, "it was killed without a fault")
    elif answer.status == operation.done:
        require(said(answer) == course.answers[0], "its answer differs from the undisturbed one")
        require(now == after, "it was acknowledged and not done")
    else:
        require(answer.status in fault.ends, f"it answered {answer.status}")
    require(now in (before, after), "it is half done")
    report.seen["not done" if now == before else "done"] += 1
    again, end = repeated.outcome()
    reached = []
    if now == before:
        reached.append((course.answers[0], after))
    if now == after:
        reached.append((course.answers[1], after_twice))
    require((again, end) in reached, f"its replay answered {again[0]} and did not complete it")


def send(world: World, operation: Operation) -> Answer | None:
    try:
        return world.send(operation)
    except Killed:
        return None


@contextmanager
def failing(world: World, step: Step, fault: Fault) -> Iterator[list[Step]]:
    """Fails the call of that step, and its further tries unless the fault occurs once."""
    hits: list[Step] = []

    def fails(call: Call, at: Step) -> Any:
        if at[0] != step[0] or at[1] < step[1] or (fault.once and hits):
            return None
        hits.append(at)
        return fault.fail(call)

    if fault.effect:
        places: Any = {"after": lambda call, at, answer: fails(call, at) or answer}
    else:
        places = {"before": fails}
    with world.hooks(**places):
        yield hits
