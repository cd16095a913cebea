"""Files through the API: put, replace, get, delete."""

import base64
import hashlib
import json
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from function import app
from function.core.limits import SMALL_FILE_BYTES
from local.gateway.http1 import Request
from local.gateway.lambda_proxy import build_event
from tests.conftest import Behind, reason_at
from tests.support.client import CONTEXT, Answer, Client, answer_of
from tests.support.fake_aws import Call, FakeAws, response
from tests.support.strategies import file_names

FIELDS = {
    "key", "owner", "file_name", "size", "modified", "created", "content_type", "sha256", "etag",
    "revision", "version", "permission",
}  # fmt: skip
RAW = {"accept": "application/octet-stream"}


def get(client: Client, name: str, headers: dict[str, str] | None = None, **query: Any) -> Answer:
    return client.send("GET", "/file", query={"file_name": name, **query}, headers=headers)


def test_a_file_is_put(alice: Client, behind: Behind) -> None:
    """201 with the file object; its bytes have a random key under the owner."""
    answer = alice.put("docs/a.txt", b"hello", content_type="text/x-mine")
    assert answer.status == 201
    file = answer.json()
    assert file.keys() >= FIELDS
    assert (file["key"], file["owner"], file["file_name"]) == (
        "alice/docs/a.txt", "alice", "docs/a.txt"
    )  # fmt: skip
    assert (file["size"], file["version"], file["permission"]) == (5, 1, "own")
    assert file["content_type"] == "text/x-mine"
    assert file["sha256"].startswith("2cf24dba5fb0a30e26e83b2ac5b9e29e")
    assert answer.headers["etag"] == f'"{file["etag"]}"'
    assert file["modified"] == file["created"] == "2026-09-21T14:13:20.250Z"
    ((key, data),) = behind.objects().items()
    assert data == b"hello"
    assert key.startswith("alice/")
    assert "a.txt" not in key
    assert alice.get("/me").json()["bytes_used"] == 5


def test_base64_and_raw_are_the_same_bytes(alice: Client) -> None:
    """Base64 text by default; with `Accept` the bytes, under their own type."""
    data = bytes(range(256))
    alice.put("a.bin", data, content_type="image/x-test")
    text = get(alice, "a.bin")
    assert (text.status, text.headers["content-type"]) == (200, "text/plain")
    assert base64.b64decode(text.content, validate=True) == data
    for accept in ("application/octet-stream", "Application/Octet-Stream", "x/y, " + RAW["accept"]):
        raw = get(alice, "a.bin", {"accept": accept})
        assert (raw.content, raw.headers["content-type"]) == (data, "image/x-test")
    assert get(alice, "a.bin", {"accept": "*/*"}).content == text.content


def test_a_browser_neither_runs_nor_caches_bytes(alice: Client) -> None:
    """Whatever their type."""
    alice.put("x.html", b"<script>alert(1)</script>", content_type="text/html")
    for headers in ({}, RAW):
        answer = get(alice, "x.html", headers)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-disposition"].startswith("attachment; ")
        assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("content", ["!!!!", "abc", "é", "YQ", "YR==", "YQ==\n", "Y-_=", 1, None])
def test_content_that_is_not_base64_is_refused(
    alice: Client, behind: Behind, content: object
) -> None:
    """An upload that lost bytes is not acknowledged, and no file has its name."""
    answer = alice.send("PUT", "/file", json_={"file_name": "a", "content": content})
    assert (answer.status, answer.slug) == (422, "invalid-request")
    assert reason_at(answer, "body.content")
    assert alice.names() == []
    assert behind.objects() == {}


def test_a_file_may_be_empty(alice: Client) -> None:
    """In each way that it is sent or read."""
    assert alice.put("a", b"").json()["size"] == 0
    assert alice.send("PUT", "/file", query={"file_name": "b"}).status == 201
    for name in ("a", "b"):
        assert get(alice, name).content == b""
        assert alice.read(name).content == b""


