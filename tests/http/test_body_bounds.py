"""The body of a request is bounded, and judged before anything reads it."""

import json

import pytest

from function.core import limits
from function.core.limits import MAX_BODY_BYTES, MAX_COMPLETION_BYTES, MAX_FORM_PARTS, MAX_PARTS
from function.http import request as http_request
from function.http.dependencies import max_body_bytes
from tests.http.test_forms import form, send
from tests.support.api_register import ROUTES, Route
from tests.support.client import Answer, Client
from tests.support.world import World

JSON = {"content-type": "application/json"}
FILE = ('name="file"; filename="a.txt"', b"1")
# The routes whose bodies are larger by their nature, and the most bytes of each.
LARGER = {
    "PUT /file": limits.MAX_REQUEST_BYTES,
    "PUT /send/{name}": limits.MAX_REQUEST_BYTES,
    "POST /uploads/{upload_id}/complete": MAX_COMPLETION_BYTES,
    "POST /r/{token}/uploads/{upload_id}/complete": MAX_COMPLETION_BYTES,
    "POST /s3/multipart/{upload_id}/complete": MAX_COMPLETION_BYTES,
}


def send_body(world: World, route: Route, size: int, kind: str = "application/json") -> Answer:
    """A good request of the register, whose body is filled up with spaces to a size."""
    body = json.dumps(route.body or {}).encode().ljust(size)
    client, headers = world.sender(route), {**route.headers, "content-type": kind}
    path, query = world.path(route), route.query
    return client.send(route.method, path, query=query, body=body, headers=headers)


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_larger_body_is_refused_unread(
    world: World, route: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On every route, and whether API Gateway passes the body as text or as Base64."""
    limit = LARGER.get(str(route), MAX_BODY_BYTES)
    assert max_body_bytes(route.handler) == limit
    with monkeypatch.context() as unread:
        unread.setattr(http_request, "json", None)  # so that reading fails
        for kind in ("application/json", "application/octet-stream"):
            answer = send_body(world, route, limit + 1, kind)
            assert answer.status == 413, answer.text
            if route.method != "HEAD":
                assert answer.slug == "too-large"
                assert str(limit) in answer.json()["detail"]


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_body_of_the_limit_is_taken(world: World, route: Route) -> None:
    """Spaces around JSON mean nothing. A file that is the body has the limit of small files."""
    limit = LARGER.get(str(route), MAX_BODY_BYTES)
    most = limits.SMALL_FILE_BYTES if "/send/" in route.path else 5_000_000
    assert send_body(world, route, min(limit, most)).status in {route.status, 404}


def test_a_stranger_learns_only_that_a_token_is_missing(anyone: Client) -> None:
    """401 comes before 413."""
    body = b" " * (MAX_BODY_BYTES + 1)
    assert anyone.send("POST", "/share", body=body, headers=JSON).status == 401
    invented = Client("alice." + "A" * 43)
    assert invented.send("POST", "/share", body=body, headers=JSON).status == 401
    assert (
        invented.send("PUT", "/file", body=b'{"a":[' + b"{}," * 10**6, headers=JSON).status == 401
    )


@pytest.mark.parametrize("items", [b"{},", b"[],", b"1,", b'"",', b'"a":1,'])
def test_the_items_of_a_json_body_are_bounded(alice: Client, items: bytes) -> None:
    """Six megabytes of content are one item; of empty objects they would be two millions."""
    body = b'{"file_name":[' + items * (limits.MAX_JSON_MARKS // items.count(b",") + 1)
    answer = alice.send("PUT", "/file", body=body, headers=JSON)
    assert (answer.status, answer.slug) == (413, "too-large")
    assert str(limits.MAX_JSON_MARKS) in answer.json()["detail"]


@pytest.mark.parametrize("names", [("part_number", "etag"), ("PartNumber", "ETag")])
def test_a_completion_may_name_the_most_parts(names: tuple[str, str]) -> None:
    """Uppy sends all parts with their ETags, whatever the size of the file."""
    number, etag = names
    sent = [{number: MAX_PARTS, etag: f'"{0:032x}"'} for _ in range(MAX_PARTS)]
    text = json.dumps({"parts": sent}, indent=1)
    assert len(text) < MAX_COMPLETION_BYTES
    assert http_request.json_text(text.encode(), {}) == text


def test_a_form_has_at_most_twenty_parts(alice: Client) -> None:
    """Also where each is a field that the route does not know."""
    fields = [(f'name="field{at}"', b"") for at in range(MAX_FORM_PARTS)]
    answer = send(alice, form(FILE, *fields))
    assert (answer.status, answer.slug) == (413, "too-large")
    assert str(MAX_FORM_PARTS) in answer.json()["detail"]
    answer = send(alice, form(FILE, *fields[1:]))
    assert (answer.status, answer.slug) == (422, "invalid-request")  # they are read, and unknown
    assert send(alice, form(*fields * 3500)).status == 413


def test_the_bytes_of_a_file_are_no_parts(alice: Client) -> None:
    """Lines that look like a boundary do not count."""
    data = b"--b0und\r\n--b0un\r\n" * 100
    data = data.replace(b"\r\n--b0und", b"\r\n --b0und")
    assert send(alice, form(('name="file"; filename="a.txt"', b" " + data))).status == 201
    assert alice.read("a.txt").content == b" " + data


def test_an_answer_names_few_fields_of_a_query(alice: Client) -> None:
    """Whatever their number."""
    query = "&".join(f"{at:x}" for at in range(2000))
    answer = alice.send("GET", "/me", query=query)
    assert (answer.status, len(answer.json()["errors"])) == (422, 20)
