"""What every test may ask for: the ground, a clock that it can turn, two people."""

import copy
import gc
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import boto3
import pytest

from function import base, contract
from function.core.runtime import system_runtime
from tests.client import Client, join
from tests.ground import Ground, session, stand


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
    base.use(base.Base(settings, _session, origins))
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


os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
