"""The HTML pages of links: no script, everything escaped, nothing shown before the password."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from urllib.parse import parse_qs

import pytest

from function.http.pages import format_size
from tests.conftest import Clock
from tests.support import presigned as s3
from tests.support.client import Answer, Client
from tests.support.links import HTML, JSON, change, make, revoke, sent_back

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;.txt".replace("/", "")
TAGS = {
    "html", "head", "meta", "title", "style", "body", "h1", "p", "bdi", "table", "tr", "td", "form",
    "input", "button", "a",
}  # fmt: skip


class Page(HTMLParser):
    """A page as a browser parses it."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        self.policy = answer.headers["content-security-policy"]
        self.tags: list[str] = []
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.links: list[str] = []
        self.texts: list[str] = []
        self.styles: list[str] = []
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        assert not any(name.startswith("on") or name == "style" for name in given)
        self.tags.append(tag)
        if tag == "form":
            assert given["method"] == "post"
            self.forms.append((given["action"], {}))
        if tag == "input":
            self.forms[-1][1][given["name"]] = given.get("value", "")
        if tag == "a":
            self.links.append(given["href"])

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] == ["style"]:
            self.styles.append(data)
        elif data.strip():
            self.texts.append(data)


def test_names_and_notes_are_escaped(alice: Client) -> None:
    """They cannot add tags, attributes or styles, and the policy allows no script."""
    name = f"{EVIL}/{EVIL}"
    alice.put(name, b"data")
    link = make(alice, name, "in/", note=EVIL + "\n</bdi>", password="knock twice")
    page = Page(link.unlocked_page("knock twice"))
    assert set(page.tags) <= TAGS
    assert name in page.texts
    assert EVIL + "\n</bdi>" in page.texts
    (form,) = page.forms
    assert form[0] == f"{link.path}/download"
    assert form[1]["file_name"] == name
    assert "script-src" not in page.policy
    assert page.policy.startswith("default-src 'none'; style-src 'sha256-")
    digest = hashlib.sha256(page.styles[0].encode()).digest()
    assert f"'sha256-{base64.b64encode(digest).decode()}'" in page.policy


def test_a_browser_downloads_without_a_script(alice: Client) -> None:
    """By a password form, a button, and a redirect to the host that the policy allows."""
    alice.put("a.txt", b"data")
    link = make(alice, "a.txt", password="knock twice", max_downloads=1)
    page = link.page()
    assert page.status == 401
    (asked,) = Page(page).forms
    assert asked == (f"{link.path}/unlock", {"password": ""})
    wrong = link.form("/unlock", password="y")
    assert (wrong.status, Page(wrong).forms) == (401, [asked])
    assert "That is not the password." in Page(wrong).texts
    opened = Page(link.unlocked_page("knock twice"))
    (form,) = opened.forms
    answer = link.form("/download", **form[1])
    assert answer.status == 303
    url = answer.headers["location"]
    assert s3.send("GET", url).body == b"data"
    (ends,) = re.findall("form-action ([^;]*);", opened.policy)
    assert ends == f"'self' {'/'.join(url.split('/')[:3])}"
    again = Page(link.unlocked_page("knock twice"))
    assert again.forms == []
    assert "Downloads left: 0." in again.texts


def test_a_button_pressed_twice_counts_once(alice: Client) -> None:
    """Also without a password: an interrupted download is repeated when it was the last one."""
    alice.put("a.txt", b"data")
    link = make(alice, "a.txt", max_downloads=1)
    page = link.page()
    ((_, fields),) = Page(page).forms
    for _ in range(2):
        answer = link.form("/download", **fields)
        assert (answer.status, answer.headers["x-link-grant"]) == (303, fields["grant"])
        assert s3.send("GET", answer.headers["location"]).body == b"data"
    assert link.downloads(alice) == 1
    assert link.form("/download", file_name="a.txt").status == 410


def test_the_next_page_of_a_link_without_a_password_has_a_grant_of_its_own(alice: Client) -> None:
    """In its forms, and not in its address."""
    for number in range(101):
        alice.put(f"in/{number:03}", b"")
    link = make(alice, "in/", max_downloads=1)
    (more,) = Page(link.page()).links
    assert "grant" not in more
    query = more.partition("?")[2]
    ((_, fields),) = Page(Client().send("GET", link.path, query=query, headers=HTML)).forms
    assert link.form("/download", **fields).status == 303


def test_the_password_page_is_the_same_for_every_link(alice: Client) -> None:
    """It reveals nothing about the link."""
    alice.put("a.txt", b"data")
    alice.put("in/b.txt", b"more data")
    links = [
        make(alice, "a.txt", password="knock twice", note="a note", max_downloads=7),
        make(alice, "in/", password="knock thrice", expires_in=None),
    ]
    said = {link.page().text.replace(link.path, "") for link in links}
    assert len(said) == 1


@pytest.mark.parametrize("accept", ["*/*", "application/json", "", "text/plain", "text/htmlx"])
def test_programs_get_problems_as_json(alice: Client, accept: str) -> None:
    """Only a client that accepts text/html gets a page."""
    alice.put("a.txt")
    link = make(alice, "a.txt", password="knock twice")
    answer = Client().send("GET", link.path, headers={"accept": accept})
    assert answer.slug == "password-required"
    assert Client().send("GET", "/me", headers=HTML).slug == "not-signed-in"


