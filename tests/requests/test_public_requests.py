"""File requests as uploaders see them."""

import base64
import re
from typing import Any

import pytest

from function.files import commit
from tests.conftest import Behind, Clock, reason_at
from tests.crashes.meetings import act_before_commit
from tests.support import presigned as s3
from tests.support.client import Client
from tests.support.crc64 import crc64nvme
from tests.support.fake_aws import Call, FakeAws
from tests.support.links import sent_back
from tests.support.senders import Sender, ask, change, counts
from tests.support.side_by_side import collide
from tests.support.transfers import (
    SINGLE,
    bytes_used,
    complete,
    count_multipart_uploads,
    fetch,
    key_of,
    notify,
    put,
    send,
    send_parts,
    set_quota,
    sha256,
    start,
    stored,
    sweep,
    upload,
    use_small_parts,
)

DATA = bytes(range(45))
DAY = 24 * 3600


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    use_small_parts(monkeypatch)


@pytest.fixture(params=[15, 45], ids=["put", "parts"])
def data(request: pytest.FixtureRequest) -> bytes:
    """The bytes of a file that goes in one PUT, and of one that goes in parts."""
    return DATA[: request.param]


# --- access and passwords ------------------------------------------------------------------------


def test_a_file_request_shows_what_is_left(alice: Client) -> None:
    """Not what was uploaded, nor the folder."""
    _, sender = ask(
        alice, max_files=3, max_file_size=9, max_total_size=10, allowed_types=[".a", "image/*"]
    )
    upload(sender, "one.a", b"abc")
    told = {
        "title": "Slides",
        "owner": "alice",
        "expires_at": "2026-09-28T14:13:20.000Z",
        "max_file_size": 9,
        "files_left": 2,
        "bytes_left": 7,
        "allowed_types": [".a", "image/*"],
        "needs_password": False,
        "require_name": False,
    }
    assert sender.get("").json() == told
    assert sender.send("HEAD", "").status == 200
    assert Client("alice." + "A" * 43).get(sender.below).json() == told


def test_an_unknown_token_is_not_found(fake_aws: FakeAws, alice: Client) -> None:
    """On every route; guesses are limited per address."""
    _, sender = ask(alice)
    for token in ("x", "A" * 43, "~request", "%2e%2e", "A" * 44, "é"):
        stranger = Sender(f"/r/{token}", "198.51.100.1")
        assert stranger.get("").slug == "no-such-request"
        assert set(everything_on(stranger, "0" * 32)) == {"no-such-request"}
        assert stranger.post("/uploads", file_name="a", size=1).slug == "no-such-request"
    guessing = Sender("/r/" + "A" * 43, "198.51.100.2")
    slugs = [guessing.get("").slug for _ in range(102)]
    assert slugs == ["no-such-request"] * 100 + ["slow-down"] * 2
    assert sender.get("").status == 200
    assert Sender(sender.below, "198.51.100.2").get("").status == 200


def test_a_password_protects_everything(alice: Client) -> None:
    """Neither the title nor the owner is shown without the access token."""
    _, sender = ask(alice, password="knock twice")
    for grant in (None, "", "x", "9999999999." + "0" * 32 + "." + "A" * 43):
        headers = {} if grant is None else {"x-link-grant": grant}
        answer = sender.send("GET", "", headers=headers)
        assert (answer.status, answer.slug) == (401, "password-required")
        assert "alice" not in answer.text
        assert "Slides" not in answer.text
        said = {} if grant is None else {"grant": grant}
        sent = sender.post("/uploads", file_name="a", size=3, **said)
        assert sent.slug == "password-required"
    unlocked = sender.post("/unlock", password="knock twice").json()
    assert unlocked["expires_at"] == "2026-09-21T15:13:20.000Z"
    assert sender.open(unlocked["grant"]).json()["needs_password"] is True
    _, other = ask(alice, password="knock twice")
    assert other.open(unlocked["grant"]).slug == "password-required"


def test_an_upload_in_progress_outlives_its_grant(alice: Client, clock: Clock, data: bytes) -> None:
    """A new upload needs a valid access token; the id of an upload is enough to continue it."""
    _, sender = ask(alice, password="knock twice")
    grant = sender.post("/unlock", password="knock twice").json()["grant"]
    view = start(sender, "a", len(data), grant=grant)
    clock.time += 3600
    assert sender.open(grant).slug == "password-required"
    answer = sender.post("/uploads", file_name="a", size=3, grant=grant)
    assert answer.slug == "password-required"
    send(sender, view, data)
    assert complete(sender, view).status == 200


