"""Links, for those who open them: what is seen, what is counted, what keeps one out."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from function import base
from function.aws.dynamodb import Dynamo
from function.core.errors import Problem, Unavailable
from function.core.roles import SCOPES
from function.links.access import LinkVisitor
from function.links.downloads import LinkDownloads
from function.links.models import LinkDownloadRequest
from tests.conftest import Behind, Clock
from tests.crashes.meetings import at_the_commit
from tests.support import curls
from tests.support import presigned as s3
from tests.support.client import Answer, Client, join
from tests.support.fake_aws import Ground
from tests.support.links import JSON, Made, change, make, revoke


def test_a_link_shows_what_is_in_it_now(alice: Client) -> None:
    """Its own files first, then what its folders hold; each once, by the owner's whole name."""
    for name in ("z.txt", "in/a.txt", "in/deep/b.txt", "inn.txt", "y.txt"):
        alice.put(name, name.encode())
    link = make(alice, "z.txt", "in/", "in/deep/", "in/a.txt", note="look", max_downloads=2)
    assert link.names() == ["in/a.txt", "z.txt", "in/deep/b.txt"]
    alice.put("in/new.txt")
    alice.delete("/file", file_name="in/deep/b.txt")
    answer = link.open()
    assert [item["file_name"] for item in answer.json()["items"]] == [
        "in/a.txt", "z.txt", "in/new.txt",
    ]  # fmt: skip
    assert answer.json() | {"items": []} == {
        "owner": "alice",
        "note": "look",
        "items": [],
        "needs_password": False,
        "expires_at": link.view["expires_at"],
        "max_downloads": 2,
        "downloads_left": 2,
        "allow_download": True,
    }
    assert answer.json()["items"][1] == {
        "file_name": "z.txt",
        "size": 5,
        "content_type": "text/plain",
        "modified": "2026-09-21T14:13:20.250Z",
    }
    for name in ("y.txt", "inn.txt", "in", "in/deep/b.txt", "zz.txt"):
        assert link.download(name).slug == "no-such-file"


def test_what_a_link_shows_comes_in_pages(alice: Client) -> None:
    """Each file once, also the last; a cursor is good for this link alone."""
    names = ["a/1", "a/2", "a/3", "b/1", "b/2", "x", "y"]
    for name in names:
        alice.put(name, b"")
    link, other = make(alice, "x", "a/", "y", "b/", "c/"), make(alice, "x", "a/")
    found, cursor = [], {}
    while True:
        answer = link.open(limit=2, **cursor)
        found += [item["file_name"] for item in answer.json()["items"]]
        if "x-next-cursor" not in answer.headers:
            break
        cursor = {"cursor": answer.headers["x-next-cursor"]}
        assert other.open(**cursor).slug == "invalid-cursor"
    assert found == ["x", "y", *names[:5]]


@pytest.mark.slow
def test_looking_never_counts(alice: Client, ground: Ground) -> None:
    """Not by GET, HEAD, a range, a condition or a preview bot; the only download is still there."""
    alice.put("a.txt", b"data")
    link = make(alice, "a.txt", max_downloads=1)
    for method in ("GET", "HEAD") * 50:
        for headers in ({"range": "bytes=0-0"}, {"if-none-match": "*"}, {"accept": "text/html"}):
            answer = Client().send(method, link.path, headers=headers)
            assert answer.status == 200
            assert answer.content == b"" or method == "GET"
    assert Client().get(f"{link.path}/download").slug == "method-not-allowed"
    assert (link.downloads(alice), link.open().json()["downloads_left"]) == (0, 1)
    assert link.download("a.txt").status == 200
    assert link.downloads(alice) == 1


def test_a_download_is_a_redirect_or_an_address(alice: Client) -> None:
    """303 for who follows it, JSON for who asks so: an attachment for 300 seconds."""
    alice.put("in/a.svg", b"<svg/>", content_type="image/svg+xml")
    link = make(alice, "in/a.svg")
    answer = Client().send("POST", f"{link.path}/download")
    assert (answer.status, answer.content) == (303, b"")
    made = link.download("in/a.svg", inline=True).json()
    assert made["grant"]
    assert made["curl"].startswith("curl -fgS -o a.svg ")
    for url in (answer.headers["location"], made["url"]):
        query = parse_qs(urlsplit(url).query)
        assert (query["X-Amz-Algorithm"], query["X-Amz-Expires"]) == (["AWS4-HMAC-SHA256"], ["300"])
        assert query["response-content-type"] == ["application/octet-stream"]
        assert query["response-content-disposition"][0].startswith("attachment; ")
        assert s3.send("GET", url).body == b"<svg/>"


