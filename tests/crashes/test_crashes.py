"""No operation, cut at any of its calls in any way, leaves a half-done or lost thing behind."""

from typing import Any

import pytest

from function.http import router as http_router
from tests.crashes.crashes import FAULTS, Again, collide, crashes
from tests.crashes.operations import BY_NAME, IN_STEPS, OPERATIONS, UNCUT, Operation
from tests.crashes.world import World

QUICK = {"register", "replace", "unshare", "abort", "send", "restore"}
ABOUT = {"GET /", "GET /health", "GET /info", "GET /openapi.json", "GET /docs"}  # no call of AWS
ROWS = [
    pytest.param(each, id=each.name, marks=[] if each.name in QUICK else pytest.mark.slow)
    for each in OPERATIONS
]


@pytest.mark.parametrize("operation", ROWS)
def test_crash(world: World, operation: Operation) -> None:
    """Each call fails in each way; afterwards it is done or not, and can be done again."""
    report = crashes(world, operation)
    assert not report.violations, str(report)
    everywhere = sum(fault.fail is not collide for fault in FAULTS)
    assert report.cases > report.seen["calls"] * everywhere >= operation.calls * everywhere
    assert report.seen["killed"] == 2 * report.seen["calls"]
    assert report.seen["503"] >= 2 * (report.seen["calls"] - operation.quiet)
    if report.seen["changes"]:
        assert report.seen["done"] > 0 < report.seen["not done"]


class Every(Again):
    """Sends every request again, and looks whether it comes to what it came to."""

    def outcome(self) -> Any:
        known = self._world.stored() in self.known
        came = super().outcome()
        self.repeated += known
        if known:
            assert self.send() == came
        return came

    repeated = 0


@pytest.mark.parametrize("name", ["replace", "send", "restore"])
def test_what_is_sent_again_from_the_same_comes_to_the_same(world: World, name: str) -> None:
    """Which is why it need not be."""
    made: list[Every] = []

    def again(*args: Any) -> Every:
        made.append(Every(*args))
        return made[0]

    report = crashes(world, BY_NAME[name], again=again)
    assert not report.violations, str(report)
    assert made[0].repeated > len(made[0].known)


def test_every_route_has_its_operations() -> None:
    """A route without a row in the table would never be cut."""
    routes = {f"{route.method} {route.path}" for route in http_router.all_routes()}
    served = {each for each in routes - ABOUT if not each.startswith("HEAD ")}
    uncut = {each for each in served if each.partition(" ")[2].startswith(UNCUT)}
    assert served - uncut - IN_STEPS == {operation.route for operation in OPERATIONS}