def test_password_tries_are_limited(alice: Client, clock: Clock) -> None:
    """Per address and before the password is hashed; the limit ends with its window."""
    _, sender = ask(alice, password="knock twice")
    slugs = [sender.post("/unlock", password="wrong").slug for _ in range(21)]
    assert slugs == ["wrong-password"] * 20 + ["slow-down"]
    assert sender.post("/unlock", password="knock twice").slug == "slow-down"
    other = Sender(sender.below, "203.0.113.8")
    assert other.post("/unlock", password="knock twice").status == 200
    clock.time += 900
    assert sender.post("/unlock", password="knock twice").status == 200


def test_a_closed_file_request_takes_no_files(alice: Client, clock: Clock) -> None:
    """410 when it is closed or expired, until its owner changes that."""
    request_id, sender = ask(alice, password="knock twice", expires_in=60)
    grant = sender.post("/unlock", password="knock twice").json()["grant"]

    def slugs() -> set[str]:
        answers = [
            sender.get(""),
            sender.open(grant),
            sender.post("/unlock", password="knock twice"),
            sender.post("/uploads", file_name="a", size=3, grant=grant),
        ]
        assert {answer.status for answer in answers} == {410}
        return {answer.slug for answer in answers}

    change(alice, request_id, open=False)
    assert slugs() == {"request-closed"}
    change(alice, request_id, open=True)
    assert sender.open(grant).status == 200
    clock.time += 59
    assert sender.open(grant).status == 200
    clock.time += 1
    assert slugs() == {"request-closed"}
    change(alice, request_id, expires_in=60)
    assert sender.open(grant).status == 200
    assert counts(alice, request_id) == (0, 0)


# --- uploading -----------------------------------------------------------------------------------


def test_an_upload_becomes_a_file_of_the_owner(
    alice: Client, fake_aws: FakeAws, data: bytes
) -> None:
    """It has the name of the sender and counts on the quota of the owner."""
    request_id, sender = ask(alice)
    name = "sha256" if len(data) <= SINGLE else "crc64nvme"
    declared = {name: sha256(data) if name == "sha256" else crc64nvme(data)}
    view = start(sender, "Straße/ü.txt", len(data), sender="Zoë", **declared)
    assert (view["file_name"], view["owner"], view["size"]) == ("Straße/ü.txt", "alice", len(data))
    assert alice.names() == []
    assert counts(alice, request_id) == (1, len(data))
    send(sender, view, data)
    arrived = sender.get(f"/uploads/{view['upload_id']}").json()
    assert (arrived["file_name"], arrived["missing"]) == ("Straße/ü.txt", [])
    answer = complete(sender, view)
    assert (answer.status, answer.json().keys()) == (
        200, {"file_name", "size", "sha256", "received"},
    )  # fmt: skip
    assert (answer.json()["file_name"], answer.json()["size"]) == ("Straße/ü.txt", len(data))
    assert complete(sender, view).json() == answer.json()
    (file,) = alice.get("/files").json()
    assert file["key"] == "alice/in/Straße/ü.txt"
    assert (file["sender"], file["modified_by"], file["permission"]) == ("Zoë", None, "own")
    assert fetch(alice, "in/Straße/ü.txt") == data
    assert bytes_used(fake_aws, "alice") == len(data)
    assert counts(alice, request_id) == (1, len(data))
    assert sweep() == 0


def test_an_upload_is_resumed(alice: Client) -> None:
    """The address and the id are enough; the status lists the missing parts."""
    _, sender = ask(alice)
    view = start(sender, "a", 45)
    send_parts(sender, view, DATA, [2, 5])
    other = Sender(sender.below, "198.51.100.9")
    status = other.get(f"/uploads/{view['upload_id']}").json()
    assert (status["arrived"], status["missing"]) == ([2, 5], [1, 3, 4])
    assert complete(sender, view).slug == "upload-incomplete"
    send_parts(other, view, DATA, status["missing"])
    assert complete(other, view).status == 200
    assert fetch(alice, "in/a") == DATA


def test_a_single_put_completes_itself(alice: Client, fake_aws: FakeAws) -> None:
    """For browsers that only PUT; a later complete gets the same answer."""
    request_id, sender = ask(alice)
    view = start(sender, "a", 3, sender="Zoë", sha256=sha256(b"abc"))
    put(view, b"abc")
    for _ in range(2):
        assert notify(key_of(view)) == []
    (file,) = alice.get("/files").json()
    assert (file["key"], file["sender"], file["version"]) == ("alice/in/a", "Zoë", 1)
    told = complete(sender, view).json()
    assert told["sha256"] == sha256(b"abc")
    assert counts(alice, request_id) == (1, 3)
    assert bytes_used(fake_aws, "alice") == 3


def test_an_object_for_a_deleted_file_request_becomes_no_file(
    alice: Client, fake_aws: FakeAws, clock: Clock
) -> None:
    """The event is acknowledged; the sweep deletes the bytes and releases the quota."""
    request_id, sender = ask(alice)
    view = start(sender, "a", 3)
    put(view, b"abc")
    alice.delete(f"/requests/{request_id}")
    assert notify(key_of(view)) == []
    assert alice.names() == []
    clock.time += 8 * DAY
    assert sweep() == 1
    assert stored(fake_aws) == []
    assert bytes_used(fake_aws, "alice") == 0