@pytest.mark.parametrize("extra", [0, 1])
@pytest.mark.parametrize("way", ["json", "raw"])
def test_a_small_upload_has_at_most_four_mebibytes(
    alice: Client, behind: Behind, extra: int, way: str
) -> None:
    """One more byte is refused with the route that takes it, and nothing is stored."""
    data = bytes(SMALL_FILE_BYTES + extra)
    if way == "json":
        answer = alice.put("a", data)
    else:
        answer = alice.send("PUT", "/file", query={"file_name": "a"}, body=data)
    if extra:
        assert (answer.status, answer.slug) == (413, "too-large")
        assert "POST /uploads" in answer.json()["detail"]
        assert str(SMALL_FILE_BYTES) in answer.json()["detail"]
        assert (behind.objects(), alice.names()) == ({}, [])
        assert alice.get("/me").json()["bytes_used"] == 0
    else:
        assert answer.status == 201
        assert alice.read("a").content == data
        assert len(get(alice, "a").content) < 6 * 1024 * 1024


@pytest.mark.odd_rows
def test_a_file_too_large_for_this_route_names_the_other_one(alice: Client, behind: Behind) -> None:
    """It came by another route, and is larger than an answer may be."""
    alice.put("a")
    behind.change("files", {"partition": "alice", "name": "a"}, size=SMALL_FILE_BYTES + 1)
    answer = get(alice, "a")
    assert (answer.status, answer.slug) == (413, "too-large")
    assert "GET /download" in answer.json()["detail"]
    head = alice.send("HEAD", "/file", query={"file_name": "a"}, headers=RAW)
    assert (head.status, head.headers["content-length"]) == (200, str(SMALL_FILE_BYTES + 1))


def test_the_size_of_a_file_is_a_field_of_its_own(alice: Client) -> None:
    """Base64, ranges, HEAD and 304 have another content-length, or none that arrives."""
    alice.put("a", b"0123456789")
    etag = alice.get("/files").json()[0]["etag"]
    for method in ("GET", "HEAD"):
        for more in ({}, RAW, RAW | {"range": "bytes=2-3"}, {"if-none-match": f'"{etag}"'}):
            answer = alice.send(method, "/file", query={"file_name": "a"}, headers=more)
            assert answer.status in {200, 206, 304}
            assert answer.headers["x-file-size"] == "10"


@pytest.mark.parametrize("size", [6_200_000, 6 * 1024 * 1024 + 1, 9_000_000])
def test_a_body_larger_than_lambda_takes_is_refused(
    alice: Client, behind: Behind, size: int
) -> None:
    """With one answer, whichever limit it meets first."""
    answer = alice.send("PUT", "/file", query={"file_name": "a"}, body=bytes(size))
    assert (answer.status, answer.slug) == (413, "too-large")
    assert "POST /uploads" in answer.json()["detail"]
    assert behind.objects() == {}


@pytest.mark.parametrize(
    "says",
    ["application/octet-stream", "application/x-www-form-urlencoded", "application/json",
     "image/png", "", "nonsense"],
)  # fmt: skip
def test_file_name_in_the_query_makes_the_body_the_file(alice: Client, says: str) -> None:
    """Whatever its content type."""
    data = b'{"not": "read"}'
    headers = {"content-type": says} if says else {}
    query = {"file_name": "a.txt"}
    answer = alice.send("PUT", "/file", query=query, body=data, headers=headers)
    assert answer.status == 201
    honest = {"application/json", "image/png"}
    assert answer.json()["content_type"] == (says if says in honest else "text/plain")
    assert alice.read("a.txt").content == data