def test_a_file_need_not_be_named_where_there_is_one(alice: Client) -> None:
    """A file, or a folder that holds one now."""
    alice.put("in/a.txt", b"1")
    link, folder = make(alice, "in/a.txt"), make(alice, "in/")
    assert link.download().json()["file_name"] == folder.download().json()["file_name"]
    alice.put("in/b.txt", b"2")
    assert link.download().status == 200
    assert folder.download().status == 422
    assert make(alice, "in/a.txt", "in/b.txt").download().status == 422


def test_a_download_that_broke_off_goes_on_uncounted(alice: Client, clock: Clock) -> None:
    """With the grant that came with it, for its hour, for this file, also when all are used up."""
    alice.put("a.txt", b"data")
    alice.put("b.txt", b"data")
    link = make(alice, "a.txt", "b.txt", max_downloads=1)
    first = Client().post(f"{link.path}/download", file_name="a.txt")
    grant = first.headers["x-link-grant"]
    for _ in range(3):
        again = link.download("a.txt", grant=grant)
        assert s3.send("GET", again.json()["url"]).body == b"data"
        assert again.json()["grant"] == grant
        headers = {"x-link-grant": grant}
        named = {"file_name": "a.txt"}
        again = Client().send("POST", f"{link.path}/download", json_=named, headers=headers)
        assert again.status == 303
    assert link.downloads(alice) == 1
    assert link.download("b.txt", grant=grant).slug == "link-exhausted"
    assert link.download("a.txt").slug == "link-exhausted"
    assert link.open().json()["downloads_left"] == 0
    clock.time += 3600
    assert link.download("a.txt", grant=grant).slug == "link-exhausted"
    assert change(alice, link, max_downloads=2).status == 200
    assert link.download("b.txt").status == 200


@pytest.mark.parametrize("most", [1, None])
@pytest.mark.parametrize("fields", [{"file_name": "a.txt"}, {"format": "curl"}], ids=str)
def test_one_grant_for_one_file_counts_once_also_at_the_same_moment(
    alice: Client, ground: Ground, most: int | None, fields: dict[str, str]
) -> None:
    """Whoever comes second finds the receipt and is given the same, uncounted."""
    alice.put("a.txt", b"data")
    link = make(alice, "a.txt", max_downloads=most)
    grant = link.unlock("").json()["grant"]
    met = at_the_commit(ground, lambda: link.download("a.txt", grant=grant))
    assert link.download(**fields, grant=grant).status == 200
    assert [answer.status for answer in met] == [200]
    assert link.downloads(alice) == 1
    events = alice.get(f"/links/{link.id}/events").json()
    assert [event["kind"] for event in events].count("downloaded") == 1


def test_a_receipt_that_is_over_is_put_again(alice: Client, clock: Clock, behind: Behind) -> None:
    """The table removes it hours late; one for a file that was deleted is in nobody's way."""
    alice.put("in/a.txt")
    link = make(alice, "in/")
    grant = link.unlock("").json()["grant"]
    link.download("in/a.txt", grant=grant)
    (receipt,) = [row for row in behind.rows("shares") if str(row["grantee"]).startswith("got:")]
    behind.put("shares", receipt | {"expires_at": int(clock.time)})
    assert link.download("in/a.txt", grant=grant).status == 200
    assert link.downloads(alice) == 2
    alice.delete("/file", file_name="in/a.txt")
    alice.put("in/a.txt")
    assert link.download("in/a.txt", grant=grant).status == 200
    assert link.downloads(alice) == 3


def test_a_receipt_is_for_the_file_not_for_its_name(alice: Client) -> None:
    """A new file of the same name in the same folder is another download."""
    alice.put("in/a.txt", b"old")
    link = make(alice, "in/", max_downloads=1)
    grant = link.download("in/a.txt").json()["grant"]
    alice.put("in/a.txt", b"newer")
    assert link.download("in/a.txt", grant=grant).json()["size"] == 5
    alice.delete("/file", file_name="in/a.txt")
    alice.put("in/a.txt", b"another")
    assert link.download("in/a.txt", grant=grant).slug == "link-exhausted"


