"""Beginning an upload, signing its parts, and seeing what has arrived of it."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from function.core.limits import LARGEST
from function.uploads import service as uploads_service
from tests.conftest import Behind
from tests.crashes.crashes import collide
from tests.crashes.world import elsewhere
from tests.support import presigned as s3
from tests.support.client import Client
from tests.support.fake_aws import Call, Ground
from tests.support.transfers import complete, list_parts_in_pages_of, put, send_parts, small, start

MIB = 1024 * 1024
DATA = bytes(range(256)) * 3


@pytest.mark.parametrize(
    ("size", "method", "part_size", "total"),
    [
        (0, "put", 0, 1),
        (64 * MIB, "put", 64 * MIB, 1),
        (64 * MIB + 1, "multipart", 8 * MIB, 9),
        (LARGEST, "multipart", 525 * MIB, 9987),
    ],
)
def test_the_plan_follows_the_size(
    alice: Client, size: int, method: str, part_size: int, total: int
) -> None:
    """One PUT up to 64 MiB, parts above, and 5 TiB still works."""
    view = start(alice, "a.bin", size)
    assert (view["method"], view["part_size"], view["total_parts"]) == (method, part_size, total)
    assert (view["put"] is None) is (method == "multipart")
    assert (view["size"], view["owner"], view["file_name"]) == (size, "alice", "a.bin")


@pytest.mark.parametrize("size", [LARGEST + 1, 10**30])
def test_no_file_is_larger_than_s3_takes(alice: Client, ground: Ground, size: int) -> None:
    """More than 5 TiB is refused before anything is begun."""
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


def test_a_wrong_wish_is_refused(alice: Client) -> None:
    """Nothing is guessed, and nothing unknown is ignored."""
    for wrong in WRONG:
        assert alice.post("/uploads", **{"file_name": "a", **wrong}).status == 422, wrong
    assert alice.get("/uploads").json() == []


def test_one_put_makes_the_file_and_keeps_what_was_said(alice: Client) -> None:
    """Type, checksum, description and tags are on the file; it is nowhere before it is complete."""
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


def test_an_empty_file_is_a_file(alice: Client) -> None:
    """Size 0 goes in one PUT of nothing."""
    view = start(alice, "empty", 0)
    assert put(view, b"x").code == "SignatureDoesNotMatch"
    assert put(view, b"").status == 200
    assert complete(alice, view).json()["size"] == 0
    assert alice.read("empty").content == b""


def test_the_address_is_bound_to_what_was_declared(alice: Client) -> None:
    """Another key, size, type, checksum, method or overwriting is refused by the signature."""
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


def test_the_address_lives_minutes(alice: Client) -> None:
    """SigV4, at most 300 seconds, and signed anew whenever the upload is looked at."""
    view = start(alice, "a.txt", 3)
    for url in (
        view["put"]["url"],
        alice.get(f"/uploads/{view['upload_id']}").json()["put"]["url"],
    ):
        query = dict(parse_qsl(urlsplit(url).query))
        assert query["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
        assert 0 < int(query["X-Amz-Expires"]) <= 300


def test_what_was_put_is_never_written_over(alice: Client) -> None:
    """The address is good for one object: neither before nor after completion for a second."""
    view = start(alice, "a.txt", 3)
    assert put(view, b"one").status == 200
    assert put(view, b"two").code == "PreconditionFailed"
    assert complete(alice, view).status == 200
    assert put(view, b"two").code == "PreconditionFailed"
    assert alice.read("a.txt").content == b"one"


def test_parts_are_signed_on_demand_and_bound_to_their_length(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last part is as long as what is left; each address is good for one number and length."""
    small(monkeypatch)
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


