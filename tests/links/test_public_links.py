"""Links as visitors open them: what they show, what they count, and when they do not open."""

import hashlib
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
from tests.crashes.meetings import act_before_commit
from tests.support import curls
from tests.support import presigned as s3
from tests.support.client import PASSWORD, Answer, Client, join
from tests.support.fake_aws import Call, FakeAws
from tests.support.links import JSON, Made, change, make, revoke


def test_a_link_lists_its_files_as_they_are_now(alice: Client) -> None:
    """Its items first, then the files of its folders; each once, by its whole name."""
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
        "curl": answer.json()["curl"],
    }
    assert answer.json()["items"][1] == {
        "file_name": "z.txt",
        "size": 5,
        "content_type": "text/plain",
        "modified": "2026-09-21T14:13:20.250Z",
        "sha256": hashlib.sha256(b"z.txt").hexdigest(),
    }
    for name in ("y.txt", "inn.txt", "in", "in/deep/b.txt", "zz.txt"):
        assert link.download(name).slug == "no-such-file"


def test_the_files_of_a_link_are_listed_in_pages(alice: Client) -> None:
    """Each file once; a cursor is valid for one link."""
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
def test_opening_a_link_never_counts(alice: Client, fake_aws: FakeAws) -> None:
    """Neither GET, HEAD, a range, a condition nor a preview bot uses up the only download."""
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


def test_a_download_is_a_redirect_or_json(alice: Client) -> None:
    """303 to the bytes or JSON with their address, an attachment for 300 seconds."""
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


def test_the_file_name_is_optional_for_the_only_file(alice: Client) -> None:
    """A file, or a folder that has one file now."""
    alice.put("in/a.txt", b"1")
    link, folder = make(alice, "in/a.txt"), make(alice, "in/")
    assert link.download().json()["file_name"] == folder.download().json()["file_name"]
    alice.put("in/b.txt", b"2")
    assert link.download().status == 200
    assert folder.download().status == 422
    assert make(alice, "in/a.txt", "in/b.txt").download().status == 422


def test_an_interrupted_download_is_repeated_without_counting(alice: Client, clock: Clock) -> None:
    """With its access token, for an hour and for the same file, also when no downloads are left."""
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
def test_concurrent_downloads_with_one_grant_count_once(
    alice: Client, fake_aws: FakeAws, most: int | None, fields: dict[str, str]
) -> None:
    """The second finds the receipt of the first and is answered the same."""
    alice.put("a.txt", b"data")
    link = make(alice, "a.txt", max_downloads=most)
    grant = link.unlock("").json()["grant"]
    met = act_before_commit(fake_aws, lambda: link.download("a.txt", grant=grant))
    assert link.download(**fields, grant=grant).status == 200
    assert [answer.status for answer in met] == [200]
    assert link.downloads(alice) == 1
    events = alice.get(f"/links/{link.id}/events").json()
    assert [event["kind"] for event in events].count("downloaded") == 1


def test_an_expired_receipt_is_replaced(alice: Client, clock: Clock, behind: Behind) -> None:
    """DynamoDB deletes it hours late; the receipt of a deleted file is replaced as well."""
    alice.put("in/a.txt")
    link = make(alice, "in/")
    grant = link.unlock("").json()["grant"]
    link.download("in/a.txt", grant=grant)
    (receipt,) = [
        row for row in behind.rows("shares") if str(row["grantee"]).startswith("receipt:")
    ]
    behind.put("shares", receipt | {"expires_at": int(clock.time)})
    assert link.download("in/a.txt", grant=grant).status == 200
    assert link.downloads(alice) == 2
    alice.delete("/file", file_name="in/a.txt")
    alice.put("in/a.txt")
    assert link.download("in/a.txt", grant=grant).status == 200
    assert link.downloads(alice) == 3


def test_a_receipt_belongs_to_the_file_not_to_its_name(alice: Client) -> None:
    """A new file of the same name in the same folder is another download."""
    alice.put("in/a.txt", b"old")
    link = make(alice, "in/", max_downloads=1)
    grant = link.download("in/a.txt").json()["grant"]
    alice.put("in/a.txt", b"newer")
    assert link.download("in/a.txt", grant=grant).json()["size"] == 5
    alice.delete("/file", file_name="in/a.txt")
    alice.put("in/a.txt", b"another")
    assert link.download("in/a.txt", grant=grant).slug == "link-exhausted"


def test_a_curl_configuration_has_all_files_of_a_page(alice: Client) -> None:
    """Each file counts, all or none; with the access token they are repeated without counting."""
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
    below = f"./link-{link.id[:8]}/in/"
    assert curls.read(again.text).outputs == [f"{below}{n}.txt" for n in range(3)]
    empty = Client().post(f"{make(alice, 'empty/').path}/download", format="curl")
    assert curls.read(empty.text).urls == []


