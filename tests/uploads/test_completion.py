"""Completions: complete bytes, conflicts, repetitions, races."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Behind
from tests.support import presigned as s3
from tests.support.client import Client, join
from tests.support.fake_aws import Call, FakeAws
from tests.support.links import make
from tests.support.senders import ask
from tests.support.transfers import (
    aws,
    bucket,
    bytes_used,
    complete,
    count_multipart_uploads,
    fetch,
    key_of,
    notify,
    piece,
    put,
    send,
    send_parts,
    sha256,
    start,
    stored,
    upload,
    use_small_parts,
)

DATA = bytes(range(45))
NO_PARTS: list[Any] = [
    [{"part_number": 0, "etag": "x"}],
    [{"part_number": 10_001, "etag": "x"}],
    [{"part_number": 1}],
    [{"part_number": 1, "etag": ""}],
    [{"part_number": 1, "etag": "x", "size": 1}],
    [1],
    "1",
]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    use_small_parts(monkeypatch)


@pytest.fixture(params=[15, 45], ids=["put", "parts"])
def data(request: pytest.FixtureRequest) -> bytes:
    """The bytes of a file that takes one PUT, and of one that takes parts."""
    return DATA[: request.param]


def interleaved(fake_aws: FakeAws, operation: str, other: Callable[[], Any]) -> list[Any]:
    """Runs `other` whole before the next call of an operation; its result is in the list."""
    done: list[Any] = []

    def before(call: Call) -> None:
        if call.operation == operation and not done:
            done.append(None)
            done[0] = other()

    fake_aws.before = before
    return done


def test_the_file_has_the_bytes_that_were_sent(
    alice: Client, fake_aws: FakeAws, data: bytes
) -> None:
    """It is charged once, and the upload is no longer in progress."""
    answer = upload(alice, "d/a.bin", data)
    assert answer.status == 200
    assert alice.get("/files").json() == [answer.json()]
    assert fetch(alice, "d/a.bin") == data
    assert alice.get("/uploads").json() == []
    assert bytes_used(fake_aws, "alice") == len(data)
    assert count_multipart_uploads(fake_aws) == 0


def test_only_a_checksum_that_s3_verified_is_stored(alice: Client) -> None:
    """S3 compares a declared SHA-256 with the whole file in one PUT; for parts it is refused."""
    for size, declared, kept in ((15, True, True), (15, False, False), (45, False, False)):
        whole = sha256(DATA[:size])
        fields = {"sha256": whole} if declared else {}
        file = upload(alice, "a.bin", DATA[:size], **fields).json()
        assert file["sha256"] == (whole if kept else None)
        assert alice.get("/download", file_name="a.bin").json()["sha256"] == file["sha256"]


def test_a_checksum_of_parts_is_not_stored(alice: Client, fake_aws: FakeAws) -> None:
    """S3's checksum over the checksums of parts is not that of the file."""
    view = start(alice, "a.bin", 45)
    send(alice, view, DATA)
    composite = base64.b64encode(hashlib.sha256(b"parts").digest()).decode()

    def after(call: Call, answer: Any) -> Any:
        if call.operation == "HeadObject":
            answer.headers["x-amz-checksum-sha256"] = f"{composite}-5"
            answer.headers["x-amz-checksum-type"] = "COMPOSITE"
        return answer

    fake_aws.after = after
    assert complete(alice, view).json()["sha256"] is None


def test_a_completion_needs_no_body(alice: Client, data: bytes) -> None:
    """`{}`, an empty body and null parts mean the same."""
    for sent in (b"", b"{}", b'{"parts": null}'):
        view = start(alice, "a.bin", len(data))
        send(alice, view, data)
        assert alice.send("POST", f"/uploads/{view['upload_id']}/complete", body=sent).status == 200
    assert alice.get("/files").json()[0]["version"] == 3


def test_a_client_may_send_the_etags_of_parts(alice: Client) -> None:
    """With or without quotes; S3's own list decides which parts there are."""
    for quoted in (True, False):
        view = start(alice, "a.bin", 45)
        etags = send_parts(alice, view, DATA)
        parts = [
            {"part_number": number, "etag": etag if quoted else etag.strip('"')}
            for number, etag in etags.items()
        ]
        assert complete(alice, view, parts=parts[:3]).status == 200
        assert fetch(alice, "a.bin") == DATA


