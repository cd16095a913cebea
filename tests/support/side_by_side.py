"""Clients side by side, in a simulated time: each call of AWS takes a while, and calls overlap.

The fake AWS does one call after the other, so transactions never meet. Here every client runs in a
thread of its own. One thread runs at a time; at each call and each pause it waits until it is the
next one in simulated time. DynamoDB's rule holds: a transaction is cancelled with the reason
TransactionConflict when another one is in progress on a row that it names, whether it would write
the row or only check it. A single write on such a row fails as well.
"""

import heapq
import json
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import BaseRouter
from botocore.awsrequest import AWSResponse

from function.http import router as http_router
from tests.support.client import Client
from tests.support.fake_aws import Call, FakeAws, failure, response
from tests.support.moto_rows import tables

TRANSACTION = 0.010, 0.020  # seconds from and to; drawn evenly
CANCELLED = 0.004, 0.008  # until a transaction's refusal is answered
OTHER_CALLS = {"PutObject": (0.015, 0.060)}
DEFAULT = 0.003, 0.008
SINGLE_WRITES = {"PutItem", "UpdateItem", "DeleteItem"}
Row = tuple[str, ...]


@dataclass
class SideBySide:
    """Runs clients side by side on a fake AWS, whose hooks it uses; the same `seed`, the same run.

    `time` is the simulated time in seconds. `conflicts` counts cancelled transactions, `rows` tells
    how often each row was the reason.
    """

    fake_aws: FakeAws
    seed: int = 1
    time: float = 0.0
    transactions: int = 0
    conflicts: int = 0
    rows: dict[Row, int] = field(default_factory=dict)
    _busy: set[Row] = field(default_factory=set)
    _due: list[tuple[float, int, threading.Semaphore]] = field(default_factory=list)
    _turns: dict[int, threading.Semaphore] = field(default_factory=dict)

    def run(self, clients: Sequence[Callable[[], Any]]) -> list[Any]:
        """The results of the clients, which begin within one call of each other.

        Raises the first error of a client.
        """
        self._random, self._number = random.Random(self.seed), count()
        state = random.getstate()
        random.seed(self.seed)  # the pauses of the product
        results: list[Any] = [None] * len(clients)
        errors: list[BaseException] = []

        def live(at: int, turn: threading.Semaphore) -> None:
            turn.acquire()
            try:
                results[at] = clients[at]()
            except BaseException as error:  # noqa: BLE001 - the others must go on
                errors.append(error)
            del self._turns[threading.get_ident()]
            self._next()

        turns = [threading.Semaphore(0) for _ in clients]
        threads = [threading.Thread(target=live, args=each) for each in enumerate(turns)]
        for thread, turn in zip(threads, turns, strict=True):
            thread.start()
            self._turns[thread.ident or 0] = turn
            self._wait_until(self.time + self._random.uniform(*DEFAULT), turn)
        self.fake_aws.before = self._before
        self._next()
        for thread in threads:
            thread.join()
        self.fake_aws.remove_hooks()
        random.setstate(state)
        if errors:
            raise errors[0]
        return results

    def sleep(self, seconds: float) -> None:
        """Pauses the client of this thread. Helper threads of a client take no simulated time."""
        turn = self._turns.get(threading.get_ident())
        if turn is not None:
            self._wait_until(self.time + seconds, turn)
            with other_process():
                self._next()
                turn.acquire()

    def _wait_until(self, time: float, turn: threading.Semaphore) -> None:
        heapq.heappush(self._due, (time, next(self._number), turn))

    def _next(self) -> None:
        if self._due:
            self.time, _, turn = heapq.heappop(self._due)
            turn.release()

    def _before(self, call: Call) -> AWSResponse | None:
        """Takes the time of a call; the answer of one that meets a transaction."""
        if call.operation == "TransactWriteItems":
            return self._transact(call)
        if call.operation in SINGLE_WRITES and self._busy & set(rows_of_call(call)):
            self.sleep(self._random.uniform(*CANCELLED))
            return failure(call, 400, "TransactionConflictException")
        self.sleep(self._random.uniform(*OTHER_CALLS.get(call.operation, DEFAULT)))
        return None

    def _transact(self, call: Call) -> AWSResponse | None:
        """Holds the rows of a transaction until it is applied, right after this returns."""
        rows = list(rows_of_call(call))
        self.transactions += 1
        if met := self._busy & set(rows):
            self.conflicts += 1
            for row in met:
                self.rows[row] = self.rows.get(row, 0) + 1
            self.sleep(self._random.uniform(*CANCELLED))
            return cancelled([row in met for row in rows])
        self._busy |= set(rows)
        self.sleep(self._random.uniform(*TRANSACTION))
        self._busy -= set(rows)
        return None


@contextmanager
def other_process() -> Iterator[None]:
    """Runs as in another process: Powertools keeps the current request in its classes."""
    context, event = dict(http_router.resolver.context), BaseRouter.current_event
    try:
        yield
    finally:
        http_router.resolver.context.clear()
        http_router.resolver.context.update(context)
        BaseRouter.current_event = event


def rows_of_call(call: Call) -> Iterator[Row]:
    """The rows that a write names: the table and the values of the key."""
    body = json.loads(call.request.body)
    for write in body.get("TransactItems") or [{"": body}]:
        for each in write.values():
            yield each["TableName"], *_key_values(each)


def _key_values(write: dict[str, Any]) -> list[str]:
    """The key of the row that a write names."""
    table, row = tables()[write["TableName"]], write.get("Key") or write["Item"]
    names = [table.hash_key_attr, table.range_key_attr]
    return [row[name]["S"] for name in names if name]


def cancelled(conflicts: Sequence[bool]) -> AWSResponse:
    """The answer to a transaction, some of whose writes met another transaction."""
    reasons = [{"Code": "TransactionConflict" if each else "None"} for each in conflicts]
    kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
    body = json.dumps({"__type": kind, "message": "", "CancellationReasons": reasons})
    return response(400, {"content-type": "application/x-amz-json-1.0"}, body.encode())


def collide(call: Call) -> AWSResponse | None:
    """Another transaction uses the same rows; each kind of write has its own error for that."""
    if call.operation == "TransactWriteItems":
        return cancelled([at == 0 for at, _ in enumerate(rows_of_call(call))])
    if call.operation in SINGLE_WRITES:
        return failure(call, 400, "TransactionConflictException")
    return None


@contextmanager
def conflicts(fake_aws: FakeAws, number: int = 1) -> Iterator[list[Call]]:
    """The first transactions of the block meet another one; notes those that are sent again."""
    left, sent = [number], []

    def before(call: Call) -> Any:
        if call.operation != "TransactWriteItems":
            return None
        if left[0]:
            left[0] -= 1
            return collide(call)
        sent.append(call)
        return None

    fake_aws.before = before
    yield sent
    fake_aws.remove_hooks()


def spread(alice: Client, fake_aws: FakeAws, *names: str) -> None:
    """Puts files whose commits meet others, so that the usage and the folders have shards."""
    for name in names:
        with conflicts(fake_aws):
            assert alice.put(name).status == 201
