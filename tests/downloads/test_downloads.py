"""Addresses to read from: whose, of which version, and how a browser takes what they give."""

import shlex
from urllib.parse import parse_qsl, unquote, urlsplit

import boto3
import botocore.session
import pytest
from botocore.config import Config

from function.aws.s3 import Bucket
from function.core.errors import Unavailable
from function.files.presigning import inline_type
from tests.conftest import Clock
from tests.support import presigned as s3
from tests.support.client import PASSWORD, Answer, Client
from tests.support.fake_aws import REGION, FakeAws
from tests.support.transfers import fetch, sha256

PLAIN = "application/octet-stream"
SHOWN = [
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/avif",
    "IMAGE/PNG",
    "image/png; x=y",
    "audio/mpeg",
    "video/mp4",
    "application/pdf",
    "text/plain",
    "text/plain; charset=utf-8",
    'image/png; a="b,text/html"',
]
NEVER = [
    "text/html",
    "text/html; charset=utf-8",
    "application/xhtml+xml",
    "image/svg+xml",
    "IMAGE/SVG+XML",
    "image/svg+xml; charset=utf-8",
    "image/svg",
    "image/x+xml",
    "video/mp4+xml",
    "audio/xml",
    "text/xml",
    "application/xml",
    "text/css",
    "text/javascript",
    "application/javascript",
    "application/json",
    "text/plainx",
    "multipart/x-mixed-replace",
    "message/rfc822",
    "application/x-shockwave-flash",
    PLAIN,
]

WRONG: list[dict[str, str]] = [
    {},
    {"file_name": "a", "prefix": ""},
    {"file_name": "a", "format": "curl"},
    {"prefix": "a"},
    {"format": "curl"},
    {"file_name": "a", "prefix": "a", "format": "curl"},
    {"prefix": "a", "format": "zip"},
    {"file_name": "a/"},
    {"file_name": "../a"},
    {"file_name": "a", "inline": "maybe"},
    {"file_name": "a", "username": "A/B"},
    {"file_name": "a", "expires": "9"},
]


def put(client: Client, name: str, content_type: str, data: bytes = b"data") -> None:
    """Puts a file of a media type."""
    assert client.put(name, data, content_type=content_type).status == 201


def test_a_url_downloads_the_file(alice: Client, fake_aws: FakeAws) -> None:
    """The answer has all metadata and takes one AWS call; signing takes none."""
    name = "d/résumé (1).pdf"
    put(alice, name, "application/pdf", b"the bytes")
    with fake_aws.counted() as calls:
        answer = alice.get("/download", file_name=name)
    assert calls == ["BatchGetItem"]
    told = answer.json()
    reply = s3.send("GET", told.pop("url"))
    assert (reply.status, reply.body) == (200, b"the bytes")
    assert shlex.split(told.pop("curl"))[:-1] == ["curl", "-fgS", "-o", "résumé (1).pdf"]
    assert told.pop("expires_at").endswith("Z")
    assert told == {
        "file_name": name,
        "size": 9,
        "etag": alice.get("/files").json()[0]["etag"],
        "sha256": sha256(b"the bytes"),
        "content_type": "application/pdf",
    }


def test_the_url_is_bound_to_one_object_and_disposition(alice: Client) -> None:
    """For minutes, to one object, disposition and method: the signature covers them all."""
    put(alice, "a.html", "text/html")
    put(alice, "b.html", "text/html")
    url, other = (
        alice.get("/download", file_name=name).json()["url"] for name in ("a.html", "b.html")
    )
    query = dict(parse_qsl(urlsplit(url).query))
    assert 0 < int(query["X-Amz-Expires"]) <= 300
    tries = [
        s3.send("GET", url, later=301),
        s3.send("GET", url.replace(urlsplit(url).path, urlsplit(other).path)),
        s3.send("GET", url.replace("attachment", "inline")),
        s3.send("GET", url.replace("octet-stream", "xhtml%2Bxml")),
        s3.send("GET", url + "&response-expires=0"),
        s3.send("PUT", url, body=b"mine"),
        s3.send("HEAD", url),
        s3.send("DELETE", url),
    ]
    assert {reply.status for reply in tries} == {403}
    assert fetch(alice, "a.html") == b"data"


