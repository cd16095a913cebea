"""The local event sources: events of the handler, failed messages, schedules."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from function import contract
from function.maintenance.events import uploaded_keys
from local import event_sources
from local.deploy import Deployment, deploy
from local.emulator.process import REGION, Emulator
from local.emulator.state import StateFolder
from local.event_sources import EventSourceConfig, Poller, failed_message_ids
from local.serve import declared_event_sources
from tests.support.fake_aws import empty_account


class Bucket:
    """A deployment stack, its queue, and a handler that notes what it is given."""

    def __init__(self, session: boto3.Session, deployment: Deployment) -> None:
        self.name = deployment.exports["bucket"]
        self.sources = declared_event_sources(deployment)
        self.s3, self.sqs = session.client("s3"), session.client("sqs")
        self.time = 0.0
        self.seen: list[dict[str, Any]] = []
        self.answer: Any = None
        self.poller = Poller(self.sqs, self.handle, self.sources, lambda: self.time)

    def handle(self, event: dict[str, Any], context: Any) -> Any:
        assert context.get_remaining_time_in_millis() > 20_000
        self.seen.append(event)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer(event) if callable(self.answer) else self.answer

    def put(self, key: str) -> None:
        self.s3.put_object(Bucket=self.name, Key=key, Body=b"data")

    def left(self) -> int:
        """Messages in the queue, those in hand included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = self.sources.queue_url
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(map(int, found.values()))


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with empty_account() as session:
        bucket = Bucket(session, deploy(session))
        assert bucket.poller.poll(0) == 1
        (first,) = bucket.seen.pop()["Records"]
        assert json.loads(first["body"])["Event"] == "s3:TestEvent"
        assert bucket.left() == 0
        yield bucket


def test_the_handler_gets_the_event_of_an_sqs_source(bucket: Bucket) -> None:
    """Key by key as Lambda builds it, with the notification of S3 as its body."""
    bucket.put("alice/a.b+c@example.org/0f.put")
    assert bucket.poller.poll(0) == 1
    (record,) = bucket.seen[0]["Records"]
    assert set(record) == {
        "messageId",
        "receiptHandle",
        "body",
        "attributes",
        "messageAttributes",
        "md5OfBody",
        "eventSource",
        "eventSourceARN",
        "awsRegion",
    }
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == bucket.sources.queue_arn
    assert record["awsRegion"] == "eu-central-1"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert int(record["attributes"]["SentTimestamp"]) > 0
    (told,) = json.loads(record["body"])["Records"]
    assert told["s3"]["object"]["key"].endswith("a.b%2Bc%40example.org%2F0f.put")
    assert bucket.left() == 0


def test_only_a_single_put_is_notified(bucket: Bucket) -> None:
    bucket.put("alice/0123")
    assert bucket.poller.poll(0) == 0
    assert not bucket.seen


def test_a_batch_has_at_most_ten_messages(bucket: Bucket) -> None:
    for number in range(23):
        bucket.put(f"alice/{number}.put")
    assert [bucket.poller.poll(0) for _ in range(4)] == [10, 10, 3, 0]
    assert bucket.left() == 0


def test_a_failed_message_stays_and_the_others_are_deleted(bucket: Bucket) -> None:
    """It does not hold up the others."""
    for number in range(5):
        bucket.put(f"alice/{number}.put")

    def second(event: dict[str, Any]) -> Any:
        return {"batchItemFailures": [{"itemIdentifier": event["Records"][1]["messageId"]}]}

    bucket.answer = second
    assert bucket.poller.poll(0) == 5
    assert bucket.left() == 1


