"""Fixtures of every test: the fake AWS, a clock that a test sets, two people."""

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
from function.core.limits import DAY
from function.core.runtime import system_runtime
from function.core.tokens import token_hash
from tests.support.client import SETUP_TOKEN, Answer, Client, join
from tests.support.fake_aws import FakeAws, running_fake_aws, session
from tests.support.invariants import assert_consistent
from tests.support.world import World, create_world

os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
# Property tests use the same examples in each run, and have no time limit.
hypothesis_settings.register_profile("quick", deadline=None, derandomize=True, max_examples=80)
hypothesis_settings.load_profile("quick")


@dataclass
class Clock:
    """A clock that moves only when a test or a `sleep` moves it; seconds since 1970."""

    time: float = 1_790_000_000.25

    def __call__(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def pytest_collection_finish() -> None:
    """Spare the garbage collector the imported modules, and most of the full collections."""
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, 500)


@pytest.fixture(scope="session")
def _fake_aws() -> Iterator[FakeAws]:
    with running_fake_aws() as fake_aws:
        yield fake_aws


@pytest.fixture
def settings(_fake_aws: FakeAws) -> contract.Settings:
    """The settings of the tests."""
    return settings_on(_fake_aws)


def settings_on(fake_aws: FakeAws) -> contract.Settings:
    """The settings of the dev stack, with the cheapest hash, an administrator and mail."""
    return replace(
        contract.settings(fake_aws.deployed.environment),
        hash_memory=8,
        hash_passes=1,
        administrator="root",
        administrator_token_hash=token_hash(SETUP_TOKEN),
        mail_from="satchel@example.org",
        idle_seconds=30 * DAY,  # the tests of idle sessions set their own
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def _session() -> boto3.Session:
    return session()


@pytest.fixture
def fake_aws(
    _fake_aws: FakeAws, settings: contract.Settings, clock: Clock, _session: boto3.Session
) -> Iterator[FakeAws]:
    """The fake AWS without rows, objects and messages, used by the handler."""
    _fake_aws.reset()
    origins = replace(system_runtime(), now=clock, sleep=clock.sleep)
    base.use(base.Base(settings, _session.client, origins))
    yield _fake_aws
    base.use(None)
    _fake_aws.remove_hooks()  # for tests that call AWS without this fixture


@pytest.fixture
def anyone(fake_aws: FakeAws) -> Client:
    """A client without a session."""
    return Client()


@pytest.fixture(scope="session")
def once() -> dict[str, Any]:
    """Preparations made once in a process, by name; each test restores their rows."""
    return {}


@pytest.fixture
def sign_up(fake_aws: FakeAws, clock: Clock, once: dict[str, Any]) -> Callable[[str, str], Client]:
    """A function that registers an account and logs in.

    It does so once in a process for each username, and restores the rows afterwards.
    """

    def signed_up(username: str, address: str) -> Client:
        if clock.time != Clock.time:
            return join(username, address)
        if username in once:
            once[username][1]()
        else:
            once[username] = fake_aws.record_rows(lambda: join(username, address))
        return copy.copy(once[username][0])

    return signed_up


@pytest.fixture
def alice(sign_up: Callable[[str, str], Client]) -> Client:
    return sign_up("alice", "192.0.2.1")


@pytest.fixture
def bob(sign_up: Callable[[str, str], Client]) -> Client:
    return sign_up("bob", "192.0.2.2")


@dataclass(frozen=True)
class Behind:
    """Reads and changes rows and objects without the API. `noun` names a table, as in Settings."""

    fake_aws: FakeAws
    settings: contract.Settings
    db: Any

    def rows(self, noun: str) -> list[Item]:
        """All rows of a table."""
        pages = self.db.get_paginator("scan").paginate(TableName=getattr(self.settings, noun))
        return [decode(item) for page in pages for item in page["Items"]]

    def file_rows(self) -> list[Item]:
        """The rows of the table files, without those of the audit log and of logins."""
        rows = (row for row in self.rows("files") if "action" not in row)
        return [row for row in rows if not str(row["partition"]).endswith("/logins")]

    def row(self, noun: str, **key: str) -> Item:
        """One row."""
        table = getattr(self.settings, noun)
        return decode(self.db.get_item(TableName=table, Key=encode(dict(key)))["Item"])

    def put(self, noun: str, row: Item) -> None:
        """Writes a row in place of one with the same key."""
        self.db.put_item(TableName=getattr(self.settings, noun), Item=encode(row))

    def change(self, noun: str, key: dict[str, str], **values: Any) -> None:
        """Changes attributes of one row."""
        self.put(noun, self.row(noun, **key) | values)

    def delete(self, noun: str, **key: str) -> None:
        """Deletes one row."""
        self.db.delete_item(TableName=getattr(self.settings, noun), Key=encode(dict(key)))

    def objects(self) -> dict[str, bytes]:
        """The bytes of each object."""
        return self.fake_aws.objects(self.settings.bucket)

    def state(self) -> Any:
        """What a refused request must not change: all objects, and all rows but counters."""
        held = (self.fake_aws.rows(getattr(self.settings, table.name)) for table in contract.TABLES)
        rows = sorted(repr(row) for rows in held for row in rows if "count" not in row)
        return rows, self.objects()


@pytest.fixture
def behind(fake_aws: FakeAws, settings: contract.Settings, _session: boto3.Session) -> Behind:
    return Behind(fake_aws, settings, _session.client("dynamodb"))


@pytest.fixture(autouse=True)
def _consistent(request: pytest.FixtureRequest) -> Iterator[None]:
    """Checks after each test that counters, indexes and other rows agree with the files.

    Not in the suites `crashes` and `stateful`, which check it themselves, and not for tests marked
    `odd_rows`, which write rows that no request would write.
    """
    skipped = request.path.parent.name in {"crashes", "stateful"}
    if skipped or "fake_aws" not in request.fixturenames:
        yield
        return
    fake_aws, settings = request.getfixturevalue("fake_aws"), request.getfixturevalue("settings")
    yield
    if not request.node.get_closest_marker("odd_rows"):
        assert_consistent(fake_aws.rows(settings.files), fake_aws.rows(settings.users))


@pytest.fixture
def world(fake_aws: FakeAws, once: dict[str, Any]) -> World:
    """Four people and their data, created once in a process and restored for each test."""
    if "world" not in once:
        once["world"] = create_world(), fake_aws.snapshot()
    world, restore = once["world"]
    restore()
    return world


@pytest.fixture
def rewire(
    fake_aws: FakeAws, clock: Clock, _session: boto3.Session
) -> Callable[[contract.Settings], None]:
    """A function that gives the handler other settings."""

    def rewired(settings: contract.Settings) -> None:
        origins = replace(system_runtime(), now=clock, sleep=clock.sleep)
        base.use(base.Base(settings, _session.client, origins))

    return rewired


def reason_at(answer: Answer, at: str) -> str:
    """The reason in a validation error for the field at this path."""
    reasons = {error["at"]: error["reason"] for error in answer.json()["errors"]}
    assert at in reasons, reasons
    return str(reasons[at])
