"""What becomes of uploads that nobody completes: the bucket's news, and the hourly sweep."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from function import app
from function.contract import SWEEP_EVENT
from tests.conftest import Behind, Clock
from tests.crashes.crashes import collide
from tests.support.client import CONTEXT, Client, join
from tests.support.fake_aws import Call, Ground, failure
from tests.support.transfers import (
    aws,
    begun,
    bucket,
    bytes_used,
    complete,
    fetch,
    key_of,
    news,
    put,
    send,
    send_parts,
    set_quota,
    sha256,
    small,
    start,
    stored,
    sweep,
    tell,
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
NO_NEWS = [
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
    small(monkeypatch)


def due(ground: Ground) -> list[str]:
    """The uploads on the list of what falls due."""
    rows = ground.rows(ground.deployed.environment["SATCHEL_FILES"])
    return sorted(row["name"] for row in rows if row["shelf"].startswith("~due/"))


def test_a_put_becomes_a_file_by_itself(alice: Client, ground: Ground) -> None:
    """Once, under its own name and checks, however often the news comes; the client may ask too."""
    view = start(alice, "d/ü b.txt", 3, sha256=sha256(b"abc"))
    put(view, b"abc")
    for _ in range(3):
        assert tell(key_of(view)) == []
    (file,) = alice.get("/files").json()
    assert (file["file_name"], file["version"], file["sha256"]) == ("d/ü b.txt", 1, sha256(b"abc"))
    assert complete(alice, view).json() == file
    assert bytes_used(ground, "alice") == 3
    assert due(ground) == []


def test_the_record_says_where_it_was_begun(alice: Client, ground: Ground) -> None:
    """Whoever notes it in the end: the client or the news of the bytes."""
    asked = alice.post("/requests", title="t", folder="in/").json()["url"]
    senders = f"{asked[asked.index('/r/') :]}/uploads"
    files = ground.deployed.environment["SATCHEL_FILES"]
    for who, path in ((alice, "/uploads"), (Client(address="192.0.2.9"), senders)):
        body, agent = {"file_name": "a.txt", "size": 3}, {"user-agent": f"of {path[:3]}"}
        view = who.send("POST", path, json_=body, headers=agent).json()
        put(view, b"abc")
        (row,) = [row for row in ground.rows(files) if row["name"] == view["upload_id"]]
        assert tell(row["object"]) == []
    records = {
        row["action"]: (row["address"], row["agent"])
        for row in ground.rows(files)
        if row["shelf"].startswith("~audit/")
    }
    assert records["file.upload"] == (alice.address, "of /up")
    assert records["request.upload"] == ("192.0.2.9", "of /r/")


def test_news_of_a_name_with_signs_in_it(ground: Ground) -> None:
    """Keys come written as forms write them: an e-mail address is a user name too."""

    carol = join("carol+x@example.org")
    view = start(carol, "a", 3)
    put(view, b"abc")
    assert tell(key_of(view)) == []
    assert carol.names() == ["carol+x@example.org/a"]


def test_news_for_a_folder_of_anothers(alice: Client, bob: Client) -> None:
    """The right is looked at when the bytes have come, as when a client completes."""
    alice.post("/share", file_name="in/", username="bob", permission="write")
    views = [start(bob, name, 3, username="alice") for name in ("in/a", "in/b")]
    put(views[0], b"abc")
    assert tell(key_of(views[0])) == []
    assert alice.names() == ["alice/in/a"]
    alice.delete("/share", file_name="in/", username="bob")
    put(views[1], b"abc")
    assert tell(key_of(views[1])) == []
    assert alice.names() == ["alice/in/a"]


def test_news_that_the_client_must_decide_on(alice: Client, ground: Ground) -> None:
    """A file in the way: acknowledged, no file, and the upload stays open; it has its room."""
    views = [start(alice, "a", 3, on_conflict="fail"), start(alice, "b", 3)]
    alice.put("a", b"mine")
    set_quota(ground, "alice", 4)
    for view in views:
        put(view, b"abc")
        assert tell(key_of(view)) == []
    assert alice.names() == ["alice/a", "alice/b"]
    assert len(alice.get("/uploads").json()) == 1


def test_news_of_what_is_not_as_declared(alice: Client, ground: Ground) -> None:
    """The same checks: it is removed, and nothing was visible."""
    view = start(alice, "a", 3)
    client = aws("s3")
    client.put_object(Bucket=bucket(ground), Key=key_of(view), Body=b"four")
    assert tell(key_of(view)) == []
    assert (alice.names(), stored(ground)) == ([], [])
    assert complete(alice, view).slug == "no-such-upload"


def test_what_comes_after_an_upload_was_given_up_is_removed(alice: Client, ground: Ground) -> None:
    """At the news, so that nobody gathers bytes that count for nothing until they expire."""
    for _ in range(3):
        view = start(alice, "a", 3)
        alice.delete(f"/uploads/{view['upload_id']}")
        assert put(view, b"abc").status == 200
        assert stored(ground) == [b"abc"]
        for _ in range(2):
            assert tell(key_of(view)) == []
            assert stored(ground) == []
    assert (alice.names(), bytes_used(ground, "alice")) == ([], 0)


def test_late_news_of_a_file_whose_upload_is_forgotten(
    alice: Client, ground: Ground, behind: Behind, clock: Clock
) -> None:
    """Its bytes are the file's, also when the news comes after the table has removed the row."""
    view = start(alice, "a", 3)
    put(view, b"abc")
    assert complete(alice, view).status == 200
    (row,) = (row for row in behind.rows("files") if row["name"] == view["upload_id"])
    behind.delete("files", shelf=str(row["shelf"]), name=str(row["name"]))
    for _ in range(9):
        assert tell(key_of(view)) == []
        clock.time += DAY
    assert stored(ground) == [b"abc"]