def test_a_resumed_download_does_not_mix_two_versions(alice: Client, bob: Client) -> None:
    """The ETag of the first part is the condition of the second: 412 when the file has changed."""
    alice.put("a", b"first")
    alice.post("/share", file_name="a", username="bob")
    told = alice.get("/download", file_name="a").json()
    old = f'"{told["etag"]}"'
    revision = alice.get("/files").json()[0]["revision"]

    def asked(who: Client, tags: str, **query: str) -> Answer:
        query = {"file_name": "a", "username": "alice", **query}
        return who.send("GET", "/download", query=query, headers={"if-match": tags})

    for who in (alice, bob):
        for tags in (old, f'"x", {old}', "*", revision):
            assert asked(who, tags).status == 200
        assert asked(who, f"W/{old}").slug == "precondition-failed"
    alice.put("a", b"other")
    for who in (alice, bob):
        for query in ({}, {"redirect": "true"}, {"inline": "true"}):
            assert asked(who, old, **query).slug == "precondition-failed"
            assert asked(who, revision, **query).status == 412
    assert asked(alice, old, version="1").status == 200
    assert asked(alice, old, version="2").status == 412
    assert asked(alice, "*", file_name="none").slug == "no-such-file"
    folder = {"prefix": "", "format": "curl"}
    answer = alice.send("GET", "/download", query=folder, headers={"if-match": old})
    assert (answer.status, answer.slug) == (422, "invalid-request")


def test_a_redirect_leads_to_the_url(alice: Client) -> None:
    """302 without a body, which no cache may store."""
    put(alice, "a.txt", "text/plain")
    answer = alice.get("/download", file_name="a.txt", redirect="true")
    assert (answer.status, answer.content) == (302, b"")
    assert answer.headers["cache-control"] == "no-store"
    assert s3.send("GET", answer.headers["location"]).body == b"data"
    headed = alice.send("HEAD", "/download", query={"file_name": "a.txt", "redirect": "true"})
    assert headed.status == 302


def test_browsers_display_only_safe_types(alice: Client) -> None:
    """And only on request; all others are attachments of type octet-stream."""
    for at, content_type in enumerate([*SHOWN, *NEVER]):
        put(alice, f"{at}", content_type)
        shown = content_type in SHOWN
        for inline in ("true", "false"):
            answer = alice.get("/download", file_name=f"{at}", inline=inline)
            headers = s3.send("GET", answer.json()["url"]).headers
            kind = "inline" if shown and inline == "true" else "attachment"
            assert headers["content-disposition"].partition(";")[0] == kind, content_type
            bare = content_type.partition(";")[0].lower()
            assert headers["content-type"] == (bare if shown else PLAIN)
            assert "no-store" in headers["cache-control"]


def test_safe_and_unsafe_types_are_disjoint() -> None:
    """An unknown type is not displayed."""
    assert all(map(inline_type, SHOWN))
    assert not any(map(inline_type, [*NEVER, "", "image", "/", "x/y", "; image/png", "image/x"]))


def test_the_disposition_has_the_name(alice: Client) -> None:
    """Its last segment, encoded by RFC 8187."""
    for name in ('a"b.txt', "a%b", "é/ü.txt", "a;b=c.txt", "x" * 255, "😀.png"):
        alice.put(name)
        url = alice.get("/download", file_name=name).json()["url"]
        said = s3.send("GET", url).headers["content-disposition"]
        _, _, encoded = said.partition("filename*=UTF-8''")
        assert unquote(encoded) == name.rpartition("/")[2]
        assert said.isascii()


