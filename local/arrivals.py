"""What calls the function besides people, on one machine: the queue of arrivals, and the clock.

Plays Lambda's event source mapping and the schedule, as the stack declares them. Started by `crew`
in the workers' environment, so with the function's role and no more; imports the function only
here. Stops when its standard input ends, after what it has in hand.
"""

import importlib
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.client import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.lambda_runtime import TIMEOUT_SECONDS, Context

# The emulator waits on for a reader that was killed, and hands it what comes meanwhile.
WAIT_SECONDS = 2
# Nobody else reads this queue, so what a poller had in hand when it was killed may come again as
# soon as the function would have been stopped.
HIDDEN_SECONDS = TIMEOUT_SECONDS + 2
PAUSE_SECONDS = 1.0
AGAIN_SECONDS = 60.0  # as Lambda does with an event of the schedule that failed
FAILED = "failed"

Handler = Callable[[dict[str, Any], Context], Any]
Message = dict[str, Any]
log = logging.getLogger("local.arrivals")  # it runs as __main__


@dataclass(frozen=True)
class Errands:
    """What the stack declares: the queue, messages at once, events and the seconds between them."""

    queue_url: str
    queue_arn: str
    batch_size: int
    schedules: list[tuple[dict[str, Any], float]]


class Poller:
    """Hands messages and the hours to a handler, one call at a time as one instance does."""

    def __init__(
        self,
        sqs: Any,
        handler: Handler,
        errands: Errands,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`sqs` is a client; the first hour strikes at once."""
        self._sqs, self._handler, self._errands, self._clock = sqs, handler, errands, clock
        self._due = [clock() for _ in errands.schedules]
        self.turn = threading.Lock()  # held while something is in hand

    def run(self) -> None:
        """Forever, whatever the emulator does meanwhile."""
        while True:
            try:
                self.strike()
                self.poll(WAIT_SECONDS)
            except (BotoCoreError, ClientError) as error:
                log.warning("the queue cannot be read: %s", error)
                time.sleep(PAUSE_SECONDS)

    def strike(self) -> None:
        """Send what the schedules send, each if its time has come."""
        for number, (event, every_seconds) in enumerate(self._errands.schedules):
            if self._clock() < self._due[number]:
                continue
            with self.turn:
                answer = self._call(event)
            log.info("schedule: %s", answer)
            wait = AGAIN_SECONDS if answer == FAILED else every_seconds
            self._due[number] = self._clock() + wait

    def poll(self, wait: int) -> int:
        """Hand over the next messages, if any come within so many seconds; how many came."""
        batch: list[Message] = self._sqs.receive_message(
            QueueUrl=self._errands.queue_url,
            MaxNumberOfMessages=self._errands.batch_size,
            MessageSystemAttributeNames=["All"],
            VisibilityTimeout=HIDDEN_SECONDS,
            WaitTimeSeconds=wait,
        ).get("Messages", [])
        if batch:
            with self.turn:
                self._hand_over(batch)
        return len(batch)

    def _hand_over(self, batch: list[Message]) -> None:
        """Call the handler, and delete what it did not give back."""
        records = [record(message, self._errands.queue_arn) for message in batch]
        back = given_back(self._call({"Records": records}), batch)
        for message in batch:
            if message["MessageId"] not in back:
                self._sqs.delete_message(
                    QueueUrl=self._errands.queue_url, ReceiptHandle=message["ReceiptHandle"]
                )
        log.info("arrivals: %d, given back: %d", len(batch), len(back))

    def _call(self, event: dict[str, Any]) -> Any:
        """The handler's answer, both as JSON carries them, or FAILED."""
        try:
            return json.loads(json.dumps(self._handler(json.loads(json.dumps(event)), Context())))
        except Exception:
            log.exception("the handler failed")
            return FAILED


def record(message: Message, queue_arn: str) -> dict[str, Any]:
    """A message as Lambda words it (AWS Lambda Developer Guide, Amazon SQS event)."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {},  # S3 sends none
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }


def given_back(answer: Any, batch: list[Message]) -> set[str]:
    """The ids of the messages that must come again, which is all of them unless it is clear.

    Nothing, or an empty list, is success; an answer that names what was not sent is none
    (AWS Lambda Developer Guide, reporting batch item failures).
    """
    sent = {message["MessageId"] for message in batch}
    if not answer:
        return set()
    if not isinstance(answer, dict):
        return sent
    named = {each.get("itemIdentifier") for each in answer.get("batchItemFailures") or []}
    return sent if named - sent else named


def main() -> None:
    """Run errands with `module.function`: two arguments, the second the errands as JSON."""
    handler, errands = sys.argv[1:]
    logging.basicConfig(format="%(message)s", stream=sys.stdout)
    logging.getLogger("local").setLevel(logging.INFO)
    module, _, name = handler.rpartition(".")
    function = getattr(importlib.import_module(module), name)
    patient = Config(read_timeout=WAIT_SECONDS + 10)
    sqs = boto3.client("sqs", config=patient)
    poller = Poller(sqs, function, Errands(**json.loads(errands)))

    def end_with_input() -> None:
        sys.stdin.buffer.read()
        poller.turn.acquire(timeout=TIMEOUT_SECONDS)
        os._exit(0)  # the other thread waits for news that may take its time

    threading.Thread(target=end_with_input).start()
    poller.run()


if __name__ == "__main__":
    main()
