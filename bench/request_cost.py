"""Measures the CPU of each route's request in a warm function, with the answers of AWS played back.

botocore signs, serialises and parses as ever; only the network is missing. The reference is
`reference.plain_handler`, which reads one row.
"""

import importlib
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse

from bench.recorder import Recording, call_key
from function import app, base, contract
from function.core.runtime import system_runtime
from function.http import problems
from tests.support.client import CONTEXT
from tests.support.fake_aws import REGION, response

ROW = {"Item": {"partition": {"S": "alice"}, "name": {"S": "a.txt"}, "size": {"N": "12"}}}
ROW_EVENT = {
    "version": "2.0",
    "rawPath": "/item",
    "rawQueryString": "",
    "headers": {},
    "requestContext": {"stage": "$default", "http": {"method": "GET", "path": "/item"}},
    "isBase64Encoded": False,
}
SECONDS = 0.8
FEWEST = 15


@dataclass(frozen=True)
class RequestCost:
    """The calls and units of a request, its CPU milliseconds, and their ratio to the reference's.

    `read_units` and `write_units` are DynamoDB's, as `tests.support.meter` counts them.
    """

    request: str
    calls: int
    read_units: float
    write_units: int
    milliseconds: float
    ratio: float


class Playback:
    """Answers the calls of a session with those of a recording, over and over."""

    def __init__(self, session: boto3.Session) -> None:
        """Clients that the session makes from now on send no requests."""
        self.calls = 0
        self._answers: dict[str, Iterator[tuple[int, dict[str, str], bytes]]] = {}
        hooks: Any = session.events
        hooks.register("before-send", self._answer)

    def load(self, recording: Recording) -> None:
        """Answers the next calls from this recording."""
        self._answers = {name: cycle(each) for name, each in recording.answers.items()}

    def _answer(self, request: Any, event_name: str, **_: Any) -> AWSResponse:
        self.calls += 1
        name = call_key(event_name.rpartition(".")[2], request.body)
        return response(*next(self._answers[name]))


def measure(recordings: dict[str, Recording], settings: contract.Settings) -> list[RequestCost]:
    """The cost of the reference and of each request.

    Raises RuntimeError when a request is not answered as it was recorded.
    """
    session = boto3.Session("bench", "bench", region_name=REGION)
    playback = Playback(session)
    base.use(base.Base(settings, session.client, system_runtime()))
    plain = plain_handler()
    taken = []
    with muted(problems.logger), muted(plain.logger):
        for label, recording in recordings.items():
            playback.load(recording)
            verify(playback, label, recording)
            reference, request = interleaved(
                partial(plain.lambda_handler, ROW_EVENT, CONTEXT),
                partial(app.lambda_handler, recording.event, CONTEXT),
            )
            units = recording.cost.read_units, recording.cost.write_units
            cost = RequestCost(label, recording.calls, *units, request, request / reference)
            taken.append((reference, cost))
    base.use(None)
    reference = statistics.median(reference for reference, _ in taken)
    return [
        RequestCost("*plain handler, one row*", 1, 1, 0, reference, 1.0),
        *(each for _, each in taken),
    ]


def verify(playback: Playback, label: str, recording: Recording) -> None:
    """Runs a request until it is warm. Raises RuntimeError when its status or calls are others."""
    app.lambda_handler(recording.event, CONTEXT)
    playback.calls = 0
    status = app.lambda_handler(recording.event, CONTEXT)["statusCode"]
    if (status, playback.calls) != (recording.status, recording.calls):
        raise RuntimeError(f"{label} was {status} after {playback.calls} calls")


def plain_handler() -> Any:
    """The reference, with clients that send no requests."""
    keys: dict[str, Any] = {"aws_access_key_id": "bench", "aws_secret_access_key": "bench"}
    boto3.setup_default_session(**keys, region_name=REGION)
    recording = Recording({})
    kind = {"content-type": "application/x-amz-json-1.0"}
    recording.answers["GetItem files "].append((200, kind, json.dumps(ROW).encode()))
    Playback(boto3._get_default_session()).load(recording)  # noqa: SLF001 - where resources come from
    return importlib.import_module("bench.reference.plain_handler")


def interleaved(*programs: Callable[[], Any]) -> list[float]:
    """The median CPU milliseconds of each program, over all its threads.

    The programs take turns, so that the machine's other work slows all of them.
    """
    taken: list[list[float]] = [[] for _ in programs]
    end = time.monotonic() + SECONDS
    while len(taken[0]) < FEWEST or time.monotonic() < end:
        for program, times in zip(programs, taken, strict=True):
            started = time.process_time()
            program()
            times.append((time.process_time() - started) * 1000)
    return [statistics.median(times) for times in taken]


@contextmanager
def muted(logger: Any) -> Iterator[None]:
    """Has a logger format its lines and write them to the null device."""
    handler = logger.registered_handler
    with open(os.devnull, "w", encoding="utf-8") as null:  # noqa: PTH123
        before = handler.setStream(null)
        try:
            yield
        finally:
            handler.setStream(before)