def test_parts_that_do_not_exist_are_not_signed(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers go from 1 to the number of parts."""
    small(monkeypatch)
    path = f"/uploads/{start(alice, 'a.bin', 25)['upload_id']}/parts"
    for numbers in ([], [0], [-1], [4], [10_001], [1.5], ["1"], [True], 1, None):
        answer = alice.post(path, part_numbers=numbers)
        assert answer.slug == "invalid-request", numbers
        assert answer.json()["errors"][0]["at"].startswith("body.part_numbers")


def test_a_hundred_parts_are_signed_at_once_and_no_more(alice: Client) -> None:
    """More than a hundred numbers are refused whole."""
    view = start(alice, "a.bin", 8 * MIB * 200)
    path = f"/uploads/{view['upload_id']}/parts"
    assert alice.post(path, part_numbers=[*range(1, 102)]).slug == "invalid-request"
    assert len(alice.post(path, part_numbers=[*range(101, 201)]).json()["parts"]) == 100


def test_one_put_has_no_parts_to_sign(alice: Client) -> None:
    """An upload that goes in one PUT says so."""
    view = start(alice, "a.bin", 3)
    answer = alice.post(f"/uploads/{view['upload_id']}/parts", part_numbers=[1])
    assert answer.slug == "invalid-request"
    assert "one PUT" in answer.text


def test_only_what_is_missing_is_sent_again(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed half-way, an upload goes on from what its status says alone."""
    small(monkeypatch)
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
    """It is one part, missing or there."""
    view = start(alice, "a.bin", 3)
    path = f"/uploads/{view['upload_id']}"
    status = alice.get(path).json()
    assert (status["arrived"], status["missing"]) == ([], [1])
    put(view, b"abc")
    status = alice.get(path).json()
    assert (status["arrived"], status["missing"]) == ([1], [])


def test_the_status_counts_parts_over_all_pages(
    alice: Client, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 lists so many parts at once; the status and the completion know them all."""
    small(monkeypatch)
    data = DATA[:250]
    view = start(alice, "a.bin", len(data))
    send_parts(alice, view, data, {*range(1, 26)} - {23})
    list_parts_in_pages_of(10)
    with ground.counted() as calls:
        status = alice.get(f"/uploads/{view['upload_id']}").json()
    assert calls == ["BatchGetItem", *["ListParts"] * 3]
    assert (len(status["arrived"]), status["missing"]) == (24, [23])
    assert complete(alice, view).json()["errors"] == [{"at": "part 23", "reason": "missing"}]
    send_parts(alice, view, data, [23])
    assert complete(alice, view).json()["size"] == len(data)
    assert alice.read("a.bin").content == data


def test_uploads_are_listed_in_pages(alice: Client, bob: Client) -> None:
    """Each that is in progress once, none of anybody else's, and no cursor after the last."""
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


def test_what_is_complete_makes_no_list_endless(
    alice: Client, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page ends early past much that is complete, and the next ones come to the end."""
    monkeypatch.setattr(uploads_service, "SKIP_SIZE", 2)
    for number in range(20):
        begun = start(alice, f"{number}", 1)
        put(begun, b"x")
        assert complete(alice, begun).status == 200
    mine = {start(alice, "a", 1)["upload_id"] for _ in range(3)}
    found: list[str] = []
    cursor: dict[str, str] = {}
    while "cursor" not in cursor or cursor["cursor"]:
        with ground.counted() as calls:
            page = alice.get("/uploads", limit=2, **cursor)
        assert len(calls) <= 4
        assert len(page.json()) <= 2
        found += [view["upload_id"] for view in page.json()]
        cursor = {"cursor": page.headers.get("x-next-cursor", "")}
    assert (set(found), len(found)) == (mine, 3)


def test_a_cursor_is_of_one_list_and_one_account(alice: Client, bob: Client) -> None:
    """Another's cursor, another list's, and a made-up one are refused."""
    for number in range(2):
        start(alice, f"a{number}", 1)
        start(bob, f"b{number}", 1)
        alice.put(f"f{number}")
    theirs = bob.get("/uploads", limit=1).headers["x-next-cursor"]
    of_files = alice.get("/files", limit=1).headers["x-next-cursor"]
    for cursor in (theirs, of_files, "x", "", "é"):
        assert alice.get("/uploads", cursor=cursor).slug == "invalid-cursor"


def test_a_collision_is_tried_again(alice: Client, ground: Ground) -> None:
    """Another transaction at the same rows is no fault of the caller's."""
    collided: list[Call] = []

    def before(call: Call) -> Any:
        if call.operation != "TransactWriteItems" or collided:
            return None
        collided.append(call)
        return collide(call)

    ground.before = before
    start(alice, "a", 1)
    assert collided
    assert len(alice.get("/uploads").json()) == 1


def test_an_upload_holds_its_room_until_it_is_completed_or_given_up(
    alice: Client, behind: Behind
) -> None:
    """Nobody takes it away meanwhile, and it is counted once."""
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


def test_crossing_four_fifths_of_a_quota_is_noted(alice: Client, behind: Behind) -> None:
    """Once, by whatever crosses it, in the record that administrators read."""
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
def committed(ground: Ground) -> Iterator[list[tuple[str, str]]]:
    """The transactions that are sent: their tokens, and what is to be written."""
    commits: list[tuple[str, str]] = []
    before = ground.before

    def note(call: Call) -> Any:
        if call.operation == "TransactWriteItems":
            body = json.loads(call.request.body)
            commits.append((body["ClientRequestToken"], json.dumps(body["TransactItems"])))
        return before(call)

    ground.before = note
    yield commits
    ground.before = lambda _: None


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
def test_two_at_once_cross_four_fifths_once(
    alice: Client,
    behind: Behind,
    ground: Ground,
    used: int,
    size: int,
    meanwhile: Callable[[Client], Any],
    noted: int,
    begins: bool,
) -> None:
    """Whoever comes second looks again at which side of the mark it is."""
    alice.put("old", bytes(20))
    alice.put("older", bytes(used - 20))
    behind.change("users", {"username": "alice"}, quota=100)
    met: list[Call] = []

    def before(call: Call) -> None:
        if call.operation == "TransactWriteItems" and not met:
            met.append(call)
            with elsewhere():
                meanwhile(alice)

    ground.before = before
    with committed(ground) as commits:
        if begins:
            start(alice, "a", size)
        else:
            assert alice.put("a", bytes(size)).status == 201
    assert met
    assert warnings(behind) == noted
    # Another attempt is another transaction, and not taken for the first one.
    assert len({token for token, _ in commits}) == len(set(commits))


def forget(client: Client, size: int) -> None:
    """Makes room for so many bytes."""
    assert size == 20
    assert client.delete("/file", file_name="old", permanent="true").status == 204


def warnings(behind: Behind) -> int:
    """How often an account was noted to be nearly full."""
    return sum(row.get("action") == "quota.warn" for row in behind.rows("files"))


def charged(behind: Behind) -> tuple[int, ...]:
    """What alice uses in bytes, and of that what is reserved in bytes and files."""
    row = behind.row("users", username="alice")
    names = ("bytes_used", "bytes_reserved", "files_reserved")
    return tuple(int(str(row.get(name, 0))) for name in names)
