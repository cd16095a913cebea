"""In place of Lambda's event source mapping and EventBridge: a queue to poll, schedules to run.

`worker_pool` starts it with the environment of the function, so it has the rights of the
function's role. It ends with its parent, after the invocation that runs.
"""

import json
import logging
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.client import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.lambda_runtime import (
    TIMEOUT_SECONDS,
    Context,
    Event,
    Handler,
    exit_with_parent,
    start,
)

# Short: after a reader was killed the emulator still gives messages to its open request.
WAIT_SECONDS = 2
# Messages of a killed process return once its invocation would have timed out: no other process
# reads this queue.
VISIBILITY_SECONDS = TIMEOUT_SECONDS + 2
PAUSE_SECONDS = 1.0
RETRY_SECONDS = 60.0  # after a schedule failed, as Lambda retries asynchronous events
FAILED = "failed"

Message = dict[str, Any]
log = logging.getLogger("local.event_sources")  # this module runs as __main__


@dataclass(frozen=True)
class EventSourceConfig:
    """The declared event sources: the queue, messages per batch, events with their periods.

    A period is in seconds.
    """

    queue_url: str
    queue_arn: str
    batch_size: int
    schedules: list[tuple[Event, float]]


class Poller:
    """Invokes a handler with messages and scheduled events, one invocation at a time."""

    def __init__(
        self,
        sqs: Any,
        handler: Handler,
        sources: EventSourceConfig,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`sqs` is a client. Every schedule is due at once."""
        self._sqs, self._handler, self._sources, self._clock = sqs, handler, sources, clock
        self._next_runs = [clock() for _ in sources.schedules]
        self.invocation_lock = threading.Lock()

    def run(self) -> None:
        """Run schedules and poll for ever. Errors of the queue are logged and retried."""
        while True:
            try:
                self.run_due_schedules()
                self.poll(WAIT_SECONDS)
            except (BotoCoreError, ClientError) as error:
                log.warning("the queue cannot be read: %s", error)
                time.sleep(PAUSE_SECONDS)

    def run_due_schedules(self) -> None:
        """Invoke the handler with the event of each schedule that is due."""
        for number, (event, period) in enumerate(self._sources.schedules):
            if self._clock() < self._next_runs[number]:
                continue
            with self.invocation_lock:
                result = self._invoke(event)
            log.info("schedule: %s", result)
            wait = RETRY_SECONDS if result == FAILED else period
            self._next_runs[number] = self._clock() + wait

    def poll(self, wait: int) -> int:
        """Invoke the handler with the next batch; how many messages it has.

        Waits up to `wait` seconds for the first message.
        """
        batch: list[Message] = self._sqs.receive_message(
            QueueUrl=self._sources.queue_url,
            MaxNumberOfMessages=self._sources.batch_size,
            MessageSystemAttributeNames=["All"],
            VisibilityTimeout=VISIBILITY_SECONDS,
            WaitTimeSeconds=wait,
        ).get("Messages", [])
        if batch:
            with self.invocation_lock:
                self._handle(batch)
        return len(batch)

    def _handle(self, batch: list[Message]) -> None:
        """Invoke the handler with a batch, and delete the messages that did not fail."""
        records = [build_record(message, self._sources.queue_arn) for message in batch]
        failed = failed_message_ids(self._invoke({"Records": records}), batch)
        for message in batch:
            if message["MessageId"] not in failed:
                self._sqs.delete_message(
                    QueueUrl=self._sources.queue_url, ReceiptHandle=message["ReceiptHandle"]
                )
        log.info("messages: %d, failed: %d", len(batch), len(failed))

    def _invoke(self, event: Event) -> Any:
        """The result of the handler, or FAILED. Event and result are what JSON makes of them."""
        try:
            return json.loads(json.dumps(self._handler(json.loads(json.dumps(event)), Context())))
        except Exception:
            log.exception("the handler failed")
            return FAILED


def build_record(message: Message, queue_arn: str) -> dict[str, Any]:
    """The record of a message in an SQS event (AWS Lambda Developer Guide, Amazon SQS event)."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {},  # S3 sets none
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }


def failed_message_ids(result: Any, batch: list[Message]) -> set[str]:
    """The ids of the messages that return to the queue.

    An empty result is a success. A malformed result, or one that names an unknown id, fails the
    whole batch (AWS Lambda Developer Guide, Implementing partial batch responses).
    """
    sent = {message["MessageId"] for message in batch}
    if not result:
        return set()
    if not isinstance(result, dict):
        return sent
    named = {each.get("itemIdentifier") for each in result.get("batchItemFailures") or []}
    return sent if named - sent else named


def main() -> None:
    """Run the event sources of a function. Arguments: the handler, EventSourceConfig as JSON."""
    handler, sources = sys.argv[1:]
    function = start(handler)
    sqs = boto3.client("sqs", config=Config(read_timeout=WAIT_SECONDS + 10))
    poller = Poller(sqs, function, EventSourceConfig(**json.loads(sources)))
    exit_with_parent(lambda: poller.invocation_lock.acquire(timeout=TIMEOUT_SECONDS))
    poller.run()


if __name__ == "__main__":
    main()
