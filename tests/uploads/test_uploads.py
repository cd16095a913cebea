"""Creating uploads, signing their parts, their status, lists of them."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from function.core.limits import MAX_FILE_BYTES
from function.uploads import service as uploads_service
from tests.conftest import Behind
from tests.crashes.world import other_process
from tests.support import presigned as s3
from tests.support.client import Client
from tests.support.fake_aws import Call, FakeAws
from tests.support.side_by_side import collide
from tests.support.transfers import (
    complete,
    limit_listed_parts,
    put,
    send_parts,
    start,
    use_small_parts,
)

MIB = 1024 * 1024
DATA = bytes(range(256)) * 3


@pytest.mark.parametrize(
    ("size", "method", "part_size", "total"),
    [
        (0, "put", 0, 1),
        (64 * MIB, "put", 64 * MIB, 1),
        (64 * MIB + 1, "multipart", 8 * MIB, 9),
        (MAX_FILE_BYTES, "multipart", 525 * MIB, 9987),
    ],
)
def test_the_size_decides_method_and_part_size(
    alice: Client, size: int, method: str, part_size: int, total: int
) -> None:
    """One PUT up to 64 MiB, parts above it, up to 5 TiB."""
    view = start(alice, "a.bin", size)
    assert (view["method"], view["part_size"], view["total_parts"]) == (method, part_size, total)
    assert (view["put"] is None) is (method == "multipart")
    assert (view["size"], view["owner"], view["file_name"]) == (size, "alice", "a.bin")


@pytest.mark.parametrize("size", [MAX_FILE_BYTES + 1, 10**30])
def test_a_file_of_more_than_5_tib_is_refused(alice: Client, fake_aws: FakeAws, size: int) -> None:
    """Before S3 creates a multipart upload."""
    assert alice.post("/uploads", file_name="a", size=size).slug == "too-large"
    assert alice.get("/uploads").json() == []


WRONG = [
    {"size": -1},
    {"size": 1.5},
    {"size": "1"},
    {"size": True},
    {"size": None},
    {"size": 1, "sha256": "A" * 64},
    {"size": 1, "sha256": "a" * 63},
    {"size": 1, "content_type": "text"},
    {"size": 1, "content_type": "text/plain\r\nx: y"},
    {"size": 1, "on_conflict": "append"},
    {"size": 1, "if_match": ""},
    {"size": 1, "tags": ["a"] * 21},
    {"size": 1, "part_size": 5},
    {"size": 1, "file_name": "../a"},
    {"size": 1, "file_name": "a/"},
]


def test_an_invalid_upload_is_refused(alice: Client) -> None:
    """No field is guessed, and no unknown field ignored."""
    for wrong in WRONG:
        assert alice.post("/uploads", **{"file_name": "a", **wrong}).status == 422, wrong
    assert alice.get("/uploads").json() == []


def test_one_put_makes_the_file_with_its_fields(alice: Client) -> None:
    """Type, checksum, description and tags; the file does not exist before the completion."""
    digest = hashlib.sha256(DATA).hexdigest()
    said = {"content_type": "image/x-odd", "description": "what", "tags": ["a", "b"]}
    view = start(alice, "d/a.bin", len(DATA), sha256=digest, **said)
    assert put(view, DATA).status == 200
    assert alice.names() == []
    answer = complete(alice, view)
    assert answer.status == 200
    file = answer.json()
    wanted = {"sha256": digest, "size": len(DATA), "version": 1, **said}
    assert {name: file[name] for name in wanted} == wanted
    assert alice.get("/files").json() == [file]
    assert alice.read("d/a.bin").content == DATA


def test_an_empty_file_takes_one_put(alice: Client) -> None:
    """Its URL accepts no bytes."""
    view = start(alice, "empty", 0)
    assert put(view, b"x").code == "SignatureDoesNotMatch"
    assert put(view, b"").status == 200
    assert complete(alice, view).json()["size"] == 0
    assert alice.read("empty").content == b""


def test_the_url_is_bound_to_the_declaration(alice: Client) -> None:
    """The signature refuses another key, size, type, checksum, method, and overwriting."""
    digest = hashlib.sha256(DATA).digest()
    view = start(alice, "a.txt", len(DATA), sha256=digest.hex())
    url, headers = view["put"]["url"], view["put"]["headers"]
    bound = {"content-length", "content-type", "host", "if-none-match", "x-amz-checksum-sha256"}
    assert s3.signed_headers(url) == bound
    other = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    without = {name: value for name, value in headers.items() if name != "if-none-match"}
    tries = {
        "key": s3.send("PUT", url.replace("/alice/alice/", "/alice/alice/0"), headers, DATA),
        "size": s3.send("PUT", url, headers, DATA + b"x"),
        "type": s3.send("PUT", url, {**headers, "content-type": "text/html"}, DATA),
        "checksum": s3.send("PUT", url, {**headers, "x-amz-checksum-sha256": other}, DATA),
        "overwriting": s3.send("PUT", url, without, DATA),
        "more": s3.send("PUT", url, {**headers, "x-amz-acl": "public-read"}, DATA),
        "method": s3.send("GET", url, headers),
        "life": s3.send("PUT", url.replace("Expires=300", "Expires=301"), headers, DATA),
        "age": s3.send("PUT", url, headers, DATA, later=301),
        "nobody": s3.send("PUT", url.partition("?")[0], headers, DATA),
    }
    assert {what for what, reply in tries.items() if reply.status not in {400, 403}} == set()
    assert s3.send("PUT", url, headers, b"x" * len(DATA)).code == "BadDigest"
    assert complete(alice, view).slug == "upload-incomplete"
    assert s3.send("PUT", url, headers, DATA).status == 200
    assert complete(alice, view).status == 200


def test_the_url_expires_within_minutes(alice: Client) -> None:
    """SigV4, at most 300 seconds, and signed anew with each status."""
    view = start(alice, "a.txt", 3)
    for url in (
        view["put"]["url"],
        alice.get(f"/uploads/{view['upload_id']}").json()["put"]["url"],
    ):
        query = dict(parse_qsl(urlsplit(url).query))
        assert query["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
        assert 0 < int(query["X-Amz-Expires"]) <= 300


def test_an_object_is_never_overwritten(alice: Client) -> None:
    """The URL accepts one object, before the completion and after it."""
    view = start(alice, "a.txt", 3)
    assert put(view, b"one").status == 200
    assert put(view, b"two").code == "PreconditionFailed"
    assert complete(alice, view).status == 200
    assert put(view, b"two").code == "PreconditionFailed"
    assert alice.read("a.txt").content == b"one"


def test_part_urls_are_bound_to_number_and_size(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last part has the remaining size; each URL is for one number and one size."""
    use_small_parts(monkeypatch)
    view = start(alice, "a.bin", 25)
    path = f"/uploads/{view['upload_id']}/parts"
    first, last = alice.post(path, part_numbers=[1, 3, 3]).json()["parts"]
    assert [(part["part_number"], part["size"]) for part in (first, last)] == [(1, 10), (3, 5)]
    assert s3.signed_headers(first["url"]) == {"content-length", "host"}
    assert s3.send("PUT", first["url"], body=b"x" * 9).code == "SignatureDoesNotMatch"
    assert s3.send("PUT", last["url"], body=b"x" * 10).code == "SignatureDoesNotMatch"
    moved = first["url"].replace("partNumber=1", "partNumber=2")
    assert s3.send("PUT", moved, body=b"x" * 10).code == "SignatureDoesNotMatch"
    assert s3.send("PUT", first["url"], body=b"x" * 10, later=301).code == "AccessDenied"
    assert s3.send("PUT", first["url"], body=b"x" * 10).status == 200


