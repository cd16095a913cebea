"""No odd input gives a 5xx, is half done, or has a secret said again: on every route there is."""

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


# How the validation library speaks.
LIBRARYS_OWN = re.compile(r"\b(Input|String|Value|List|Tuple|validation|dictionary|pattern)\b|\^")


def reads_json(key: Key) -> bool:
    """Whether the route's body is JSON, when the sample is sent."""
    return SAMPLES[key].body is not None


def writes_without_a_body(key: Key) -> bool:
    """Whether nearly every input is good enough for the route, and changes what there is."""
    return not reads_json(key) and (key[0] in {"POST", "DELETE"} or key[1] == "/s3/params")


def pace(key: Key) -> Any:
    """A route for which what each input did must be undone takes its time."""
    return pytest.param(key, marks=pytest.mark.slow) if writes_without_a_body(key) else key


each_route = pytest.mark.parametrize("key", [pace(key) for key in ROUTES], ids=name_of)
readers = pytest.mark.parametrize("key", list(filter(reads_json, ROUTES)), ids=name_of)


@dataclass
class Tried:
    """Sends what a test thinks of and looks at what it did."""

    world: World
    behind: Behind
    count: int = 0
    refused: int = 0

    def __call__(self, key: Key, what: str, *, refuse: bool | None = None, **sent: Any) -> Answer:
        """Sends one input as whoever may; `refuse` says whether it must be refused."""
        self.count += 1
        ground = self.behind.ground
        before = len(ground.calls)
        # The throttle belongs to an address: each try comes from another, or would not be read.
        address = f"198.51.{self.count // 250}.{self.count % 250}"
        sender = Client(sent.pop("token", self.world.sender(key).token), address)
        path = sent.pop("path", self.world.path(key))
        answer = sender.send(key[0], path, **sent)
        assert answer.status < 500, (key, what, answer.text[:300])
        if answer.status >= 400:
            self.refused += 1
            look_at(answer, key, what, str(self.world.alice.token))
        if refuse is not None:
            assert (answer.status >= 400) is refuse, (key, what, answer.status, answer.text[:200])
        if WRITES & set(ground.calls[before:]):
            self.judge_writes(answer, (key, what))
        return answer

    def judge_writes(self, answer: Answer, which: Any) -> None:
        """What was refused has written nothing; what was done is undone for the next input."""
        if answer.status >= 400:
            assert self.behind.state() == self.state, which
        else:
            self.restore()
            remember_reads(self.behind.ground)

    def __post_init__(self) -> None:
        self.state = self.behind.state()
        self.restore = self.behind.ground.snapshot()
        remember_reads(self.behind.ground)


def look_at(answer: Answer, key: Key, what: str, token: str) -> None:
    """A problem has the one shape and says nothing that was secret."""
    if key[0] != "HEAD":
        assert answer.slug, (key, what)
        assert answer.json()["detail"], (key, what)
        for error in answer.json().get("errors", []):
            assert not LIBRARYS_OWN.search(error["reason"]), (key, what, error)
    for secret in (PASSWORD, token, token.partition(".")[2], "the first bytes", "bmV3"):
        assert secret not in answer.text, (key, what)


@pytest.fixture
def tried(world: World, behind: Behind) -> Tried:
    return Tried(world, behind)


@contextmanager
def at_least(tried: Tried, refused: int) -> Iterator[None]:
    """The test meant something: so many of its inputs were refused."""
    yield
    assert tried.refused >= refused, (tried.refused, tried.count)


def test_the_corpus_is_large() -> None:
    """Ninety odd inputs at least meet every route."""
    assert len(odd.BODIES) + len(odd.QUERIES) + len(odd.HEADERS) >= 90
    assert ROUTES.keys() == SAMPLES.keys()


@each_route
def test_odd_bodies(tried: Tried, key: Key) -> None:
    """Refused where a body is read, and where none is, unless there is nothing in it."""
    query = SAMPLES[key].query
    with at_least(tried, len(odd.BODIES) - (not reads_json(key))):
        for what, body, kind in odd.BODIES:
            headers = {"content-type": kind} if kind else {}
            refuse = True if reads_json(key) or body.strip() else None
            tried(key, what, refuse=refuse, query=query, body=body, headers=headers)