def test_all_files_of_a_page_for_curl(alice: Client) -> None:
    """One count for each, all or none; with its grant uncounted; the next page by its cursor."""
    for n in range(5):
        alice.put(f"in/{n}.txt", str(n).encode())
    link = make(alice, "in/", max_downloads=6)
    found, query, grants = [], {"limit": "3"}, []
    while True:
        answer = Client().send(
            "POST", f"{link.path}/download", query=query, json_={"format": "curl"}
        )
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        config = curls.read(answer.text)
        found += [s3.send("GET", url).body.decode() for url in config.urls]
        grants.append(answer.headers["x-link-grant"])
        if "x-next-cursor" not in answer.headers:
            break
        query = {"limit": "3", "cursor": answer.headers["x-next-cursor"]}
    assert (found, link.downloads(alice)) == (["0", "1", "2", "3", "4"], 5)
    whole = {"format": "curl", "grant": grants[0]}
    assert Client().post(f"{link.path}/download", **whole).slug == "link-exhausted"
    again = Client().send("POST", f"{link.path}/download", query={"limit": "3"}, json_=whole)
    assert (again.status, link.downloads(alice)) == (200, 5)
    empty = Client().post(f"{make(alice, 'empty/').path}/download", format="curl")
    assert curls.read(empty.text).urls == []


def test_who_wants_more_files_than_are_left_is_told_how_many(alice: Client) -> None:
    """Nothing is counted, and what it says to send takes as many."""
    for n in range(5):
        alice.put(f"in/{n}.txt")
    link = make(alice, "in/", max_downloads=3)
    answer = link.download(format="curl")
    assert (answer.slug, link.downloads(alice)) == ("link-exhausted", 0)
    assert answer.json()["detail"] == "Downloads left: 3, for 5 files. Send limit=3."
    path, wanted = f"{link.path}/download", {"format": "curl"}
    answer = Client().send("POST", path, query={"limit": 3}, json_=wanted)
    assert (answer.status, link.downloads(alice)) == (200, 3)
    assert "left" not in link.download(format="curl").json()["detail"]


THREADS = 64


def test_never_more_than_allowed_however_many_at_once(alice: Client, ground: Ground) -> None:
    """Sixty-four at the same moment, ten allowed: ten addresses, ten counts, ten events."""
    alice.put("a.txt", b"data")
    link = make(alice, "a.txt", max_downloads=10)
    request, start = LinkDownloadRequest(file_name="a.txt"), Barrier(THREADS)

    def come(number: int) -> str:
        visitor = LinkVisitor(link.path.removeprefix("/s/"), f"192.0.2.{number}")
        start.wait()
        try:
            return base.one(LinkDownloads).download(visitor, request, "json").url
        except Problem as problem:
            return problem.slug

    with ThreadPoolExecutor(THREADS) as pool:
        answers = Counter(pool.map(come, range(THREADS)))
    assert answers.pop("link-exhausted") == THREADS - 10
    assert sum(answers.values()) == 10
    assert all(url.startswith("https://") for url in answers)
    assert link.downloads(alice) == 10
    events = alice.get(f"/links/{link.id}/events").json()
    assert [event["kind"] for event in events] == ["downloaded"] * 10


def everywhere(link: Made, **fields: Any) -> list[Answer]:
    """Every way to get something of a link."""
    answers = [
        Client().send(method, link.path, headers=headers)
        for method in ("GET", "HEAD")
        for headers in ({}, {"range": "bytes=0-"}, {"accept": "text/html"}, {"accept": "*/*"})
    ]
    answers += [link.download(name, **fields) for name in (None, "a.txt", "b.txt", "in/c.txt")]
    answers += [link.download(format="curl", **fields), link.form("/download", file_name="a.txt")]
    return answers


def test_a_password_guards_everything(alice: Client, behind: Behind) -> None:
    """Nothing of the content is said before it is given: no name, size, note, owner or count."""
    alice.put("a.txt", b"data")
    link = make(alice, "a.txt", password="x", note="a secret note", max_downloads=5)
    before = behind.state()
    for answer in [*everywhere(link), *everywhere(link, grant="1" * 10 + "." + "0" * 32)]:
        assert answer.status == 401
        for word in ("a.txt", "alice", "secret", '"size"', "max_downloads", "bytes"):
            assert word not in answer.text
    assert link.download("a.txt").slug == "password-required"
    assert behind.state() == before
    assert link.unlock("y").slug == "wrong-password"
    unlocked = link.unlock("x")
    assert unlocked.json()["expires_at"] == "2026-09-21T15:13:20.000Z"
    grant = unlocked.json()["grant"]
    assert link.names(grant=grant) == ["a.txt"]
    headers = {"x-link-grant": grant}
    assert Client().send("GET", link.path, headers=headers).json()["needs_password"] is True
    assert link.download("a.txt", grant=grant).status == 200
    assert link.downloads(alice) == 1


