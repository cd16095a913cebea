"""Completing an upload: what must have arrived, what replaces what, and once however often."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Behind
from tests.support.client import Client, join
from tests.support.fake_aws import Call, Ground
from tests.support.transfers import (
    aws,
    begun,
    bucket,
    bytes_used,
    complete,
    fetch,
    key_of,
    put,
    send,
    send_parts,
    sha256,
    small,
    start,
    stored,
    tell,
    upload,
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
    small(monkeypatch)


@pytest.fixture(params=[15, 45], ids=["put", "parts"])
def data(request: pytest.FixtureRequest) -> bytes:
    """The bytes of a file that goes in one PUT, and of one that goes in parts."""
    return DATA[: request.param]


def interleaved(ground: Ground, operation: str, other: Callable[[], Any]) -> list[Any]:
    """Has somebody else do something whole before the first such call that follows."""
    done: list[Any] = []

    def before(call: Call) -> None:
        if call.operation == operation and not done:
            done.append(None)
            done[0] = other()

    ground.before = before
    return done


def test_the_file_is_what_was_sent(alice: Client, ground: Ground, data: bytes) -> None:
    """Byte for byte, charged once, and no longer in progress."""
    answer = upload(alice, "d/a.bin", data)
    assert answer.status == 200
    assert alice.get("/files").json() == [answer.json()]
    assert fetch(alice, "d/a.bin") == data
    assert alice.get("/uploads").json() == []
    assert bytes_used(ground, "alice") == len(data)
    assert begun(ground) == 0


def test_only_what_s3_verified_is_a_checksum(alice: Client) -> None:
    """A declared SHA-256 is stored when S3 compared it with the whole, never for parts."""
    for size, declared, kept in ((15, True, True), (15, False, False), (45, True, False)):
        whole = sha256(DATA[:size])
        fields = {"sha256": whole} if declared else {}
        file = upload(alice, "a.bin", DATA[:size], **fields).json()
        assert file["sha256"] == (whole if kept else None)
        assert alice.get("/download", file_name="a.bin").json()["sha256"] == file["sha256"]


def test_a_checksum_of_parts_is_never_one_of_the_whole(alice: Client, ground: Ground) -> None:
    """S3's checksum over the checksums of parts is not shown, whatever it looks like."""
    view = start(alice, "a.bin", 45)
    send(alice, view, DATA)
    composite = base64.b64encode(hashlib.sha256(b"parts").digest()).decode()

    def after(call: Call, answer: Any) -> Any:
        if call.operation == "HeadObject":
            answer.headers["x-amz-checksum-sha256"] = f"{composite}-5"
            answer.headers["x-amz-checksum-type"] = "COMPOSITE"
        return answer

    ground.after = after
    assert complete(alice, view).json()["sha256"] is None


def test_a_body_is_not_needed(alice: Client, data: bytes) -> None:
    """`{}`, nothing at all, and null parts mean the same."""
    for sent in (b"", b"{}", b'{"parts": null}'):
        view = start(alice, "a.bin", len(data))
        send(alice, view, data)
        assert alice.send("POST", f"/uploads/{view['upload_id']}/complete", body=sent).status == 200
    assert alice.get("/files").json()[0]["version"] == 3


def test_parts_may_be_named_by_a_client_that_kept_their_etags(alice: Client) -> None:
    """Quoted or not; S3's own list decides which parts there are."""
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
def test_parts_that_are_not_as_named_are_not_joined(alice: Client, named: dict[str, Any]) -> None:
    """A wrong ETag or a part that is not there: refused, and the upload stays open."""
    view = start(alice, "a.bin", 45)
    send(alice, view, DATA)
    answer = complete(alice, view, parts=[named])
    assert (answer.status, answer.slug) == (409, "upload-incomplete")
    assert answer.json()["errors"] == [{"at": f"part {named['part_number']}", "reason": "missing"}]
    assert alice.names() == []
    assert complete(alice, view).status == 200


def test_parts_that_are_none_are_refused(alice: Client) -> None:
    """What is not the list of parts is 422, and the upload stays open."""
    view = start(alice, "a.bin", 45)
    send(alice, view, DATA)
    for parts in NO_PARTS:
        assert complete(alice, view, parts=parts).slug == "invalid-request", parts
    assert complete(alice, view).status == 200


def test_nothing_is_made_of_a_hole(alice: Client, ground: Ground) -> None:
    """With a part missing it is 409 and says which; with the part it is a file."""
    view = start(alice, "a.bin", 45)
    for sent, left in ([1, 2, 4], [3, 5]), ([5], [3]):
        send_parts(alice, view, DATA, sent)
        answer = complete(alice, view)
        assert (answer.status, answer.slug) == (409, "upload-incomplete")
        assert [each["at"] for each in answer.json()["errors"]] == [f"part {n}" for n in left]
        assert alice.names() == []
        assert stored(ground) == []
    send_parts(alice, view, DATA, [3])
    assert complete(alice, view).status == 200
    assert fetch(alice, "a.bin") == DATA


