"""Every answer 201 says where to get what was created (RFC 9110, section 15.3.2)."""

import pytest

from function.http.locations import LOCATIONS
from function.meta.openapi import document
from tests.support.api_register import ROUTES, Route
from tests.support.client import Client, join
from tests.support.world import World

CREATING = [route for route in ROUTES if route.status == 201]


def test_each_route_that_may_create_has_one() -> None:
    """By the answers in the document; and no other route does."""
    documented = {
        f"{method.upper()} {path}"
        for path, operations in document()["paths"].items()
        for method, operation in operations.items()
        if "201" in operation.get("responses", {})
    }
    assert documented == LOCATIONS.keys()
    assert {str(route) for route in CREATING} <= documented


@pytest.mark.parametrize("route", CREATING, ids=str)
def test_what_was_created_is_found_there(world: World, route: Route) -> None:
    """By who created it; a new account logs in first."""
    sender = world.sender(route)
    answer = world.send(sender, route)
    assert answer.status == 201, answer.text
    if route.path == "/register":
        body = dict(route.body or {})
        login = {name: body[name] for name in ("username", "password")}
        sender = Client(Client().post("/login", **login).json()["token"])
    path, _, query = answer.headers["location"].partition("?")
    found = sender.send("GET", path, query=query)
    assert found.status == 200, found.text


def test_a_file_is_found_under_any_name(alice: Client, bob: Client) -> None:
    """The name is percent-encoded, and the owner of a shared folder is named."""
    name = "in/50% of #1? a&b=c + é.txt"
    answer = alice.put(name, b"bytes")
    assert answer.status == 201
    assert answer.headers["location"].isascii()
    alice.post("/share", file_name="in/", username="bob", permission="write")
    theirs = bob.put("in/x&y", b"bytes", username="alice")
    assert theirs.headers["location"] == "/file?file_name=in%2Fx%26y&username=alice"
    for client, created in ((alice, answer), (bob, answer), (bob, theirs)):
        path, _, query = created.headers["location"].partition("?")
        assert client.send("GET", path, query=query).text == "Ynl0ZXM="


def test_nothing_that_was_there_has_one(alice: Client) -> None:
    """200 replaces a file, and answers a share that stands."""
    assert alice.put("a").status == 201
    again = alice.put("a")
    assert (again.status, again.headers.get("location")) == (200, None)
    join("carol", "192.0.2.9")
    share = {"file_name": "a", "username": "carol"}
    assert alice.post("/share", **share).headers["location"] == "/shares?file_name=a"
    assert "location" not in alice.post("/share", **share).headers


def test_a_group_leads_to_itself(alice: Client) -> None:
    """A new one; the request of the register meets one that stands."""
    answer = alice.send("PUT", "/groups/a+b@c")
    assert (answer.status, answer.headers["location"]) == (201, "/groups/a%2Bb%40c")
    assert alice.send("GET", "/groups/a+b@c").status == 200
