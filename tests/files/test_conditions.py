"""Conditional requests (RFC 9110, section 13.1): the same rules on every route."""

from typing import Any

import pytest

from tests.conftest import Behind, reason_at
from tests.support.client import Answer, Client
from tests.support.samples import ROUTES, SAMPLES, Sample, World, name_of

Key = tuple[str, str]
CONDITIONAL = {
    ("GET", "/file"), ("HEAD", "/file"), ("PUT", "/file"), ("PATCH", "/file"), ("DELETE", "/file"),
    ("POST", "/copy"), ("POST", "/restore"), ("DELETE", "/trash"), ("POST", "/uploads"),
}  # fmt: skip
CHANGING = sorted(key for key in CONDITIONAL if key[0] not in {"GET", "HEAD"})
IN_A_BODY = [key for key in CHANGING if key[0] != "DELETE"]


def trashed(alice: Client) -> str:
    """The id of something in the trash."""
    assert alice.put("gone.txt").status == 201
    assert alice.delete("/file", file_name="gone.txt").status == 204
    return str(alice.get("/trash").json()[0]["id"])


def prepared(world: World, key: Key) -> Sample:
    """A good request without a condition, on a file that is there."""
    sample = SAMPLES[key]
    if key == ("POST", "/copy"):
        world.alice.put("copy.txt")
    if key == ("DELETE", "/trash"):
        return Sample({"id": trashed(world.alice)})
    body = {name: value for name, value in (sample.body or {}).items() if name != "if_match"}
    if key == ("POST", "/uploads"):
        body["file_name"] = "a.txt"
    return Sample(sample.query, body or None, sample.path)


def send(world: World, key: Key, sample: Sample, **said: str) -> Answer:
    """A request with fields in its header."""
    headers = {name.replace("_", "-"): value for name, value in said.items()}
    sender = world.sender(key)
    path = world.path(key)
    return sender.send(key[0], path, query=sample.query, json_=sample.body, headers=headers)


def test_openapi_lists_the_conditional_header_fields(anyone: Client) -> None:
    """Conditions on routes of files, ranges on the route that sends bytes, and nowhere else."""
    shown: dict[Key, set[str]] = {}
    for path, item in anyone.get("/openapi.json").json()["paths"].items():
        for method, operation in item.items():
            said = operation.get("parameters", [])
            assert all(each["description"] for each in said if each["in"] == "header")
            shown[method.upper(), path] = {p["name"] for p in said if p["in"] == "header"}
    both = {"If-Match", "If-None-Match"}
    assert {key for key, fields in shown.items() if fields} == CONDITIONAL
    assert all(shown[key] >= both for key in CONDITIONAL)
    assert {key for key in CONDITIONAL if shown[key] - both} == {("GET", "/file")}
    assert shown["GET", "/file"] - both == {"Range", "If-Range"}


@pytest.mark.parametrize("key", ROUTES, ids=name_of)
def test_a_false_condition_stops_the_request(world: World, behind: Behind, key: Key) -> None:
    """412, or 304 for a read, and nothing changes. Other routes ignore conditions."""
    sample = prepared(world, key)
    before = behind.state()
    for said in ({"if_match": '"x"'}, {"if_none_match": "*"}):
        answer = send(world, key, sample, **said)
        fresh = "if_none_match" in said and key[0] in {"GET", "HEAD"}
        stopped = answer.status == (304 if fresh else 412)
        assert stopped is (key in CONDITIONAL), (said, answer.text)
        if stopped:
            assert behind.state() == before


@pytest.mark.parametrize("key", CHANGING, ids=name_of)
def test_true_conditions_stop_nothing(world: World, key: Key) -> None:
    """If-Match and If-None-Match may come in one request."""
    answer = send(world, key, prepared(world, key), if_match="*", if_none_match='"x", W/"y"')
    assert answer.status < 300, answer.text


@pytest.mark.parametrize("key", CHANGING, ids=name_of)
def test_a_weak_tag_matches_if_none_match_alone(world: World, key: Key) -> None:
    """If-Match compares strongly, because the bytes may differ."""
    sample = prepared(world, key)
    where = {"/trash": "/trash", "/copy": "/files?prefix=copy"}.get(key[1], "/files?prefix=a.txt")
    path, _, query = where.partition("?")
    (known,) = world.alice.send("GET", path, query=query).json()
    weak = f'W/"{known["etag"]}"'
    assert send(world, key, sample, if_match=weak).slug == "precondition-failed"
    assert send(world, key, sample, if_none_match=weak).slug == "precondition-failed"
    assert send(world, key, sample, if_match=f'{weak}, "{known["etag"]}"').status < 300


@pytest.mark.parametrize("key", IN_A_BODY, ids=name_of)
def test_conditions_in_a_body_work_as_in_the_header(world: World, behind: Behind, key: Key) -> None:
    """412 when one is false; a condition in both places is refused."""
    sample = prepared(world, key)
    before = behind.state()
    for name, false in (("if_match", "x"), ("if_none_match", "*")):
        body: dict[str, Any] = {**(sample.body or {}), name: false}
        assert send(world, key, Sample(sample.query, body)).status == 412
        for mine, header in ((false, "*"), ("*", '"x"'), ("*", "*")):
            twice = Sample(sample.query, {**body, name: mine})
            answer = send(world, key, twice, **{name: header})
            assert answer.slug == "invalid-request"
            assert "once" in reason_at(answer, f"body.{name}")
    assert behind.state() == before
    body = {**(sample.body or {}), "if_match": "*", "if_none_match": "x"}
    assert send(world, key, Sample(sample.query, body)).status < 300


def test_emptying_the_trash_takes_no_condition(alice: Client, behind: Behind) -> None:
    """A tag names one file."""
    trashed(alice)
    before = behind.state()
    for header in ("if-match", "if-none-match"):
        answer = alice.send("DELETE", "/trash", headers={header: "*"})
        assert answer.slug == "invalid-request"
        assert "id" in answer.json()["detail"]
    assert behind.state() == before
