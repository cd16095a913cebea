"""No request costs more than its row in `bounds.py`, whatever its input and however much there is.

AWS takes 20 ms for each call here, so that requests which work until a time stop.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.conftest import Behind, Clock
from tests.http.bounds import BOUNDS, Bound
from tests.http.crowded import Crowd, crowded
from tests.support.api_register import BY_NAME
from tests.support.client import Answer
from tests.support.fake_aws import FakeAws
from tests.support.meter import measured
from tests.support.world import World

CALL_SECONDS = 0.02


LARGEST = [bound for bound in BOUNDS if bound.send]


def is_reading(bound: Bound) -> bool:
    """Whether a request changes nothing."""
    return bound.route.startswith(("GET ", "HEAD "))


def send_largest(bound: Bound, crowd: Crowd) -> Answer:
    """Sends a request of the crowded world."""
    assert bound.send
    return bound.send(crowd)


@pytest.fixture
def crowd(world: World, behind: Behind, fake_aws: FakeAws, once: dict[str, Any]) -> Crowd:
    """The crowded world, made once in a process and restored for each test."""
    if "crowd" not in once:
        once["crowd"] = crowded(world, behind), fake_aws.snapshot()
    crowd: Crowd
    crowd, restore = once["crowd"]
    restore()
    return crowd


def test_every_route_has_a_row() -> None:
    """And every row is of a route that exists."""
    assert {each.route for each in BOUNDS} == BY_NAME.keys()


@pytest.mark.parametrize("bound", [each for each in BOUNDS if each.send is None], ids=str)
def test_a_request_of_the_register_is_bounded(
    world: World, fake_aws: FakeAws, clock: Clock, bound: Bound
) -> None:
    """Where its cost does not depend on what there is."""
    route = BY_NAME[bound.route]
    assert_bounded(fake_aws, clock, bound, lambda: world.send(world.sender(route), route))


@pytest.mark.odd_rows
@pytest.mark.slow
def test_the_largest_reads_are_bounded(crowd: Crowd, fake_aws: FakeAws, clock: Clock) -> None:
    """In the crowded world, which they do not change."""
    for bound in LARGEST:
        if is_reading(bound):
            assert_bounded(fake_aws, clock, bound, partial(send_largest, bound, crowd))


@pytest.mark.odd_rows
@pytest.mark.slow
@pytest.mark.parametrize("bound", [each for each in LARGEST if not is_reading(each)], ids=str)
def test_a_largest_change_is_bounded(
    crowd: Crowd, fake_aws: FakeAws, clock: Clock, bound: Bound
) -> None:
    """In the crowded world."""
    assert_bounded(fake_aws, clock, bound, partial(send_largest, bound, crowd))


def assert_bounded(
    fake_aws: FakeAws, clock: Clock, bound: Bound, send: Callable[[], Answer]
) -> None:
    """Calls, rows read and written, and work are within the row's."""
    with measured(fake_aws, lambda: clock.sleep(CALL_SECONDS)) as cost:
        answer = send()
    assert answer.status == bound.status, answer.text
    assert cost.calls <= bound.calls, cost
    assert cost.rows <= bound.rows, cost
    assert cost.writes <= bound.writes, cost
    assert cost.steps <= bound.steps, cost


@pytest.mark.parametrize("field", ["calls", "rows", "writes", "steps"])
def test_a_cost_beyond_its_row_is_noticed(
    world: World, fake_aws: FakeAws, clock: Clock, field: str
) -> None:
    """Each of the numbers of a row."""
    bound = next(each for each in BOUNDS if each.route == "POST /requests")
    route = BY_NAME[bound.route]
    with pytest.raises(AssertionError, match="Cost"):
        assert_bounded(
            fake_aws,
            clock,
            bound._replace(**{field: 1}),
            lambda: world.send(world.sender(route), route),
        )
