"""The register of the API is true: it has the routes of the code, and their answers."""

import pytest

from function.http.dependencies import needs_token, power_of
from tests.support.api_register import HANDLERS, ROUTES, Route
from tests.support.world import World

each_route = pytest.mark.parametrize("route", ROUTES, ids=str)


def test_every_route_has_one_row() -> None:
    """And every row is of a route that exists."""
    rows = [(route.method, route.path) for route in ROUTES]
    assert len(set(rows)) == len(rows)
    assert set(rows) == HANDLERS.keys()


@each_route
def test_the_row_has_the_power_of_its_route(route: Route) -> None:
    """The signature of the route names it."""
    named = power_of(route.handler)
    assert named == (None if route.power in {"public", "session"} else route.power)
    assert needs_token(route.handler) is not route.public


@each_route
def test_the_row_tells_whether_the_route_takes_an_idempotency_key(route: Route) -> None:
    """Each that creates a secret does, in its signature."""
    headers = {each.alias for each in route.handler.dependant.header_params}
    assert ("idempotency-key" in headers) is route.idempotent


@each_route
def test_a_replay_is_answered_as_the_row_says(world: World, route: Route) -> None:
    """The same request, sent again by the same account."""
    assert world.send(world.sender(route), route).status == route.status
    assert world.send(world.sender(route), route).status == route.answer_to_replay
