"""What a request costs the function in CPU when it is warm, with AWS's answers played back.

botocore does all its work but that of the wire: it signs, serialises, parses. The reference is the
plain handler of `reference.plain_handler`, which reads one row.
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

from bench.recorder import Taped, name_of
from function import app, base, contract
from function.core.runtime import system_runtime
from function.http import responses
from tests.support.client import CONTEXT
from tests.support.fake_aws import REGION, response

ROW = {"Item": {"shelf": {"S": "alice"}, "name": {"S": "a.txt"}, "size": {"N": "12"}}}
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
class Figure:
    """A request's calls of AWS, its CPU milliseconds, and their ratio to the reference's."""

    route: str
    calls: int
    milliseconds: float
    ratio: float


class Player:
    """Answers a session's calls with those of a tape, round and round."""

    def __init__(self, session: boto3.Session) -> None:
        """Clients made of this session from now on call nobody."""
        self.calls = 0
        self._answers: dict[str, Iterator[tuple[int, dict[str, str], bytes]]] = {}
        hooks: Any = session.events
        hooks.register("before-send", self._answer)

    def load(self, tape: Taped) -> None:
        """The next answers are this tape's."""
        self._answers = {name: cycle(each) for name, each in tape.answers.items()}

    def _answer(self, request: Any, event_name: str, **_: Any) -> AWSResponse:
        self.calls += 1
        name = name_of(event_name.rpartition(".")[2], request.body)
        return response(*next(self._answers[name]))


def figures(tapes: dict[str, Taped], settings: contract.Settings) -> list[Figure]:
    """The reference's figure and each route's. Raises RuntimeError when one answers otherwise."""
    session = boto3.Session("bench", "bench", region_name=REGION)
    player = Player(session)
    base.use(base.Base(settings, session.client, system_runtime()))
    plain = plain_handler()
    taken = []
    with silent(responses.logger), silent(plain.logger):
        for label, tape in tapes.items():
            player.load(tape)
            prove(player, label, tape)
            reference, route = in_turns(
                partial(plain.lambda_handler, ROW_EVENT, CONTEXT),
                partial(app.lambda_handler, tape.event, CONTEXT),
            )
            taken.append((reference, Figure(label, tape.calls, route, route / reference)))
    base.use(None)
    reference = statistics.median(reference for reference, _ in taken)
    return [Figure("*plain handler, one row*", 1, reference, 1.0), *(each for _, each in taken)]


def prove(player: Player, label: str, tape: Taped) -> None:
    """Warms a route, and sees that it does what it did. Raises RuntimeError when it does not."""
    app.lambda_handler(tape.event, CONTEXT)
    player.calls = 0
    status = app.lambda_handler(tape.event, CONTEXT)["statusCode"]
    if (status, player.calls) != (tape.status, tape.calls):
        raise RuntimeError(f"{label} was {status} after {player.calls} calls")


def plain_handler() -> Any:
    """The reference, with clients that call nobody."""
    keys: dict[str, Any] = {"aws_access_key_id": "bench", "aws_secret_access_key": "bench"}
    boto3.setup_default_session(**keys, region_name=REGION)
    taped = Taped({})
    kind = {"content-type": "application/x-amz-json-1.0"}
    taped.answers["GetItem files "].append((200, kind, json.dumps(ROW).encode()))
    Player(boto3._get_default_session()).load(taped)  # noqa: SLF001 - where resources come from
    return importlib.import_module("bench.reference.plain_handler")


def in_turns(*programs: Callable[[], Any]) -> list[float]:
    """The median CPU milliseconds of each, all threads' together.

    They take turns, so that whatever else the machine does meets them all alike.
    """
    taken: list[list[float]] = [[] for _ in programs]
    end = time.monotonic() + SECONDS
    while len(taken[0]) < FEWEST or time.monotonic() < end:
        for program, times in zip(programs, taken, strict=True):
            begun = time.process_time()
            program()
            times.append((time.process_time() - begun) * 1000)
    return [statistics.median(times) for times in taken]


@contextmanager
def silent(logger: Any) -> Iterator[None]:
    """Lets a logger do its work and write it nowhere."""
    handler = logger.registered_handler
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123
        before = handler.setStream(nowhere)
        try:
            yield
        finally:
            handler.setStream(before)
