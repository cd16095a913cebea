"""Uploads that their client does not complete: the events of S3, and the sweep."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from function import app
from function.contract import SWEEP_EVENT
from tests.conftest import Behind, Clock
from tests.support.client import CONTEXT, Client, join
from tests.support.fake_aws import Call, FakeAws, failure
from tests.support.side_by_side import collide
from tests.support.transfers import (
    aws,
    bucket,
    bytes_used,
    complete,
    count_multipart_uploads,
    fetch,
    key_of,
    news,
    notify,
    put,
    send,
    send_parts,
    set_quota,
    sha256,
    start,
    stored,
    sweep,
    use_small_parts,
)

DATA = bytes(range(45))
DAY = 24 * 3600
NO_UPLOADS = [
    "x",
    "alice/" + "0" * 32,
    "alice/alice/" + "0" * 32,
    "alice/alice/" + "0" * 32 + ".put",
    "alice/bob/" + "0" * 32 + ".put",
    "alice/alice/" + "0" * 31 + "x.put",
    "../../etc/passwd",
    "é\0",
]
NO_EVENTS = [
    "",
    "not JSON",
    "[]",
    "null",
    "1",
    "{}",
    json.dumps({"Event": "s3:TestEvent", "Bucket": "satchel"}),
    json.dumps({"Records": []}),
]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    use_small_parts(monkeypatch)


def expiry_entries(fake_aws: FakeAws) -> list[str]:
    """The names of the expiry entries of uploads."""
    rows = fake_aws.rows(fake_aws.deployed.environment["SATCHEL_FILES"])
    return sorted(row["name"] for row in rows if row["partition"].startswith("~expiry/"))


def test_an_event_completes_a_put(alice: Client, fake_aws: FakeAws) -> None:
    """Once, with its name and all checks, however often the event comes or the client asks."""
    view = start(alice, "d/ü b.txt", 3, sha256=sha256(b"abc"))
    put(view, b"abc")
    for _ in range(3):
        assert notify(key_of(view)) == []
    (file,) = alice.get("/files").json()
    assert (file["file_name"], file["version"], file["sha256"]) == ("d/ü b.txt", 1, sha256(b"abc"))
    assert complete(alice, view).json() == file
    assert bytes_used(fake_aws, "alice") == 3
    assert expiry_entries(fake_aws) == []


def test_the_audit_row_has_the_address_that_created_the_upload(
    alice: Client, fake_aws: FakeAws
) -> None:
    """Also when the event of S3 completes it."""
    asked = alice.post("/requests", title="t", folder="in/").json()["url"]
    senders = f"{asked[asked.index('/r/') :]}/uploads"
    files = fake_aws.deployed.environment["SATCHEL_FILES"]
    for who, path in ((alice, "/uploads"), (Client(address="192.0.2.9"), senders)):
        body, agent = {"file_name": "a.txt", "size": 3}, {"user-agent": f"of {path[:3]}"}
        view = who.send("POST", path, json_=body, headers=agent).json()
        put(view, b"abc")
        (row,) = [row for row in fake_aws.rows(files) if row["name"] == view["upload_id"]]
        assert notify(row["object"]) == []
    records = {
        row["action"]: (row["address"], row["agent"])
        for row in fake_aws.rows(files)
        if row["partition"].startswith("~audit/")
    }
    assert records["file.upload"] == (alice.address, "of /up")
    assert records["request.upload"] == ("192.0.2.9", "of /r/")


def test_an_event_with_an_encoded_key(fake_aws: FakeAws) -> None:
    """S3 encodes keys as forms do; a username may be an e-mail address with a plus."""

    carol = join("carol+x@example.org")
    view = start(carol, "a", 3)
    put(view, b"abc")
    assert notify(key_of(view)) == []
    assert carol.names() == ["carol+x@example.org/a"]


def test_an_event_checks_the_right_to_the_folder(alice: Client, bob: Client) -> None:
    """When the bytes arrive, as a completion by the client does."""
    alice.post("/share", file_name="in/", username="bob", permission="write")
    views = [start(bob, name, 3, username="alice") for name in ("in/a", "in/b")]
    put(views[0], b"abc")
    assert notify(key_of(views[0])) == []
    assert alice.names() == ["alice/in/a"]
    alice.delete("/share", file_name="in/", username="bob")
    put(views[1], b"abc")
    assert notify(key_of(views[1])) == []
    assert alice.names() == ["alice/in/a"]


def test_an_event_for_a_conflict_leaves_the_upload_open(alice: Client, fake_aws: FakeAws) -> None:
    """It is acknowledged, and makes no file; the size stays reserved."""
    views = [start(alice, "a", 3, on_conflict="fail"), start(alice, "b", 3)]
    alice.put("a", b"mine")
    set_quota(fake_aws, "alice", 4)
    for view in views:
        put(view, b"abc")
        assert notify(key_of(view)) == []
    assert alice.names() == ["alice/a", "alice/b"]
    assert len(alice.get("/uploads").json()) == 1


def test_an_event_for_other_bytes_deletes_them(alice: Client, fake_aws: FakeAws) -> None:
    """The same checks: they are deleted, and no file was visible."""
    view = start(alice, "a", 3)
    client = aws("s3")
    client.put_object(Bucket=bucket(fake_aws), Key=key_of(view), Body=b"four")
    assert notify(key_of(view)) == []
    assert (alice.names(), stored(fake_aws)) == ([], [])
    assert complete(alice, view).slug == "no-such-upload"


def test_bytes_after_an_abort_are_deleted(alice: Client, fake_aws: FakeAws) -> None:
    """At their event, so that they use no storage until they expire."""
    for _ in range(3):
        view = start(alice, "a", 3)
        alice.delete(f"/uploads/{view['upload_id']}")
        assert put(view, b"abc").status == 200
        assert stored(fake_aws) == [b"abc"]
        for _ in range(2):
            assert notify(key_of(view)) == []
            assert stored(fake_aws) == []
    assert (alice.names(), bytes_used(fake_aws, "alice")) == ([], 0)


def test_a_late_event_keeps_the_files_bytes(
    alice: Client, fake_aws: FakeAws, behind: Behind, clock: Clock
) -> None:
    """Also when the upload's row has expired."""
    view = start(alice, "a", 3)
    put(view, b"abc")
    assert complete(alice, view).status == 200
    (row,) = (row for row in behind.rows("files") if row["name"] == view["upload_id"])
    behind.delete("files", partition=str(row["partition"]), name=str(row["name"]))
    for _ in range(9):
        assert notify(key_of(view)) == []
        clock.time += DAY
    assert stored(fake_aws) == [b"abc"]