def test_nothing_is_made_of_nothing(alice: Client, data: bytes) -> None:
    """Before anything has arrived there is nothing to complete."""
    view = start(alice, "a.bin", len(data))
    assert complete(alice, view).slug == "upload-incomplete"
    assert [each["upload_id"] for each in alice.get("/uploads").json()] == [view["upload_id"]]


def test_a_part_that_was_sent_again_between_is_not_joined_unseen(
    alice: Client, ground: Ground
) -> None:
    """What S3 joins is what was listed; otherwise it is 409, and again makes the file."""
    view = start(alice, "a.bin", 45)
    send(alice, view, DATA)
    other = DATA[::-1]
    interleaved(ground, "CompleteMultipartUpload", lambda: send_parts(alice, view, other, [2]))
    assert complete(alice, view).slug == "upload-incomplete"
    assert alice.names() == []
    assert complete(alice, view).status == 200
    assert fetch(alice, "a.bin") == DATA[:10] + other[10:20] + DATA[20:]


def wrong_bytes(ground: Ground, key: str, data: bytes) -> None:
    """Puts an object past all checks, as only a fault of S3's or of ours could."""
    client = aws("s3")
    checksum = {"ChecksumAlgorithm": "SHA256"}
    client.put_object(Bucket=bucket(ground), Key=key, Body=data, **checksum)


@pytest.mark.parametrize("wrong", [b"four", b"two"], ids=["size", "checksum"])
def test_what_is_not_as_declared_is_removed(alice: Client, ground: Ground, wrong: bytes) -> None:
    """Another size or another checksum: 422, nothing visible, the object gone, nothing charged."""
    view = start(alice, "a.bin", 3, sha256=sha256(b"one"))
    wrong_bytes(ground, key_of(view), wrong)
    answer = complete(alice, view)
    assert (answer.status, answer.slug) == (422, "upload-mismatch")
    assert alice.names() == []
    assert stored(ground) == []
    assert bytes_used(ground, "alice") == 0
    assert complete(alice, view).slug == "no-such-upload"
    assert alice.get("/uploads").json() == []


def test_parts_of_another_size_are_missing(alice: Client, ground: Ground) -> None:
    """A part that is not as long as it must be has not arrived."""
    view = start(alice, "a.bin", 45)
    send(alice, view, DATA)
    client = aws("s3")
    (at,) = client.list_multipart_uploads(Bucket=bucket(ground))["Uploads"]
    part = {"Bucket": bucket(ground), "Key": at["Key"], "UploadId": at["UploadId"]}
    client.upload_part(**part, PartNumber=2, Body=b"x" * 11)
    assert alice.get(f"/uploads/{view['upload_id']}").json()["missing"] == [2]
    assert complete(alice, view).slug == "upload-incomplete"


def test_a_replaced_file_becomes_a_version(alice: Client, ground: Ground, data: bytes) -> None:
    """The default: the same file, one version on, and the older one is kept."""
    first = upload(alice, "a.bin", b"first").json()
    second = upload(alice, "a.bin", data).json()
    assert (second["version"], second["created"]) == (2, first["created"])
    assert fetch(alice, "a.bin") == data
    assert fetch(alice, "a.bin", version=1) == b"first"
    assert bytes_used(ground, "alice") == len(b"first") + len(data)


def test_a_file_is_not_replaced_when_it_must_not_be(
    alice: Client, ground: Ground, data: bytes
) -> None:
    """`fail` is settled at the start and at the completion; the upload then stays open."""
    view = start(alice, "a.bin", len(data), on_conflict="fail")
    send(alice, view, data)
    alice.put("a.bin", b"mine")
    assert complete(alice, view).slug == "file-exists"
    assert alice.post("/uploads", file_name="a.bin", size=1, on_conflict="fail").status == 409
    assert alice.read("a.bin").content == b"mine"
    alice.delete("/file", file_name="a.bin")
    assert complete(alice, view).status == 200
    assert fetch(alice, "a.bin") == data


def test_a_file_goes_beside_the_one_that_is_there(alice: Client, data: bytes) -> None:
    """`rename` finds a free name when it is completed, and a replay answers with that name."""
    alice.put("a.bin", b"mine")
    view = start(alice, "a.bin", len(data), on_conflict="rename")
    send(alice, view, data)
    assert complete(alice, view).json()["file_name"] == "a (1).bin"
    assert complete(alice, view).json()["file_name"] == "a (1).bin"
    assert alice.names() == ["alice/a (1).bin", "alice/a.bin"]
    assert alice.read("a.bin").content == b"mine"


def test_only_the_file_that_was_seen_is_replaced(alice: Client, data: bytes) -> None:
    """`if_match` holds at the start and at the completion."""
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


def test_doing_it_again_answers_the_same(alice: Client, ground: Ground, data: bytes) -> None:
    """Even when the file has changed since: the answer is of this upload, with no second file."""
    view = start(alice, "a.bin", len(data))
    send(alice, view, data)
    first = complete(alice, view).json()
    alice.put("a.bin", b"newer")
    with ground.counted() as calls:
        assert complete(alice, view).json() == first
    assert calls == ["BatchGetItem"]
    alice.delete("/file", file_name="a.bin")
    assert complete(alice, view).json() == first
    assert alice.names() == []


