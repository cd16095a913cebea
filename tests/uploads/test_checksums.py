"""Checksums: of the whole file or of each part, verified by S3, or refused at the beginning."""

import base64
import hashlib
from typing import Any

import pytest

from tests.support import presigned as s3
from tests.support.client import Client
from tests.support.crc64 import crc64nvme
from tests.support.fake_aws import FakeAws
from tests.support.senders import ask
from tests.support.transfers import (
    bytes_used,
    complete,
    count_multipart_uploads,
    fetch,
    piece,
    put,
    send,
    sha256,
    start,
    stored,
    use_small_parts,
)

DATA = bytes(range(45))
PUT, PARTS = DATA[:15], DATA


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    use_small_parts(monkeypatch)


@pytest.fixture(params=["account", "file request"])
def client(request: pytest.FixtureRequest, alice: Client) -> Client:
    """Somebody who uploads to Alice's files."""
    return alice if request.param == "account" else ask(alice)[1]


def sign(client: Client, view: dict[str, Any], *numbers: int, data: bytes = DATA) -> Any:
    parts = [{"part_number": n, "sha256": sha256(piece(view, data, n))} for n in numbers]
    return client.post(f"/uploads/{view['upload_id']}/parts", parts=parts)


def send_hashed(client: Client, view: dict[str, Any], *numbers: int, data: bytes = DATA) -> None:
    """Sends parts with the hashes that they were signed with."""
    answer = sign(client, view, *numbers, data=data)
    assert answer.status == 200, answer.text
    for part in answer.json()["parts"]:
        body = piece(view, data, part["part_number"])
        assert s3.send("PUT", part["url"], part["headers"], body).status == 200


def refuse(client: Client, size: int, **fields: Any) -> tuple[list[str], str]:
    """Where the errors of a refused upload are, and the problem's sentence."""
    answer = client.post("/uploads", file_name="a", size=size, **fields)
    assert (answer.status, answer.slug) == (422, "invalid-request"), answer.text
    return [each["at"] for each in answer.json()["errors"]], answer.json()["detail"]


def test_a_checksum_that_nobody_verifies_is_refused(client: Client, fake_aws: FakeAws) -> None:
    """At the beginning, with the one to send instead."""
    at, detail = refuse(client, 45, sha256=sha256(PARTS))
    assert at == ["body.sha256"]
    assert "crc64nvme" in detail
    assert "part_checksum" in detail
    assert refuse(client, 15, part_checksum="sha256")[0] == ["body.part_checksum"]
    both = {"crc64nvme": crc64nvme(PARTS), "part_checksum": "sha256"}
    assert refuse(client, 45, **both)[0] == ["body.crc64nvme"]
    assert refuse(client, 15, crc64nvme=crc64nvme(PUT), sha256=sha256(PUT))[0] == ["body.crc64nvme"]
    for wrong in ("", "0" * 15, "0" * 17, "A" * 16, 5, "g" * 16):
        assert refuse(client, 45, crc64nvme=wrong)[0] == ["body.crc64nvme"]
    for wrong in ("", "md5", True):
        assert refuse(client, 45, part_checksum=wrong)[0] == ["body.part_checksum"]
    assert count_multipart_uploads(fake_aws) == 0


@pytest.mark.parametrize("data", [PUT, PARTS], ids=["put", "parts"])
def test_a_crc_of_the_whole_file_is_verified(
    client: Client, alice: Client, fake_aws: FakeAws, data: bytes
) -> None:
    """Over parts too, by S3 when it joins them: other bytes make no file, and are deleted."""
    view = start(client, "a.bin", len(data), crc64nvme=crc64nvme(data))
    send(client, view, data)
    assert complete(client, view).status == 200
    name = alice.get("/files").json()[0]["file_name"]
    assert fetch(alice, name) == data
    view = start(client, "b.bin", len(data), crc64nvme=crc64nvme(data))
    other = bytes(len(data))
    if view["method"] == "put":
        assert put(view, other).code == "BadDigest"
        assert complete(client, view).slug == "upload-incomplete"
        assert client.delete(f"/uploads/{view['upload_id']}").status == 204
    else:
        send(client, view, other)
        assert complete(client, view).slug == "upload-mismatch"
        assert complete(client, view).slug == "no-such-upload"
    assert (stored(fake_aws), count_multipart_uploads(fake_aws)) == ([data], 0)
    assert bytes_used(fake_aws, "alice") == len(data)


