"""The queue and the clock of one machine: what the handler is given, what comes again."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from function import contract
from function.maintenance.events import arrivals as arrived
from local import arrivals
from local.arrivals import Errands, Poller, given_back
from local.deploy import Deployment, deploy
from local.emulator import REGION, Emulator, State
from local.serve import errands_of
from tests.support.fake_aws import empty


class Bucket:
    """A deployed stack, its queue, and a handler that notes what it is given."""

    def __init__(self, session: boto3.Session, deployed: Deployment) -> None:
        self.name = deployed.exports["bucket"]
        self.errands = errands_of(deployed)
        self.s3, self.sqs = session.client("s3"), session.client("sqs")
        self.time = 0.0
        self.seen: list[dict[str, Any]] = []
        self.answer: Any = None
        self.poller = Poller(self.sqs, self.handle, self.errands, lambda: self.time)

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
        url = self.errands.queue_url
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(map(int, found.values()))


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with empty() as session:
        bucket = Bucket(session, deploy(session))
        assert bucket.poller.poll(0) == 1
        (first,) = bucket.seen.pop()["Records"]
        assert json.loads(first["body"])["Event"] == "s3:TestEvent"
        assert bucket.left() == 0
        yield bucket


def test_the_handler_is_given_what_lambda_would_give_it(bucket: Bucket) -> None:
    """The event of an SQS source, word for word, with what S3 wrote as its body."""
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
    assert record["eventSourceARN"] == bucket.errands.queue_arn
    assert record["awsRegion"] == "eu-central-1"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert int(record["attributes"]["SentTimestamp"]) > 0
    (told,) = json.loads(record["body"])["Records"]
    assert told["s3"]["object"]["key"].endswith("a.b%2Bc%40example.org%2F0f.put")
    assert bucket.left() == 0


def test_only_single_puts_are_news(bucket: Bucket) -> None:
    bucket.put("alice/0123")
    assert bucket.poller.poll(0) == 0
    assert not bucket.seen


def test_at_most_ten_at_once_and_all_in_the_end(bucket: Bucket) -> None:
    for number in range(23):
        bucket.put(f"alice/{number}.put")
    assert [bucket.poller.poll(0) for _ in range(4)] == [10, 10, 3, 0]
    assert bucket.left() == 0


def test_what_is_given_back_stays_and_the_rest_goes(bucket: Bucket) -> None:
    """One bad message does not hold up the others, and is not lost."""
    for number in range(5):
        bucket.put(f"alice/{number}.put")

    def second(event: dict[str, Any]) -> Any:
        return {"batchItemFailures": [{"itemIdentifier": event["Records"][1]["messageId"]}]}

    bucket.answer = second
    assert bucket.poller.poll(0) == 5
    assert bucket.left() == 1


def test_a_handler_that_fails_keeps_its_batch(
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
def test_what_comes_again_is_as_lambda_reads_the_answer(answer: Any, back: set[str]) -> None:
    """AWS Lambda Developer Guide, "Implementing partial batch responses"."""
    assert given_back(answer, [{"MessageId": "a"}, {"MessageId": "b"}]) == back


def test_schedules_strike_at_the_start_and_then_at_their_times(bucket: Bucket) -> None:
    """Each by itself, however long the poller was busy."""
    bucket.answer = {"swept": 0}
    for time, swept, reconciled in (
        (0, 1, 1),
        (3_599, 1, 1),
        (3_600, 2, 1),
        (9_000, 3, 1),
        (86_400, 4, 2),
    ):
        bucket.time = time
        bucket.poller.strike()
        assert bucket.seen.count(contract.SWEEP) == swept
        assert bucket.seen.count(contract.RECONCILE) == reconciled


def test_a_sweep_that_fails_is_asked_for_again_soon(bucket: Bucket) -> None:
    bucket.answer = RuntimeError("not now")
    bucket.poller.strike()
    bucket.time = 61
    bucket.poller.strike()
    assert bucket.seen == [contract.SWEEP, contract.RECONCILE] * 2


def test_a_queue_that_hiccups_is_asked_again(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The emulator may be gone, or say no, for a moment."""
    monkeypatch.setattr(arrivals, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(arrivals, "WAIT_SECONDS", 0)
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
        Poller(Shaky(), bucket.handle, bucket.errands).run()
    assert [list(event) for event in bucket.seen] == [["satchel"], ["satchel"], ["Records"]]


def test_while_something_is_in_hand_the_turn_is_taken(bucket: Bucket) -> None:
    """Who stops the process waits for it, and no longer than that."""
    bucket.put("alice/1.put")
    taken: list[bool] = []
    bucket.answer = lambda _: taken.append(bucket.poller.turn.locked())
    bucket.poller.poll(0)
    assert taken == [True]
    assert not bucket.poller.turn.locked()


def test_errands_are_those_that_the_stack_declares(bucket: Bucket) -> None:
    assert bucket.errands == Errands(
        queue_url=bucket.sqs.get_queue_url(QueueName="satchel-dev-upload-notifications")[
            "QueueUrl"
        ],
        queue_arn="arn:aws:sqs:eu-central-1:123456789012:satchel-dev-upload-notifications",
        batch_size=10,
        schedules=[(contract.SWEEP, 3_600), (contract.RECONCILE, 86_400)],
    )


def test_what_fails_five_times_is_put_aside(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A poison message does not turn for ever, and a person can look at it."""
    monkeypatch.setattr(arrivals, "HIDDEN_SECONDS", 0)
    bucket.put("alice/1.put")
    bucket.answer = RuntimeError("poison")
    assert [bucket.poller.poll(0) for _ in range(7)] == [1] * 5 + [0] * 2
    assert bucket.left() == 0
    aside = bucket.sqs.get_queue_url(QueueName="satchel-dev-upload-notifications-dead-letter")[
        "QueueUrl"
    ]
    assert len(bucket.sqs.receive_message(QueueUrl=aside)["Messages"]) == 1


@pytest.mark.slow
@pytest.mark.enable_socket
def test_news_of_what_the_emulator_acknowledged_survives_its_end(tmp_path: Path) -> None:
    """Who was answered 200 may go: the file becomes one even if the power fails at that moment."""
    with State(tmp_path) as state:
        session = boto3.Session(*state.administrator(), region_name=REGION)
        keys = [f"alice/bob/{number}.put" for number in range(20)]
        with Emulator(state, 0) as emulator:
            deployed = deploy(session, endpoint_url=emulator.url)
            with contextlib.closing(session.client("s3", endpoint_url=emulator.url)) as s3:
                for key in keys:
                    s3.put_object(Bucket=deployed.exports["bucket"], Key=key, Body=b"data")
            emulator.process.kill()
            emulator.process.wait()
        with Emulator(state, 0) as emulator:
            deployed = deploy(session, endpoint_url=emulator.url)
            with contextlib.closing(session.client("sqs", endpoint_url=emulator.url)) as sqs:
                told: list[str] = []

                def note(event: dict[str, Any], _: Any) -> None:
                    for record in event["Records"]:
                        told.extend(arrived(record["body"]))

                poller = Poller(sqs, note, errands_of(deployed))
                while poller.poll(0):
                    pass
        assert sorted(told) == sorted(keys)
