"""The world of the crash suites."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import boto3
import pytest

from function import contract
from tests.conftest import Clock
from tests.crashes.world import World
from tests.support.fake_aws import FakeAws
from tests.support.transfers import use_small_parts

MakeWorld = Callable[[AbstractContextManager[Any]], World]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    use_small_parts(monkeypatch)


@pytest.fixture
def world(
    fake_aws: FakeAws,
    settings: contract.Settings,
    clock: Clock,
    _session: boto3.Session,
    once: dict[str, Any],
) -> World:
    """The world at its beginning, created once in a process and restored."""
    if "crashes" not in once:
        once["crashes"] = World(fake_aws, settings, clock, _session, {})
    world: World = once["crashes"]
    world.run_by(clock)
    world.restore()
    return world


@pytest.fixture
def wrong_world(
    fake_aws: FakeAws, settings: contract.Settings, clock: Clock, _session: boto3.Session
) -> Iterator[MakeWorld]:
    """Creates the same world with a wrong version of the code."""
    with ExitStack() as changes:

        def make(design: AbstractContextManager[Any]) -> World:
            changes.enter_context(design)
            return World(fake_aws, settings, clock, _session, {})

        yield make