def test_a_curl_configuration_writes_below_one_folder(alice: Client) -> None:
    """Named after the link; no name begins with a dot unless the visitor wants that."""
    names = [".bashrc", ".ssh/authorized_keys", "in/.a/b"]
    for name in names:
        alice.put(name)
    link = make(alice, ".bashrc", ".ssh/", "in/", alias="trip")
    text = link.download(format="curl").text
    assert "no-clobber" in curls.read(text).flags
    shown = ["_.bashrc", "_.ssh/authorized_keys", "in/_.a/b"]
    assert curls.read(text).outputs == [f"./link-trip/{name}" for name in shown]
    kept = curls.read(link.download(format="curl", dotfiles=True).text).outputs
    assert kept == [f"./link-trip/{name}" for name in names]
    assert link.form("/download", format="curl", dotfiles="true").status == 200
    line = link.download(".bashrc").json()["curl"]
    assert line.startswith("curl -fgS -o _.bashrc ")


def test_a_resumed_download_does_not_mix_two_files(alice: Client) -> None:
    """The ETag of the first part is the condition of the second: 412, and nothing is counted."""
    alice.put("a.txt", b"first")
    link = make(alice, "a.txt", max_downloads=9)
    first = link.download("a.txt").json()
    etag, grant = first["etag"], first["grant"]
    path, form = f"{link.path}/download", {"file_name": "a.txt", "grant": grant}
    field = {"if-match": f'"{etag}"'}
    assert Client().send("POST", path, json_=form, headers=field).status == 303
    assert link.download(**form, if_match=etag).status == 200
    assert link.form("/download", file_name="a.txt", if_match="*").status == 303
    counted = link.downloads(alice)
    alice.put("a.txt", b"other")
    assert Client().send("POST", path, json_=form, headers=field).slug == "precondition-failed"
    for tags in (etag, f'"{etag}"', f'W/"{etag}", "x"'):
        assert link.download(if_match=tags).status == 412
    assert link.form("/download", file_name="a.txt", if_match=etag).status == 412
    both = Client().send("POST", path, json_=form | {"if_match": etag}, headers=field)
    assert (both.status, both.slug) == (422, "invalid-request")
    assert link.download(format="curl", if_match=etag).status == 422
    assert link.downloads(alice) == counted
    assert link.download(**form).json()["etag"] != etag


def test_a_page_of_more_files_than_downloads_left_is_refused(alice: Client) -> None:
    """Nothing counts, and the limit that the problem names succeeds."""
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


def test_concurrent_downloads_never_exceed_the_limit(alice: Client, fake_aws: FakeAws) -> None:
    """64 at once with ten allowed: ten URLs, ten counted, ten events."""
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
    """The answers of every way to get something of a link."""
    answers = [
        Client().send(method, link.path, headers=headers)
        for method in ("GET", "HEAD")
        for headers in ({}, {"range": "bytes=0-"}, {"accept": "text/html"}, {"accept": "*/*"})
    ]
    answers += [link.download(name, **fields) for name in (None, "a.txt", "b.txt", "in/c.txt")]
    answers += [link.download(format="curl", **fields), link.form("/download", file_name="a.txt")]
    return answers


def test_a_password_protects_everything(alice: Client, behind: Behind) -> None:
    """No name, size, note, owner or count is shown before the password is given."""
    alice.put("a.txt", b"data")
    link = make(alice, "a.txt", password="knock twice", note="a secret note", max_downloads=5)
    before = behind.state()
    for answer in [*everywhere(link), *everywhere(link, grant="1" * 10 + "." + "0" * 32)]:
        assert answer.status == 401
        for word in ("a.txt", "alice", "secret", '"size"', "max_downloads", "bytes"):
            assert word not in answer.text
    assert link.download("a.txt").slug == "password-required"
    assert behind.state() == before
    assert link.unlock("y").slug == "wrong-password"
    unlocked = link.unlock("knock twice")
    assert unlocked.json()["expires_at"] == "2026-09-21T15:13:20.000Z"
    grant = unlocked.json()["grant"]
    assert link.names(grant=grant) == ["a.txt"]
    headers = {"x-link-grant": grant}
    assert Client().send("GET", link.path, headers=headers).json()["needs_password"] is True
    assert link.download("a.txt", grant=grant).status == 200
    assert link.downloads(alice) == 1