def test_a_grant_is_for_one_link_and_one_password(alice: Client, clock: Clock) -> None:
    """Another link's is worth nothing; a changed password ends it, and so does its hour."""
    alice.put("a.txt")
    link, other = (make(alice, "a.txt", password="x") for _ in range(2))
    grant = link.unlock("x").json()["grant"]
    assert other.open(grant=grant).slug == "password-required"
    change(alice, link, note="no matter")
    assert link.open(grant=grant).status == 200
    change(alice, link, password="x")
    assert link.open(grant=grant).slug == "password-required"
    grant = link.unlock("x").json()["grant"]
    clock.time += 3599
    assert link.open(grant=grant).status == 200
    clock.time += 1
    assert link.open(grant=grant).slug == "password-required"
    change(alice, link, password=None)
    assert link.open(grant=grant).status == link.open().status == 200


def test_guessing_a_password_is_slowed_down(alice: Client, clock: Clock, behind: Behind) -> None:
    """By the address and the link; another address still may, and the hash is Argon2id."""
    alice.put("a.txt")
    link = make(alice, "a.txt", password="x")
    row = behind.row("shares", grantee=f"link:{link.id}", file=f"~link/{link.id}")
    assert str(row["password"]).startswith("$argon2id$")
    answers = Counter(link.unlock("y").status for _ in range(22))
    assert answers == {401: 20, 429: 2}
    assert link.unlock("x").slug == "slow-down"
    assert link.unlock("x", "198.51.100.9").status == 200
    clock.time += 900
    assert link.unlock("x").status == 200


def test_asking_for_what_is_not_there_is_slowed_down(alice: Client, clock: Clock) -> None:
    """After a hundred a minute from one address; a token that is right stays open to it."""
    alice.put("a.txt")
    link = make(alice, "a.txt")
    token = "A" * 43
    answers = Counter(Client().get(f"/s/{token}").status for _ in range(102))
    assert answers == {404: 100, 429: 2}
    assert link.open().status == 200
    clock.time += 60
    assert Client().get("/s/x").slug == "no-such-link"


def test_guessing_an_alias_is_slowed_down(alice: Client, clock: Clock) -> None:
    """Who has missed a hundred times a minute is not told a right one either, in any way."""
    alice.put("a.txt")
    link = make(alice, "a.txt", alias="summer-2026", password="x")
    answers = Counter(Client().get(f"/s/summer-{number}").status for number in range(102))
    assert answers == {404: 100, 429: 2}
    for answer in (link.open(), link.page(), link.unlock("x"), link.download("a.txt")):
        assert (answer.status, answer.headers["retry-after"]) == (429, "40")
    assert link.unlock("x", "198.51.100.9").status == 200
    clock.time += 60
    assert link.unlock("x").status == 200


def test_a_link_ends_at_its_second(alice: Client, clock: Clock) -> None:
    """410 everywhere; a longer life opens it again, at the same address."""
    alice.put("a.txt")
    link = make(alice, "a.txt", expires_in=100)
    clock.time = int(clock.time) + 99.9
    assert link.open().status == 200
    clock.time += 0.1
    for answer in [*everywhere(link), link.unlock("x")]:
        assert answer.status == 410
    assert link.download("a.txt").slug == "link-expired"
    assert change(alice, link, expires_in=None).status == 200
    assert link.names() == ["a.txt"]


def test_only_the_audience_may_open_it(alice: Client, bob: Client) -> None:
    """401 without a token or with a dead one, 404 with another's; then as any other link."""
    alice.put("a.txt")
    link = make(alice, "a.txt", audience="bob")
    carol = join("carol", "192.0.2.3")
    for nobody in (Client(), Client("garbage"), Client("bob." + "A" * 43)):
        assert link.open(nobody).slug == "not-signed-in"
        assert link.download("a.txt", who=nobody).slug == "not-signed-in"
    for other in (carol, alice):
        assert link.open(other).slug == "no-such-link"
        assert link.download("a.txt", who=other).slug == "no-such-link"
    assert link.open(bob).status == 200
    assert link.download("a.txt", who=bob).status == 200
    change(alice, link, audience="carol")
    assert link.open(bob).slug == "no-such-link"
    assert link.open(carol).status == 200
    carol.post("/logout")
    assert link.open(carol).slug == "not-signed-in"


