"""What every test may ask for: the ground, a clock that it can turn, two people."""

import copy
import gc
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest
from hypothesis import settings as hypothesis_settings

from function import base, contract
from function.aws.rows import Item, decode, encode
from function.core.runtime import system_runtime
from tests.support.client import Answer, Client, join
from tests.support.fake_aws import Ground, session, stand
from tests.support.invariants import assert_consistent
from tests.support.world import World, create_world

os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
# Properties are tried with the same examples each time, and are never hurried.
hypothesis_settings.register_profile("quick", deadline=None, derandomize=True, max_examples=80)
hypothesis_settings.load_profile("quick")


@dataclass
class Clock:
    """Time stands still until a test turns it."""

    time: float = 1_790_000_000.25

    def __call__(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def pytest_collection_finish() -> None:
    """What has been imported stays: the garbage collector need not go through it each time.

    Nor, more than now and then, through all that tests have made and keep.
    """
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, 500)


@pytest.fixture(scope="session")
def _ground() -> Iterator[Ground]:
    with stand() as ground:
        yield ground


@pytest.fixture
def settings(_ground: Ground) -> contract.Settings:
    """The stack's own settings, but with the cheapest hash, an administrator, and mail."""
    declared = contract.settings(_ground.deployed.environment)
    return replace(
        declared,
        hash_memory=8,
        hash_passes=1,
        administrator="root",
        mail_from="satchel@example.org",
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def _session() -> boto3.Session:
    return session()


@pytest.fixture
def ground(
    _ground: Ground, settings: contract.Settings, clock: Clock, _session: boto3.Session
) -> Iterator[Ground]:
    """An empty account, and the handler wired to it."""
    _ground.reset()
    origins = replace(system_runtime(), now=clock, sleep=clock.sleep)
    base.use(base.Base(settings, _session.client, origins))
    yield _ground
    base.use(None)
    _ground.undisturbed()  # whoever uses AWS without this ground meets nobody who steps in


@pytest.fixture
def anyone(ground: Ground) -> Client:
    """Somebody who is not signed in."""
    return Client()


_joined: dict[str, tuple[Client, Callable[[], None]]] = {}


def _join(ground: Ground, clock: Clock, username: str, address: str) -> Client:
    """Somebody who has joined: once in a process, after that there are the same rows again."""
    if clock.time != Clock.time:
        return join(username, address)
    if username not in _joined:
        _joined[username] = ground.rows_made(lambda: join(username, address))
    else:
        _joined[username][1]()
    return copy.copy(_joined[username][0])


@pytest.fixture
def alice(ground: Ground, clock: Clock) -> Client:
    return _join(ground, clock, "alice", "192.0.2.1")


@pytest.fixture
def bob(ground: Ground, clock: Clock) -> Client:
    return _join(ground, clock, "bob", "192.0.2.2")


@dataclass(frozen=True)
class Behind:
    """The tables by noun, and the bucket: read and changed as nobody can through the API."""

    ground: Ground
    settings: contract.Settings
    db: Any

    def rows(self, noun: str) -> list[Item]:
        """All rows of a table."""
        pages = self.db.get_paginator("scan").paginate(TableName=getattr(self.settings, noun))
        return [decode(item) for page in pages for item in page["Items"]]

    def row(self, noun: str, **key: str) -> Item:
        """One row."""
        table = getattr(self.settings, noun)
        return decode(self.db.get_item(TableName=table, Key=encode(dict(key)))["Item"])

    def put(self, noun: str, row: Item) -> None:
        """Writes a row over whatever stands there."""
        self.db.put_item(TableName=getattr(self.settings, noun), Item=encode(row))

    def change(self, noun: str, key: dict[str, str], **values: Any) -> None:
        """Changes fields of one row."""
        self.put(noun, self.row(noun, **key) | values)

    def delete(self, noun: str, **key: str) -> None:
        """Deletes one row."""
        self.db.delete_item(TableName=getattr(self.settings, noun), Key=encode(dict(key)))

    def objects(self) -> dict[str, bytes]:
        """The bytes of each object."""
        return self.ground.objects(self.settings.bucket)

    def state(self) -> Any:
        """All that a refused request leaves as it was: all rows but those of counters."""
        held = (self.ground.rows(getattr(self.settings, table.name)) for table in contract.TABLES)
        rows = sorted(repr(row) for rows in held for row in rows if "count" not in row)
        return rows, self.objects()


@pytest.fixture
def behind(ground: Ground, settings: contract.Settings, _session: boto3.Session) -> Behind:
    return Behind(ground, settings, _session.client("dynamodb"))


@pytest.fixture(autouse=True)
def _consistent(request: pytest.FixtureRequest) -> Iterator[None]:
    """At the end of each test all rows agree with the files that they follow from.

    The suites `crashes` and `stateful` compare them themselves; a test marked `odd_rows` writes
    rows that no request would leave.
    """
    left_out = request.path.parent.name in {"crashes", "stateful"}
    if left_out or "ground" not in request.fixturenames:
        yield
        return
    ground, settings = request.getfixturevalue("ground"), request.getfixturevalue("settings")
    yield
    if not request.node.get_closest_marker("odd_rows"):
        assert_consistent(ground.rows(settings.files), ground.rows(settings.users))


_made: list[tuple[World, Callable[[], None]]] = []


@pytest.fixture
def world(ground: Ground) -> World:
    """Four people and what they have, made once in a process and brought back for each test."""
    if not _made:
        _made.append((create_world(), ground.snapshot()))
    world, restore = _made[0]
    restore()
    return world


@pytest.fixture
def rewire(
    ground: Ground, clock: Clock, _session: boto3.Session
) -> Callable[[contract.Settings], None]:
    """Has the handler go on with other settings."""

    def rewired(settings: contract.Settings) -> None:
        origins = replace(system_runtime(), now=clock, sleep=clock.sleep)
        base.use(base.Base(settings, _session.client, origins))

    return rewired


def reason_at(answer: Answer, at: str) -> str:
    """Why a field is refused."""
    reasons = {error["at"]: error["reason"] for error in answer.json()["errors"]}
    assert at in reasons, reasons
    return str(reasons[at])
