"""`requireMfa`: until its second factor is on, an account can only set it up."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from function import contract
from tests.conftest import Clock
from tests.support.api_register import ROUTES, Route
from tests.support.client import PASSWORD, Client
from tests.support.links import make
from tests.support.mfa import enable_mfa
from tests.support.world import World

Require = Callable[[str], None]
OPEN = {"POST /mfa", "POST /mfa/confirm", "DELETE /mfa", "GET /me", "PATCH /me", "POST /logout"}
SIGNED_IN = [route for route in ROUTES if not route.public]


@pytest.fixture
def require(settings: contract.Settings, rewire: Callable[[contract.Settings], None]) -> Require:
    """A function that sets the setting."""
    return lambda value: rewire(replace(settings, require_mfa=value))


@pytest.mark.parametrize("route", SIGNED_IN, ids=str)
def test_an_account_without_a_factor_reaches_only_what_sets_it_up(
    world: World, require: Require, route: Route
) -> None:
    """On every route: the problem says what to do."""
    require("all")
    answer = world.send(world.sender(route), route)
    if str(route) in OPEN:
        assert answer.status != 403
        return
    assert answer.status == 403
    if route.method != "HEAD":
        assert answer.slug == "mfa-required"
        assert "POST /mfa" in answer.json()["detail"]


def test_once_it_is_on_everything_works(world: World, require: Require, clock: Clock) -> None:
    """And ends again with the factor."""
    require("all")
    assert world.alice.read("a.txt").slug == "mfa-required"
    app = enable_mfa(world.alice, clock)
    assert world.alice.read("a.txt").status == 200
    clock.time += 30
    headers = {"x-otp": app.code()}
    assert world.alice.send("DELETE", "/mfa", headers=headers).status == 204
    assert world.alice.read("a.txt").slug == "mfa-required"
    assert world.alice.send("POST", "/logout", query={"everywhere": "true"}).status == 204


def test_it_can_be_required_of_administrators_alone(
    world: World, require: Require, clock: Clock
) -> None:
    """Also of the configured one, and of whoever becomes one."""
    assert world.root.get("/users").status == 200
    assert world.root.send("PATCH", "/users/dave", json_={"role": "admin"}).status == 200
    require("admins")
    assert world.alice.get("/files").status == 200
    for administrator in (world.root, world.dave):
        assert administrator.get("/files").slug == "mfa-required"
        assert administrator.get("/users").slug == "mfa-required"
    enable_mfa(world.root, clock)
    assert world.root.get("/users").status == 200


def test_an_api_key_needs_the_factor_of_its_account(world: World, require: Require) -> None:
    """It was made before the setting."""
    body = {"name": "backup", "scopes": ["read"], "current_password": PASSWORD}
    key = Client(world.alice.post("/keys", **body).json()["token"])
    assert key.get("/files").status == 200
    require("all")
    assert key.get("/files").slug == "mfa-required"


def test_what_the_account_has_shared_goes_on(world: World, require: Require, clock: Clock) -> None:
    """Links, shares and file requests were given to others; only the account itself must act."""
    link = make(world.alice, "a.txt")
    enable_mfa(world.bob, clock)
    require("all")
    assert link.open().status == 200
    assert world.bob.read("a.txt", username="alice").status == 200
    assert Client().get(f"/r/{world.ids.request_token}").status == 200


def test_a_malformed_request_tells_nothing_more(world: World, require: Require) -> None:
    """The account is refused before its fields are judged."""
    require("all")
    assert world.alice.get("/files", limit="0").slug == "mfa-required"
    assert world.alice.post("/mfa", unknown=1).slug == "invalid-request"