def test_what_is_complete_can_only_be_completed(alice: Client, data: bytes) -> None:
    """It is no longer in progress: not to be looked at, signed, aborted."""
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
def test_two_at_once_make_one_file(
    alice: Client, ground: Ground, size: int, step: str, on_conflict: str
) -> None:
    """Wherever the one is when the other does it whole: one file, one charge, one answer."""
    data = DATA[:size]
    view = start(alice, "a.bin", size, on_conflict=on_conflict)
    send(alice, view, data)
    other = interleaved(ground, step, lambda: complete(alice, view))
    answer = complete(alice, view)
    assert (answer.status, other[0].status) == (200, 200)
    assert answer.json() == other[0].json()
    assert alice.get("/files").json() == [answer.json()]
    assert answer.json()["version"] == 1
    assert fetch(alice, "a.bin") == data
    assert bytes_used(ground, "alice") == size


def test_two_uploads_of_one_name_at_once(alice: Client, ground: Ground, data: bytes) -> None:
    """Neither is lost: the later replaces the earlier, which becomes a version."""
    views = [start(alice, "a.bin", len(data)) for _ in range(2)]
    for view, sent in zip(views, (data, data[::-1]), strict=True):
        send(alice, view, sent)
    other = interleaved(ground, "TransactWriteItems", lambda: complete(alice, views[1]))
    answer = complete(alice, views[0])
    assert (other[0].json()["version"], answer.json()["version"]) == (1, 2)
    assert fetch(alice, "a.bin") == data
    assert fetch(alice, "a.bin", version=1) == data[::-1]


def test_a_crash_between_joining_and_committing_is_made_good(alice: Client, ground: Ground) -> None:
    """S3 has joined the parts and nobody knows: nothing is missing, and again makes the file."""
    view = start(alice, "a.bin", 45)
    send(alice, view, DATA)

    class Killed(BaseException):
        """The process is gone."""

    def before(call: Call) -> None:
        if call.operation == "HeadObject":
            raise Killed

    ground.before = before
    with pytest.raises(Killed):
        complete(alice, view)
    ground.before = lambda _: None
    assert (alice.names(), stored(ground)) == ([], [DATA])
    status = alice.get(f"/uploads/{view['upload_id']}").json()
    assert (status["arrived"], status["missing"]) == ([1, 2, 3, 4, 5], [])
    assert complete(alice, view).status == 200
    assert fetch(alice, "a.bin") == DATA


@pytest.mark.parametrize("step", ["HeadObject", "ListParts", "CompleteMultipartUpload"])
def test_what_is_given_up_meanwhile_is_not_there(alice: Client, ground: Ground, step: str) -> None:
    """It is 404, as it would be a moment later, not a file that has not arrived."""
    size = 15 if step == "HeadObject" else 45
    view = start(alice, "a.bin", size)
    send(alice, view, DATA[:size])
    gone = interleaved(ground, step, lambda: alice.delete(f"/uploads/{view['upload_id']}"))
    assert complete(alice, view).slug == "no-such-upload"
    assert gone[0].status == 204
    assert (alice.names(), stored(ground), begun(ground)) == ([], [], 0)


def test_completing_costs_so_many_calls(alice: Client, ground: Ground) -> None:
    """Who and which, the object, the name and the right to it, the commit; parts: two more."""
    view = start(alice, "a.bin", 15)
    put(view, DATA[:15])
    with ground.counted() as calls:
        complete(alice, view)
    assert calls == ["BatchGetItem", "HeadObject", "BatchGetItem", "TransactWriteItems"]
    view = start(alice, "a.bin", 45)
    send(alice, view, DATA)
    with ground.counted() as calls:
        complete(alice, view)
    assert calls == [
        "BatchGetItem",
        "ListParts",
        "CompleteMultipartUpload",
        "HeadObject",
        "BatchGetItem",
        "TransactWriteItems",
    ]


def test_the_news_and_the_client_at_once_make_one_file(alice: Client, ground: Ground) -> None:
    """What the bucket tells of and what the client asks for is done once."""
    view = start(alice, "a.bin", 15)
    put(view, DATA[:15])
    interleaved(ground, "TransactWriteItems", lambda: tell(key_of(view)))
    assert complete(alice, view).status == 200
    assert tell(key_of(view)) == []
    assert alice.get("/files").json()[0]["version"] == 1
    assert bytes_used(ground, "alice") == 15


def test_an_upload_for_an_account_that_has_gone_is_none_of_its_namesakes(
    alice: Client, bob: Client, behind: Behind
) -> None:
    """Its room was held on the other one; who has the name now is charged nothing for it."""
    alice.post("/share", file_name="in/", username="bob", permission="write")
    view = start(bob, "in/a", 15, username="alice")
    send(bob, view, DATA[:15])
    behind.delete("users", username="alice")
    again = join("alice")
    again.post("/share", file_name="in/", username="bob", permission="write")
    assert complete(bob, view).slug == "no-such-upload"
    assert again.names() == []
    assert not behind.row("users", username="alice").get("bytes_reserved")
