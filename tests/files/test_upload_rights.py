"""Uploads: whose they are, when they expire, and what room they reserve."""

import pytest

from tests.conftest import Clock
from tests.crashes.meetings import act_before_commit
from tests.support.client import PASSWORD, Answer, Client
from tests.support.fake_aws import FakeAws
from tests.support.transfers import (
    bytes_used,
    complete,
    count_multipart_uploads,
    fetch,
    put,
    send,
    send_parts,
    set_quota,
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


def everything_on(client: Client, upload_id: str) -> list[int]:
    """What becomes of each thing that can be done to an upload; completing comes last."""
    path, companion = f"/uploads/{upload_id}", f"/s3/multipart/{upload_id}"
    parts = [{"PartNumber": 1, "ETag": '"x"'}]
    answers = [
        client.get(path),
        client.post(f"{path}/parts", part_numbers=[1]),
        client.get(companion, key="a"),
        client.get(f"{companion}/1", key="a"),
        client.get(f"{companion}/batch", key="a", partNumbers="1,2"),
        client.delete(path),
        client.delete(companion, key="a"),
        client.post(f"{path}/complete"),
        client.send("POST", f"{companion}/complete", json_={"parts": parts}),
    ]
    assert {answer.slug for answer in answers} == {"no-such-upload"}
    return [answer.status for answer in answers]


def test_an_upload_exists_for_its_account_alone(alice: Client, bob: Client, data: bytes) -> None:
    """Every route answers 404 to others, and the upload stays as it was."""
    view = start(alice, "a.bin", len(data))
    send(alice, view, data)
    assert set(everything_on(bob, view["upload_id"])) == {404}
    assert bob.get("/uploads").json() == []
    assert complete(alice, view).status == 200
    assert set(everything_on(bob, view["upload_id"])) == {404}


def test_an_unknown_upload_is_not_found(alice: Client) -> None:
    """One 404 for every form of id."""
    for upload_id in ("0" * 32, "x", "A" * 32, "0" * 33, "..", "~expiry", "0" * 900):
        assert set(everything_on(alice, upload_id)) == {404}


def test_uploads_need_a_token(anyone: Client) -> None:
    """It is checked before anything else."""
    for method, path in (
        ("POST", "/uploads"),
        ("GET", "/uploads"),
        ("GET", "/uploads/x"),
        ("DELETE", "/uploads/x"),
        ("POST", "/uploads/x/parts"),
        ("POST", "/uploads/x/complete"),
        ("GET", "/download"),
    ):
        assert anyone.send(method, path, body=b"[").slug == "not-signed-in"


def test_a_writer_of_a_folder_uploads_into_it(
    alice: Client, bob: Client, fake_aws: FakeAws, data: bytes
) -> None:
    """The file belongs to the owner of the folder, who is charged; the upload to the uploader."""
    alice.post("/share", file_name="in/", username="bob", permission="write")
    view = start(bob, "in/a.bin", len(data), username="alice")
    assert alice.get("/uploads").json() == []
    assert alice.get(f"/uploads/{view['upload_id']}").slug == "no-such-upload"
    send(bob, view, data)
    file = complete(bob, view).json()
    assert (file["owner"], file["permission"]) == ("alice", "write")
    assert fetch(alice, "in/a.bin") == data
    assert (bytes_used(fake_aws, "alice"), bytes_used(fake_aws, "bob")) == (len(data), 0)
    assert complete(bob, view).json() == file


def test_an_upload_needs_the_right_to_write(alice: Client, bob: Client) -> None:
    """A right to read, a folder beside the shared one, and an unknown owner are all 404."""
    alice.post("/share", file_name="in/", username="bob", permission="read")
    for name in ("in/a.bin", "elsewhere/a.bin", "a.bin"):
        for owner in ("alice", "nobody"):
            answer = bob.post("/uploads", file_name=name, size=1, username=owner)
            assert answer.slug == "no-such-file", name
    assert bob.get("/uploads").json() == []


def test_a_revoked_right_ends_the_upload(
    alice: Client, bob: Client, fake_aws: FakeAws, data: bytes
) -> None:
    """Revoked before completion: 404, no file, and abortion releases the room."""
    alice.post("/share", file_name="in/", username="bob", permission="write")
    view = start(bob, "in/a.bin", len(data), username="alice")
    send(bob, view, data)
    alice.delete("/share", file_name="in/", username="bob")
    assert complete(bob, view).slug == "no-such-file"
    assert alice.names() == []
    assert bob.delete(f"/uploads/{view['upload_id']}").status == 204
    assert bytes_used(fake_aws, "alice") == 0
    assert stored(fake_aws) == []


def test_an_ended_session_completes_nothing(alice: Client, data: bytes) -> None:
    """The id of an upload is no token."""
    view = start(alice, "a.bin", len(data))
    send(alice, view, data)
    alice.post("/logout")
    assert complete(alice, view).slug == "not-signed-in"


def test_an_aborted_upload_is_gone(alice: Client, fake_aws: FakeAws, data: bytes) -> None:
    """With its parts and its object; every later request is 404."""
    view = start(alice, "a.bin", len(data))
    send(alice, view, data)
    answer = alice.delete(f"/uploads/{view['upload_id']}")
    assert (answer.status, answer.content) == (204, b"")
    assert (stored(fake_aws), count_multipart_uploads(fake_aws)) == ([], 0)
    assert set(everything_on(alice, view["upload_id"])) == {404}
    assert alice.get("/uploads").json() == []
    assert alice.names() == []


def test_an_upload_in_progress_is_aborted(alice: Client, fake_aws: FakeAws) -> None:
    """S3 loses the parts that it has, and takes no more."""
    view = start(alice, "a.bin", 45)
    path = f"/uploads/{view['upload_id']}"
    send_parts(alice, view, DATA, [2])
    with fake_aws.counted() as calls:
        assert alice.delete(path).status == 204
    assert calls == ["BatchGetItem", "TransactWriteItems", "AbortMultipartUpload", "DeleteObject"]
    assert count_multipart_uploads(fake_aws) == 0


def test_an_upload_expires_after_seven_days(
    alice: Client, clock: Clock, fake_aws: FakeAws, data: bytes
) -> None:
    """To the second on every route, whether or not DynamoDB has deleted its row."""
    view = start(alice, "a.bin", len(data))
    send(alice, view, data)
    clock.time = int(clock.time) + 7 * DAY - 0.5
    alice.token = login(alice)
    path = f"/uploads/{view['upload_id']}"
    assert alice.get(path).status == 200
    clock.time += 0.5
    assert set(everything_on(alice, view["upload_id"])) == {404}
    assert alice.get("/uploads").json() == []
    assert alice.names() == []


def login(client: Client) -> str:
    """A new session, for the old one does not live as long as an upload."""
    anyone = Client(address=client.address)
    answer = anyone.post("/login", username="alice", password=PASSWORD)
    return answer.json()["token"]


def test_an_upload_without_room_is_refused(alice: Client, fake_aws: FakeAws, data: bytes) -> None:
    """The quota is checked before any byte is sent; a replaced file keeps its room."""
    alice.put("old", b"x" * 10)
    set_quota(fake_aws, "alice", 10 + len(data) - 1)
    for name in ("a", "old"):
        assert alice.post("/uploads", file_name=name, size=len(data)).slug == "quota-exceeded"
    assert alice.get("/uploads").json() == []
    set_quota(fake_aws, "alice", 10 + len(data))
    assert upload(alice, "old", data).status == 200
    assert bytes_used(fake_aws, "alice") == 10 + len(data)


def test_an_upload_in_progress_reserves_its_room(
    alice: Client, fake_aws: FakeAws, data: bytes
) -> None:
    """Of two that fit only alone, the second begins once the first is aborted."""
    set_quota(fake_aws, "alice", 2 * len(data) - 1)
    view = start(alice, "a", len(data))
    assert alice.post("/uploads", file_name="b", size=len(data)).slug == "quota-exceeded"
    assert alice.delete(f"/uploads/{view['upload_id']}").status == 204
    view = start(alice, "b", len(data))
    send(alice, view, data)
    set_quota(fake_aws, "alice", 1)
    assert complete(alice, view).status == 200
    assert bytes_used(fake_aws, "alice") == len(data)


def test_the_owners_quota_counts(alice: Client, bob: Client, fake_aws: FakeAws) -> None:
    """An upload into the folder of another account needs no room of the uploader."""
    alice.post("/share", file_name="in/", username="bob", permission="write")
    set_quota(fake_aws, "bob", 0)
    assert upload(bob, "in/a", b"abc", username="alice").status == 200
    set_quota(fake_aws, "alice", 3)
    answer = bob.post("/uploads", file_name="in/b", size=1, username="alice")
    assert answer.slug == "quota-exceeded"


def test_bytes_that_arrive_after_expiry_are_deleted(
    alice: Client, clock: Clock, fake_aws: FakeAws
) -> None:
    """A presigned URL may outlive its upload."""
    view = start(alice, "a", 3)
    alice.delete(f"/uploads/{view['upload_id']}")
    assert put(view, b"abc").status == 200
    assert complete(alice, view).slug == "no-such-upload"
    assert stored(fake_aws) == [b"abc"]
    clock.time += 8 * DAY
    sweep()
    assert stored(fake_aws) == []


@pytest.mark.parametrize("way", ["put", "upload"])
def test_of_two_uploads_at_once_one_gets_the_last_room(
    alice: Client, fake_aws: FakeAws, way: str
) -> None:
    """Both saw room; the second commit decides again, and there is none."""
    set_quota(fake_aws, "alice", 5)

    def one(name: str) -> Answer:
        if way == "put":
            return alice.put(name, b"123")
        return alice.post("/uploads", file_name=name, size=3)

    met = act_before_commit(fake_aws, lambda: one("b"))
    late = one("a")
    assert (met[0].status, late.slug) == (201, "quota-exceeded")
    assert bytes_used(fake_aws, "alice") == 3