def test_each_part_is_verified_by_its_hash(client: Client, alice: Client) -> None:
    """S3 takes no part with other bytes, and none whose hash was not signed."""
    view = start(client, "a.bin", 45, part_checksum="sha256")
    assert view["curl"] is None
    (part,) = sign(client, view, 1).json()["parts"]
    assert part["headers"] == {
        "x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(DATA[:10]).digest()).decode()
    }
    assert "x-amz-checksum-sha256" in s3.signed_headers(part["url"])
    body = DATA[:10]
    assert s3.send("PUT", part["url"], part["headers"], body[::-1]).code == "BadDigest"
    assert s3.send("PUT", part["url"], {}, body).code == "AccessDenied"
    other = {"x-amz-checksum-sha256": base64.b64encode(bytes(32)).decode()}
    assert s3.send("PUT", part["url"], other, body).code == "SignatureDoesNotMatch"
    send_hashed(client, view, 1, 2, 3, 4, 5)
    assert complete(client, view).status == 200
    (file,) = alice.get("/files").json()
    assert (fetch(alice, file["file_name"]), file["sha256"]) == (DATA, None)


def test_parts_are_signed_as_the_upload_began(client: Client) -> None:
    """All with hashes or all without: S3 takes no others. The reason says which."""
    hashed = start(client, "a.bin", 45, part_checksum="sha256")
    plain = start(client, "b.bin", 45)
    for view, fields in (
        (hashed, {"part_numbers": [1]}),
        (hashed, {"parts": [{"part_number": 1}]}),
        (hashed, {"parts": [{"part_number": 1, "sha256": None}]}),
        (plain, {"parts": [{"part_number": 1, "sha256": "0" * 64}]}),
        (plain, {}),
        (plain, {"part_numbers": [1], "parts": [{"part_number": 1}]}),
        (plain, {"part_numbers": None, "parts": None}),
        (plain, {"parts": []}),
        (plain, {"parts": [{"part_number": 6}]}),
        (plain, {"parts": [{"part_number": 1}] * 101}),
        (hashed, {"parts": [{"part_number": 1, "sha256": "x"}]}),
    ):
        answer = client.post(f"/uploads/{view['upload_id']}/parts", **fields)
        assert answer.slug == "invalid-request", fields
        assert answer.json()["errors"][0]["reason"]
    answer = client.post(f"/uploads/{plain['upload_id']}/parts", parts=[{"part_number": 1}])
    assert (answer.status, answer.json()["parts"][0]["headers"]) == (200, {})


def test_a_resumed_upload_mixes_no_two_files(client: Client, alice: Client) -> None:
    """The status has the hash of each part, so a client sends those that differ from its file."""
    old, new = DATA, DATA[:10] + DATA[::-1][10:]
    view = start(client, "a.bin", 45, part_checksum="sha256")
    send_hashed(client, view, 1, 2, 4, data=old)
    path = f"/uploads/{view['upload_id']}"
    parts = client.get(path).json()["parts"]
    assert [(part["part_number"], part["size"]) for part in parts] == [(1, 10), (2, 10), (4, 10)]
    assert [part["sha256"] for part in parts] == [sha256(piece(view, old, n)) for n in (1, 2, 4)]
    same = {
        p["part_number"] for p in parts if p["sha256"] == sha256(piece(view, new, p["part_number"]))
    }
    assert same == {1}
    send_hashed(client, view, *{1, 2, 3, 4, 5} - same, data=new)
    assert complete(client, view).status == 200
    assert fetch(alice, alice.get("/files").json()[0]["file_name"]) == new


def test_the_status_has_etags_where_there_are_no_hashes(client: Client) -> None:
    """The ETag of a part is its MD5. Once S3 has joined the parts, it lists none."""
    view = start(client, "a.bin", 45)
    path = f"/uploads/{view['upload_id']}"
    assert client.get(path).json()["parts"] == []
    send(client, view, DATA)
    md5 = [hashlib.md5(piece(view, DATA, n)).hexdigest() for n in range(1, 6)]
    parts = client.get(path).json()["parts"]
    assert [(part["etag"], part["sha256"]) for part in parts] == [(each, None) for each in md5]
    single = start(client, "b.bin", 15, sha256=sha256(PUT))
    put(single, PUT)
    (part,) = client.get(f"/uploads/{single['upload_id']}").json()["parts"]
    assert (part["part_number"], part["size"], part["sha256"]) == (1, 15, sha256(PUT))


def test_uppy_sends_no_hashes(alice: Client) -> None:
    """An upload that takes them cannot be continued by its protocol."""
    view = start(alice, "a.bin", 45, part_checksum="sha256")
    answer = alice.send("GET", f"/s3/multipart/{view['upload_id']}/1", query={"key": "a"})
    assert answer.slug == "invalid-request"
