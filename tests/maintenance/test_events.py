"""News as the bucket writes it and the queue brings it: from the PUT to the file, through both."""

from typing import Any

import boto3
import pytest

from function import app
from local.event_sources import Poller
from local.serve import declared_event_sources
from tests.support.client import Client, join
from tests.support.fake_aws import REGION, Call, Ground, failure
from tests.support.transfers import (
    bytes_used,
    complete,
    fetch,
    key_of,
    put,
    small,
    start,
    stored,
    tell,
)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch)
    monkeypatch.setattr("local.event_sources.VISIBILITY_SECONDS", 0)  # failures return at once


@pytest.fixture
def poller(ground: Ground) -> Poller:
    """What reads the stack's own queue, and hands over to the handler."""
    sqs = boto3.Session("testing", "testing", region_name=REGION).client("sqs")
    return Poller(sqs, app.lambda_handler, declared_event_sources(ground.deployed))


def test_a_put_alone_makes_the_file(alice: Client, poller: Poller, ground: Ground) -> None:
    """Nobody completes it; the bucket tells, the queue brings, the handler does."""
    view = start(alice, "d/ü b.txt", 3, description="said", tags=["x"])
    assert put(view, b"abc").status == 200
    assert poller.poll(0) == 1
    (file,) = alice.get("/files").json()
    assert (file["file_name"], file["size"], file["description"]) == ("d/ü b.txt", 3, "said")
    assert fetch(alice, "d/ü b.txt") == b"abc"
    assert complete(alice, view).json() == file
    assert poller.poll(0) == 0


@pytest.mark.parametrize("name", ["a.b", "a_b-c", "a+b@example.org", "x.y+z@a-b.example"])
def test_any_user_name_is_found_in_the_news(ground: Ground, poller: Poller, name: str) -> None:
    """S3 writes keys as forms write them, and so `+` and `@` are not themselves."""
    somebody = join(name)
    put(start(somebody, "a", 3), b"abc")
    assert poller.poll(0) == 1
    assert somebody.names() == [f"{name}/a"]


def test_of_ten_only_the_bad_one_comes_back(alice: Client, poller: Poller, ground: Ground) -> None:
    """The nine others are files, are acknowledged, and are not done again."""
    views = [start(alice, f"{number}", 1) for number in range(10)]
    for view in views:
        put(view, b"x")

    def before(call: Call) -> Any:
        unlucky = call.operation == "HeadObject" and views[4]["upload_id"] in call.request.url
        return failure(call, 503, "SlowDown") if unlucky else None

    ground.before = before
    assert poller.poll(0) == 10
    assert len(alice.names()) == 9
    ground.before = lambda _: None
    with ground.counted() as calls:
        assert poller.poll(0) == 1
    assert calls.count("TransactWriteItems") == 1
    assert len(alice.names()) == 10
    assert poller.poll(0) == 0


def test_news_twice_and_out_of_order_makes_one_file(alice: Client, ground: Ground) -> None:
    """Each upload counts once: of two of one name one is the file, and the other its version."""
    views = [start(alice, "a", 3) for _ in range(2)]
    for view, data in zip(views, (b"old", b"new"), strict=True):
        put(view, data)
    keys = [key_of(view) for view in views]
    for told in ([keys[1]], [keys[0], keys[1]], [keys[0]], [*keys, *keys]):
        assert tell(*told) == []
    (file,) = alice.get("/files").json()
    assert file["version"] == 2
    assert {fetch(alice, "a"), fetch(alice, "a", version=1)} == {b"old", b"new"}
    assert bytes_used(ground, "alice") == 6
    assert stored(ground) == [b"new", b"old"]


def test_news_of_a_file_deleted_since_brings_it_not_back(alice: Client, ground: Ground) -> None:
    """It has been done with, and late or repeated news changes nothing."""
    view = start(alice, "a", 3)
    put(view, b"abc")
    assert tell(key_of(view)) == []
    assert alice.delete("/file", file_name="a").status == 204
    assert tell(key_of(view)) == []
    assert alice.names() == []


def test_news_of_an_upload_given_up_makes_no_file(alice: Client, ground: Ground) -> None:
    """Its address may bring bytes even so; nobody ever sees them."""
    view = start(alice, "a", 3)
    assert alice.delete(f"/uploads/{view['upload_id']}").status == 204
    put(view, b"abc")
    assert tell(key_of(view)) == []
    assert alice.names() == []