def test_the_query_of_a_raw_body_has_the_other_fields(alice: Client, bob: Client) -> None:
    """Content type, owner and on_conflict; unknown fields are refused."""
    bob.post("/share", file_name="in/", username="alice", permission="write")
    query = {"file_name": "in/a", "username": "BOB", "content_type": "x/y", "on_conflict": "fail"}
    answer = alice.send("PUT", "/file", query=query, body=b"1")
    assert (answer.status, answer.json()["key"]) == (201, "bob/in/a")
    assert answer.json()["content_type"] == "x/y"
    assert alice.send("PUT", "/file", query=query, body=b"2").slug == "file-exists"
    answer = alice.send("PUT", "/file", query={"file_name": "a", "tags": "x"}, body=b"")
    assert reason_at(answer, "query.tags") == "unknown field"


@pytest.mark.parametrize("query", [{"on_conflict": "fail"}, {"username": "bob"}])
def test_a_json_body_allows_no_query(
    alice: Client, bob: Client, behind: Behind, query: dict[str, str]
) -> None:
    """A field in the wrong place was meant to change something: 422."""
    alice.put("a", b"old")
    before = behind.state()
    body = {"file_name": "a", "content": "bmV3"}
    answer = alice.send("PUT", "/file", query=query, json_=body)
    assert answer.status == 422
    assert "body" in reason_at(answer, f"query.{next(iter(query))}")
    assert behind.state() == before


def test_a_json_body_names_the_owner(alice: Client, bob: Client) -> None:
    """By `username`, as every route does."""
    bob.post("/share", file_name="in/", username="alice", permission="write")
    answer = alice.put("in/a", b"x", username="bob")
    assert (answer.status, answer.json()["permission"]) == (201, "write")
    assert bob.read("in/a").content == b"x"
    assert bob.get("/me").json()["bytes_used"] == 1


def test_text_that_the_gateway_damaged_is_refused(alice: Client, behind: Behind) -> None:
    """A gateway passes text types as text, which loses other bytes: never 2xx."""
    data = b"caf\xe9 \xff\xfe"
    for kind in ("text/plain", "application/json", "application/xml"):
        headers = {"content-type": kind}
        answer = alice.send("PUT", "/file", query={"file_name": "a"}, body=data, headers=headers)
        assert (answer.status, answer.slug) == (400, "malformed-request")
        assert "application/octet-stream" in answer.json()["detail"]
    assert behind.objects() == {}
    headers = {"content-type": "text/plain"}
    utf8 = "café\r\n".encode()
    answer = alice.send("PUT", "/file", query={"file_name": "a"}, body=utf8, headers=headers)
    assert answer.status == 201
    assert alice.read("a").content == utf8


def test_a_body_that_arrived_incomplete_is_refused(alice: Client, behind: Behind) -> None:
    """Base64 that a gateway cut is no file."""
    headers = [("x-session-token", str(alice.token)), ("content-type", "image/png")]
    event = build_event(Request("PUT", "/file?file_name=a", headers, b"bytes"), alice.address, 443)
    event["body"] = event["body"][:-1]
    answer = answer_of(app.lambda_handler(event, CONTEXT))
    assert (answer.status, answer.slug) == (400, "malformed-request")
    assert "arrived incomplete" in answer.json()["detail"]
    assert behind.objects() == {}


def test_a_part_does_not_replace_the_whole(alice: Client) -> None:
    """`curl -C` sends the rest of a file with Content-Range."""
    alice.put("big.bin", b"whole")
    rest = {"content-range": "bytes 3-4/5"}
    answer = alice.send("PUT", "/file", query={"file_name": "big.bin"}, body=b"le", headers=rest)
    assert (answer.status, answer.slug) == (400, "malformed-request")
    assert alice.read("big.bin").content == b"whole"


@pytest.mark.parametrize(
    "name", ["", "/x", "x/", "../x", "a/../b", ".", "a\\b", "a\0b", "a\r\nb", "a\u202eb", "s" * 256]
)
@pytest.mark.parametrize("way", ["json", "query"])
def test_bad_names_are_refused(alice: Client, behind: Behind, name: str, way: str) -> None:
    """In every way a name is sent, with the reason; no file is added."""
    for method in ("PUT",) if way == "json" else ("PUT", "GET", "HEAD", "DELETE"):
        if way == "json":
            answer = alice.put(name)
        else:
            answer = alice.send(method, "/file", query={"file_name": name}, body=b"")
        assert answer.status == 422
        if method != "HEAD":
            assert answer.slug == "invalid-name"
            where = "body" if way == "json" else "query"
            assert len(reason_at(answer, f"{where}.file_name")) > 20
    assert behind.file_rows() == []


