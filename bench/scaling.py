"""What a request costs in an account of a thousand files, of ten and of a hundred thousand.

The same requests are taped in each account, and played back in turns. A page has as many files in
each of them, so what is dearer in the larger one is what grows with the account.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3

from bench.recorder import Recorder, Taped
from bench.request_cost import Player, in_turns, silent
from function import app, base, contract
from function.core.cursors import seal
from function.core.runtime import system_runtime
from function.http import responses
from function.listing.query import ListQuery
from function.tables.files import FileRow
from tests.support.bulk_files import fill
from tests.support.client import CONTEXT, join
from tests.support.fake_aws import REGION, Ground

SIZES = (1_000, 10_000, 100_000)
FOLDERS, PAGE = 100, 100


@dataclass(frozen=True)
class Curve:
    """A request's calls of AWS, in accounts of every size, and its CPU milliseconds in each."""

    request: str
    calls: int
    milliseconds: list[float]


def name_of(number: int) -> str:
    """Files spread over as many folders in an account of any size."""
    return f"{number % FOLDERS:02}/photo {number:06}.jpg"


def record(ground: Ground, settings: contract.Settings) -> dict[str, list[Taped]]:
    """Each request in the accounts of all sizes, taped."""
    taken: dict[str, list[Taped]] = {}
    for size in SIZES:
        for request, tape in record_one(ground, settings, size).items():
            taken.setdefault(request, []).append(tape)
    return taken


def curves(taken: dict[str, list[Taped]], settings: contract.Settings) -> list[Curve]:
    """Each request's. Raises RuntimeError when one takes more calls in a larger account."""
    session = boto3.Session("bench", "bench", region_name=REGION)
    player = Player(session)
    base.use(base.Base(settings, session.client, system_runtime()))
    with silent(responses.logger):
        found = [curve(player, request, tapes) for request, tapes in taken.items()]
    base.use(None)
    return found


def curve(player: Player, request: str, tapes: list[Taped]) -> Curve:
    """A request in the accounts of all sizes, in turns."""
    calls = {tape.calls for tape in tapes}
    if len(calls) > 1:
        raise RuntimeError(f"{request} takes {calls} calls")
    return Curve(request, calls.pop(), in_turns(*(play(player, tape) for tape in tapes)))


def play(player: Player, tape: Taped) -> Callable[[], Any]:
    """A program that plays a tape. Raises RuntimeError when it does not do what it did."""

    def played() -> Any:
        player.load(tape)
        return app.lambda_handler(tape.event, CONTEXT)

    if played()["statusCode"] != tape.status:
        raise RuntimeError(f"{tape.event['rawPath']} was not {tape.status}")
    return played


def record_one(ground: Ground, settings: contract.Settings, size: int) -> dict[str, Taped]:
    """The requests in an account of some size, taped."""
    session = boto3.Session("testing", "testing", region_name=REGION)
    base.use(base.Base(settings, session.client, system_runtime()))
    recorder = Recorder(ground)
    try:
        owner = f"has{size}"
        alice = join(owner)
        rows = fill(settings, owner, map(name_of, range(size)), content_type="image/jpeg")
        for request, method, path, sent in requests(rows):
            recorder.take(request, alice, method, path, **sent)
    finally:
        base.use(None)
    return recorder.tapes


def requests(rows: list[FileRow]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """What is asked in each account."""
    pages: list[tuple[str, dict[str, str]]] = [
        ("the first page", {}),
        ("the page before the last", {"cursor": near_the_end(rows)}),
        ("the last page, `order=desc`", {"order": "desc"}),
        ("the newest, `sort=modified&order=desc`", {"sort": "modified", "order": "desc"}),
        ("a search, `q=photo`", {"q": "photo"}),
        ("a search, `q=pho 000042`", {"q": "pho 000042"}),
        ("one level, `folders=true`", {"folders": "true"}),
    ]
    for what, query in pages:
        yield f"GET /files, {what}", "GET", "/files", {"query": query}
    yield "GET /changes, 100", "GET", "/changes", {"query": {}}
    move = {"file_name": name_of(0), "new_name": "moved.jpg"}
    yield "PATCH /file, another name", "PATCH", "/file", {"fields": move}


def near_the_end(rows: list[FileRow]) -> str:
    """The cursor of the page before the last, as following all pages would give it."""
    last = sorted(row.name for row in rows)[-2 * PAGE - 1]
    return seal(["", last], rows[0].owner_id, ListQuery().settled().list_id)