@pytest.mark.parametrize(
    "named",
    [
        {"part_number": 2, "etag": "0" * 32},
        {"part_number": 6, "etag": "0" * 32},
        {"part_number": 9_999, "etag": "0" * 32},
    ],
)
def test_parts_with_other_etags_are_not_joined(alice: Client, named: dict[str, Any]) -> None:
    """For a wrong ETag or an unknown part it is 409, and the upload stays in progress."""
    view = start(alice, "a.bin", 45)
    send(alice, view, DATA)
    answer = complete(alice, view, parts=[named])
    assert (answer.status, answer.slug) == (409, "upload-incomplete")
    assert answer.json()["errors"] == [{"at": f"part {named['part_number']}", "reason": "missing"}]
    assert alice.names() == []
    assert complete(alice, view).status == 200


def test_invalid_part_lists_are_refused(alice: Client) -> None:
    """422, and the upload stays in progress."""
    view = start(alice, "a.bin", 45)
    send(alice, view, DATA)
    for parts in NO_PARTS:
        assert complete(alice, view, parts=parts).slug == "invalid-request", parts
    assert complete(alice, view).status == 200


def test_an_upload_with_missing_parts_is_not_completed(alice: Client, fake_aws: FakeAws) -> None:
    """409 names the missing parts; with them it makes the file."""
    view = start(alice, "a.bin", 45)
    for sent, left in ([1, 2, 4], [3, 5]), ([5], [3]):
        send_parts(alice, view, DATA, sent)
        answer = complete(alice, view)
        assert (answer.status, answer.slug) == (409, "upload-incomplete")
        assert [each["at"] for each in answer.json()["errors"]] == [f"part {n}" for n in left]
        assert alice.names() == []
        assert stored(fake_aws) == []
    send_parts(alice, view, DATA, [3])
    assert complete(alice, view).status == 200
    assert fetch(alice, "a.bin") == DATA


def test_an_upload_without_bytes_is_not_completed(alice: Client, data: bytes) -> None:
    """It is 409, and the upload stays in progress."""
    view = start(alice, "a.bin", len(data))
    assert complete(alice, view).slug == "upload-incomplete"
    assert [each["upload_id"] for each in alice.get("/uploads").json()] == [view["upload_id"]]


def test_a_part_that_is_replaced_meanwhile_is_not_joined(alice: Client, fake_aws: FakeAws) -> None:
    """S3 joins only the parts that were listed; the next attempt makes the file."""
    view = start(alice, "a.bin", 45)
    send(alice, view, DATA)
    other = DATA[::-1]
    interleaved(fake_aws, "CompleteMultipartUpload", lambda: send_parts(alice, view, other, [2]))
    assert complete(alice, view).slug == "upload-incomplete"
    assert alice.names() == []
    assert complete(alice, view).status == 200
    assert fetch(alice, "a.bin") == DATA[:10] + other[10:20] + DATA[20:]


def wrong_bytes(fake_aws: FakeAws, key: str, data: bytes) -> None:
    """Puts an object past all checks, as only a fault of S3 or of this service could."""
    client = aws("s3")
    checksum = {"ChecksumAlgorithm": "SHA256"}
    client.put_object(Bucket=bucket(fake_aws), Key=key, Body=data, **checksum)


@pytest.mark.parametrize("wrong", [b"four", b"two"], ids=["size", "checksum"])
def test_bytes_that_differ_from_the_declaration_are_deleted(
    alice: Client, fake_aws: FakeAws, wrong: bytes
) -> None:
    """By size or checksum: 422, no file, no object, no charge."""
    view = start(alice, "a.bin", 3, sha256=sha256(b"one"))
    wrong_bytes(fake_aws, key_of(view), wrong)
    answer = complete(alice, view)
    assert (answer.status, answer.slug) == (422, "upload-mismatch")
    assert alice.names() == []
    assert stored(fake_aws) == []
    assert bytes_used(fake_aws, "alice") == 0
    assert complete(alice, view).slug == "no-such-upload"
    assert alice.get("/uploads").json() == []


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br, gzip", "zstd"])
@pytest.mark.parametrize("way", ["client", "event", "companion", "request"])
def test_bytes_that_a_client_would_decode_are_refused(
    alice: Client, fake_aws: FakeAws, encoding: str, way: str
) -> None:
    """S3 keeps a Content-Encoding that the URL does not sign, and would serve it with the bytes."""
    who: Client = alice
    if way == "request":
        who = ask(alice)[1]
    if way == "companion":
        view = {"put": alice.send("GET", "/s3/params", query={"filename": "a"}).json()}
    else:
        view = start(who, "a", 3)
    headers = view["put"]["headers"] | {"content-encoding": encoding}
    assert s3.send("PUT", view["put"]["url"], headers, b"one").status == 200
    if way in {"client", "request"}:
        answer = complete(who, view)
        assert (answer.status, answer.slug) == (422, "upload-mismatch")
        assert "without" in answer.json()["detail"]
    else:
        assert notify(key_of(view)) == []
    assert alice.names() == stored(fake_aws) == alice.get("/uploads").json() == []
    assert bytes_used(fake_aws, "alice") == 0


