"""No secret is in any log line, in any answer that is an error, or in any row in clear."""

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
from tests.support.client import Client
from tests.support.everything import CONTENT, PASSWORD, Run
from tests.support.fake_aws import Call, Ground
from tests.support.samples import ROUTES


@contextmanager
def all_that_is_logged(level: int) -> Iterator[io.StringIO]:
    """Everything that any logger says, as JSON lines or text, with what stands on stdout."""
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
def run(ground: Ground) -> tuple[Run, str]:
    """Every operation, and what was logged meanwhile."""
    done = Run()
    with all_that_is_logged(logging.INFO) as text:
        done.everything()
    return done, text.getvalue()


def test_the_run_meets_every_route(run: tuple[Run, str]) -> None:
    """Else what follows would say nothing about a new one."""
    assert run[0].met == ROUTES.keys()


def test_no_log_line_holds_a_secret(run: tuple[Run, str]) -> None:
    """No password, token, signature, file name, content, description or address of e-mail."""
    done, text = run
    assert len(done.secrets) > 20
    lines = [json.loads(line) for line in text.splitlines()]
    requests = [line for line in lines if line.get("message") == "request"]
    assert len(requests) >= len(ROUTES)
    assert all({"method", "status", "ms"} <= line.keys() for line in requests)
    assert all(line["correlation_id"] for line in requests)
    spoken = json.dumps(lines, ensure_ascii=False)
    assert [secret for secret in done.secrets if secret in spoken] == []


def test_the_search_would_find_one(ground: Ground) -> None:
    """A line that names a secret is seen, whichever logger says it."""
    with all_that_is_logged(logging.INFO) as text:
        logger.info("request", password=PASSWORD)
        logging.getLogger("anything").warning("said %s", PASSWORD)
    assert text.getvalue().count(PASSWORD) >= 2


def test_no_row_holds_a_secret(ground: Ground, behind: Behind) -> None:
    """Passwords and tokens are hashes, and a file's bytes are in the bucket alone."""
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
    """The words of an expression that stand for attributes, and not for `:value` or `#name`."""
    expression = FUNCTION.sub(" ", expression)
    plain = "".join(c if c.isalnum() or c in "_:#" else " " for c in expression)
    words = {word for word in plain.split() if word[0] not in ":#"}
    return {word for word in words if word.upper() not in OURS}


def expressions(part: object) -> Iterator[str]:
    """Every expression in a request."""
    if isinstance(part, dict):
        for name, value in part.items():
            if name in EXPRESSIONS and isinstance(value, str):
                yield value
            else:
                yield from expressions(value)
    elif isinstance(part, list):
        for each in part:
            yield from expressions(each)


def test_no_reserved_word_stands_bare(ground: Ground) -> None:
    """DynamoDB has 573 words that no expression may spell, and moto does not mind them all."""
    sent: set[str] = set()

    def before(call: Call) -> None:
        if "dynamodb" in call.request.url:
            sent.update(expressions(json.loads(call.request.body)))

    ground.before = before
    Run().everything()
    assert len(sent) > 8
    wrong = {text for text in sent if {w.upper() for w in bare_words(text)} & RESERVED}
    assert wrong == set()


def test_a_reserved_word_would_be_seen() -> None:
    """In any letters and any place; not behind `#` or `:`."""
    assert len(RESERVED) > 500
    assert bare_words("SET name = :n, #size = :m AND attribute_exists(a.Status)") == {
        "name", "a", "Status",
    }  # fmt: skip
    assert {"NAME", "STATUS"} <= RESERVED


def test_a_shown_request_id_finds_the_log_line(alice: Client) -> None:
    """What a person can quote is what the log has."""
    with all_that_is_logged(logging.INFO) as text:
        answer = alice.get("/me")
    (line,) = {line for line in text.getvalue().splitlines() if '"request"' in line}
    assert json.loads(line)["correlation_id"] == answer.headers["x-request-id"]
