"""The interleaver: operation A stopped before each of its calls of AWS, B run whole, A resumed.

However two operations meet, the answers and what is seen afterwards must be those of one after the
other, in either order. B runs inside the hook in which A waits, so nothing depends on luck.
"""

from collections.abc import Callable
from typing import Any

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
        orders = Orders(world, first, other, known)
        for step in steps:
            with report.case(first.name, f"{step[0]} {step[1]}", other.name):
                one(world, step, orders, report)
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


class Orders:
    """What two operations give one after the other, found out when somebody asks."""

    def __init__(
        self, world: World, first: Operation, other: Operation, known: dict[Any, Outcome]
    ) -> None:
        self.first, self.other = first, other
        self._world, self._known = world, known

    def first_then_other(self) -> Outcome:
        return self._run(self.first, self.other)

    def other_then_first(self) -> Outcome:
        other, first, seen = self._run(self.other, self.first)
        return first, other, seen

    def _run(self, one: Operation, two: Operation) -> Outcome:
        if (one.name, two.name) not in self._known:
            self._world.begin(one, two)
            answers = said(self._world.send(one)), said(self._world.send(two))
            self._known[one.name, two.name] = (*answers, self._world.view())
        return self._known[one.name, two.name]


def one(world: World, step: Step, orders: Orders, report: Report) -> None:
    """One case: stop, let the other run, resume, compare with both orders."""
    first, other = orders.first, orders.other
    world.begin(first, other)
    met: list[Said] = []

    def meet(call: Call, at: Step) -> None:
        if at == step and not met:
            with elsewhere():
                met.append(said(world.send(other)))

    with world.stepping_in(before=meet):
        answer = said(world.send(first))
    require(bool(met), "they never met")
    outcome = (answer, met[0], world.view())
    for operation, (status, _) in ((first, answer), (other, met[0])):
        require(status in operation.allowed, f"{operation.name} answered {status}")
    if same(outcome, orders.first_then_other(), first, other):
        report.seen["first came first"] += 1
    else:
        expected = orders.other_then_first()
        require(
            same(outcome, expected, first, other),
            f"{first.name} answered {answer}, {other.name} {met[0]}, and is like no order",
        )
        report.seen["first came second"] += 1
        report.seen["looked again"] += step[0].startswith("Transact")


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