def test_another_accounts_file_needs_a_share(alice: Client, bob: Client) -> None:
    """404 before a share and after it; a URL that was signed before is valid until it expires."""
    alice.put("a.txt", b"hers")
    for name in ("a.txt", "none"):
        answer = bob.get("/download", file_name=name, username="alice")
        assert answer.slug == "no-such-file"
    assert bob.get("/download", file_name="a.txt").slug == "no-such-file"
    assert bob.get("/download", file_name="a.txt", username="nobody").slug == "no-such-file"
    alice.post("/share", file_name="a.txt", username="bob")
    url = bob.get("/download", file_name="a.txt", username="alice").json()["url"]
    alice.delete("/share", file_name="a.txt", username="bob")
    assert bob.get("/download", file_name="a.txt", username="alice").slug == "no-such-file"
    assert s3.send("GET", url).body == b"hers"
    assert s3.send("GET", url, later=301).code == "AccessDenied"


def test_only_the_owner_downloads_older_versions(alice: Client, bob: Client) -> None:
    """Others get the newest one, even with permission to write."""
    for data in (b"one", b"two", b"three"):
        alice.put("a.txt", data)
    assert [fetch(alice, "a.txt", version=n) for n in (1, 2, 3)] == [b"one", b"two", b"three"]
    told = alice.get("/download", file_name="a.txt", version=1).json()
    assert (told["size"], told["sha256"], told["file_name"]) == (3, sha256(b"one"), "a.txt")
    alice.post("/share", file_name="a.txt", username="bob")
    assert fetch(bob, "a.txt", username="alice") == b"three"
    assert fetch(bob, "a.txt", username="alice", version=3) == b"three"
    for permission in ("read", "write"):
        alice.post("/share", file_name="a.txt", username="bob", permission=permission)
        answer = bob.get("/download", file_name="a.txt", username="alice", version=2)
        assert answer.slug == "no-such-version"


def test_unknown_versions_are_refused(alice: Client, clock: Clock) -> None:
    """Never made, expired, or of an earlier file of the same name."""
    alice.put("a.txt", b"one")
    alice.put("a.txt", b"two")
    assert alice.get("/download", file_name="a.txt", version=9).slug == "no-such-version"
    for wrong in (0, -1, "x", 10**30):
        answer = alice.get("/download", file_name="a.txt", version=wrong)
        assert answer.status in {404, 422}
    alice.delete("/file", file_name="a.txt")
    alice.put("a.txt", b"another")
    alice.put("a.txt", b"another still")
    assert fetch(alice, "a.txt", version=1) == b"another"
    clock.time += 2 * 24 * 3600 + 1
    fresh = Client().post("/login", username="alice", password=PASSWORD)
    again = Client(fresh.json()["token"])
    assert again.get("/download", file_name="a.txt", version=1).slug == "no-such-version"
    assert fetch(again, "a.txt", version=2) == b"another still"


def test_a_request_names_a_file_or_a_folder(alice: Client) -> None:
    """Exactly one of them, and no unknown parameter."""
    for query in WRONG:
        assert alice.get("/download", **query).status == 422, query


def test_without_credentials_no_url_is_signed(fake_aws: FakeAws) -> None:
    """A server without credentials answers 503, never a URL without a signature."""
    session = botocore.session.Session()
    session.set_credentials("", "")
    session._credentials = None
    session.register_component("credential_provider", NoCredentials())
    client = boto3.Session(botocore_session=session, region_name=REGION).client(
        "s3", config=Config(signature_version="s3v4")
    )
    with pytest.raises(Unavailable):
        Bucket(client, "bucket").presign_get("key", "attachment", PLAIN, 300)
    with pytest.raises(Unavailable):
        Bucket(client, "bucket").presign_put("key", PLAIN, 1, 300, sha256=None, crc64nvme=None)


class NoCredentials:
    """A credential provider that has no credentials."""

    def load_credentials(self) -> None:
        return None