def test_news_of_what_is_no_upload(alice: Client) -> None:
    """It is acknowledged, and nothing happens."""
    assert tell(*NO_UPLOADS) == []
    assert alice.names() == []


def test_news_under_another_key_is_none(alice: Client, bob: Client, ground: Ground) -> None:
    """An object that only looks like an upload's does not complete it."""
    view = start(alice, "a", 3)
    upload_id = view["upload_id"]
    client = aws("s3")
    for owner, key in (("bob", "alice"), ("alice", "bob")):
        odd = f"{owner}/{key}/{upload_id}.put"
        client.put_object(Bucket=bucket(ground), Key=odd, Body=b"abc")
        assert tell(odd) == []
    assert alice.names() == bob.names() == []


def test_messages_that_are_no_news(ground: Ground) -> None:
    """S3 itself begins with a test event; what can never be is not brought again."""
    event = {"Records": [{"messageId": f"{at}", "body": body} for at, body in enumerate(NO_NEWS)]}
    assert app.lambda_handler(event, CONTEXT) == {"batchItemFailures": []}


def test_an_empty_batch(ground: Ground) -> None:
    """Nothing to do is done."""
    assert app.lambda_handler({"Records": []}, CONTEXT) == {"batchItemFailures": []}


def test_only_the_message_that_failed_is_given_back(alice: Client, ground: Ground) -> None:
    """One that AWS fails on, or that is broken, does not hold up the others, nor is it lost."""
    views = [start(alice, name, 3) for name in ("a", "b", "c")]
    for view in views:
        put(view, b"abc")
    keys = [key_of(view) for view in views]

    def before(call: Call) -> Any:
        unlucky = call.operation == "HeadObject" and views[1]["upload_id"] in call.request.url
        return failure(call, 503, "SlowDown") if unlucky else None

    ground.before = before
    event = news(*keys)
    event["Records"].insert(0, {"messageId": "broken", "body": '{"Records": [{"s3": 1}]}'})
    answer = app.lambda_handler(event, CONTEXT)
    back = [each["itemIdentifier"] for each in answer["batchItemFailures"]]
    assert back == ["broken", "message-1"]
    assert alice.names() == ["alice/a", "alice/c"]
    ground.before = lambda _: None
    assert tell(*keys) == []
    assert alice.names() == ["alice/a", "alice/b", "alice/c"]