def test_an_upload_replaces_no_file(alice: Client, data: bytes) -> None:
    """A name that is taken gets a number, of which the uploader learns nothing."""
    alice.put("in/a.txt", b"mine")
    _, sender = ask(alice)
    answers = [upload(sender, "a.txt", data), upload(sender, "a.txt", data)]
    assert {answer.json()["file_name"] for answer in answers} == {"a.txt"}
    assert alice.names() == ["alice/in/a (1).txt", "alice/in/a (2).txt", "alice/in/a.txt"]
    assert alice.read("in/a.txt").content == b"mine"
    assert "(1)" not in "".join(answer.text for answer in answers)


def test_an_upload_always_gets_a_name(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A random one when all numbers are taken, so that no uploader learns what exists."""
    monkeypatch.setattr(commit, "MAX_NUMBER", 1)
    _, sender = ask(alice)
    deep = "/".join(["d" * 250] * 3) + "/" + "e" * 104 + "/"
    for name in ("a.txt", f"{deep}{'n' * 35}.txt", f"{deep}n.{'x' * 37}"):
        for _ in range(3):
            assert upload(sender, name, b"abc").json()["file_name"] == name
    assert len(alice.names()) == 9
    (other, *_) = (name for name in alice.names() if name.startswith("alice/in/a ("))
    assert re.fullmatch(r"alice/in/a \([0-9a-f]{8}\)\.txt", other)
    answer = sender.post("/uploads", file_name=f"{deep[:-1]}e/a", size=3)
    assert reason_at(answer, "body.file_name") == "must have shorter folder names"


def test_the_sender_is_optional_unless_required(alice: Client) -> None:
    """A session is not used as the name of the sender."""
    request_id, sender = ask(alice)
    upload(sender, "a", b"abc")
    assert alice.get("/files").json()[0]["sender"] is None
    change(alice, request_id, require_name=True)
    answer = sender.post("/uploads", file_name="b", size=3)
    assert (answer.status, reason_at(answer, "body.sender")) == (422, "give your name")
    for wrong in ("", " ", "\u200b", "\u00ad \u0301", "\u3164", "a\nb", "\u202eeoZ", "x" * 201):
        assert sender.post("/uploads", file_name="b", size=3, sender=wrong).status == 422
    assert counts(alice, request_id) == (1, 3)
    upload(sender, "b", b"abc", sender=" Zoe\u0308 ")
    assert alice.get("/files").json()[1]["sender"] == "Zoë"


def test_a_replaced_file_loses_its_sender(alice: Client) -> None:
    """The row names who wrote the bytes."""
    _, sender = ask(alice)
    upload(sender, "a", b"abc", sender="Zoë")
    file = alice.put("in/a", b"mine").json()
    assert (file["sender"], file["modified_by"]) == (None, "alice")


NAMES = ["", "a/", "/a", "../a", "a/../b", "a//b", "a\\b", "a\0", "\u202ea", "x" * 256]


def test_invalid_names_are_refused(alice: Client) -> None:
    """The rules of names apply, and the length includes the folder."""
    _, sender = ask(alice)
    for name in NAMES:
        assert sender.post("/uploads", file_name=name, size=1).slug == "invalid-name", name
    folder = "f" * 200 + "/" + "g" * 200 + "/"
    _, deep = ask(alice, folder=folder)
    name = "/".join(["n" * 200] * 2)
    longest = f"{name}/{'n' * (900 - len(folder) - len(name) - 1)}"
    answer = deep.post("/uploads", file_name=longest + "n", size=1)
    assert answer.slug == "invalid-name"
    assert "498 bytes" in reason_at(answer, "body.file_name")
    assert upload(deep, longest, b"x").json()["file_name"] == longest
    assert upload(deep, longest, b"x").json()["file_name"] == longest
    assert len(alice.names()) == 2


TYPES: list[tuple[list[str], str, str | None, bool]] = [
    ([".pptx"], "a.pptx", None, True),
    ([".pptx"], "A.PPTX", "text/plain", True),
    ([".pptx"], "a.pptx.exe", None, False),
    ([".pptx"], "pptx", None, False),
    ([".tar.gz"], "a.tar.gz", None, True),
    (["image/*"], "a.jpg", None, True),
    (["image/*"], "d/a.PNG", None, True),
    (["image/*"], "a.pdf", None, False),
    (["image/*"], "a.pdf", "image/png", False),
    (["image/*"], "a.jpg.gz", None, False),
    (["image/*"], "photo", "image/x-odd; a=b", True),
    (["image/*"], "photo", None, False),
    (["image/*"], "photo", "imagery/png", False),
    (["application/pdf"], "a.pdf", None, True),
    (["application/pdf"], "a.zip", "application/pdf", False),
    (["application/pdf", ".txt"], "a.txt", None, True),
    (["image/*"], "data:image/png,evil.exe", "image/png", False),
    (["image/*"], "ab:photo.png?evil.exe", "image/png", False),
    (["image/*"], "ab:photo.png#evil.exe", "image/png", False),
    (["image/*"], "a.png/evil.exe", "image/png", False),
    (["image/*"], "a.unheard-of", "image/png", False),
    (["image/*"], "evil.exe.", "image/png", False),
    (["image/*"], "a.heic", None, True),
    (["video/*"], "d.d/A.MKV", "text/html", True),
    (["application/x-7z-compressed"], "a.7z", None, True),
]


@pytest.mark.parametrize(("types", "name", "said", "good"), TYPES)
def test_the_name_decides_the_type(
    alice: Client, types: list[str], name: str, said: str | None, good: bool
) -> None:
    """The declared type counts only where the name has no extension."""
    request_id, sender = ask(alice, allowed_types=types)
    answer = sender.post("/uploads", file_name=name, size=3, content_type=said)
    assert answer.status == (201 if good else 422), answer.text
    assert counts(alice, request_id) == ((1, 3) if good else (0, 0))
    if not good:
        assert reason_at(answer, "body.file_name") == f"must be one of: {', '.join(types)}"


KEPT: list[tuple[list[str], str, str | None, str]] = [
    (["image/*"], "a.png", "text/html", "image/png"),
    ([], "a.png", "text/html", "image/png"),
    ([".odd"], "a.odd", "text/html", "application/octet-stream"),
    (["text/*"], "a.txt", "text/plain; charset=utf-8", "text/plain; charset=utf-8"),
    (["image/*"], "photo", "image/png", "image/png"),
    ([], "photo", None, "application/octet-stream"),
]


@pytest.mark.parametrize(("types", "name", "said", "kept"), KEPT)
def test_the_stored_type_is_the_one_that_was_checked(
    alice: Client, types: list[str], name: str, said: str | None, kept: str
) -> None:
    """HTML that is named as an image is served as an image."""
    _, sender = ask(alice, allowed_types=types)
    upload(sender, name, b"abc", content_type=said)
    assert alice.get("/files").json()[0]["content_type"] == kept


# --- limits --------------------------------------------------------------------------------------


def test_limits_are_exact(alice: Client, data: bytes) -> None:
    """Not a byte or a file more; a refused upload takes no slot."""
    size = len(data)
    request_id, sender = ask(alice, max_file_size=size, max_total_size=2 * size, max_files=3)
    answer = sender.post("/uploads", file_name="a", size=size + 1)
    assert (answer.status, answer.slug) == (413, "too-large")
    assert str(size) in answer.json()["detail"]
    upload(sender, "a", data)
    upload(sender, "b", data[1:])
    answer = sender.post("/uploads", file_name="c", size=2)
    assert (answer.status, answer.slug) == (409, "request-full")
    assert upload(sender, "c", data[:1]).status == 200
    assert sender.get("").json()["files_left"] == 0
    assert sender.post("/uploads", file_name="d", size=0).slug == "request-full"
    assert counts(alice, request_id) == (3, 2 * size)


def test_an_empty_file_needs_a_slot_and_no_bytes(alice: Client) -> None:
    """It is accepted at the limit of bytes."""
    _, sender = ask(alice, max_total_size=3)
    upload(sender, "a", b"abc")
    assert upload(sender, "b", b"").json()["size"] == 0


@pytest.mark.parametrize("limit", [{"max_files": 1}, {"max_total_size": 5}])
def test_two_uploads_race_for_the_last_slot(
    alice: Client, fake_aws: FakeAws, limit: dict[str, int], data: bytes
) -> None:
    """Exactly one wins; the other leaves no multipart upload in S3."""
    request_id, sender = ask(alice, **{**limit, "max_total_size": len(data)})
    size = len(data)
    met = act_before_commit(fake_aws, lambda: sender.post("/uploads", file_name="b", size=size))
    answer = sender.post("/uploads", file_name="a", size=size)
    assert (answer.slug, met[0].status) == ("request-full", 201)
    assert counts(alice, request_id) == (1, size)
    assert count_multipart_uploads(fake_aws) == (1 if met[0].json()["method"] == "multipart" else 0)
    send(sender, met[0].json(), data)
    assert complete(sender, met[0].json()).status == 200


def test_a_change_between_read_and_commit_is_respected(alice: Client, fake_aws: FakeAws) -> None:
    """No upload begins after the owner was answered."""
    request_id, sender = ask(alice)
    act_before_commit(fake_aws, lambda: change(alice, request_id, open=False))
    assert sender.post("/uploads", file_name="a", size=3).slug == "request-closed"
    change(alice, request_id, open=True)
    act_before_commit(fake_aws, lambda: change(alice, request_id, folder="out/"))
    view = sender.post("/uploads", file_name="a", size=3).json()
    put(view, b"abc")
    assert complete(sender, view).json()["file_name"] == "a"
    assert alice.names() == ["alice/out/a"]
    act_before_commit(fake_aws, lambda: alice.delete(f"/requests/{request_id}"))
    assert sender.post("/uploads", file_name="a", size=3).slug == "no-such-request"


def test_an_upload_in_progress_keeps_its_terms(alice: Client, clock: Clock, data: bytes) -> None:
    """It can be completed after the file request expired or was moved."""
    request_id, sender = ask(alice, expires_in=60)
    view = start(sender, "a", len(data))
    clock.time += 60
    change(alice, request_id, folder="out/", max_files=1, allowed_types=[".b"])
    send(sender, view, data)
    assert complete(sender, view).status == 200
    assert alice.names() == ["alice/in/a"]


def test_a_closed_request_takes_no_file(alice: Client, fake_aws: FakeAws, data: bytes) -> None:
    """From the moment of the answer on, until the owner opens it again; what arrived stays."""
    request_id, sender = ask(alice)
    first, view = start(sender, "a", len(data)), start(sender, "b", len(data))
    send(sender, first, data)
    send(sender, view, data)
    assert complete(sender, first).status == 200
    act_before_commit(fake_aws, lambda: change(alice, request_id, open=False))
    for _ in range(2):
        answer = complete(sender, view)
        assert (answer.status, answer.slug) == (410, "request-closed")
    assert complete(sender, first).status == 200
    assert alice.names() == ["alice/in/a"]
    change(alice, request_id, open=True)
    assert complete(sender, view).status == 200
    assert alice.names() == ["alice/in/a", "alice/in/b"]


def test_an_upload_expires_after_two_days(alice: Client, clock: Clock) -> None:
    """Its slot is released by the sweep."""
    _, sender = ask(alice, expires_in=None, max_files=1)
    view = start(sender, "a", 3)
    assert view["expires_at"] == "2026-09-23T14:13:20.000Z"
    put(view, b"abc")
    clock.time += 2 * DAY - 1
    assert sender.get(f"/uploads/{view['upload_id']}").status == 200
    clock.time += 1
    assert complete(sender, view).slug == "no-such-upload"
    assert sweep() == 0
    assert sender.post("/uploads", file_name="b", size=3).slug == "request-full"
    clock.time += 3600
    assert sweep() == 1
    assert sender.post("/uploads", file_name="b", size=3).status == 201


def test_a_full_quota_refuses_uploads(alice: Client, fake_aws: FakeAws) -> None:
    """507; an upload in progress has its room reserved, even when the quota is lowered."""
    request_id, sender = ask(alice)
    set_quota(fake_aws, "alice", 5)
    assert sender.post("/uploads", file_name="a", size=6).slug == "quota-exceeded"
    assert counts(alice, request_id) == (0, 0)
    view = start(sender, "a", 3)
    put(view, b"abc")
    assert sender.post("/uploads", file_name="b", size=3).slug == "quota-exceeded"
    assert sender.post("/uploads", file_name="c", size=2).status == 201
    set_quota(fake_aws, "alice", 1)
    assert complete(sender, view).status == 200
    assert sender.post("/uploads", file_name="d", size=1).slug == "quota-exceeded"
    assert bytes_used(fake_aws, "alice") == 5


@pytest.mark.parametrize("quota", [{"quota": 10}, {"files_quota": 5}])
def test_crossing_four_fifths_of_a_quota_is_audited(
    alice: Client, behind: Behind, quota: dict[str, int]
) -> None:
    """Once, by the upload that crosses it, as for an upload of the owner."""
    _, sender = ask(alice)
    behind.change("users", {"username": "alice"}, **quota)
    noted = []
    for name in "abcde":
        start(sender, name, 2)
        noted.append([row for row in behind.rows("files") if row.get("action") == "quota.warn"])
    assert [len(each) for each in noted] == [0, 0, 0, 1, 1]
    assert (noted[-1][0]["actor"], noted[-1][0]["owner"]) == ("alice", "alice")


def test_a_full_quota_of_files_refuses_uploads(alice: Client, behind: Behind) -> None:
    """At once, and not after many attempts."""
    _, sender = ask(alice)
    alice.put("a")
    behind.change("users", {"username": "alice"}, files_quota=1)
    assert sender.post("/uploads", file_name="b", size=0).slug == "quota-exceeded"


def test_an_empty_file_fits_an_exceeded_quota_of_bytes(alice: Client, fake_aws: FakeAws) -> None:
    """As one of the owner does; a byte does not."""
    request_id, sender = ask(alice)
    upload(sender, "a", b"abcde")
    set_quota(fake_aws, "alice", 2)
    assert upload(sender, "b", b"").status == 200
    assert sender.post("/uploads", file_name="c", size=1).slug == "quota-exceeded"
    assert counts(alice, request_id) == (2, 5)


# --- releasing -----------------------------------------------------------------------------------


def forgotten(behind: Behind, view: dict[str, Any]) -> None:
    """Deletes the row of an upload, as DynamoDB does after it has expired."""
    (row,) = (row for row in behind.rows("files") if row["name"] == view["upload_id"])
    behind.delete("files", partition=str(row["partition"]), name=str(row["name"]))


def test_a_slot_is_released_once(
    alice: Client, clock: Clock, fake_aws: FakeAws, behind: Behind, data: bytes
) -> None:
    """By an abort, by the sweep, or by the sweep after DynamoDB deleted the row."""
    size = len(data)
    request_id, sender = ask(alice, expires_in=None, max_files=4)
    upload(sender, "stays", data)
    views = [start(sender, name, size) for name in ("given up", "expires", "forgotten")]
    send(sender, views[0], data)
    assert counts(alice, request_id) == (4, 4 * size)
    assert sender.post("/uploads", file_name="a", size=1).slug == "request-full"
    path = f"/uploads/{views[0]['upload_id']}"
    assert sender.delete(path).status == 204
    assert sender.delete(path).slug == "no-such-upload"
    assert counts(alice, request_id) == (3, 3 * size)
    forgotten(behind, views[2])
    assert counts(alice, request_id) == (3, 3 * size)
    clock.time += 8 * DAY
    assert sweep() == 3
    alice = again(alice)
    assert counts(alice, request_id) == (1, size)
    for _ in range(2):
        assert sweep() == 0
    assert counts(alice, request_id) == (1, size)
    assert stored(fake_aws) == [data]
    assert count_multipart_uploads(fake_aws) == 0


def again(client: Client) -> Client:
    """The same account, signed in again."""
    who = {"username": "alice", "password": "correct horse battery staple"}
    return Client(client.post("/login", **who).json()["token"])


def test_an_interrupted_sweep_releases_a_slot_once(
    alice: Client, clock: Clock, fake_aws: FakeAws
) -> None:
    """The next sweep deletes the bytes."""
    request_id, sender = ask(alice, expires_in=None)
    put(start(sender, "a", 3), b"abc")
    upload(sender, "b", b"stays")
    clock.time += 8 * DAY

    def before(call: Call) -> None:
        assert call.operation != "DeleteObjects"

    fake_aws.before = before
    with pytest.raises(Exception, match="failed to finish 1 of its tasks"):
        sweep()
    fake_aws.before = lambda _: None
    alice = again(alice)
    assert counts(alice, request_id) == (1, 5)
    assert sweep() == 1
    assert counts(alice, request_id) == (1, 5)
    assert stored(fake_aws) == [b"stays"]


def test_an_upload_with_other_bytes_releases_its_slot(
    alice: Client, fake_aws: FakeAws, behind: Behind
) -> None:
    """The bytes are deleted with it."""
    request_id, sender = ask(alice)
    view = start(sender, "a", 3, sha256=sha256(b"abc"))
    bucket = fake_aws.deployed.environment["SATCHEL_BUCKET"]
    s3._client().put_object(Bucket=bucket, Key=key_of(view), Body=b"abcd")
    assert complete(sender, view).slug == "upload-mismatch"
    assert counts(alice, request_id) == (0, 0)
    assert complete(sender, view).slug == "no-such-upload"
    assert stored(fake_aws) == []


def test_a_deleted_file_request_is_not_recreated(
    alice: Client, clock: Clock, fake_aws: FakeAws, behind: Behind, data: bytes
) -> None:
    """Its uploads cannot be completed, their bytes are swept, and no row of it returns."""
    request_id, sender = ask(alice)
    view = start(sender, "a", len(data))
    send(sender, view, data)
    alice.delete(f"/requests/{request_id}")
    assert set(everything_on(sender, view["upload_id"])) == {"no-such-request"}
    assert behind.rows("shares") == []
    clock.time += 8 * DAY
    assert sweep() == 1
    assert behind.rows("shares") == []
    assert stored(fake_aws) == []
    assert count_multipart_uploads(fake_aws) == 0


def test_a_delete_between_read_and_commit_prevents_completion(
    alice: Client, fake_aws: FakeAws
) -> None:
    """The owner was told that the file request is gone and gets no file by it."""
    request_id, sender = ask(alice)
    views = [start(sender, name, 3) for name in "ab"]
    put(views[0], b"abc")
    act_before_commit(fake_aws, lambda: alice.delete(f"/requests/{request_id}"))
    assert complete(sender, views[0]).slug == "no-such-request"
    assert alice.names() == []
    assert bytes_used(fake_aws, "alice") == 6, "until they fall due"


def test_an_abort_and_a_completion_race(alice: Client, fake_aws: FakeAws) -> None:
    """Exactly one happens, and the counts agree with it."""
    request_id, sender = ask(alice)
    view = start(sender, "a", 3)
    put(view, b"abc")
    met = act_before_commit(fake_aws, lambda: complete(sender, view))
    assert sender.delete(f"/uploads/{view['upload_id']}").slug == "no-such-upload"
    assert met[0].status == 200
    assert counts(alice, request_id) == (1, 3)
    view = start(sender, "b", 3)
    put(view, b"abc")
    met = act_before_commit(fake_aws, lambda: sender.delete(f"/uploads/{view['upload_id']}"))
    assert complete(sender, view).slug == "no-such-upload"
    assert met[0].status == 204
    assert counts(alice, request_id) == (1, 3)
    assert stored(fake_aws) == [b"abc"]


def test_an_abort_during_a_delete_recreates_nothing(
    alice: Client, fake_aws: FakeAws, behind: Behind
) -> None:
    """The upload is deleted and no row of the file request returns."""
    request_id, sender = ask(alice)
    view = start(sender, "a", 3)
    act_before_commit(fake_aws, lambda: alice.delete(f"/requests/{request_id}"))
    assert sender.delete(f"/uploads/{view['upload_id']}").status == 204
    assert behind.rows("shares") == []


def test_permanent_conflicts_change_nothing(alice: Client, fake_aws: FakeAws, data: bytes) -> None:
    """Nothing is left in S3, and the request can be repeated."""
    request_id, sender = ask(alice)
    view = start(sender, "a", len(data))
    parts = count_multipart_uploads(fake_aws)
    fake_aws.before = lambda call: collide(call) if "Transact" in call.operation else None
    assert sender.post("/uploads", file_name="b", size=len(data)).slug == "unavailable"
    assert sender.delete(f"/uploads/{view['upload_id']}").slug == "unavailable"
    fake_aws.before = lambda _: None
    assert count_multipart_uploads(fake_aws) == parts
    assert counts(alice, request_id) == (1, len(data))
    assert sender.delete(f"/uploads/{view['upload_id']}").status == 204
    assert counts(alice, request_id) == (0, 0)


# --- isolation -----------------------------------------------------------------------------------


def everything_on(client: Client, upload_id: str) -> list[str]:
    """The slug of each request on an upload; complete comes last."""
    path = f"/uploads/{upload_id}"
    answers = [
        client.get(path),
        client.post(f"{path}/parts", part_numbers=[1]),
        client.delete(path),
        client.post(f"{path}/complete"),
    ]
    return [answer.slug for answer in answers]


def test_an_upload_belongs_to_one_file_request(alice: Client, bob: Client, data: bytes) -> None:
    """Neither other file requests nor the owner can use it; the owner can only give it up."""
    _, sender = ask(alice)
    view = start(sender, "a", len(data))
    send(sender, view, data)
    others = [ask(alice)[1], ask(bob)[1], bob]
    for other in others:
        assert set(everything_on(other, view["upload_id"])) == {"no-such-upload"}
    path = f"/uploads/{view['upload_id']}"
    assert alice.get(path).slug == alice.post(f"{path}/complete").slug == "no-such-upload"
    for upload_id in ("x", "0" * 32, "..", "~expiry"):
        assert set(everything_on(sender, upload_id)) == {"no-such-upload"}
    assert alice.get("/uploads").json() == []
    mine = start(alice, "mine", len(data))
    assert set(everything_on(sender, mine["upload_id"])) == {"no-such-upload"}
    assert complete(sender, view).status == 200


def test_a_token_gives_no_other_access(alice: Client) -> None:
    """It is no session, and the routes below it neither list nor read files."""
    request_id, sender = ask(alice)
    view = start(sender, "a", 3)
    put(view, b"abc")
    complete(sender, view)
    token = sender.below.rpartition("/")[2]
    for said in (token, f"alice.{token}", f"~{request_id}.{token}"):
        for path in ("/me", "/files", "/uploads", "/requests", "/file"):
            assert Client(said).get(path).slug == "not-signed-in"
    for path in ("/uploads", "/files", "/file", "/download", "/uploads/x/parts"):
        assert sender.get(path).status in {404, 405}, path
    assert sender.get(f"/uploads/{view['upload_id']}").slug == "no-such-upload"
    assert s3.send("GET", view["put"]["url"], view["put"]["headers"]).status == 403


def test_an_upload_has_no_other_fields(alice: Client) -> None:
    """An owner, a conflict mode or a description are unknown fields."""
    _, sender = ask(alice)
    wrong: list[dict[str, Any]] = [
        {"username": "bob"},
        {"on_conflict": "replace"},
        {"if_match": "*"},
        {"description": "x"},
        {"tags": ["x"]},
        {"folder": "out/"},
        {"size": -1},
        {"size": None},
        {"size": 10**30},
        {"sha256": "x"},
        {"content_type": "x"},
        {"grant": "x" * 201},
    ]
    for each in wrong:
        answer = sender.post("/uploads", **{"file_name": "a", "size": 3, **each})
        assert answer.status in {413, 422}, each


def test_the_curl_command_needs_no_session(alice: Client) -> None:
    """It uses the address of the file request."""
    _, sender = ask(alice)
    line = start(sender, "d/a.bin", 45)["curl"]
    assert "TOKEN" not in line
    assert "session" not in line
    assert line.count(f"{sender.below}/uploads/") == 2
    assert "-T a.bin" in start(sender, "d/a.bin", 3)["curl"]


def test_uploads_stop_with_their_owner(
    alice: Client, behind: Behind, clock: Clock, data: bytes
) -> None:
    """404 on every route while the account is disabled."""
    _, sender = ask(alice, expires_in=None)
    view = start(sender, "a", len(data))
    send(sender, view, data)
    behind.change("users", {"username": "alice"}, disabled=True)
    assert set(everything_on(sender, view["upload_id"])) == {"no-such-request"}
    for wrong in ({"size": 3}, {"size": 10**9, "sender": "x"}):
        answer = sender.post("/uploads", file_name="a", **wrong)
        assert answer.slug == "no-such-request"
    behind.change("users", {"username": "alice"}, disabled=False)
    assert complete(sender, view).status == 200


def test_a_disabled_owner_hides_other_problems(alice: Client, behind: Behind) -> None:
    """Neither that the file request is full nor that it has a password is shown."""
    _, sender = ask(alice, password="knock twice")
    _, full = ask(alice, max_file_size=1)
    behind.change("users", {"username": "alice"}, disabled=True)
    assert sender.post("/uploads", file_name="a", size=3).slug == "no-such-request"
    assert full.post("/uploads", file_name="a", size=3).slug == "no-such-request"


def test_a_shared_folder_lists_uploaded_files(alice: Client, bob: Client) -> None:
    """They are files of the owner like any other."""
    alice.post("/share", file_name="in/", username="bob", permission="read")
    _, sender = ask(alice)
    upload(sender, "a", b"abc", sender="Zoë")
    (file,) = bob.get("/files").json()
    assert (file["key"], file["sender"]) == ("alice/in/a", "Zoë")
    assert base64.b64decode(bob.get("/file", file_name="in/a", username="alice").text) == b"abc"


# --- pages ---------------------------------------------------------------------------------------

HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_a_browser_gets_a_page(alice: Client) -> None:
    """With the terms and the commands; escaped, without script, noindex."""
    _, sender = ask(
        alice,
        title="<script>alert(1)</script> & more",
        max_files=3,
        max_file_size=2048,
        max_total_size=5000,
        allowed_types=[".pptx"],
        require_name=True,
    )
    answer = sender.send("GET", "", headers=HTML)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["x-robots-tag"] == "noindex"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "<script" not in answer.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in answer.text
    for words in ("alice", "2.0 KiB", "4.9 KiB", "taken: 3", ".pptx", "2026-09-28", sender.below):
        assert words in answer.text, words
    assert "THE-PASSWORD" not in answer.text
    assert sender.send("HEAD", "", headers=HTML).status == 200


def test_a_browser_gets_a_password_form(alice: Client) -> None:
    """Nothing of the file request is shown before the right password."""
    _, sender = ask(alice, password="knock & enter")
    form = HTML | {"content-type": "application/x-www-form-urlencoded"}
    for body, status in ((b"password=x", 401), (b"password=knock+%26+enter", 303)):
        before = sender.send("GET", "", headers=HTML)
        assert before.status == 401
        assert f'action="{sender.below}/unlock"' in before.text
        answer = sender.send("POST", "/unlock", body=body, headers=form)
        assert answer.status == status
        assert "Slides" not in before.text + answer.text
    assert answer.headers["location"] == sender.below
    (cookie,) = answer.cookies
    assert cookie.startswith("__Host-")
    page = sender.send("GET", "", headers=HTML | sent_back(answer.cookies))
    assert page.status == 200
    assert "Slides" in page.text
    assert "THE-PASSWORD" in page.text
    assert cookie.partition("=")[2].partition(";")[0] not in page.text


def test_a_browser_gets_problems_as_pages(alice: Client) -> None:
    """With the detail of the problem."""
    request_id, sender = ask(alice)
    change(alice, request_id, open=False)
    answer = sender.send("GET", "", headers=HTML)
    assert (answer.status, answer.headers["content-type"]) == (410, "text/html; charset=utf-8")
    assert "It takes no more files" in answer.text
    assert sender.get("").slug == "request-closed"
