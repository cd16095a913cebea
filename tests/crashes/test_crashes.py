"""An operation that fails at any of its AWS calls is done wholly or not at all."""

from typing import Any

import pytest

from tests.crashes.crashes import FAULTS, Again, collide, crashes, failing, send
from tests.crashes.operations import (
    BY_NAME,
    IN_STEPS,
    OPERATIONS,
    REPEATED,
    UNCUT,
    Operation,
)
from tests.crashes.world import World
from tests.support.api_register import ROUTES
from tests.support.client import Answer

QUICK = {
    "register",
    "replace",
    "unshare",
    "abort",
    "create a link once",
    "start an upload by request",
    "restore from the trash",
}
ROWS = [
    pytest.param(each, id=each.name, marks=[] if each.name in QUICK else pytest.mark.slow)
    for each in OPERATIONS
]


@pytest.mark.parametrize("operation", ROWS)
def test_crash(world: World, operation: Operation) -> None:
    """Each call fails in each way; the operation was done or not, and its replay completes it."""
    report = crashes(world, operation)
    assert not report.violations, str(report)
    everywhere = sum(fault.fail is not collide for fault in FAULTS)
    assert report.cases > report.seen["calls"] * everywhere >= operation.calls * everywhere
    assert report.seen["killed"] == 2 * report.seen["calls"]
    assert report.seen["503"] >= 2 * (report.seen["calls"] - operation.quiet)
    if report.seen["changes"]:
        assert report.seen["done"] > 0 < report.seen["not done"]


@pytest.mark.parametrize("operation", REPEATED, ids=str)
def test_a_repetition_answers_the_secret_of_the_first(world: World, operation: Operation) -> None:
    """Wherever the first request was cut off after its commit; otherwise it makes another."""
    world.begin(operation)
    before, first = world.view(), secret_of(world.send(operation))
    done, same = world.view(), 0
    for step in world.steps(operation):
        for fault in (each for each in FAULTS if each.effect):
            world.begin(operation)
            with failing(world, step, fault):
                send(world, operation)
            was = world.view()
            assert was in (before, done)
            again = secret_of(world.send(operation, twin=True))
            assert (again == first) is (was == done)
            assert secret_of(world.send(operation, twin=True)) == again
            assert world.view() == done
            same += again == first
    assert same > 2


def secret_of(answer: Answer) -> Any:
    """The token, the address or the id with which what was created is used."""
    assert answer.status == 201
    made = answer.json()
    return made.get("token") or made.get("url") or made["upload_id"], made.get("id")


@pytest.mark.parametrize(
    "name",
    [
        "put a new file",
        pytest.param("replace", marks=pytest.mark.slow),
        pytest.param("start an upload by request", marks=pytest.mark.slow),
        pytest.param("restore from the trash", marks=pytest.mark.slow),
    ],
)
def test_crash_after_a_conflict(world: World, name: str) -> None:
    """The commit that met another one is sent again, and counts in shards from then on."""
    with world.contended(collide):
        report = crashes(world, BY_NAME[name])
    assert not report.violations, str(report)
    assert report.seen["done"] > 0 < report.seen["not done"]


class Every(Again):
    """Sends each replay, and asserts that an equal state leads to an equal outcome."""

    def outcome(self) -> Any:
        known = self._world.stored() in self.known
        came = super().outcome()
        self.repeated += known
        if known:
            assert self.send() == came
        return came

    repeated = 0


@pytest.mark.parametrize(
    "name", ["replace", "start an upload by request", "restore from the trash"]
)
def test_a_replay_depends_on_the_stored_state_alone(world: World, name: str) -> None:
    """So one replay for each state is enough."""
    made: list[Every] = []

    def again(*args: Any) -> Every:
        made.append(Every(*args))
        return made[0]

    report = crashes(world, BY_NAME[name], again=again)
    assert not report.violations, str(report)
    assert made[0].repeated > len(made[0].known)


def test_every_route_has_its_operations() -> None:
    """Each route that calls AWS has one, but for the exceptions that are listed with them."""
    routes = {route for route in ROUTES if route.calls}
    assert routes - UNCUT - IN_STEPS == {operation.route for operation in OPERATIONS}