def test_news_in_a_crowd_is_not_lost(alice: Client, ground: Ground) -> None:
    """When others never stop changing the file, the message comes again."""
    view = start(alice, "a", 3)
    put(view, b"abc")
    ground.before = collide
    assert tell(key_of(view)) == ["message-0"]
    ground.before = lambda _: None
    assert tell(key_of(view)) == []
    assert alice.names() == ["alice/a"]


@pytest.mark.parametrize("size", [15, 45])
def test_what_nobody_completes_is_swept(
    alice: Client, clock: Clock, ground: Ground, size: int
) -> None:
    """After seven days the row, the parts and the object go; not a day before."""
    view = start(alice, "a", size)
    send(alice, view, DATA[:size])
    clock.time += 6 * DAY
    assert sweep() == 0
    assert due(ground) == [f"alice/uploads/{view['upload_id']}"]
    clock.time += 2 * DAY
    assert sweep() == 1
    assert (stored(ground), begun(ground), due(ground)) == ([], 0, [])
    rows = ground.rows(ground.deployed.environment["SATCHEL_FILES"])
    assert [row for row in rows if "action" not in row] == []
    assert bytes_used(ground, "alice") == 0
    assert sweep() == 0


def test_what_is_complete_is_not_swept(alice: Client, clock: Clock, ground: Ground) -> None:
    """A file is never in the way of a sweep, even when its upload's row is long gone."""
    for size in (15, 45):
        view = start(alice, f"a{size}", size)
        send(alice, view, DATA[:size])
        assert complete(alice, view).status == 200
    assert due(ground) == []
    clock.time += 8 * DAY
    assert sweep() == 0
    assert stored(ground) == [DATA[:15], DATA]


def test_an_upload_that_is_being_completed_is_not_swept(
    alice: Client, clock: Clock, ground: Ground
) -> None:
    """Either the sweep comes first or the completion: never a file without its bytes."""
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

    ground.before = before
    sweep()
    assert stepped == [1, 200]
    clock.time -= 8 * DAY
    assert fetch(alice, "a") == DATA[:15]


def test_a_sweep_ends_in_time_and_is_gone_on_with(
    alice: Client, clock: Clock, ground: Ground
) -> None:
    """More than one can do in its time is left to the next."""
    for number in range(5):
        start(alice, f"a{number}", 1)
    clock.time += 8 * DAY
    hurried = SimpleNamespace(**{**vars(CONTEXT), "get_remaining_time_in_millis": lambda: 100})
    assert app.lambda_handler(SWEEP_EVENT, hurried) == {"swept": 0, "closed": 0, "failed": 0}
    assert sweep() == 5
    assert due(ground) == []


def test_a_sweep_that_was_left_out_is_made_good(
    alice: Client, clock: Clock, ground: Ground
) -> None:
    """Days without one are looked back on."""
    view = start(alice, "a", 45)
    send_parts(alice, view, DATA, [1])
    clock.time += 30 * DAY
    assert sweep() == 1
    assert begun(ground) == 0


def test_a_sweep_that_fails_is_done_again(alice: Client, clock: Clock, ground: Ground) -> None:
    """The list's line goes last, so what was left half-done is found by the next."""
    view = start(alice, "a", 15)
    send(alice, view, DATA[:15])
    clock.time += 8 * DAY
    ground.before = lambda call: (
        failure(call, 503, "SlowDown") if call.operation == "DeleteObject" else None
    )
    with pytest.raises(Exception, match="could not be removed"):
        sweep()
    assert stored(ground) == [DATA[:15]]
    ground.before = lambda _: None
    assert sweep() == 1
    assert stored(ground) == []
