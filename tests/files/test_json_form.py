"""The JSON form of `PUT /file` never becomes a file of JSON by surprise."""

import json
from typing import Any

import pytest

from tests.conftest import Behind
from tests.support.client import Answer, Client

FORM: dict[str, Any] = {"file_name": "a.txt", "content": "bmV3"}
JSON, PLAIN = "application/json", "application/octet-stream"
URLENCODED = "application/x-www-form-urlencoded"


def put(client: Client, body: bytes, media_type: str | None = JSON) -> Answer:
    """Puts a body as the file `b.json`."""
    headers = {"content-type": media_type} if media_type else {}
    return client.send("PUT", "/file", query={"file_name": "b.json"}, body=body, headers=headers)


@pytest.mark.parametrize("more", [{}, {"on_conflict": "fail"}, {"content": "not Base64"}])
@pytest.mark.parametrize("media_type", [JSON, "Application/JSON; charset=utf-8"])
def test_the_form_with_a_name_in_the_query_is_refused(
    alice: Client, behind: Behind, more: dict[str, Any], media_type: str
) -> None:
    """The answer says which of the two is meant by what."""
    before = behind.state()
    answer = put(alice, b" \n" + json.dumps(FORM | more).encode(), media_type)
    assert (answer.status, answer.slug) == (422, "invalid-request")
    assert "leave file_name out of the query" in answer.json()["detail"]
    assert "application/octet-stream" in answer.json()["detail"]
    assert behind.state() == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"file_name": "a.txt"}',
        b'[{"file_name": "a", "content": "b"}]',
        b'{"file_name": "a", "content": "b", "author": "c"}',
        b'{"files": {"file_name": "a", "content": "b"}}',
        b'{"file_name": "a", "content": ',
        b'{"file_name": "a", "file_name": "b", "content": "c"}',
        b'{"x": [' + b"0," * 200_000 + b'0], "file_name": "a", "content": "b"}',
    ],
    ids=range(9),
)
def test_another_document_is_a_file(alice: Client, body: bytes) -> None:
    """Whatever it says, and also where it is no JSON at all."""
    answer = put(alice, body)
    assert answer.status == 201, answer.text
    assert answer.json()["content_type"] == JSON
    assert alice.read("b.json").content == body


@pytest.mark.parametrize(
    "media_type", [None, "application/octet-stream", "application/x-www-form-urlencoded"]
)
def test_the_form_is_a_file_where_the_request_does_not_call_it_json(
    alice: Client, media_type: str | None
) -> None:
    """As `curl -T form.json` and `curl --data-binary @form.json` send it."""
    body = json.dumps(FORM).encode()
    assert put(alice, body, media_type).status == 201
    assert alice.read("b.json").content == body


def test_the_part_of_a_form_is_refused_unless_it_is_a_file(alice: Client) -> None:
    """A program that sends the JSON form as a part names no file; a person attaches one."""
    for named, status in (("", 422), ("; filename=x.json", 201)):
        head = f"--b\r\ncontent-disposition: form-data; name=file{named}\r\ncontent-type: {JSON}"
        body = head.encode() + b"\r\n\r\n" + json.dumps(FORM).encode() + b"\r\n--b--\r\n"
        answer = put(alice, body, "multipart/form-data; boundary=b")
        assert answer.status == status, answer.text


def test_fields_beside_the_form_are_refused_with_the_way_to_send_them(alice: Client) -> None:
    """In the query, without a name there."""
    answer = alice.send("PUT", "/file", query={"on_conflict": "fail"}, json_=FORM)
    assert (answer.status, answer.slug) == (422, "invalid-request")
    assert answer.json()["detail"].startswith("With a JSON body every field belongs in it.")
    assert [each["at"] for each in answer.json()["errors"]] == ["query.on_conflict"]