def test_parts_have_no_encoding(alice: Client, data: bytes, fake_aws: FakeAws) -> None:
    """S3 takes that of the whole from the server, which gives none; `identity` is none either."""
    view = start(alice, "a", len(data))
    if view["method"] == "put":
        headers = view["put"]["headers"] | {"content-encoding": "identity"}
        assert s3.send("PUT", view["put"]["url"], headers, data).status == 200
    else:
        for number in range(1, view["total_parts"] + 1):
            signed = alice.post(f"/uploads/{view['upload_id']}/parts", part_numbers=[number]).json()
            headers = {"content-encoding": "gzip"}
            sent = piece(view, data, number)
            assert s3.send("PUT", signed["parts"][0]["url"], headers, sent).status == 200
    assert complete(alice, view).status == 200
    assert fetch(alice, "a") == data


def test_an_object_of_an_older_release_is_served_without_its_encoding(
    alice: Client, fake_aws: FakeAws
) -> None:
    """By every address of its bytes: clients save them as they are."""
    alice.put("a", b"not gzip")
    (key,) = fake_aws.objects(bucket(fake_aws))
    encoded = {"Body": b"not gzip", "ContentEncoding": "gzip"}
    aws("s3").put_object(Bucket=bucket(fake_aws), Key=key, **encoded)
    config = alice.get("/download", prefix="", format="curl").text
    (listed,) = alice.get("/files", urls="true").json()
    for url in (
        alice.get("/download", file_name="a").json()["url"],
        make(alice, "a").download().json()["url"],
        listed["url"],
        config.partition('url = "')[2].partition('"')[0],
    ):
        reply = s3.send("GET", url)
        assert reply.headers["content-encoding"] == "identity"
        assert reply.body == b"not gzip"


def test_parts_of_another_size_are_missing(alice: Client, fake_aws: FakeAws) -> None:
    """A part that does not have its planned size has not arrived."""
    view = start(alice, "a.bin", 45)
    send(alice, view, DATA)
    client = aws("s3")
    (at,) = client.list_multipart_uploads(Bucket=bucket(fake_aws))["Uploads"]
    part = {"Bucket": bucket(fake_aws), "Key": at["Key"], "UploadId": at["UploadId"]}
    client.upload_part(**part, PartNumber=2, Body=b"x" * 11)
    assert alice.get(f"/uploads/{view['upload_id']}").json()["missing"] == [2]
    assert complete(alice, view).slug == "upload-incomplete"


def test_a_replaced_file_becomes_a_version(alice: Client, fake_aws: FakeAws, data: bytes) -> None:
    """By default the file gets its next version, and the older one is kept."""
    first = upload(alice, "a.bin", b"first").json()
    second = upload(alice, "a.bin", data).json()
    assert (second["version"], second["created"]) == (2, first["created"])
    assert fetch(alice, "a.bin") == data
    assert fetch(alice, "a.bin", version=1) == b"first"
    assert bytes_used(fake_aws, "alice") == len(b"first") + len(data)


def test_on_conflict_fail_replaces_no_file(alice: Client, fake_aws: FakeAws, data: bytes) -> None:
    """It is checked at the start and at the completion; the upload stays in progress."""
    view = start(alice, "a.bin", len(data), on_conflict="fail")
    send(alice, view, data)
    alice.put("a.bin", b"mine")
    assert complete(alice, view).slug == "file-exists"
    assert alice.post("/uploads", file_name="a.bin", size=1, on_conflict="fail").status == 409
    assert alice.read("a.bin").content == b"mine"
    alice.delete("/file", file_name="a.bin")
    assert complete(alice, view).status == 200
    assert fetch(alice, "a.bin") == data


