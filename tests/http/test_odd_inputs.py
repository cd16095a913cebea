"""Odd input on every route: never a 5xx, a partial effect, or a secret in the answer."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.conftest import Behind
from tests.support import odd
from tests.support.api_register import ROUTES, WRITES, Route
from tests.support.client import PASSWORD, Answer, Client
from tests.support.fake_aws import Call, FakeAws, response
from tests.support.world import World

# Words of pydantic's own messages.
PYDANTIC_WORDS = re.compile(r"\b(Input|String|Value|List|Tuple|validation|dictionary|pattern)\b|\^")


def writes_without_a_body(route: Route) -> bool:
    """Whether a route writes without a JSON body, so that nearly every input succeeds."""
    changes = route.method in {"POST", "DELETE"} or route.path == "/s3/params"
    return route.body is None and changes


def param(route: Route) -> Any:
    """Marks a route as slow where the effect of each input must be undone."""
    return pytest.param(route, marks=pytest.mark.slow) if writes_without_a_body(route) else route


each_route = pytest.mark.parametrize("route", [param(route) for route in ROUTES], ids=str)
each_reader = pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.body is not None], ids=str
)


@dataclass
class Sender:
    """Sends odd inputs, and asserts what must hold after each."""

    world: World
    behind: Behind
    count: int = 0
    refused: int = 0

    def __call__(
        self, route: Route, what: str, *, refuse: bool | None = None, **sent: Any
    ) -> Answer:
        """Sends one input as a permitted account; `refuse` asserts that it is refused or not."""
        self.count += 1
        fake_aws = self.behind.fake_aws
        before = len(fake_aws.calls)
        # Each input comes from another address: the throttle of one would refuse it unread.
        address = f"198.51.{self.count // 250}.{self.count % 250}"
        sender = Client(sent.pop("token", self.world.sender(route).token), address)
        path = sent.pop("path", self.world.path(route))
        sent["headers"] = {**route.headers, **sent.get("headers", {})}
        answer = sender.send(route.method, path, **sent)
        assert answer.status < 500, (route, what, answer.text[:300])
        if answer.status >= 400:
            self.refused += 1
            check_problem(answer, route, what, str(self.world.alice.token))
        if refuse is not None:
            assert (answer.status >= 400) is refuse, (route, what, answer.status, answer.text[:200])
        if WRITES & set(fake_aws.calls[before:]):
            self.check_writes(answer, (route, what))
        return answer

    def check_writes(self, answer: Answer, which: Any) -> None:
        """Asserts that a refused input changed nothing; undoes an accepted one."""
        if answer.status >= 400:
            assert self.behind.state() == self.state, which
        else:
            self.restore()
            remember_reads(self.behind.fake_aws)

    def __post_init__(self) -> None:
        self.state = self.behind.state()
        self.restore = self.behind.fake_aws.snapshot()
        remember_reads(self.behind.fake_aws)


def remember_reads(fake_aws: FakeAws) -> None:
    """Answers a read as the last time until something is written.

    Thousands of refused requests read the same rows.
    """
    known: dict[bytes, Any] = {}
    reads = {"BatchGetItem", "Query"}
    serve: Callable[[Call], Any] = fake_aws.before

    def before(call: Call) -> Any:
        answer = serve(call)
        if answer is None and call.operation in WRITES:
            known.clear()
        held = known.get(call.request.body) if call.operation in reads else None
        return answer or (held and response(200, *held))

    def after(call: Call, answer: Any) -> Any:
        if call.operation in reads and answer.status_code == 200:
            known[call.request.body] = (answer.headers, answer.content)
        return answer

    fake_aws.before, fake_aws.after = before, after


def check_problem(answer: Answer, route: Route, what: str, token: str) -> None:
    """Asserts that a problem has a slug, a detail and our reasons, and contains no secret."""
    if route.method != "HEAD":
        assert answer.slug, (route, what)
        assert answer.json()["detail"], (route, what)
        for error in answer.json().get("errors", []):
            assert not PYDANTIC_WORDS.search(error["reason"]), (route, what, error)
    text = answer.text.replace(answer.headers["x-request-id"], "")  # random, so it may hold bmV3
    for secret in (PASSWORD, token, token.partition(".")[2], "the first bytes", "bmV3"):
        assert secret not in text, (route, what)


@pytest.fixture
def send(world: World, behind: Behind) -> Sender:
    return Sender(world, behind)


@contextmanager
def at_least(send: Sender, refused: int) -> Iterator[None]:
    """Asserts that at least `refused` inputs were refused, so the inputs were odd."""
    yield
    assert send.refused >= refused, (send.refused, send.count)


def test_the_corpus_is_large() -> None:
    """Each route gets at least ninety odd inputs."""
    assert len(odd.BODIES) + len(odd.QUERIES) + len(odd.HEADERS) >= 90


@each_route
def test_odd_bodies(send: Sender, route: Route) -> None:
    """Every route refuses an odd body; one that reads no body accepts an empty one.

    No body is odd where the body is a file.
    """
    reads = route.body is not None
    with at_least(send, 0 if route.file_body else len(odd.BODIES) - (not reads)):
        for what, body, kind in odd.BODIES:
            headers = {"content-type": kind} if kind else {}
            refuse = True if (reads or body.strip()) and not route.file_body else None
            send(route, what, refuse=refuse, query=route.query, body=body, headers=headers)


@pytest.mark.slow
@each_reader
def test_odd_values(send: Sender, route: Route) -> None:
    """Each field of a good body gets an odd value, and an unknown field is refused."""
    body, query = dict(route.body or {}), route.query
    with at_least(send, 10 * len(body)):
        for name in body:
            for value in odd.VALUES:
                what = f"{name}: {value!r}"[:80]
                send(route, what, query=query, json_={**body, name: value})
        closed = not route.path.startswith("/s3/")  # Uppy's bodies may have more
        extra = {"role": "admin", "created": 0}
        send(route, "more", refuse=closed or None, query=query, json_=body | extra)


@each_reader
def test_a_content_type_is_case_insensitive(send: Sender, route: Route) -> None:
    """`Application/JSON` is JSON."""
    expected = send(route, "as it is", query=route.query, json_=route.body).status
    for kind in odd.GOOD_TYPES:
        headers = {"content-type": kind}
        answer = send(route, kind, query=route.query, json_=route.body, headers=headers)
        assert answer.status == expected, (kind, answer.text)


@each_reader
def test_a_good_body_is_one_object_with_each_name_once(send: Sender, route: Route) -> None:
    """A good body is refused in an array, twice, with a repeated name, or in UTF-16."""
    query, body = route.query, dict(route.body or {})
    good, first = json.dumps(body), next(iter(body))
    again = json.dumps(body[first])
    for what, text in (
        ("in an array", f"[{good}]"),
        ("twice in an array", f"[{good},{good}]"),
        ("twice", good + good),
        ("a name repeated", f'{good[:-1]}, "{first}": {again}}}'),
        ("NaN beside it", f'{good[:-1]}, "more": NaN}}'),
        ("as a string", json.dumps(good)),
    ):
        headers = {"content-type": "application/json"}
        send(route, what, refuse=True, query=query, body=text.encode(), headers=headers)
    utf16 = {"query": query, "body": good.encode("utf-16"), "headers": {}}
    send(route, "UTF-16", refuse=True, **utf16)


@each_route
def test_odd_queries(send: Sender, route: Route) -> None:
    """Unknown, repeated and malformed fields of the query are refused."""
    with at_least(send, 12):
        for query in odd.QUERIES:
            send(route, query[:80], query=query, json_=route.body)
    for query in ("unknown=1", "%ff=1", "a%00=1", "a=1&a=2"):
        send(route, query, refuse=True, query=query, json_=route.body)


@pytest.mark.slow
@each_route
def test_odd_query_values(send: Sender, route: Route) -> None:
    """Each field of the query that a route knows gets odd values."""
    for name in (field.alias for field in route.handler.dependant.query_params):
        others = {n: v for n, v in route.query.items() if n != name}
        rest = "".join(f"&{n}={v}" for n, v in others.items())
        for value in odd.QUERY_VALUES:
            query = f"{name}={value}{rest}"
            send(route, query[:80], query=query, json_=route.body)


@pytest.mark.slow
@each_route
def test_odd_headers(send: Sender, route: Route) -> None:
    """A good request has odd header fields."""
    for headers in odd.HEADERS:
        what = repr(headers)[:80]
        send(route, what, query=route.query, json_=route.body, headers=headers)


@each_route
def test_odd_tokens(send: Sender, route: Route) -> None:
    """Odd tokens give 401 on routes that need a token, and are ignored on the others."""
    for token in odd.TOKENS:
        for headers in ({"x-session-token": token}, {"authorization": f"Bearer {token}"}):
            answer = send(
                route,
                repr(token)[:80],
                query=route.query,
                json_=route.body,
                token=None,
                headers=headers,
            )
            assert (answer.status == 401) is not route.public, (token, answer.text)


@pytest.mark.slow
@pytest.mark.parametrize("route", [each for each in ROUTES if "{" in each.path], ids=str)
def test_odd_ids(send: Sender, route: Route) -> None:
    """An id in the path that does not exist or is malformed gives a 4xx."""
    for text in odd.IDS:
        path = re.sub(r"{\w+}", lambda _: text, route.path)  # noqa: B023 - used at once
        what = path[:80]
        named = "{group}" in route.path and re.fullmatch("[A-Za-z0-9][A-Za-z0-9.-]{1,63}", text)
        refuse = None if named or "{name}" in route.path else True
        send(route, what, refuse=refuse, path=path, query=route.query, json_=route.body)