def test_unknown_parts_are_not_signed(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers are from 1 to the number of parts."""
    use_small_parts(monkeypatch)
    path = f"/uploads/{start(alice, 'a.bin', 25)['upload_id']}/parts"
    for numbers in ([], [0], [-1], [4], [10_001], [1.5], ["1"], [True], 1, None):
        answer = alice.post(path, part_numbers=numbers)
        assert answer.slug == "invalid-request", numbers
        assert answer.json()["errors"][0]["at"].startswith("body.part_numbers")


def test_at_most_100_parts_are_signed_at_once(alice: Client) -> None:
    """A longer list is refused whole."""
    view = start(alice, "a.bin", 8 * MIB * 200)
    path = f"/uploads/{view['upload_id']}/parts"
    assert alice.post(path, part_numbers=[*range(1, 102)]).slug == "invalid-request"
    assert len(alice.post(path, part_numbers=[*range(101, 201)]).json()["parts"]) == 100


def test_an_upload_in_one_put_signs_no_parts(alice: Client) -> None:
    """The problem says so."""
    view = start(alice, "a.bin", 3)
    answer = alice.post(f"/uploads/{view['upload_id']}/parts", part_numbers=[1])
    assert answer.slug == "invalid-request"
    assert "one PUT" in answer.text


def test_an_interrupted_upload_is_resumed(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its status alone tells which parts to send."""
    use_small_parts(monkeypatch)
    data = DATA[:95]
    view = start(alice, "a.bin", len(data))
    send_parts(alice, view, data, [1, 4, 10])
    again = alice.get("/uploads").json()[0]
    status = alice.get(f"/uploads/{again['upload_id']}").json()
    assert (status["arrived"], status["missing"]) == ([1, 4, 10], [2, 3, 5, 6, 7, 8, 9])
    send_parts(alice, status, data, status["missing"])
    status = alice.get(f"/uploads/{again['upload_id']}").json()
    assert (status["arrived"], status["missing"]) == ([*range(1, 11)], [])
    assert complete(alice, view).status == 200
    assert alice.read("a.bin").content == data


def test_the_status_of_one_put(alice: Client) -> None:
    """It is one part, missing or arrived."""
    view = start(alice, "a.bin", 3)
    path = f"/uploads/{view['upload_id']}"
    status = alice.get(path).json()
    assert (status["arrived"], status["missing"]) == ([], [1])
    put(view, b"abc")
    status = alice.get(path).json()
    assert (status["arrived"], status["missing"]) == ([1], [])


def test_the_status_reads_all_pages_of_parts(
    alice: Client, fake_aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 lists a limited number at once; status and completion know them all."""
    use_small_parts(monkeypatch)
    data = DATA[:250]
    view = start(alice, "a.bin", len(data))
    send_parts(alice, view, data, {*range(1, 26)} - {23})
    limit_listed_parts(10)
    with fake_aws.counted() as calls:
        status = alice.get(f"/uploads/{view['upload_id']}").json()
    assert calls == ["BatchGetItem", *["ListParts"] * 3]
    assert (len(status["arrived"]), status["missing"]) == (24, [23])
    assert complete(alice, view).json()["errors"] == [{"at": "part 23", "reason": "missing"}]
    send_parts(alice, view, data, [23])
    assert complete(alice, view).json()["size"] == len(data)
    assert alice.read("a.bin").content == data


def test_uploads_are_listed_in_pages(alice: Client, bob: Client) -> None:
    """Each one in progress once, no other account's, and no cursor after the last."""
    mine = {start(alice, f"a{number}", 1)["upload_id"] for number in range(7)}
    done = start(alice, "done", 1)
    put(done, b"x")
    complete(alice, done)
    start(bob, "b", 1)
    found: list[str] = []
    cursor: dict[str, str] = {}
    for size in (3, 3, 1):
        page = alice.get("/uploads", limit=3, **cursor)
        found += [view["upload_id"] for view in page.json()]
        assert len(page.json()) == size
        cursor = {"cursor": page.headers.get("x-next-cursor", "")}
        assert ("link" in page.headers) is bool(cursor["cursor"])
    assert not cursor["cursor"]
    assert (set(found), len(found)) == (mine, 7)
    assert "x-next-cursor" not in alice.get("/uploads", limit=7).headers


def test_completed_uploads_are_skipped_in_bounded_reads(
    alice: Client, fake_aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page may end early, and the next ones reach the end."""
    monkeypatch.setattr(uploads_service, "SKIP_SIZE", 2)
    for number in range(20):
        begun = start(alice, f"{number}", 1)
        put(begun, b"x")
        assert complete(alice, begun).status == 200
    mine = {start(alice, "a", 1)["upload_id"] for _ in range(3)}
    found: list[str] = []
    cursor: dict[str, str] = {}
    while "cursor" not in cursor or cursor["cursor"]:
        with fake_aws.counted() as calls:
            page = alice.get("/uploads", limit=2, **cursor)
        assert len(calls) <= 4
        assert len(page.json()) <= 2
        found += [view["upload_id"] for view in page.json()]
        cursor = {"cursor": page.headers.get("x-next-cursor", "")}
    assert (set(found), len(found)) == (mine, 3)


def test_a_cursor_is_valid_for_one_list_and_account(alice: Client, bob: Client) -> None:
    """Another account's, another list's and a forged one are refused."""
    for number in range(2):
        start(alice, f"a{number}", 1)
        start(bob, f"b{number}", 1)
        alice.put(f"f{number}")
    theirs = bob.get("/uploads", limit=1).headers["x-next-cursor"]
    of_files = alice.get("/files", limit=1).headers["x-next-cursor"]
    for cursor in (theirs, of_files, "x", "", "é"):
        assert alice.get("/uploads", cursor=cursor).slug == "invalid-cursor"


def test_a_conflicting_transaction_is_repeated(alice: Client, fake_aws: FakeAws) -> None:
    """Another transaction on the same rows is no fault of the caller's."""
    collided: list[Call] = []

    def before(call: Call) -> Any:
        if call.operation != "TransactWriteItems" or collided:
            return None
        collided.append(call)
        return collide(call)

    fake_aws.before = before
    start(alice, "a", 1)
    assert collided
    assert len(alice.get("/uploads").json()) == 1


def test_an_upload_reserves_its_size_until_completed_or_aborted(
    alice: Client, behind: Behind
) -> None:
    """No other upload gets that room, and it is charged once."""
    behind.change("users", {"username": "alice"}, quota=10, files_quota=2)
    view = start(alice, "a.bin", 6)
    assert charged(behind) == (6, 6, 1)
    assert alice.put("b.txt", b"12345").slug == "quota-exceeded"
    assert alice.post("/uploads", file_name="b.bin", size=5).slug == "quota-exceeded"
    assert alice.put("b.txt", b"1234").status == 201
    assert alice.put("c.txt", b"").slug == "quota-exceeded"
    put(view, b"123456")
    assert complete(alice, view).status == 200
    assert charged(behind) == (10, 0, 0)
    behind.change("users", {"username": "alice"}, quota=100, files_quota=9)
    given_up = start(alice, "d.bin", 50)
    assert alice.delete(f"/uploads/{given_up['upload_id']}").status == 204
    assert charged(behind) == (10, 0, 0)


def test_reaching_four_fifths_of_a_quota_is_audited(alice: Client, behind: Behind) -> None:
    """Once, by the request that crosses the mark."""
    behind.change("users", {"username": "alice"}, quota=100, files_quota=10)
    alice.put("a", bytes(79))
    assert warnings(behind) == 0
    start(alice, "b.bin", 1)
    assert warnings(behind) == 1
    alice.put("c", b"1")
    assert warnings(behind) == 1
    for name in "defgh":
        alice.put(name, b"")
    assert warnings(behind) == 2
    rows = [row for row in behind.rows("files") if row.get("action") == "quota.warn"]
    assert {row["subject"] for row in rows} == {"bytes", "files"}


@contextmanager
def committed(fake_aws: FakeAws) -> Iterator[list[tuple[str, str]]]:
    """The transactions that are sent: their tokens and their writes."""
    commits: list[tuple[str, str]] = []
    before = fake_aws.before

    def note(call: Call) -> Any:
        if call.operation == "TransactWriteItems":
            body = json.loads(call.request.body)
            commits.append((body["ClientRequestToken"], json.dumps(body["TransactItems"])))
        return before(call)

    fake_aws.before = note
    yield commits
    fake_aws.before = lambda _: None


@pytest.mark.parametrize("begins", [False, True])
@pytest.mark.parametrize(
    ("used", "size", "meanwhile", "noted"),
    [
        (50, 20, lambda who: who.put("b", bytes(20)), 1),  # together
        (70, 12, lambda who: who.put("b", bytes(10)), 1),  # each of them
        (50, 30, lambda who: start(who, "b", 10), 1),
        (70, 20, lambda who: forget(who, 20), 0),  # no more
        (80, 20, lambda who: forget(who, 20), 1),  # again
        (30, 10, lambda who: who.put("b", bytes(10)), 0),
    ],
)
def test_two_requests_at_once_cross_four_fifths_once(
    alice: Client,
    behind: Behind,
    fake_aws: FakeAws,
    used: int,
    size: int,
    meanwhile: Callable[[Client], Any],
    noted: int,
    begins: bool,
) -> None:
    """The second one reads again on which side of the mark the account is."""
    alice.put("old", bytes(20))
    alice.put("older", bytes(used - 20))
    behind.change("users", {"username": "alice"}, quota=100)
    met: list[Call] = []

    def before(call: Call) -> None:
        if call.operation == "TransactWriteItems" and not met:
            met.append(call)
            with other_process():
                meanwhile(alice)

    fake_aws.before = before
    with committed(fake_aws) as commits:
        if begins:
            start(alice, "a", size)
        else:
            assert alice.put("a", bytes(size)).status == 201
    assert met
    assert warnings(behind) == noted
    # Another attempt is another transaction, and not taken for the first one.
    assert len({token for token, _ in commits}) == len(set(commits))


def forget(client: Client, size: int) -> None:
    """Frees the bytes of the old file."""
    assert size == 20
    assert client.delete("/file", file_name="old", permanent="true").status == 204


def warnings(behind: Behind) -> int:
    """The number of audit records about a quota that is nearly used."""
    return sum(row.get("action") == "quota.warn" for row in behind.rows("files"))


def charged(behind: Behind) -> tuple[int, ...]:
    """The bytes that Alice uses, and of them the reserved bytes and files."""
    row = behind.row("users", username="alice")
    names = ("bytes_used", "bytes_reserved", "files_reserved")
    return tuple(int(str(row.get(name, 0))) for name in names)
