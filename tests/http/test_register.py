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
    """Its signature does."""
    headers = {each.alias for each in route.handler.dependant.header_params}
    assert ("idempotency-key" in headers) is route.idempotent


# Fields of an answer without which what was created cannot be used.
SECRETS = {"token", "url", "secret", "recovery_codes", "upload_id", "uploadId", "grant"}
# Routes that answer one and take no Idempotency-Key, and why.
NO_KEY = {
    "POST /login": "A lost session expires soon, and its owner can end it.",
    "POST /mfa": "Another secret replaces the lost one.",
    "POST /users/{username}/reset": "Another token replaces the lost one.",
    "POST /s/{token}/unlock": "It creates nothing: an access token is signed.",
    "POST /r/{token}/unlock": "It creates nothing: an access token is signed.",
    "POST /r/{token}/uploads": "Uploaders share a token; one could get another's upload.",
    "POST /s3/multipart": "Uppy cannot send another key with each request.",
    "POST /s3/params": "Uppy cannot send another key with each request.",
}


@each_route
def test_a_route_that_creates_a_secret_takes_an_idempotency_key(world: World, route: Route) -> None:
    """Or says why not."""
    answer = world.send(world.sender(route), route)
    is_made = route.method == "POST" and answer.status < 300 and answer.content
    creates = bool(is_made) and not SECRETS.isdisjoint(answer.json())
    assert route.idempotent is (creates and str(route) not in NO_KEY)
    assert creates or str(route) not in NO_KEY


@each_route
def test_a_replay_is_answered_as_the_row_says(world: World, route: Route) -> None:
    """The same request, sent again by the same account."""
    assert world.send(world.sender(route), route).status == route.status
    assert world.send(world.sender(route), route).status == route.answer_to_replay