def test_a_grant_is_valid_for_one_link_and_one_password(alice: Client, clock: Clock) -> None:
    """It expires after an hour, and when the password changes."""
    alice.put("a.txt")
    link, other = (make(alice, "a.txt", password="knock twice") for _ in range(2))
    grant = link.unlock("knock twice").json()["grant"]
    assert other.open(grant=grant).slug == "password-required"
    change(alice, link, note="no matter")
    assert link.open(grant=grant).status == 200
    change(alice, link, password="knock twice")
    assert link.open(grant=grant).slug == "password-required"
    grant = link.unlock("knock twice").json()["grant"]
    clock.time += 3599
    assert link.open(grant=grant).status == 200
    clock.time += 1
    assert link.open(grant=grant).slug == "password-required"
    change(alice, link, password=None)
    assert link.open(grant=grant).status == link.open().status == 200


def test_password_tries_are_limited(alice: Client, clock: Clock, behind: Behind) -> None:
    """Per link and address; another address may still try, and the hash is Argon2id."""
    alice.put("a.txt")
    link = make(alice, "a.txt", password="knock twice")
    row = behind.row("shares", grantee=f"link:{link.id}", file=f"~link/{link.id}")
    assert str(row["password"]).startswith("$argon2id$")
    answers = Counter(link.unlock("y").status for _ in range(22))
    assert answers == {401: 20, 429: 2}
    assert link.unlock("knock twice").slug == "slow-down"
    assert link.unlock("knock twice", "198.51.100.9").status == 200
    clock.time += 900
    assert link.unlock("knock twice").status == 200


def test_requests_for_links_that_do_not_exist_are_limited(alice: Client, clock: Clock) -> None:
    """To a hundred a minute and address; a valid token still opens its link."""
    alice.put("a.txt")
    link = make(alice, "a.txt")
    token = "A" * 43
    answers = Counter(Client().get(f"/s/{token}").status for _ in range(102))
    assert answers == {404: 100, 429: 2}
    assert link.open().status == 200
    clock.time += 60
    assert Client().get("/s/x").slug == "no-such-link"


def test_alias_guesses_are_limited(alice: Client, clock: Clock) -> None:
    """An address with a hundred misses in a minute cannot open an existing alias either."""
    alice.put("a.txt")
    link = make(alice, "a.txt", alias="summer-2026", password="knock twice")
    answers = Counter(Client().get(f"/s/summer-{number}").status for number in range(102))
    assert answers == {404: 100, 429: 2}
    for answer in (link.open(), link.page(), link.unlock("knock twice"), link.download("a.txt")):
        assert (answer.status, answer.headers["retry-after"]) == (429, "40")
    assert link.unlock("knock twice", "198.51.100.9").status == 200
    clock.time += 60
    assert link.unlock("knock twice").status == 200


