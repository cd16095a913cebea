"""Conditional requests (RFC 9110, section 13.1): the same rules on every route."""

from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import Behind, reason_at
from tests.support.api_register import ROUTES, Route
from tests.support.client import Answer, Client
from tests.support.world import World

# The header fields that have nothing to do with conditions.
OTHERS = {
    "Content-Digest", "Repr-Digest", "idempotency-key", "x-link-grant", "x-link-password", "x-otp",
}  # fmt: skip
CONDITIONAL = {str(route) for route in ROUTES if route.conditional}
IF_MATCH_ALONE = {str(route) for route in ROUTES if route.if_match}
CHANGING = [route for route in ROUTES if route.conditional and route.writes]
IN_A_BODY = [route for route in CHANGING if route.method != "DELETE" and not route.file_body]


def trashed(alice: Client) -> str:
    """The id of something in the trash."""
    assert alice.put("gone.txt").status == 201
    assert alice.delete("/file", file_name="gone.txt").status == 204
    return str(alice.get("/trash").json()[0]["id"])


def prepared(world: World, route: Route) -> Route:
    """The register's request without a condition; the file that it writes exists."""
    if route.path == "/copy":
        world.alice.put("copy.txt")
    if str(route) == "DELETE /trash":
        return replace(route, query={"id": trashed(world.alice)})
    body = {name: value for name, value in (route.body or {}).items() if name != "if_match"}
    return replace(route, body=body or None)


def send(world: World, route: Route, **conditions: str) -> Answer:
    """A request with conditions in its header."""
    headers = {name.replace("_", "-"): value for name, value in conditions.items()}
    return world.send(world.sender(route), route, headers=headers)


def test_openapi_lists_the_conditional_header_fields(anyone: Client) -> None:
    """Conditions on routes of files, ranges on the route that sends bytes, and nowhere else."""
    shown: dict[str, set[str]] = {}
    for path, item in anyone.get("/openapi.json").json()["paths"].items():
        for method, operation in item.items():
            said = operation.get("parameters", [])
            assert all(each["description"] for each in said if each["in"] == "header")
            fields = {each["name"] for each in said if each["in"] == "header"}
            shown[f"{method.upper()} {path}"] = {each for each in fields if each not in OTHERS}
    both = {"If-Match", "If-None-Match"}
    assert {name for name, fields in shown.items() if fields == {"If-Match"}} == IF_MATCH_ALONE
    assert {name for name, fields in shown.items() if fields} == CONDITIONAL | IF_MATCH_ALONE
    assert all(shown[name] >= both for name in CONDITIONAL)
    assert {name for name in CONDITIONAL if shown[name] - both} == {"GET /file"}
    assert shown["GET /file"] - both == {"Range", "If-Range"}


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_false_condition_stops_the_request(world: World, behind: Behind, route: Route) -> None:
    """412, or 304 for a read, and nothing changes. Other routes ignore conditions.

    The routes that give download URLs take If-Match alone, the documents of the API, which a client
    keeps, If-None-Match alone.
    """
    request = prepared(world, route)
    before = behind.state()
    for said in ({"if_match": '"x"'}, {"if_none_match": "*"}):
        answer = send(world, request, **said)
        fresh = "if_none_match" in said and route.method in {"GET", "HEAD"}
        stopped = answer.status == (304 if fresh else 412)
        is_taken = (
            route.conditional
            or (route.if_match and "if_match" in said)
            or (route.revalidates and "if_none_match" in said)
        )
        assert stopped is is_taken, (said, answer.text)
        if stopped:
            assert behind.state() == before


@pytest.mark.parametrize("route", CHANGING, ids=str)
def test_true_conditions_stop_nothing(world: World, route: Route) -> None:
    """If-Match and If-None-Match may come in one request."""
    answer = send(world, prepared(world, route), if_match="*", if_none_match='"x", W/"y"')
    assert answer.status < 300, answer.text


@pytest.mark.parametrize("route", CHANGING, ids=str)
def test_a_weak_tag_matches_if_none_match_alone(world: World, route: Route) -> None:
    """If-Match compares strongly, because the bytes may differ."""
    request = prepared(world, route)
    where = {"/trash": "/trash", "/copy": "/files?prefix=copy"}.get(
        route.path, "/files?prefix=a.txt"
    )
    path, _, query = where.partition("?")
    (known,) = world.alice.send("GET", path, query=query).json()
    weak = f'W/"{known["etag"]}"'
    assert send(world, request, if_match=weak).slug == "precondition-failed"
    assert send(world, request, if_none_match=weak).slug == "precondition-failed"
    assert send(world, request, if_match=f'{weak}, "{known["etag"]}"').status < 300


@pytest.mark.parametrize("route", IN_A_BODY, ids=str)
def test_conditions_in_a_body_work_as_in_the_header(
    world: World, behind: Behind, route: Route
) -> None:
    """412 when one is false; a condition in both places is refused."""
    request = prepared(world, route)
    before = behind.state()
    for name, false in (("if_match", "x"), ("if_none_match", "*")):
        body: dict[str, Any] = {**(request.body or {}), name: false}
        assert send(world, replace(request, body=body)).status == 412
        for mine, header in ((false, "*"), ("*", '"x"'), ("*", "*")):
            twice = replace(request, body={**body, name: mine})
            answer = send(world, twice, **{name: header})
            assert answer.slug == "invalid-request"
            assert "once" in reason_at(answer, f"body.{name}")
    assert behind.state() == before
    body = {**(request.body or {}), "if_match": "*", "if_none_match": "x"}
    assert send(world, replace(request, body=body)).status < 300


def test_emptying_the_trash_takes_no_condition(alice: Client, behind: Behind) -> None:
    """A tag names one file."""
    trashed(alice)
    before = behind.state()
    for header in ("if-match", "if-none-match"):
        answer = alice.send("DELETE", "/trash", headers={header: "*"})
        assert answer.slug == "invalid-request"
        assert "id" in answer.json()["detail"]
    assert behind.state() == before
