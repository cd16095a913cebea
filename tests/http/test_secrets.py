"""No log line and no row has a secret in clear, and no expression has a reserved word."""

import io
import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from function.http.problems import logger
from tests.conftest import Behind
from tests.support.api_register import ROUTES
from tests.support.client import Client
from tests.support.every_operation import CONTENT, PASSWORD, Run
from tests.support.fake_aws import Call, FakeAws
from tests.support.world import World


@contextmanager
def captured_logs(level: int) -> Iterator[io.StringIO]:
    """The lines of all loggers, as JSON or text, and the standard output."""
    text = io.StringIO()
    root, ours = logging.getLogger(), logging.getLogger("satchel")
    seen = logging.StreamHandler(text)
    seen.setFormatter(logger.registered_formatter)
    levels = {each: each.level for each in (root, ours)}
    for each in (root, ours):
        each.addHandler(seen)
        each.setLevel(level)
    stdout, sys.stdout = sys.stdout, text
    try:
        yield text
    finally:
        sys.stdout = stdout
        for each, was in levels.items():
            each.removeHandler(seen)
            each.setLevel(was)


@pytest.fixture
def run(world: World, fake_aws: FakeAws) -> tuple[Run, str]:
    """A run of every operation, and its log."""
    done = Run()
    with captured_logs(logging.INFO) as text:
        done.everything(world, fake_aws)
    return done, text.getvalue()


def test_the_run_calls_every_route(run: tuple[Run, str]) -> None:
    """Otherwise the other tests would leave out a new route."""
    assert run[0].met == {str(route) for route in ROUTES}


def test_no_log_line_holds_a_secret(run: tuple[Run, str]) -> None:
    """No password, token, signature, file name, content, description or e-mail address."""
    done, text = run
    assert len(done.secrets) > 20
    lines = [json.loads(line) for line in text.splitlines()]
    requests = [line for line in lines if line.get("message") == "request"]
    assert len(requests) >= len(ROUTES)
    assert all({"method", "status", "ms"} <= line.keys() for line in requests)
    assert all(line["correlation_id"] for line in requests)
    spoken = json.dumps(lines, ensure_ascii=False)
    assert [secret for secret in done.secrets if secret in spoken] == []


def test_a_logged_secret_is_found(fake_aws: FakeAws) -> None:
    """The search above sees the lines of each logger."""
    with captured_logs(logging.INFO) as text:
        logger.info("request", password=PASSWORD)
        logging.getLogger("anything").warning("said %s", PASSWORD)
    assert text.getvalue().count(PASSWORD) >= 2


def test_no_row_holds_a_secret(fake_aws: FakeAws, behind: Behind) -> None:
    """Passwords and tokens are stored as hashes, and a file's bytes only in the bucket."""
    run = Run()
    alice, bob = run.accounts()
    alice = run.sessions(alice)
    alice.put("a", CONTENT)
    run.links(alice, bob)
    rows = repr([behind.rows(noun) for noun in ("users", "sessions", "shares", "files")])
    assert "alice" in rows
    assert len(run.never_stored) >= 6
    secrets = {PASSWORD, CONTENT.decode(), str(alice.token).partition(".")[2]} | run.never_stored
    for secret in secrets:
        assert secret not in rows
    assert str(bob.token) not in rows


EXPRESSIONS = ("ConditionExpression", "UpdateExpression", "KeyConditionExpression")
OURS = {"AND", "OR", "NOT", "SET", "ADD", "REMOVE", "DELETE", "BETWEEN", "IN"}
FUNCTION = re.compile(r"\w+ ?(?=\()")
RESERVED = {word.upper() for word in ReservedKeywords.get_reserved_keywords()}


def bare_words(expression: str) -> set[str]:
    """The attribute names in an expression, without `:value` and `#name`."""
    expression = FUNCTION.sub(" ", expression)
    plain = "".join(c if c.isalnum() or c in "_:#" else " " for c in expression)
    words = {word for word in plain.split() if word[0] not in ":#"}
    return {word for word in words if word.upper() not in OURS}


def expressions(part: object) -> Iterator[str]:
    """Each expression in a request."""
    if isinstance(part, dict):
        for name, value in part.items():
            if name in EXPRESSIONS and isinstance(value, str):
                yield value
            else:
                yield from expressions(value)
    elif isinstance(part, list):
        for each in part:
            yield from expressions(each)


def test_no_attribute_name_is_a_reserved_word(world: World, fake_aws: FakeAws) -> None:
    """DynamoDB refuses 573 words in expressions; moto accepts some of them."""
    sent: set[str] = set()

    def before(call: Call) -> None:
        if "dynamodb" in call.request.url:
            sent.update(expressions(json.loads(call.request.body)))

    fake_aws.before = before
    Run().everything(world, fake_aws)
    assert len(sent) > 8
    wrong = {text for text in sent if {w.upper() for w in bare_words(text)} & RESERVED}
    assert wrong == set()


def test_a_reserved_word_is_found() -> None:
    """The search above sees it in any case and place, but not behind `#` or `:`."""
    assert len(RESERVED) > 500
    assert bare_words("SET name = :n, #size = :m AND attribute_exists(a.Status)") == {
        "name", "a", "Status",
    }  # fmt: skip
    assert {"NAME", "STATUS"} <= RESERVED


def test_the_log_has_the_request_id_of_the_answer(alice: Client) -> None:
    """A user can quote it."""
    with captured_logs(logging.INFO) as text:
        answer = alice.get("/me")
    (line,) = {line for line in text.getvalue().splitlines() if '"request"' in line}
    assert json.loads(line)["correlation_id"] == answer.headers["x-request-id"]