def test_a_key_of_the_audience_opens_it_when_it_may_read(alice: Client, bob: Client) -> None:
    """Each scope alone: what takes another power is not for it, and nobody else's key is good."""
    alice.put("a.txt")
    link, public = make(alice, "a.txt", audience="bob"), make(alice, "a.txt")
    for scope in SCOPES:
        answer = bob.post("/keys", name=scope, scopes=[scope])
        key = Client(answer.json()["token"])
        for got in (link.open(key), link.download("a.txt", who=key)):
            if scope == "read":
                assert got.status == 200
            else:
                assert (got.status, got.slug) == (403, "not-allowed"), scope
        assert public.open(key).status == 200
    key = Client(alice.post("/keys", name="own", scopes=["read"]).json()["token"])
    assert link.open(key).slug == "no-such-link"


def test_an_end_is_told_whoever_asks(alice: Client, bob: Client, clock: Clock) -> None:
    """To the audience and others, signed in or not; so nobody logs in for what is over."""
    alice.put("a.txt")
    ended = make(alice, "a.txt", audience="bob", expires_in=1)
    revoked = make(alice, "a.txt", audience="bob")
    assert revoke(alice, revoked).status == 204
    clock.time += 2
    for who in (bob, alice, Client(), Client("bob." + "A" * 43)):
        assert ended.open(who).slug == "link-expired"
        assert revoked.open(who).slug == "link-revoked"


def test_a_namesake_of_the_audience_is_not_it(alice: Client, bob: Client, behind: Behind) -> None:
    """An account that was deleted takes its invitations along."""
    alice.put("a.txt")
    link = make(alice, "a.txt", audience="bob")
    behind.delete("users", username="bob")
    assert link.open(join("bob")).slug == "no-such-link"


def test_a_link_for_looking_gives_nothing(alice: Client) -> None:
    """403 for every download."""
    alice.put("a.txt")
    link = make(alice, "a.txt", allow_download=False)
    assert link.open().json()["allow_download"] is False
    for answer in (link.download(), link.download("a.txt"), link.download(format="curl")):
        assert (answer.status, answer.slug) == (403, "download-not-allowed")


def test_a_link_never_opens_a_new_file_of_the_same_name(alice: Client) -> None:
    """What was deleted is gone from it; what is replaced is shown as it is now."""
    alice.put("a.txt", b"old")
    link = make(alice, "a.txt")
    alice.put("a.txt", b"newer")
    assert link.open().json()["items"][0]["size"] == 5
    alice.delete("/file", file_name="a.txt")
    for answer in everywhere(link):
        assert answer.status == 404
    alice.put("a.txt", b"secret")
    for answer in everywhere(link):
        assert answer.status == 404
    assert change(alice, link, note="no matter").json()["items"] == []
    assert link.open().slug == "no-such-link"


def test_a_stale_grant_opens_nothing_and_is_not_renewed(alice: Client, behind: Behind) -> None:
    """One that a delete has missed carries the place of a file that is no more."""
    alice.put("a.txt", b"old")
    link = make(alice, "a.txt")
    grant = behind.row("shares", grantee=f"link:{link.id}", file="alice/a.txt")
    alice.delete("/file", file_name="a.txt")
    alice.put("a.txt", b"secret")
    behind.put("shares", grant)
    assert (link.open().status, link.download("a.txt").status) == (404, 404)
    assert change(alice, link, expires_in=60).json()["items"] == []
    assert link.open().slug == "no-such-link"
    change(alice, link, items=["a.txt"])
    assert link.names() == ["a.txt"]


def test_a_link_follows_a_file_that_is_renamed(alice: Client) -> None:
    """At its new name alone; a new file at the old one is not shown, nor counted for the old."""
    alice.put("a.txt", b"data")
    link = make(alice, "a.txt", max_downloads=3)
    for old, new in (("a.txt", "b.txt"), ("b.txt", "in/c.txt")):
        renamed = {"file_name": old, "new_name": new}
        assert alice.send("PATCH", "/file", json_=renamed).status == 200
        alice.put(old, b"secret")
        assert link.names() == [new]
        assert link.download(old).slug == "no-such-file"
        assert link.download(new).json()["size"] == 4
    assert change(alice, link, expires_in=None).json()["items"] == ["in/c.txt"]
    assert link.downloads(alice) == 2
    assert revoke(alice, link).status == 204


