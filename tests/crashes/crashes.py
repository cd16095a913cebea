"""The crash enumerator: an operation, each of its calls of AWS, each way in which a call can fail.

After each case all invariants must hold (`World.view`), what is seen must be as before or as after
the operation and nothing between, what was acknowledged must be so, and the same request sent again
must reach the goal.
"""

import json
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
from tests.support.fake_aws import Call, failure, response


class Killed(BaseException):
    """The process is gone: nothing that handles exceptions gets to see it."""


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


WRITES = {"PutItem", "UpdateItem", "DeleteItem"}


def collide(call: Call) -> AWSResponse | None:
    """Another transaction is at the same rows: AWS says so of each kind of write in its own way."""
    if call.operation == "TransactWriteItems":
        count = len(json.loads(call.request.body)["TransactItems"])
        reasons = [{"Code": "TransactionConflict"}] + [{"Code": "None"}] * (count - 1)
        kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
        body = json.dumps({"__type": kind, "message": "", "CancellationReasons": reasons})
        return response(400, {"content-type": "application/x-amz-json-1.0"}, body.encode())
    if call.operation in WRITES:
        return failure(call, 400, "TransactionConflictException")
    return None


@dataclass(frozen=True)
class Fault:
    """How a call fails: without effect or after it, once or every time that it is tried."""

    name: str
    fail: Callable[[Call], Any]
    effect: bool = False
    once: bool = True
    ends: frozenset[int] = frozenset({503})  # how the operation may end besides being done


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
    Fault("collisions for good", collide, once=False, ends=frozenset({409, 503})),
)


@dataclass(frozen=True)
class Course:
    """The operation as it goes when nothing fails: what is seen before, after, and after twice."""

    views: list[Any]
    answers: list[Any]

    @classmethod
    def of(cls, world: World, operation: Operation) -> "Course":
        world.begin(operation)
        views, answers = [world.view()], []
        for status in (operation.done, operation.again):
            answer = world.send(operation)
            require(answer.status == status, f"it answers {answer.status}, not {status}")
            answers.append(said(answer))
            views.append(world.view())
        return cls(views, answers)


class Again:
    """The same request, sent again: what it is answered, and what is seen then.

    That is found out once for what is stored and for what the process keeps: there is nothing else
    that it could depend on, as time stands still, and as it draws the same ids each time.
    """

    def __init__(self, world: World, operation: Operation) -> None:
        self.known: dict[str, tuple[Said, Any]] = {}
        self._world, self._operation = world, operation

    def send(self) -> tuple[Said, Any]:
        """Sends it."""
        return said(self._world.send(self._operation, twin=True)), self._world.view()

    def outcome(self) -> tuple[Said, Any]:
        """What comes of it, now."""
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
        course = Course.of(world, operation)
        report.seen["changes"] = course.views[0] != course.views[1]
        for step in world.steps(operation):
            report.seen["calls"] += 1
            for fault in faults:
                if fault.fail is collide and step[0] not in {"TransactWriteItems", *WRITES}:
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
    """One case: fail, look, send again, look."""
    before, after, after_twice = course.views
    world.begin(operation)
    with failing(world, step, fault) as hits:
        answer = send(world, operation)
    require(bool(hits), "the call was never made")
    report.seen["killed" if answer is None else str(answer.status)] += 1
    now = world.view()
    if answer is None:
        require(fault.fail is kill, "it was killed by nothing")
    elif answer.status == operation.done:
        require(said(answer) == course.answers[0], "it answers otherwise than undisturbed")
        require(now == after, "it was acknowledged and is not so")
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
    require((again, end) in reached, f"sent again, it answered {again[0]} and is not at its goal")


def send(world: World, operation: Operation) -> Answer | None:
    try:
        return world.send(operation)
    except Killed:
        return None


@contextmanager
def failing(world: World, step: Step, fault: Fault) -> Iterator[list[Step]]:
    """Has the call of that step fail, and its further tries unless once is enough."""
    hits: list[Step] = []

    def fails(call: Call, at: Step) -> Any:
        if at[0] != step[0] or at[1] < step[1] or (fault.once and hits):
            return None
        hits.append(at)
        return fault.fail(call)

    if fault.effect:
        hooks: Any = {"after": lambda call, at, answer: fails(call, at) or answer}
    else:
        hooks = {"before": fails}
    with world.stepping_in(**hooks):
        yield hits
