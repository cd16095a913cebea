"""A file and the link to it in one request, and the script for files of any size."""

import base64
import hashlib
from typing import Any
from urllib.parse import urlsplit

import pytest

from function.core.limits import SMALL_FILE_BYTES
from tests.conftest import Behind
from tests.support.client import PASSWORD, Answer, Client

AS_JSON = {"accept": "application/json"}


def send(client: Client, path: str, body: bytes = b"data", **more: Any) -> Answer:
    return client.send("PUT", f"/send/{path}", body=body, **more)


def test_the_answer_is_the_address_of_a_link_that_shows_the_file(
    alice: Client, anyone: Client
) -> None:
    """As one line of text. `Location` leads to the link as its owner sees it."""
    answer = send(alice, "report.pdf", b"the report", query={"max_downloads": "3"})
    assert answer.status == 201, answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    shown = anyone.get(urlsplit(answer.text.removesuffix("\n")).path).json()
    assert [each["file_name"] for each in shown["items"]] == ["report.pdf"]
    assert alice.get(answer.headers["location"]).json()["max_downloads"] == 3
    assert alice.read("report.pdf").content == b"the report"


def test_json_has_the_link_and_the_file(alice: Client) -> None:
    sent = send(alice, "report.pdf", headers=AS_JSON).json()
    assert sent["items"] == ["report.pdf"]
    assert sent["file"]["key"] == "alice/report.pdf"
    assert sent["file"]["content_type"] == "application/pdf"
    link = alice.get(f"/links/{sent['id']}").json()
    assert {name: sent[name] for name in link if name != "url"} == {
        name: value for name, value in link.items() if name != "url"
    }


def test_a_file_that_has_the_name_stays_with_its_link(alice: Client, anyone: Client) -> None:
    first, second = (send(alice, "a.txt", body).text for body in (b"first", b"second"))
    names = [
        anyone.get(urlsplit(each.strip()).path).json()["items"][0]["file_name"]
        for each in (first, second)
    ]
    assert names == ["a.txt", "a (1).txt"]
    assert [alice.read(name).content for name in names] == [b"first", b"second"]


def test_a_replaced_file_is_shown_by_both_links(alice: Client) -> None:
    send(alice, "a.txt", b"first")
    assert send(alice, "a.txt", b"second", query={"on_conflict": "replace"}).status == 201
    assert alice.read("a.txt").content == b"second"
    assert len(alice.get("/links").json()) == 2
    assert send(alice, "a.txt", query={"on_conflict": "fail"}).slug == "file-exists"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("holiday/lake.jpg", "holiday/lake.jpg"),
        ("50%25.txt", "50%.txt"),
        ("caf%C3%A9%20%23+.txt", "café #+.txt"),
        ("cut%3F.txt?file_name=whole%3F.txt", "whole?.txt"),
    ],
)
def test_a_name_arrives_by_the_path_or_the_query(alice: Client, path: str, name: str) -> None:
    path, _, query = path.partition("?")
    assert send(alice, path, query=query).status == 201
    assert alice.names() == [f"alice/{name}"]


@pytest.mark.parametrize("path", ["", "holiday/", "../a", "a//b", "a%5Cb", "a%00b", "%FF"])
def test_a_path_that_is_no_name_is_refused(alice: Client, behind: Behind, path: str) -> None:
    before = behind.state()
    answer = send(alice, path)
    assert answer.status in {400, 422}, answer.text
    assert answer.slug in {"invalid-name", "invalid-request", "malformed-request"}
    assert behind.state() == before


def test_a_password_is_in_the_header_alone(alice: Client, anyone: Client, behind: Behind) -> None:
    before = behind.state()
    for more in (
        {"query": {"password": PASSWORD}},
        {"headers": {"x-link-password": "pässword of a link"}},
        {"headers": {"x-link-password": "password"}},
    ):
        assert send(alice, "a.txt", **more).status == 422
    assert behind.state() == before
    address = send(alice, "a.txt", headers={"x-link-password": PASSWORD}).text.strip()
    assert anyone.get(urlsplit(address).path).slug == "password-required"


def test_a_large_file_is_refused_with_the_line_that_sends_it(alice: Client, behind: Behind) -> None:
    before = behind.state()
    answer = send(alice, "film.mkv", b"x" * (SMALL_FILE_BYTES + 1))
    assert (answer.status, answer.slug) == (413, "too-large")
    assert "/send/film.mkv" in answer.json()["detail"]
    assert "| sh" in answer.json()["detail"]
    assert behind.state() == before


@pytest.mark.parametrize("field", ["repr-digest", "content-digest"])
def test_a_digest_is_verified(alice: Client, behind: Behind, field: str) -> None:
    before = behind.state()
    digest = f"sha-256=:{base64.b64encode(hashlib.sha256(b'data').digest()).decode()}:"
    answer = send(alice, "a.txt", b"date", headers={field: digest})
    assert (answer.status, answer.slug) == (422, "invalid-request")
    assert behind.state() == before
    assert send(alice, "a.txt", b"data", headers={field: digest}).status == 201


def test_the_script_is_made_without_a_change(alice: Client, behind: Behind) -> None:
    """And the fields of the link are judged before a large file is sent."""
    before = behind.state()
    script = alice.send("GET", "/send/it's.mkv", query={"size": "30000000"})
    assert script.status == 200, script.text
    assert script.headers["content-type"].startswith("text/plain")
    assert "no-store" in script.headers["cache-control"]
    assert alice.token in script.text
    assert alice.get("/send/film.mkv", audience="nobody").slug == "no-such-user"
    assert alice.get("/send/film.mkv", password=PASSWORD).status == 422
    assert behind.state() == before