def test_on_conflict_rename_finds_a_free_name(alice: Client, data: bytes) -> None:
    """When it is completed; a repeated completion answers with that name."""
    alice.put("a.bin", b"mine")
    view = start(alice, "a.bin", len(data), on_conflict="rename")
    send(alice, view, data)
    assert complete(alice, view).json()["file_name"] == "a (1).bin"
    assert complete(alice, view).json()["file_name"] == "a (1).bin"
    assert alice.names() == ["alice/a (1).bin", "alice/a.bin"]
    assert alice.read("a.bin").content == b"mine"


def test_conditions_are_checked_at_start_and_completion(alice: Client, data: bytes) -> None:
    """`if_match` and `if_none_match` refuse another file than the one that the client knows."""
    etag = alice.put("a.bin", b"one").json()["etag"]
    assert alice.post("/uploads", file_name="a.bin", size=1, if_match="x").status == 412
    assert alice.post("/uploads", file_name="b.bin", size=1, if_match=etag).status == 412
    view = start(alice, "a.bin", len(data), if_match=f'"{etag}"')
    late = start(alice, "a.bin", len(data), if_match=etag)
    for each in (view, late):
        send(alice, each, data)
    assert complete(alice, view).status == 200
    assert complete(alice, late).slug == "precondition-failed"
    fresh = start(alice, "new.bin", len(data), if_none_match="*")
    send(alice, fresh, data)
    alice.put("new.bin")
    assert complete(alice, fresh).slug == "precondition-failed"
    alice.delete("/file", file_name="new.bin")
    assert fetch(alice, "a.bin") == data
    assert alice.get("/files").json()[0]["version"] == 2


def test_a_repeated_completion_gets_the_same_answer(
    alice: Client, fake_aws: FakeAws, data: bytes
) -> None:
    """Even when the file has changed since, and without making a second file."""
    view = start(alice, "a.bin", len(data))
    send(alice, view, data)
    first = complete(alice, view).json()
    alice.put("a.bin", b"newer")
    with fake_aws.counted() as calls:
        assert complete(alice, view).json() == first
    assert calls == ["BatchGetItem"]
    alice.delete("/file", file_name="a.bin")
    assert complete(alice, view).json() == first
    assert alice.names() == []


def test_a_completed_upload_is_not_in_progress(alice: Client, data: bytes) -> None:
    """It has no status, signs no parts and cannot be aborted."""
    view = start(alice, "a.bin", len(data))
    send(alice, view, data)
    assert complete(alice, view).status == 200
    path = f"/uploads/{view['upload_id']}"
    assert alice.get(path).slug == "no-such-upload"
    assert alice.post(f"{path}/parts", part_numbers=[1]).slug == "no-such-upload"
    assert alice.delete(path).slug == "no-such-upload"
    assert fetch(alice, "a.bin") == data


@pytest.mark.parametrize("on_conflict", ["replace", "fail", "rename"])
@pytest.mark.parametrize(
    ("size", "step"),
    [
        *[(15, step) for step in ("HeadObject", "BatchGetItem", "TransactWriteItems")],
        *[(45, step) for step in ("ListParts", "CompleteMultipartUpload", "TransactWriteItems")],
    ],
)
def test_two_completions_at_once_make_one_file(
    alice: Client, fake_aws: FakeAws, size: int, step: str, on_conflict: str
) -> None:
    """At whatever step the second one runs: one file, one charge, one answer."""
    data = DATA[:size]
    view = start(alice, "a.bin", size, on_conflict=on_conflict)
    send(alice, view, data)
    other = interleaved(fake_aws, step, lambda: complete(alice, view))
    answer = complete(alice, view)
    assert (answer.status, other[0].status) == (200, 200)
    assert answer.json() == other[0].json()
    assert alice.get("/files").json() == [answer.json()]
    assert answer.json()["version"] == 1
    assert fetch(alice, "a.bin") == data
    assert bytes_used(fake_aws, "alice") == size


