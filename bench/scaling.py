"""Measures requests in accounts of a thousand, ten thousand and a hundred thousand files.

The same requests are recorded in each account, and played back in turns. A page has the same number
of files in each account, so a cost that is higher in the larger one grows with the account.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3

from bench.recorder import Recorder, Recording
from bench.request_cost import Playback, interleaved, muted
from function import app, base, contract
from function.core.cursors import encode_cursor
from function.core.runtime import system_runtime
from function.http import problems
from function.listing.query import ListQuery
from function.tables.files import FileRow
from tests.support.bulk_files import fill
from tests.support.client import CONTEXT, join
from tests.support.fake_aws import REGION, FakeAws

SIZES = (1_000, 10_000, 100_000)
FOLDERS, PAGE = 100, 100


@dataclass(frozen=True)
class Scaling:
    """The AWS calls of a request, and its CPU milliseconds in the account of each size."""

    request: str
    calls: int
    milliseconds: list[float]


def numbered_name(number: int) -> str:
    """The name of a file; the files are spread over the same folders in accounts of any size."""
    return f"{number % FOLDERS:02}/photo {number:06}.jpg"


def record_accounts(fake_aws: FakeAws, settings: contract.Settings) -> dict[str, list[Recording]]:
    """The recordings of each request, in the order of the accounts' sizes."""
    taken: dict[str, list[Recording]] = {}
    for size in SIZES:
        for request, recording in record_account(fake_aws, settings, size).items():
            taken.setdefault(request, []).append(recording)
    return taken


def measure(recorded: dict[str, list[Recording]], settings: contract.Settings) -> list[Scaling]:
    """How each request scales. Raises RuntimeError when its calls depend on the account's size."""
    session = boto3.Session("bench", "bench", region_name=REGION)
    playback = Playback(session)
    base.use(base.Base(settings, session.client, system_runtime()))
    with muted(problems.logger):
        scalings = [compare(playback, *each) for each in recorded.items()]
    base.use(None)
    return scalings


def compare(playback: Playback, request: str, recordings: list[Recording]) -> Scaling:
    """How one request scales."""
    calls = {each.calls for each in recordings}
    if len(calls) > 1:
        raise RuntimeError(f"{request} takes {calls} calls")
    return Scaling(
        request, calls.pop(), interleaved(*(play(playback, each) for each in recordings))
    )


def play(playback: Playback, recording: Recording) -> Callable[[], Any]:
    """A program that plays a request. Raises RuntimeError when it has another status."""

    def played() -> Any:
        playback.load(recording)
        return app.lambda_handler(recording.event, CONTEXT)

    if played()["statusCode"] != recording.status:
        raise RuntimeError(f"{recording.event['rawPath']} was not {recording.status}")
    return played


def record_account(
    fake_aws: FakeAws, settings: contract.Settings, size: int
) -> dict[str, Recording]:
    """The recordings of all requests in an account with this number of files."""
    session = boto3.Session("testing", "testing", region_name=REGION)
    base.use(base.Base(settings, session.client, system_runtime()))
    recorder = Recorder(fake_aws)
    try:
        owner = f"has{size}"
        alice = join(owner)
        rows = fill(settings, owner, map(numbered_name, range(size)), content_type="image/jpeg")
        for request, method, path, sent in requests(rows):
            recorder.record(request, alice, method, path, **sent)
    finally:
        base.use(None)
    return recorder.recordings


def requests(rows: list[FileRow]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """The requests in each account: label, method, path, and query or fields."""
    pages: list[tuple[str, dict[str, str]]] = [
        ("the first page", {}),
        ("the page before the last", {"cursor": late_cursor(rows)}),
        ("the last page, `order=desc`", {"order": "desc"}),
        ("the newest, `sort=modified&order=desc`", {"sort": "modified", "order": "desc"}),
        ("a search, `q=photo`", {"q": "photo"}),
        ("a search, `q=pho 000042`", {"q": "pho 000042"}),
        ("one level, `folders=true`", {"folders": "true"}),
    ]
    for what, query in pages:
        yield f"GET /files, {what}", "GET", "/files", {"query": query}
    yield "GET /changes, 100", "GET", "/changes", {"query": {}}
    move = {"file_name": numbered_name(0), "new_name": "moved.jpg"}
    yield "PATCH /file, another name", "PATCH", "/file", {"fields": move}


def late_cursor(rows: list[FileRow]) -> str:
    """The cursor of the page before the last, as a client that follows all pages gets it."""
    last = sorted(row.name for row in rows)[-2 * PAGE - 1]
    return encode_cursor(["", last], rows[0].owner_id, ListQuery().validated().list_id)
