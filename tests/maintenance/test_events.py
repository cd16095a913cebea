"""Upload notifications, from the PUT to S3 through the SQS queue to the file."""

import json
import logging
from typing import Any

import boto3
import pytest

from function import app, contract
from local.event_sources import Poller
from local.serve import declared_event_sources
from tests.http.test_secrets import captured_logs
from tests.support.client import CONTEXT, Client, join
from tests.support.fake_aws import REGION, Call, FakeAws, failure
from tests.support.transfers import (
    bytes_used,
    complete,
    fetch,
    key_of,
    notify,
    put,
    start,
    stored,
    use_small_parts,
)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    use_small_parts(monkeypatch)
    monkeypatch.setattr("local.event_sources.VISIBILITY_SECONDS", 0)  # failures return at once


@pytest.fixture
def poller(fake_aws: FakeAws) -> Poller:
    """Polls the stack's queue and calls the handler, as Lambda does."""
    sqs = boto3.Session("testing", "testing", region_name=REGION).client("sqs")
    return Poller(sqs, app.lambda_handler, declared_event_sources(fake_aws.deployed))


def test_a_put_to_s3_alone_creates_the_file(
    alice: Client, poller: Poller, fake_aws: FakeAws
) -> None:
    """The notification completes the upload; no request does."""
    view = start(alice, "d/ü b.txt", 3, description="text", tags=["x"])
    assert put(view, b"abc").status == 200
    assert poller.poll(0) == 1
    (file,) = alice.get("/files").json()
    assert (file["file_name"], file["size"], file["description"]) == ("d/ü b.txt", 3, "text")
    assert fetch(alice, "d/ü b.txt") == b"abc"
    assert complete(alice, view).json() == file
    assert poller.poll(0) == 0


@pytest.mark.parametrize("name", ["a.b", "a_b-c", "a+b@example.org", "x.y+z@a-b.example"])
def test_a_notification_has_the_user_name_encoded(
    fake_aws: FakeAws, poller: Poller, name: str
) -> None:
    """S3 encodes keys as forms are, so `+` and `@` are escaped."""
    client = join(name)
    put(start(client, "a", 3), b"abc")
    assert poller.poll(0) == 1
    assert client.names() == [f"{name}/a"]


def test_only_the_failed_message_of_ten_is_delivered_again(
    alice: Client, poller: Poller, fake_aws: FakeAws
) -> None:
    """The others are acknowledged, and their files are not written again."""
    views = [start(alice, f"{number}", 1) for number in range(10)]
    for view in views:
        put(view, b"x")

    def before(call: Call) -> Any:
        fails = call.operation == "HeadObject" and views[4]["upload_id"] in call.request.url
        return failure(call, 503, "SlowDown") if fails else None

    fake_aws.before = before
    assert poller.poll(0) == 10
    assert len(alice.names()) == 9
    fake_aws.before = lambda _: None
    with fake_aws.counted() as calls:
        assert poller.poll(0) == 1
    assert calls.count("TransactWriteItems") == 1
    assert len(alice.names()) == 10
    assert poller.poll(0) == 0


def test_repeated_notifications_in_any_order_create_one_file(
    alice: Client, fake_aws: FakeAws
) -> None:
    """Of two uploads of one name, one is the file and the other its version."""
    views = [start(alice, "a", 3) for _ in range(2)]
    for view, data in zip(views, (b"old", b"new"), strict=True):
        put(view, data)
    keys = [key_of(view) for view in views]
    for named in ([keys[1]], [keys[0], keys[1]], [keys[0]], [*keys, *keys]):
        assert notify(*named) == []
    (file,) = alice.get("/files").json()
    assert file["version"] == 2
    assert {fetch(alice, "a"), fetch(alice, "a", version=1)} == {b"old", b"new"}
    assert bytes_used(fake_aws, "alice") == 6
    assert stored(fake_aws) == [b"new", b"old"]


def test_a_late_notification_does_not_restore_a_deleted_file(
    alice: Client, fake_aws: FakeAws
) -> None:
    """Its upload was completed, so a repeated notification changes nothing."""
    view = start(alice, "a", 3)
    put(view, b"abc")
    assert notify(key_of(view)) == []
    assert alice.delete("/file", file_name="a").status == 204
    assert notify(key_of(view)) == []
    assert alice.names() == []


def test_a_notification_of_an_aborted_upload_creates_no_file(
    alice: Client, fake_aws: FakeAws
) -> None:
    """Its URL may still bring bytes, which nobody can read."""
    view = start(alice, "a", 3)
    assert alice.delete(f"/uploads/{view['upload_id']}").status == 204
    put(view, b"abc")
    assert notify(key_of(view)) == []
    assert alice.names() == []


@pytest.mark.parametrize("source", ["schedule", "queue"])
def test_the_log_of_background_work_has_the_id_of_its_invocation(
    alice: Client, source: str
) -> None:
    """Not that of the request which the process answered before."""
    with captured_logs(logging.INFO) as text:
        alice.get("/me")
        if source == "schedule":
            app.lambda_handler(contract.SWEEP_EVENT, CONTEXT)
        else:
            notify("alice/" + "0" * 32)
    lines = [json.loads(line) for line in text.getvalue().splitlines() if '"message"' in line]
    ids = {line["message"]: line["correlation_id"] for line in lines}
    assert ids.pop("request") != CONTEXT.aws_request_id
    assert set(ids.values()) == {CONTEXT.aws_request_id}
