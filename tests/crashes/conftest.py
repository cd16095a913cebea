"""The world of the crash suites."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import boto3
import pytest

from function import contract
from tests.conftest import Clock
from tests.crashes.world import World
from tests.support.fake_aws import Ground
from tests.support.transfers import use_small_parts

MakeWorld = Callable[[AbstractContextManager[Any]], World]


_made: list[World] = []


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    use_small_parts(monkeypatch)


@pytest.fixture
def world(
    ground: Ground, settings: contract.Settings, clock: Clock, _session: boto3.Session
) -> World:
    """The world at its beginning, created once in a process and restored."""
    if not _made:
        _made.append(World(ground, settings, clock, _session, {}))
    _made[0].run_by(clock)
    _made[0].restore()
    return _made[0]


@pytest.fixture
def wrong_world(
    ground: Ground, settings: contract.Settings, clock: Clock, _session: boto3.Session
) -> Iterator[MakeWorld]:
    """Creates the same world with a wrong version of the code."""
    with ExitStack() as changes:

        def make(design: AbstractContextManager[Any]) -> World:
            changes.enter_context(design)
            return World(ground, settings, clock, _session, {})

        yield make