def test_the_batch_of_a_failed_invocation_stays(
    bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    bucket.put("alice/1.put")
    bucket.answer = RuntimeError("nobody saw this coming")
    assert bucket.poller.poll(0) == 1
    assert bucket.left() == 1
    assert "the handler failed" in caplog.text


@pytest.mark.parametrize(
    ("answer", "back"),
    [
        (None, set()),
        ({}, set()),
        ({"batchItemFailures": None}, set()),
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": [{"itemIdentifier": "a"}]}, {"a"}),
        ({"batchItemFailures": [{"itemIdentifier": "c"}]}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, {"a", "b"}),
        ({"batchItemFailures": [{"id": "a"}]}, {"a", "b"}),
        ("failed", {"a", "b"}),
        ([1], {"a", "b"}),
    ],
)
def test_the_messages_that_return_are_those_that_lambda_would_return(
    answer: Any, back: set[str]
) -> None:
    """AWS Lambda Developer Guide, "Implementing partial batch responses"."""
    assert failed_message_ids(answer, [{"MessageId": "a"}, {"MessageId": "b"}]) == back


def test_a_schedule_runs_at_the_start_and_then_by_its_period(bucket: Bucket) -> None:
    """However long the poller was busy with messages."""
    bucket.answer = {"expired": 0}
    for time, swept, reconciled in (
        (0, 1, 1),
        (299, 1, 1),
        (300, 2, 1),
        (9_000, 3, 1),
        (86_400, 4, 2),
    ):
        bucket.time = time
        bucket.poller.run_due_schedules()
        assert bucket.seen.count(contract.SWEEP_EVENT) == swept
        assert bucket.seen.count(contract.RECONCILE_EVENT) == reconciled


def test_a_failed_schedule_runs_again_after_a_minute(bucket: Bucket) -> None:
    bucket.answer = RuntimeError("not now")
    bucket.poller.run_due_schedules()
    bucket.time = 61
    bucket.poller.run_due_schedules()
    assert bucket.seen == [contract.SWEEP_EVENT, contract.RECONCILE_EVENT] * 2


def test_an_error_of_the_queue_is_retried(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator can be unreachable, or answer an error, for a moment."""
    monkeypatch.setattr(event_sources, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(event_sources, "WAIT_SECONDS", 0)
    bucket.put("alice/1.put")
    troubles = [
        EndpointConnectionError(endpoint_url="http://127.0.0.1"),
        ClientError({"Error": {"Code": "InternalFailure"}}, "ReceiveMessage"),
    ]

    class Enough(BaseException):
        """The end of a test of what has none."""

    def receive(**asked: Any) -> Any:
        if troubles:
            raise troubles.pop()
        if bucket.left() == 0:
            raise Enough
        return bucket.sqs.receive_message(**asked)

    class Shaky:
        receive_message = staticmethod(receive)
        delete_message = staticmethod(bucket.sqs.delete_message)

    with pytest.raises(Enough):
        Poller(Shaky(), bucket.handle, bucket.sources).run()
    assert [list(event) for event in bucket.seen] == [["satchel"], ["satchel"], ["Records"]]


def test_the_lock_is_held_during_an_invocation(bucket: Bucket) -> None:
    """The process waits for it before it ends."""
    bucket.put("alice/1.put")
    taken: list[bool] = []
    bucket.answer = lambda _: taken.append(bucket.poller.invocation_lock.locked())
    bucket.poller.poll(0)
    assert taken == [True]
    assert not bucket.poller.invocation_lock.locked()


def test_the_event_sources_are_those_that_the_stack_declares(bucket: Bucket) -> None:
    name = "satchel-dev-upload-notifications"
    assert bucket.sources == EventSourceConfig(
        queue_url=bucket.sqs.get_queue_url(QueueName=name)["QueueUrl"],
        queue_arn=f"arn:aws:sqs:eu-central-1:123456789012:{name}",
        batch_size=10,
        schedules=[(contract.SWEEP_EVENT, 300), (contract.RECONCILE_EVENT, 86_400)],
    )


def test_a_message_that_fails_five_times_moves_to_the_dead_letter_queue(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not retried for ever, and an operator can read it."""
    monkeypatch.setattr(event_sources, "VISIBILITY_SECONDS", 0)
    bucket.put("alice/1.put")
    bucket.answer = RuntimeError("poison")
    assert [bucket.poller.poll(0) for _ in range(7)] == [1] * 5 + [0] * 2
    assert bucket.left() == 0
    name = "satchel-dev-upload-notifications-dead-letter"
    url = bucket.sqs.get_queue_url(QueueName=name)["QueueUrl"]
    assert len(bucket.sqs.receive_message(QueueUrl=url)["Messages"]) == 1


@pytest.mark.slow
@pytest.mark.enable_socket
def test_the_notification_of_an_acknowledged_put_survives_a_killed_emulator(tmp_path: Path) -> None:
    """The client can leave after the 200: the file is created all the same."""
    with StateFolder(tmp_path) as state:
        session = boto3.Session(*state.admin_keys(), region_name=REGION)
        keys = [f"alice/bob/{number}.put" for number in range(20)]
        with Emulator(state, 0) as emulator:
            deployment = deploy(session, endpoint_url=emulator.url)
            with contextlib.closing(session.client("s3", endpoint_url=emulator.url)) as s3:
                for key in keys:
                    s3.put_object(Bucket=deployment.exports["bucket"], Key=key, Body=b"data")
            emulator.process.kill()
            emulator.process.wait()
        with Emulator(state, 0) as emulator:
            deployment = deploy(session, endpoint_url=emulator.url)
            with contextlib.closing(session.client("sqs", endpoint_url=emulator.url)) as sqs:
                told: list[str] = []

                def note(event: dict[str, Any], _: Any) -> None:
                    for record in event["Records"]:
                        told.extend(uploaded_keys(record["body"]))

                poller = Poller(sqs, note, declared_event_sources(deployment))
                while poller.poll(0):
                    pass
        assert sorted(told) == sorted(keys)