def test_a_miss_that_cannot_be_counted_is_answered_like_any_other(
    fake_aws: FakeAws, clock: Clock
) -> None:
    """The visitor asked for what does not exist, whatever DynamoDB says of the counter."""

    def before(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            raise Unavailable

    fake_aws.before = before
    assert Client().get("/s/summer-1").slug == "no-such-link"


def test_a_link_expires_to_the_second(alice: Client, clock: Clock) -> None:
    """410 on every route; a new expiry opens it again at the same address."""
    alice.put("a.txt")
    link = make(alice, "a.txt", expires_in=100)
    clock.time = int(clock.time) + 99.9
    assert link.open().status == 200
    clock.time += 0.1
    for answer in [*everywhere(link), link.unlock("knock twice")]:
        assert answer.status == 410
    assert link.download("a.txt").slug == "link-expired"
    assert change(alice, link, expires_in=None).status == 200
    assert link.names() == ["a.txt"]


def test_only_the_audience_opens_a_link(alice: Client, bob: Client) -> None:
    """401 without a valid session, 404 for another account."""
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


def test_an_api_key_of_the_audience_needs_the_scope_read(alice: Client, bob: Client) -> None:
    """Any other scope alone is refused, and so are the keys of other accounts."""
    alice.put("a.txt")
    link, public = make(alice, "a.txt", audience="bob"), make(alice, "a.txt")
    for scope in SCOPES:
        answer = bob.post("/keys", name=scope, scopes=[scope], current_password=PASSWORD)
        key = Client(answer.json()["token"])
        for got in (link.open(key), link.download("a.txt", who=key)):
            if scope == "read":
                assert got.status == 200
            else:
                assert (got.status, got.slug) == (403, "not-allowed"), scope
        assert public.open(key).status == 200
    key = Client(
        alice.post("/keys", name="own", scopes=["read"], current_password=PASSWORD).json()["token"]
    )
    assert link.open(key).slug == "no-such-link"


def test_everybody_is_told_that_a_link_has_ended(alice: Client, bob: Client, clock: Clock) -> None:
    """With an audience too, so that nobody signs in for a link that has ended."""
    alice.put("a.txt")
    ended = make(alice, "a.txt", audience="bob", expires_in=1)
    revoked = make(alice, "a.txt", audience="bob")
    assert revoke(alice, revoked).status == 204
    clock.time += 2
    for who in (bob, alice, Client(), Client("bob." + "A" * 43)):
        assert ended.open(who).slug == "link-expired"
        assert revoked.open(who).slug == "link-revoked"


def test_a_new_account_of_the_same_name_is_not_the_audience(
    alice: Client, bob: Client, behind: Behind
) -> None:
    """The audience is an account, not a name."""
    alice.put("a.txt")
    link = make(alice, "a.txt", audience="bob")
    behind.delete("users", username="bob")
    assert link.open(join("bob")).slug == "no-such-link"


def test_a_link_without_downloads_refuses_them(alice: Client) -> None:
    """403 for every kind of download."""
    alice.put("a.txt")
    link = make(alice, "a.txt", allow_download=False)
    assert link.open().json()["allow_download"] is False
    for answer in (link.download(), link.download("a.txt"), link.download(format="curl")):
        assert (answer.status, answer.slug) == (403, "download-not-allowed")


def test_a_link_does_not_show_a_new_file_of_the_same_name(alice: Client) -> None:
    """A deleted file is no longer shown; a replaced one is shown as it is now."""
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


def test_a_stale_grant_gives_no_access_and_is_not_renewed(alice: Client, behind: Behind) -> None:
    """One that a delete missed carries the place of the deleted file."""
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


def test_a_link_follows_a_renamed_file(alice: Client) -> None:
    """It shows the file at its new name only, and not a new file at the old one."""
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


def test_a_link_to_a_folder_shows_files_moved_into_it(alice: Client) -> None:
    """And no longer shows files moved out of it."""
    alice.put("in/a.txt")
    link = make(alice, "in/")
    alice.send("PATCH", "/file", json_={"file_name": "in/a.txt", "new_name": "out.txt"})
    assert (link.names(), link.download("out.txt").slug) == ([], "no-such-file")
    alice.send("PATCH", "/file", json_={"file_name": "out.txt", "new_name": "in/b.txt"})
    assert link.names() == ["in/b.txt"]


@pytest.mark.parametrize("disabled", [True, False])
def test_a_link_stops_working_with_its_owner(alice: Client, behind: Behind, disabled: bool) -> None:
    """Of a disabled or deleted account."""
    alice.put("a.txt")
    link = make(alice, "a.txt")
    if disabled:
        behind.change("users", {"username": "alice"}, disabled=True)
    else:
        behind.delete("users", username="alice")
    for answer in everywhere(link):
        assert answer.status == 404
    assert link.unlock("knock twice").slug == "no-such-link"


def test_a_link_shows_no_neighbours(alice: Client) -> None:
    """A file shows no other file of its folder, a folder none whose name begins alike."""
    for name in ("in/a.txt", "in/b.txt", "in2/c.txt", "in/a.txt2"):
        alice.put(name)
    file, folder = make(alice, "in/a.txt"), make(alice, "in/")
    for name in ("in/b.txt", "in/a.txt2", "in2/c.txt"):
        assert file.download(name).slug == "no-such-file"
    assert folder.download("in2/c.txt").slug == "no-such-file"
    for name in ("in/../in2/c.txt", "/in/a.txt", "alice/in/a.txt", "../a", "in//a.txt"):
        assert folder.download(name).status in {404, 422}


def test_bodies_are_forms_or_json(alice: Client) -> None:
    """With the same fields; unknown and repeated fields are refused."""
    alice.put("a.txt")
    link = make(alice, "a.txt", password="knock twice &é")
    assert link.unlocked_page("knock twice &é").status == 200
    headers = JSON | {"content-type": "Application/x-www-form-urlencoded; charset=utf-8"}
    unlocked = Client().send(
        "POST", f"{link.path}/unlock", body=b"password=knock+twice+%26%C3%A9", headers=headers
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


def test_search_engines_index_no_link(alice: Client) -> None:
    """Every public answer is noindex, problems included, and sends no referrer."""
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


def test_an_event_that_cannot_be_recorded_refuses_no_visitor(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the event of a download is required."""
    alice.put("a.txt")
    link = make(alice, "a.txt", password="knock twice")

    def unavailable(self: Dynamo, write: Any) -> None:
        raise Unavailable

    monkeypatch.setattr(Dynamo, "write", unavailable)
    grant = link.unlock("knock twice").json()["grant"]
    assert link.open(grant=grant).status == 200


def test_a_grant_does_not_outlive_its_link(alice: Client) -> None:
    """Nor does a receipt."""
    alice.put("a.txt")
    link = make(alice, "a.txt")
    grant = link.download("a.txt").json()["grant"]
    revoke(alice, link)
    assert link.download("a.txt", grant=grant).slug == "link-revoked"