@pytest.mark.slow
@readers
def test_odd_values(tried: Tried, key: Key) -> None:
    """Instead of each field of a good body; unknown, missing and odd ones."""
    body, query = SAMPLES[key].body or {}, SAMPLES[key].query
    with at_least(tried, 10 * len(body)):
        for name in body:
            for value in odd.VALUES:
                what = f"{name}: {value!r}"[:80]
                tried(key, what, query=query, json_={**body, name: value})
        closed = not key[1].startswith("/s3/")  # Uppy's bodies may have more
        extra = {"role": "admin", "created": 0}
        tried(key, "more", refuse=closed or None, query=query, json_=body | extra)


@readers
def test_a_type_in_odd_letters_is_the_same_type(tried: Tried, key: Key) -> None:
    """`Application/JSON` is read as any other."""
    expected = tried(key, "as it is", query=SAMPLES[key].query, json_=SAMPLES[key].body).status
    for kind in odd.GOOD_TYPES:
        headers = {"content-type": kind}
        sample = SAMPLES[key]
        answer = tried(key, kind, query=sample.query, json_=sample.body, headers=headers)
        assert answer.status == expected, (kind, answer.text)


@readers
def test_a_good_body_is_one_object_with_each_name_once(tried: Tried, key: Key) -> None:
    """In an array, twice, with a name repeated, or in UTF-16 it is good no more."""
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
        tried(key, what, refuse=True, query=query, body=text.encode(), headers=headers)
    utf16 = {"query": query, "body": good.encode("utf-16"), "headers": {}}
    tried(key, "UTF-16", refuse=True, **utf16)


@each_route
def test_odd_queries(tried: Tried, key: Key) -> None:
    """Unknown, repeated and broken fields are refused."""
    with at_least(tried, 12):
        for query in odd.QUERIES:
            tried(key, query[:80], query=query, json_=SAMPLES[key].body)
    for query in ("unknown=1", "%ff=1", "a%00=1", "a=1&a=2"):
        tried(key, query, refuse=True, query=query, json_=SAMPLES[key].body)


@pytest.mark.slow
@each_route
def test_odd_query_values(tried: Tried, key: Key) -> None:
    """Instead of each field that the route knows."""
    for name in (field.alias for field in ROUTES[key].dependant.query_params):
        others = {n: v for n, v in SAMPLES[key].query.items() if n != name}
        rest = "".join(f"&{n}={v}" for n, v in others.items())
        for value in odd.QUERY_VALUES:
            query = f"{name}={value}{rest}"
            tried(key, query[:80], query=query, json_=SAMPLES[key].body)


@pytest.mark.slow
@each_route
def test_odd_headers(tried: Tried, key: Key) -> None:
    """Beside a good request."""
    for headers in odd.HEADERS:
        sample = SAMPLES[key]
        what = repr(headers)[:80]
        tried(key, what, query=sample.query, json_=sample.body, headers=headers)


@each_route
def test_odd_tokens(tried: Tried, key: Key) -> None:
    """401 on each route that asks who is calling, and ignored on the others; never read further."""
    for token in odd.TOKENS:
        for headers in ({"x-session-token": token}, {"authorization": f"Bearer {token}"}):
            answer = tried(
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
def test_odd_ids(tried: Tried, key: Key) -> None:
    """Nobody's, or none at all: 4xx, whatever stands in the path."""
    for text in odd.IDS:
        path = re.sub(r"{\w+}", lambda _: text, key[1])  # noqa: B023 - used at once
        sample = SAMPLES[key]
        what = path[:80]
        named = "{group}" in key[1] and re.fullmatch("[A-Za-z0-9][A-Za-z0-9.-]{1,63}", text)
        refuse = None if named else True
        tried(key, what, refuse=refuse, path=path, query=sample.query, json_=sample.body)