def test_a_file_moves_into_a_folder_and_out_of_it(alice: Client) -> None:
    """A link to the folder shows what is there now."""
    alice.put("in/a.txt")
    link = make(alice, "in/")
    alice.send("PATCH", "/file", json_={"file_name": "in/a.txt", "new_name": "out.txt"})
    assert (link.names(), link.download("out.txt").slug) == ([], "no-such-file")
    alice.send("PATCH", "/file", json_={"file_name": "out.txt", "new_name": "in/b.txt"})
    assert link.names() == ["in/b.txt"]


@pytest.mark.parametrize("disabled", [True, False])
def test_a_link_ends_with_its_owner(alice: Client, behind: Behind, disabled: bool) -> None:
    """Whoever is shut out, or gone, gives nothing out any more."""
    alice.put("a.txt")
    link = make(alice, "a.txt")
    if disabled:
        behind.change("users", {"username": "alice"}, disabled=True)
    else:
        behind.delete("users", username="alice")
    for answer in everywhere(link):
        assert answer.status == 404
    assert link.unlock("x").slug == "no-such-link"


def test_a_single_file_is_no_way_to_its_siblings(alice: Client) -> None:
    """Nor is a folder to one whose name begins alike."""
    for name in ("in/a.txt", "in/b.txt", "in2/c.txt", "in/a.txt2"):
        alice.put(name)
    file, folder = make(alice, "in/a.txt"), make(alice, "in/")
    for name in ("in/b.txt", "in/a.txt2", "in2/c.txt"):
        assert file.download(name).slug == "no-such-file"
    assert folder.download("in2/c.txt").slug == "no-such-file"
    for name in ("in/../in2/c.txt", "/in/a.txt", "alice/in/a.txt", "../a", "in//a.txt"):
        assert folder.download(name).status in {404, 422}


def test_forms_and_json_are_read_and_nothing_else(alice: Client) -> None:
    """With the same fields; unknown and repeated ones are refused."""
    alice.put("a.txt")
    link = make(alice, "a.txt", password="x y&é")
    page = link.form("/unlock", password="x y&é")
    assert page.status == 200
    headers = JSON | {"content-type": "Application/x-www-form-urlencoded; charset=utf-8"}
    unlocked = Client().send(
        "POST", f"{link.path}/unlock", body=b"password=x+y%26%C3%A9", headers=headers
    )
    grant = unlocked.json()["grant"]
    for body, status in (
        (f"file_name=a.txt&grant={grant}&inline=true", 200),
        (f"file_name=a.txt&grant={grant}&inline=perhaps", 422),
        (f"file_name=a.txt&grant={grant}&other=1", 422),
        ("file_name=a.txt&file_name=b.txt", 400),
        ("file_name=%ff", 400),
        ("&".join(f"f{n}=1" for n in range(300)), 400),
    ):
        answer = Client().send("POST", f"{link.path}/download", body=body.encode(), headers=headers)
        assert answer.status == status, (body, answer.text)
    for kind in ("text/plain", "multipart/form-data; boundary=b", "application/octet-stream"):
        for path in ("/unlock", "/download"):
            sent = {"body": b"x", "headers": {"content-type": kind}}
            assert Client().send("POST", link.path + path, **sent).status == 415


def test_no_search_engine_has_a_link(alice: Client) -> None:
    """Every answer under the public addresses says so, errors included, and no referrer is sent."""
    alice.put("a.txt")
    link = make(alice, "a.txt")
    paths = [link.path, f"{link.path}/download", f"{link.path}/x", "/s/x", "/s/", "/r/x", "/r/x/y"]
    for path in paths:
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
            answer = Client().send(method, path)
            assert answer.headers["x-robots-tag"] == "noindex"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["cache-control"] == "no-store"
    assert "x-robots-tag" not in Client().get("/health").headers


def test_an_event_that_cannot_be_noted_keeps_nobody_out(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was opened or unlocked is told as well as it goes; only a download must be noted."""
    alice.put("a.txt")
    link = make(alice, "a.txt", password="x")

    def unavailable(self: Dynamo, write: Any) -> None:
        raise Unavailable

    monkeypatch.setattr(Dynamo, "write", unavailable)
    grant = link.unlock("x").json()["grant"]
    assert link.open(grant=grant).status == 200


def test_what_was_revoked_meanwhile_is_told_to_whoever_holds_it(alice: Client) -> None:
    """A grant and a receipt do not outlive the link."""
    alice.put("a.txt")
    link = make(alice, "a.txt")
    grant = link.download("a.txt").json()["grant"]
    revoke(alice, link)
    assert link.download("a.txt", grant=grant).slug == "link-revoked"