def test_a_page_says_why_a_link_does_not_open(alice: Client) -> None:
    """With the status and the title of the problem."""
    alice.put("a.txt")
    link = make(alice, "a.txt", allow_download=False)
    assert Page(link.page()).forms == []
    assert Page(link.form("/download", file_name="a.txt")).texts[0] == "Downloads not allowed"
    revoke(alice, link)
    answer = link.page()
    assert (answer.status, Page(answer).texts[0]) == (410, "Link revoked")
    answer = Client().send("GET", "/s/" + "A" * 43, headers=HTML)
    assert (answer.status, Page(answer).texts[0]) == (404, "No such link")
    answer = Client().send("GET", f"/s/<script>{EVIL}", headers=HTML)
    assert (answer.status, set(Page(answer).tags) <= TAGS) == (404, True)
    answer = Client().send("POST", f"{link.path}", headers=HTML)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


def test_a_folder_of_more_than_a_hundred_files_has_pages(alice: Client) -> None:
    """A cookie opens the next one, and no address has the access token."""
    for number in range(101):
        alice.put(f"in/{number:03}", b"")
    link = make(alice, "in/", password="knock twice")
    unlocked = link.form("/unlock", password="knock twice")
    first = Page(link.page(unlocked.cookies))
    assert len(first.forms) == 100
    (more,) = first.links
    assert more.startswith(f"{link.path}?cursor=")
    grant = first.forms[0][1]["grant"]
    assert grant in unlocked.cookies[0]
    assert grant not in more
    cursor = parse_qs(more.partition("?")[2])["cursor"][0]
    assert link.page(cursor=cursor).status == 401
    second = Page(link.page(unlocked.cookies, cursor=cursor))
    assert [form[1]["file_name"] for form in second.forms] == ["in/100"]
    assert second.links == []


def test_the_cookie_of_a_page(alice: Client, clock: Clock) -> None:
    """Only this host, no script, no other site's form, an hour; the page can be loaded again."""
    alice.put("a.txt")
    link = make(alice, "a.txt", password="knock twice")
    answer = link.form("/unlock", password="knock twice")
    assert (answer.status, answer.content) == (303, b"")
    assert answer.headers["location"] == link.path
    assert answer.headers["cache-control"] == "no-store"
    (cookie,) = answer.cookies
    pair, *attributes = cookie.split("; ")
    assert pair.startswith("__Host-")
    assert link.path.removeprefix("/s/") not in cookie
    required = {"Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=3600"}
    assert set(attributes) == required
    for _ in range(2):
        assert link.page(answer.cookies).status == 200
    assert link.page().status == 401
    clock.time += 3600
    assert link.page(answer.cookies).status == 401


@pytest.mark.parametrize("token", ["token", "alias"])
def test_each_link_has_a_cookie_of_its_own(alice: Client, token: str) -> None:
    """Which opens no other link, also with the same password, and ends with the password."""
    alice.put("a.txt")
    alias = {"alias": "trip"} if token == "alias" else {}
    link = make(alice, "a.txt", password="knock twice", **alias)
    other = make(alice, "a.txt", password="knock twice")
    mine, its = (each.form("/unlock", password="knock twice").cookies for each in (link, other))
    assert link.page([*its, *mine]).status == other.page([*mine, *its]).status == 200
    assert link.page(its).status == other.page(mine).status == 401
    name = mine[0].partition("=")[0]
    assert link.page([f"{name}={its[0].partition('=')[2]}"]).status == 401
    for odd in (name, f"{name}=", f"{name}=x", f"={name}", ";", "a=b=c"):
        assert link.page([odd]).status == 401
    change(alice, link, password="knock three times")
    assert link.page(mine).status == 401


def test_a_cookie_is_a_grant_for_programs_too(alice: Client) -> None:
    """As the header is, which comes first; a JSON answer sets none."""
    alice.put("a.txt", b"data")
    link = make(alice, "a.txt", password="knock twice")
    cookies = link.form("/unlock", password="knock twice").cookies
    assert link.unlock("knock twice").cookies == ()
    headers = JSON | sent_back(cookies)
    assert Client().send("GET", link.path, headers=headers).status == 200
    path = f"{link.path}/download"
    assert Client().send("POST", path, json_={}, headers=headers).status == 200
    wrong = headers | {"x-link-grant": "wrong"}
    assert Client().send("GET", link.path, headers=wrong).slug == "password-required"


def test_no_address_has_a_secret_but_the_token(alice: Client, anyone: Client) -> None:
    """No route reads one from its query, and no page leads to one."""
    document = anyone.get("/openapi.json").json()
    operations = [each for path in document["paths"].values() for each in path.values()]
    fields = {each["name"] for op in operations for each in op.get("parameters", [])}
    queries = {
        each["name"]
        for operation in operations
        for each in operation.get("parameters", [])
        if each["in"] == "query"
    }
    assert {"x-link-grant", "x-otp"} <= fields
    assert not queries & {"grant", "otp", "password", "token"}
    alice.put("a.txt")
    link = make(alice, "a.txt", password="knock twice")
    grant = link.unlock("knock twice").json()["grant"]
    answer = Client().get(link.path, grant=grant)
    assert (answer.status, answer.slug) == (422, "invalid-request")


def test_an_empty_folder_has_a_page(alice: Client) -> None:
    """It says that the folder is empty, and when the link expires."""
    link = make(alice, "in/")
    assert "This link has no files now." in Page(link.page()).texts
    assert "Open until 2026-09-28 14:13 UTC." in Page(link.page()).texts
    change(alice, link, expires_in=None)
    assert not any("Open until" in text for text in Page(link.page()).texts)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (5 << 40, "5.0 TiB"),
        (9 << 50, "9216.0 TiB"),
    ],
)
def test_sizes_are_shown_in_the_largest_unit(size: int, text: str) -> None:
    assert format_size(size) == text