def test_composed_and_decomposed_names_are_the_same(alice: Client) -> None:
    """Unicode has two forms of one name; macOS sends the decomposed one."""
    assert alice.put("re\u0301sume\u0301", b"1").json()["file_name"] == "résumé"
    assert alice.put("résumé", b"2").status == 200
    assert alice.read("re\u0301sume\u0301").content == b"2"
    assert alice.names(prefix="re\u0301") == ["alice/résumé"]


@settings(
    max_examples=12,
    phases=[Phase.generate],  # each step talks to tables: shrinking would take minutes
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(name=file_names(), data=st.binary(max_size=9))
def test_any_name_works_on_every_route(alice: Client, name: str, data: bytes) -> None:
    """Put, list, get, head, delete: the same name and bytes, in body, query and header."""
    assert alice.put(name, data).json()["file_name"] == name
    assert alice.names(prefix=name) == [f"alice/{name}"]
    assert alice.read(name).content == data
    assert alice.send("HEAD", "/file", query={"file_name": name}).status == 200
    assert alice.delete("/file", file_name=name).status == 204
    assert alice.read(name).status == 404


def test_a_replaced_file_becomes_a_version(alice: Client, behind: Behind) -> None:
    """It is archived with its bytes until it expires; the file keeps its id."""
    first = alice.put("a", b"one").json()
    answer = alice.put("a", b"twos")
    second = answer.json()
    assert (answer.status, second["version"], second["created"]) == (200, 2, first["created"])
    assert alice.put("a", b"three").json()["version"] == 3
    assert alice.read("a").content == b"three"
    kept = [row for row in behind.rows("files") if row["partition"] == "alice/versions"]
    assert sorted(int(str(row["version"])) for row in kept) == [1, 2]
    objects = behind.objects()
    assert {objects[str(row["object"])] for row in kept} == {b"one", b"twos"}
    assert all(int(str(row["until"])) > 1_790_000_000 for row in kept)
    live = behind.row("files", partition="alice", name="a")
    assert {row["id"] for row in kept} == {live["id"]}
    assert alice.names() == ["alice/a"]
    assert alice.get("/me").json()["bytes_used"] == 3 + 4 + 5


def test_on_conflict_fail_keeps_the_existing_file(alice: Client, behind: Behind) -> None:
    """409, and no byte is written."""
    assert alice.put("a", b"one", on_conflict="fail").status == 201
    before = behind.state()
    answer = alice.put("a", b"two", on_conflict="fail")
    assert (answer.status, answer.slug) == (409, "file-exists")
    assert behind.state() == before


def test_on_conflict_rename_finds_a_free_name(alice: Client) -> None:
    """Each upload is a new file beside the others."""
    names = [
        alice.put("d/a.txt", data, on_conflict="rename").json()["file_name"]
        for data in (b"0", b"1", b"2")
    ]
    assert names == ["d/a.txt", "d/a (1).txt", "d/a (2).txt"]
    assert [alice.read(name).content for name in names] == [b"0", b"1", b"2"]
    assert alice.get("/me").json()["bytes_used"] == 3


def test_a_false_precondition_changes_nothing(alice: Client, behind: Behind) -> None:
    """If-Match and If-None-Match (RFC 9110), for PUT and DELETE."""

    def put(data: bytes, **headers: str) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return alice.send("PUT", "/file", query={"file_name": "a"}, body=data, headers=sent)

    assert put(b"0", if_match="*").slug == "precondition-failed"
    assert alice.names() == []
    old = put(b"1", if_none_match="*").headers["etag"]
    before = behind.state()
    assert put(b"2", if_none_match="*").slug == "precondition-failed"
    assert put(b"2", if_none_match=f'"x", {old}').slug == "precondition-failed"
    assert put(b"2", if_match='"x"').status == 412
    assert behind.state() == before
    new = put(b"2", if_match=old).headers["etag"]
    assert new != old
    assert put(b"3", if_match=old).status == 412
    stale = alice.send("DELETE", "/file", query={"file_name": "a"}, headers={"if-match": old})
    assert stale.slug == "precondition-failed"
    assert alice.read("a").content == b"2"
    gone = alice.send("DELETE", "/file", query={"file_name": "a"}, headers={"if-match": new})
    assert gone.status == 204


def test_a_current_copy_is_not_sent_again(alice: Client) -> None:
    """304 with the ETag and no body; a false If-Match is 412."""
    etag = alice.put("a", b"data").headers["etag"]
    for value in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        answer = get(alice, "a", {"if-none-match": value})
        assert (answer.status, answer.content, answer.headers["etag"]) == (304, b"", etag)
        assert "content-type" not in answer.headers
    assert get(alice, "a", {"if-none-match": '"x"'}).status == 200
    assert get(alice, "a", {"if-match": etag}).status == 200
    assert get(alice, "a", {"if-match": '"x"'}).slug == "precondition-failed"


def test_head_has_the_header_fields_of_get(alice: Client) -> None:
    """The same status and fields without bytes, and the length of what GET sends."""
    alice.put("a.txt", b"12345")
    for headers in ({}, RAW):
        got = get(alice, "a.txt", headers)
        head = alice.send("HEAD", "/file", query={"file_name": "a.txt"}, headers=headers)
        assert (head.status, head.content) == (200, b"")
        assert int(head.headers["content-length"]) == len(got.content)
        same = {"etag", "content-type", "content-disposition", "accept-ranges", "vary"}
        assert all(head.headers[name] == got.headers[name] for name in same)
    missing = alice.send("HEAD", "/file", query={"file_name": "b"})
    assert (missing.status, missing.content) == (404, b"")


@pytest.mark.parametrize(
    ("words", "status", "data"),
    [
        ("bytes=0-0", 206, b"0"),
        ("bytes=2-4", 206, b"234"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=-99", 206, b"0123456789"),
        ("bytes=0-99", 206, b"0123456789"),
        ("Bytes = 1-2", 206, b"12"),
        ("bytes=5-2", 200, b"0123456789"),
        ("bytes=0-1,3-4", 200, b"0123456789"),
        ("bytes=a-b", 200, b"0123456789"),
        ("garbage", 200, b"0123456789"),
        ("bytes=10-", 416, None),
        ("bytes=999-", 416, None),
        ("bytes=-0", 416, None),
    ],
)
def test_a_range_has_its_bytes(alice: Client, words: str, status: int, data: bytes | None) -> None:
    """206 with the range, 416 past the end, and the whole file for a range without sense."""
    alice.put("a", b"0123456789")
    answer = get(alice, "a", RAW | {"range": words})
    assert answer.status == status
    if data is None:
        assert answer.slug == "range-not-satisfiable"
        assert answer.headers["content-range"] == "bytes */10"
        return
    assert answer.content == data
    start = b"0123456789".index(data)
    said = f"bytes {start}-{start + len(data) - 1}/10"
    assert answer.headers.get("content-range") == (said if status == 206 else None)


def test_a_range_of_older_bytes_gets_the_whole_file(alice: Client) -> None:
    """If-Range has an older ETag then; Base64 text has no ranges."""
    etag = alice.put("a", b"0123456789").headers["etag"]
    ranged = RAW | {"range": "bytes=1-2"}
    assert get(alice, "a", ranged | {"if-range": etag}).status == 206
    assert get(alice, "a", ranged | {"if-range": '"old"'}).content == b"0123456789"
    assert get(alice, "a", {"range": "bytes=1-2"}).status == 200
    alice.put("e", b"")
    assert get(alice, "e", RAW | {"range": "bytes=0-"}).status == 416


def test_deleting_moves_to_the_trash(alice: Client, behind: Behind) -> None:
    """The name is free; the row and the bytes stay, and count, until they expire."""
    alice.put("a", b"data")
    assert alice.delete("/file", file_name="a").status == 204
    assert alice.delete("/file", file_name="a").slug == "no-such-file"
    assert get(alice, "a").slug == "no-such-file"
    assert alice.names() == []
    assert alice.get("/me").json()["bytes_used"] == 4
    (row,) = (each for each in behind.rows("files") if each["partition"] == "alice/trash")
    assert row["file_name"] == "a"
    assert int(str(row["until"])) > 1_790_000_000
    assert behind.objects()[str(row["object"])] == b"data"
    assert alice.put("a", b"new").json()["version"] == 1


def test_only_the_owner_deletes(alice: Client, bob: Client) -> None:
    """They may name themselves; the right to write does not include deletion."""
    alice.put("a")
    alice.post("/share", file_name="a", username="bob", permission="write")
    assert bob.delete("/file", file_name="a", username="alice").slug == "no-such-file"
    assert alice.read("a").status == 200
    assert alice.delete("/file", file_name="a", username="Alice").status == 204


def test_a_full_account_takes_no_upload(alice: Client, behind: Behind) -> None:
    """507, and nothing is stored; versions count, and deletion still works."""
    alice.put("a", b"12345")
    behind.change("users", {"username": "alice"}, quota=10)
    before = behind.state()
    answer = alice.put("b", b"123456")
    assert (answer.status, answer.slug) == (507, "quota-exceeded")
    assert behind.state() == before
    assert alice.put("a", b"543210").status == 507
    assert alice.put("a", b"5432").status == 200
    assert alice.put("b", b"1").status == 201
    assert alice.put("c", b"1").status == 507
    assert alice.put("c", b"").status == 201
    assert alice.delete("/file", file_name="a").status == 204
    assert alice.get("/me").json()["bytes_used"] == 10


def test_the_number_of_files_is_limited(alice: Client, behind: Behind) -> None:
    """Versions and the trash count, as they do for bytes."""
    behind.change("users", {"username": "alice"}, files_quota=3)
    for name in ("a", "a", "b"):
        assert alice.put(name).status < 300
    before = behind.state()
    assert alice.put("c").slug == alice.put("a").slug == "quota-exceeded"
    assert behind.state() == before
    alice.delete("/file", file_name="b")
    assert alice.put("c").slug == "quota-exceeded"


@pytest.mark.odd_rows
def test_missing_bytes_are_a_fault(alice: Client, behind: Behind) -> None:
    """A row without its object is 503, never an empty file."""
    alice.put("a")
    behind.change("files", {"partition": "alice", "name": "a"}, object="alice/none")
    answer = get(alice, "a")
    assert (answer.status, answer.slug) == (503, "unavailable")
    assert answer.headers["retry-after"]


def test_altered_bytes_are_never_served(alice: Client, fake_aws: FakeAws) -> None:
    """S3 sends a checksum; one byte that differs is 503."""
    alice.put("a", b"data")

    def after(call: Call, answer: AWSResponse) -> AWSResponse:
        if call.operation != "GetObject":
            return answer
        assert call.request.headers["x-amz-checksum-mode"] == b"ENABLED"
        checksum = base64.b64encode(hashlib.sha256(b"data").digest()).decode()
        headers = {**answer.headers, "x-amz-checksum-sha256": checksum}  # as S3 answers that
        return response(answer.status_code, headers, b"dath")

    fake_aws.after = after
    answer = alice.read("a")
    assert (answer.status, answer.slug) == (503, "unavailable")
    assert b"dath" not in answer.content


def test_answers_are_valid_json(alice: Client) -> None:
    """Without NaN, and as text that any client reads."""
    text = alice.put("é", b"").text
    assert json.loads(text, parse_constant=pytest.fail)["file_name"] == "é"
