"""Digests of files and of bodies (RFC 9530)."""

import base64
import hashlib
import json

import pytest

from tests.conftest import Behind
from tests.support.client import Client

DATA = b"\x00the bytes\xff"
RAW = {"accept": "application/octet-stream"}
FORM = (
    b"--b\r\ncontent-disposition: form-data; name=file; filename=f.bin\r\n\r\n"
    + DATA
    + b"\r\n--b--\r\n"
)


def digest(data: bytes, algorithm: str = "sha-256") -> str:
    """The value of a digest field."""
    hashed = hashlib.new(algorithm.replace("-", ""), data).digest()
    return f"{algorithm}=:{base64.b64encode(hashed).decode()}:"


def test_the_bytes_come_with_their_digest(alice: Client) -> None:
    """Of the whole file, also with a range of it and without a body; not with the Base64 text."""
    alice.put("a.bin", DATA)
    query = {"file_name": "a.bin"}
    for method, more, status in (
        ("GET", {}, 200),
        ("HEAD", {}, 200),
        ("GET", {"range": "bytes=1-3"}, 206),
    ):
        answer = alice.send(method, "/file", query=query, headers=RAW | more)
        assert (answer.status, answer.headers["repr-digest"]) == (status, digest(DATA))
    for method in ("GET", "HEAD"):
        assert "repr-digest" not in alice.send(method, "/file", query=query).headers


def test_no_digest_is_sent_where_none_is_known(alice: Client, behind: Behind) -> None:
    """S3 has verified no SHA-256 of a file that came in parts."""
    alice.put("a.bin", DATA)
    behind.change("files", {"partition": "alice", "name": "a.bin"}, sha256=None)
    answer = alice.read("a.bin")
    assert (answer.status, answer.headers.get("repr-digest")) == (200, None)


@pytest.mark.parametrize("name", ["repr-digest", "content-digest"])
@pytest.mark.parametrize("way", ["bytes", "json", "form"])
def test_a_body_is_verified(alice: Client, behind: Behind, name: str, way: str) -> None:
    """The body as it was sent, in each of its forms; another one makes no file."""
    text = {"file_name": "f.bin", "content": base64.b64encode(DATA).decode()}
    sent = {
        "bytes": (DATA, "application/octet-stream", {"file_name": "f.bin"}),
        "json": (json.dumps(text).encode(), "application/json", {}),
        "form": (FORM, "multipart/form-data; boundary=b", {"file_name": "f.bin"}),
    }
    body, media_type, query = sent[way]
    before = behind.state()
    wrong = (digest(b"others"), f"{digest(body)}, {digest(b'others', 'sha-512')}")
    odd = ("", "sha-256", "md5=:AAAA:", "sha-256=abc", "sha-256=:!:", f"{digest(body)},x")
    for value in (*wrong, *odd):
        headers = {"content-type": media_type, name: value}
        answer = alice.send("PUT", "/file", query=query, body=body, headers=headers)
        assert (answer.status, answer.slug) == (422, "invalid-request"), value
        assert [each["at"] for each in answer.json()["errors"]] == [f"header.{name}"]
    assert behind.state() == before
    for value in (digest(body), f"{digest(body, 'sha-512')} , {digest(body)}, crc32c=:AAAAAA==:"):
        headers = {"content-type": media_type, name: value}
        answer = alice.send("PUT", "/file", query=query, body=body, headers=headers)
        assert answer.status in {200, 201}, answer.text
    assert alice.read("f.bin").content == DATA