def test_events_of_other_objects_are_acknowledged(alice: Client) -> None:
    """They change nothing."""
    assert notify(*NO_UPLOADS) == []
    assert alice.names() == []


def test_an_event_with_another_key_completes_nothing(
    alice: Client, bob: Client, fake_aws: FakeAws
) -> None:
    """An object whose key only resembles an upload's."""
    view = start(alice, "a", 3)
    upload_id = view["upload_id"]
    client = aws("s3")
    for owner, key in (("bob", "alice"), ("alice", "bob")):
        odd = f"{owner}/{key}/{upload_id}.put"
        client.put_object(Bucket=bucket(fake_aws), Key=odd, Body=b"abc")
        assert notify(odd) == []
    assert alice.names() == bob.names() == []


def test_messages_that_are_no_events_are_acknowledged(fake_aws: FakeAws) -> None:
    """S3 begins with a test event; a message that can never succeed is not repeated."""
    event = {"Records": [{"messageId": f"{at}", "body": body} for at, body in enumerate(NO_EVENTS)]}
    assert app.lambda_handler(event, CONTEXT) == {"batchItemFailures": []}


def test_an_empty_batch_is_acknowledged(fake_aws: FakeAws) -> None:
    """It has no failures."""
    assert app.lambda_handler({"Records": []}, CONTEXT) == {"batchItemFailures": []}


def test_only_failed_messages_are_returned(alice: Client, fake_aws: FakeAws) -> None:
    """A failure of AWS or a broken message neither delays the others nor is lost."""
    views = [start(alice, name, 3) for name in ("a", "b", "c")]
    for view in views:
        put(view, b"abc")
    keys = [key_of(view) for view in views]

    def before(call: Call) -> Any:
        unlucky = call.operation == "HeadObject" and views[1]["upload_id"] in call.request.url
        return failure(call, 503, "SlowDown") if unlucky else None

    fake_aws.before = before
    event = news(*keys)
    event["Records"].insert(0, {"messageId": "broken", "body": '{"Records": [{"s3": 1}]}'})
    answer = app.lambda_handler(event, CONTEXT)
    back = [each["itemIdentifier"] for each in answer["batchItemFailures"]]
    assert back == ["broken", "message-1"]
    assert alice.names() == ["alice/a", "alice/c"]
    fake_aws.before = lambda _: None
    assert notify(*keys) == []
    assert alice.names() == ["alice/a", "alice/b", "alice/c"]