def test_two_uploads_of_one_name_make_two_versions(
    alice: Client, fake_aws: FakeAws, data: bytes
) -> None:
    """Neither is lost: the later one replaces the earlier one."""
    views = [start(alice, "a.bin", len(data)) for _ in range(2)]
    for view, sent in zip(views, (data, data[::-1]), strict=True):
        send(alice, view, sent)
    other = interleaved(fake_aws, "TransactWriteItems", lambda: complete(alice, views[1]))
    answer = complete(alice, views[0])
    assert (other[0].json()["version"], answer.json()["version"]) == (1, 2)
    assert fetch(alice, "a.bin") == data
    assert fetch(alice, "a.bin", version=1) == data[::-1]


def test_a_crash_after_joining_the_parts_loses_nothing(alice: Client, fake_aws: FakeAws) -> None:
    """No part is missing then, and the next completion makes the file."""
    view = start(alice, "a.bin", 45)
    send(alice, view, DATA)

    class Killed(BaseException):
        """The process is killed."""

    def before(call: Call) -> None:
        if call.operation == "HeadObject":
            raise Killed

    fake_aws.before = before
    with pytest.raises(Killed):
        complete(alice, view)
    fake_aws.before = lambda _: None
    assert (alice.names(), stored(fake_aws)) == ([], [DATA])
    status = alice.get(f"/uploads/{view['upload_id']}").json()
    assert (status["arrived"], status["missing"]) == ([1, 2, 3, 4, 5], [])
    assert complete(alice, view).status == 200
    assert fetch(alice, "a.bin") == DATA


@pytest.mark.parametrize("step", ["HeadObject", "ListParts", "CompleteMultipartUpload"])
def test_an_upload_that_is_aborted_meanwhile_is_404(
    alice: Client, fake_aws: FakeAws, step: str
) -> None:
    """As it would be a moment later, and not 409 for missing bytes."""
    size = 15 if step == "HeadObject" else 45
    view = start(alice, "a.bin", size)
    send(alice, view, DATA[:size])
    gone = interleaved(fake_aws, step, lambda: alice.delete(f"/uploads/{view['upload_id']}"))
    assert complete(alice, view).slug == "no-such-upload"
    assert gone[0].status == 204
    assert (alice.names(), stored(fake_aws), count_multipart_uploads(fake_aws)) == ([], [], 0)


def test_the_calls_of_a_completion(alice: Client, fake_aws: FakeAws) -> None:
    """Session and upload, the object, the file and the right to it, the commit; parts: two more."""
    view = start(alice, "a.bin", 15)
    put(view, DATA[:15])
    with fake_aws.counted() as calls:
        complete(alice, view)
    assert calls == ["BatchGetItem", "HeadObject", "BatchGetItem", "TransactWriteItems"]
    view = start(alice, "a.bin", 45)
    send(alice, view, DATA)
    with fake_aws.counted() as calls:
        complete(alice, view)
    assert calls == [
        "BatchGetItem",
        "ListParts",
        "CompleteMultipartUpload",
        "HeadObject",
        "BatchGetItem",
        "TransactWriteItems",
    ]


def test_an_event_and_a_request_at_once_make_one_file(alice: Client, fake_aws: FakeAws) -> None:
    """The event of S3 and the client complete the same upload."""
    view = start(alice, "a.bin", 15)
    put(view, DATA[:15])
    interleaved(fake_aws, "TransactWriteItems", lambda: notify(key_of(view)))
    assert complete(alice, view).status == 200
    assert notify(key_of(view)) == []
    assert alice.get("/files").json()[0]["version"] == 1
    assert bytes_used(fake_aws, "alice") == 15


def test_an_upload_for_a_deleted_account_is_not_its_successors(
    alice: Client, bob: Client, behind: Behind
) -> None:
    """Its size is reserved on the deleted account; a later account of that name is not charged."""
    alice.post("/share", file_name="in/", username="bob", permission="write")
    view = start(bob, "in/a", 15, username="alice")
    send(bob, view, DATA[:15])
    behind.delete("users", username="alice")
    again = join("alice")
    again.post("/share", file_name="in/", username="bob", permission="write")
    assert complete(bob, view).slug == "no-such-upload"
    assert again.names() == []
    assert not behind.row("users", username="alice").get("bytes_reserved")
