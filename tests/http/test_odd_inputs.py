"""Odd input on every route: never a 5xx, a partial effect, or a secret in the answer."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from function.http.dependencies import needs_token
from tests.conftest import Behind
from tests.support import odd
from tests.support.client import PASSWORD, Answer, Client
from tests.support.samples import ROUTES, SAMPLES, WRITES, World, name_of, remember_reads

Key = tuple[str, str]
# Words of pydantic's own messages.
PYDANTIC_WORDS = re.compile(r"\b(Input|String|Value|List|Tuple|validation|dictionary|pattern)\b|\^")


def reads_json(key: Key) -> bool:
    """Whether the sample of a route has a JSON body."""
    return SAMPLES[key].body is not None


def writes_without_a_body(key: Key) -> bool:
    """Whether a route writes without a JSON body, so that nearly every input succeeds."""
    return not reads_json(key) and (key[0] in {"POST", "DELETE"} or key[1] == "/s3/params")


def with_speed(key: Key) -> Any:
    """Marks a route as slow where the effect of each input must be undone."""
    return pytest.param(key, marks=pytest.mark.slow) if writes_without_a_body(key) else key


each_route = pytest.mark.parametrize("key", [with_speed(key) for key in ROUTES], ids=name_of)
readers = pytest.mark.parametrize("key", list(filter(reads_json, ROUTES)), ids=name_of)


@dataclass
class Sender:
    """Sends odd inputs, and asserts what must hold after each."""

    world: World
    behind: Behind
    count: int = 0
    refused: int = 0

    def __call__(self, key: Key, what: str, *, refuse: bool | None = None, **sent: Any) -> Answer:
        """Sends one input as a permitted account; `refuse` asserts that it is refused or not."""
        self.count += 1
        ground = self.behind.ground
        before = len(ground.calls)
        # Each input comes from another address: the throttle of one would refuse it unread.
        address = f"198.51.{self.count // 250}.{self.count % 250}"
        sender = Client(sent.pop("token", self.world.sender(key).token), address)
        path = sent.pop("path", self.world.path(key))
        answer = sender.send(key[0], path, **sent)
        assert answer.status < 500, (key, what, answer.text[:300])
        if answer.status >= 400:
            self.refused += 1
            check_problem(answer, key, what, str(self.world.alice.token))
        if refuse is not None:
            assert (answer.status >= 400) is refuse, (key, what, answer.status, answer.text[:200])
        if WRITES & set(ground.calls[before:]):
            self.check_writes(answer, (key, what))
        return answer

    def check_writes(self, answer: Answer, which: Any) -> None:
        """Asserts that a refused input changed nothing; undoes an accepted one."""
        if answer.status >= 400:
            assert self.behind.state() == self.state, which
        else:
            self.restore()
            remember_reads(self.behind.ground)

    def __post_init__(self) -> None:
        self.state = self.behind.state()
        self.restore = self.behind.ground.snapshot()
        remember_reads(self.behind.ground)


def check_problem(answer: Answer, key: Key, what: str, token: str) -> None:
    """Asserts that a problem has a slug, a detail and our reasons, and contains no secret."""
    if key[0] != "HEAD":
        assert answer.slug, (key, what)
        assert answer.json()["detail"], (key, what)
        for error in answer.json().get("errors", []):
            assert not PYDANTIC_WORDS.search(error["reason"]), (key, what, error)
    for secret in (PASSWORD, token, token.partition(".")[2], "the first bytes", "bmV3"):
        assert secret not in answer.text, (key, what)


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
    assert ROUTES.keys() == SAMPLES.keys()


@each_route
def test_odd_bodies(send: Sender, key: Key) -> None:
    """Every route refuses an odd body; one that reads no body accepts an empty one."""
    query = SAMPLES[key].query
    with at_least(send, len(odd.BODIES) - (not reads_json(key))):
        for what, body, kind in odd.BODIES:
            headers = {"content-type": kind} if kind else {}
            refuse = True if reads_json(key) or body.strip() else None
            send(key, what, refuse=refuse, query=query, body=body, headers=headers)


@pytest.mark.slow
@readers
def test_odd_values(send: Sender, key: Key) -> None:
    """Each field of a good body gets an odd value, and an unknown field is refused."""
    body, query = SAMPLES[key].body or {}, SAMPLES[key].query
    with at_least(send, 10 * len(body)):
        for name in body:
            for value in odd.VALUES:
                what = f"{name}: {value!r}"[:80]
                send(key, what, query=query, json_={**body, name: value})
        closed = not key[1].startswith("/s3/")  # Uppy's bodies may have more
        extra = {"role": "admin", "created": 0}
        send(key, "more", refuse=closed or None, query=query, json_=body | extra)


@readers
def test_a_content_type_is_case_insensitive(send: Sender, key: Key) -> None:
    """`Application/JSON` is JSON."""
    expected = send(key, "as it is", query=SAMPLES[key].query, json_=SAMPLES[key].body).status
    for kind in odd.GOOD_TYPES:
        headers = {"content-type": kind}
        sample = SAMPLES[key]
        answer = send(key, kind, query=sample.query, json_=sample.body, headers=headers)
        assert answer.status == expected, (kind, answer.text)


@readers
def test_a_good_body_is_one_object_with_each_name_once(send: Sender, key: Key) -> None:
    """A good body is refused in an array, twice, with a repeated name, or in UTF-16."""
    query, good = SAMPLES[key].query, json.dumps(SAMPLES[key].body)
    first = next(iter(SAMPLES[key].body or {}))
    again = json.dumps((SAMPLES[key].body or {})[first])
    for what, text in (
        ("in an array", f"[{good}]"),
        ("twice in an array", f"[{good},{good}]"),
        ("twice", good + good),
        ("a name repeated", f'{good[:-1]}, "{first}": {again}}}'),
        ("NaN beside it", f'{good[:-1]}, "more": NaN}}'),
        ("as a string", json.dumps(good)),
    ):
        headers = {"content-type": "application/json"}
        send(key, what, refuse=True, query=query, body=text.encode(), headers=headers)
    utf16 = {"query": query, "body": good.encode("utf-16"), "headers": {}}
    send(key, "UTF-16", refuse=True, **utf16)


@each_route
def test_odd_queries(send: Sender, key: Key) -> None:
    """Unknown, repeated and malformed fields of the query are refused."""
    with at_least(send, 12):
        for query in odd.QUERIES:
            send(key, query[:80], query=query, json_=SAMPLES[key].body)
    for query in ("unknown=1", "%ff=1", "a%00=1", "a=1&a=2"):
        send(key, query, refuse=True, query=query, json_=SAMPLES[key].body)


@pytest.mark.slow
@each_route
def test_odd_query_values(send: Sender, key: Key) -> None:
    """Each field of the query that a route knows gets odd values."""
    for name in (field.alias for field in ROUTES[key].dependant.query_params):
        others = {n: v for n, v in SAMPLES[key].query.items() if n != name}
        rest = "".join(f"&{n}={v}" for n, v in others.items())
        for value in odd.QUERY_VALUES:
            query = f"{name}={value}{rest}"
            send(key, query[:80], query=query, json_=SAMPLES[key].body)


@pytest.mark.slow
@each_route
def test_odd_headers(send: Sender, key: Key) -> None:
    """A good request has odd header fields."""
    for headers in odd.HEADERS:
        sample = SAMPLES[key]
        what = repr(headers)[:80]
        send(key, what, query=sample.query, json_=sample.body, headers=headers)


@each_route
def test_odd_tokens(send: Sender, key: Key) -> None:
    """Odd tokens give 401 on routes that need a token, and are ignored on the others."""
    for token in odd.TOKENS:
        for headers in ({"x-session-token": token}, {"authorization": f"Bearer {token}"}):
            answer = send(
                key,
                repr(token)[:80],
                query=SAMPLES[key].query,
                json_=SAMPLES[key].body,
                token=None,
                headers=headers,
            )
            assert (answer.status == 401) is needs_token(ROUTES[key]), (token, answer.text)


@pytest.mark.slow
@pytest.mark.parametrize("key", [key for key in ROUTES if "{" in key[1]], ids=name_of)
def test_odd_ids(send: Sender, key: Key) -> None:
    """An id in the path that does not exist or is malformed gives a 4xx."""
    for text in odd.IDS:
        path = re.sub(r"{\w+}", lambda _: text, key[1])  # noqa: B023 - used at once
        sample = SAMPLES[key]
        what = path[:80]
        named = "{group}" in key[1] and re.fullmatch("[A-Za-z0-9][A-Za-z0-9.-]{1,63}", text)
        refuse = None if named else True
        send(key, what, refuse=refuse, path=path, query=sample.query, json_=sample.body)