def test_an_event_that_collides_is_returned(alice: Client, fake_aws: FakeAws) -> None:
    """While other requests keep changing the file, the message comes again."""
    view = start(alice, "a", 3)
    put(view, b"abc")
    fake_aws.before = collide
    assert notify(key_of(view)) == ["message-0"]
    fake_aws.before = lambda _: None
    assert notify(key_of(view)) == []
    assert alice.names() == ["alice/a"]


@pytest.mark.parametrize("size", [15, 45])
def test_an_expired_upload_is_deleted(
    alice: Client, clock: Clock, fake_aws: FakeAws, behind: Behind, size: int
) -> None:
    """After seven days its row, parts and object are deleted; not a day before."""
    view = start(alice, "a", size)
    send(alice, view, DATA[:size])
    clock.time += 6 * DAY
    assert sweep() == 0
    assert expiry_entries(fake_aws) == [f"alice/uploads/{view['upload_id']}"]
    clock.time += 2 * DAY
    assert sweep() == 1
    assert (stored(fake_aws), count_multipart_uploads(fake_aws), expiry_entries(fake_aws)) == (
        [],
        0,
        [],
    )
    assert {row["partition"] for row in behind.file_rows()} <= {"~sweep"}
    assert bytes_used(fake_aws, "alice") == 0
    assert sweep() == 0


def test_the_sweep_keeps_completed_files(alice: Client, clock: Clock, fake_aws: FakeAws) -> None:
    """Even when the upload's row has expired long ago."""
    for size in (15, 45):
        view = start(alice, f"a{size}", size)
        send(alice, view, DATA[:size])
        assert complete(alice, view).status == 200
    assert expiry_entries(fake_aws) == []
    clock.time += 8 * DAY
    assert sweep() == 0
    assert stored(fake_aws) == [DATA[:15], DATA]


def test_the_sweep_and_a_completion_at_once_lose_no_bytes(
    alice: Client, clock: Clock, fake_aws: FakeAws
) -> None:
    """One of them comes first: there is never a file without its bytes."""
    view = start(alice, "a", 15)
    send(alice, view, DATA[:15])
    clock.time += 8 * DAY
    stepped: list[int] = []

    def before(call: Call) -> None:
        if call.operation == "TransactWriteItems" and not stepped:
            stepped.append(1)
            clock.time -= 8 * DAY
            stepped.append(complete(alice, view).status)
            clock.time += 8 * DAY

    fake_aws.before = before
    sweep()
    assert stepped == [1, 200]
    clock.time -= 8 * DAY
    assert fetch(alice, "a") == DATA[:15]


def test_a_sweep_stops_in_time(alice: Client, clock: Clock, fake_aws: FakeAws) -> None:
    """The next one goes on with what is left."""
    for number in range(5):
        start(alice, f"a{number}", 1)
    clock.time += 8 * DAY
    hurried = SimpleNamespace(**{**vars(CONTEXT), "get_remaining_time_in_millis": lambda: 100})
    counts = app.lambda_handler(SWEEP_EVENT, hurried)
    assert (counts["expired"], counts["failed"]) == (0, 0)
    assert counts["lag"] == DAY - 3600  # they expired a day ago, and have an hour more
    assert sweep() == 5
    assert expiry_entries(fake_aws) == []


def test_the_sweep_looks_back_over_missed_days(
    alice: Client, clock: Clock, fake_aws: FakeAws
) -> None:
    """A month without one is made up for."""
    view = start(alice, "a", 45)
    send_parts(alice, view, DATA, [1])
    clock.time += 30 * DAY
    assert sweep() == 1
    assert count_multipart_uploads(fake_aws) == 0


def test_a_failed_sweep_is_repeated(alice: Client, clock: Clock, fake_aws: FakeAws) -> None:
    """The expiry entry is deleted last, so the next sweep finds what is left."""
    view = start(alice, "a", 15)
    send(alice, view, DATA[:15])
    clock.time += 8 * DAY
    fake_aws.before = lambda call: (
        failure(call, 503, "SlowDown") if call.operation == "DeleteObjects" else None
    )
    with pytest.raises(Exception, match="failed to finish 1 of its tasks"):
        sweep()
    assert stored(fake_aws) == [DATA[:15]]
    fake_aws.before = lambda _: None
    assert sweep() == 1
    assert stored(fake_aws) == []
