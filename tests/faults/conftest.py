"""What the fault tests stand on."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import boto3
import pytest

from function import contract
from tests.conftest import Clock
from tests.faults.world import World
from tests.ground import Ground
from tests.transfers import small

MakeWorld = Callable[[AbstractContextManager[Any]], World]


@pytest.fixture(scope="session")
def _views() -> dict[str, Any]:
    return {}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch)


@pytest.fixture
def world(
    ground: Ground,
    settings: contract.Settings,
    clock: Clock,
    _session: boto3.Session,
    _views: dict[str, Any],
) -> World:
    """The world as it begins, in the house as it is."""
    return World(ground, settings, clock, _session, _views)


@pytest.fixture
def wrong_world(
    ground: Ground, settings: contract.Settings, clock: Clock, _session: boto3.Session
) -> Iterator[MakeWorld]:
    """Makes the same world in a house that a wrong design has changed."""
    with ExitStack() as changes:

        def make(design: AbstractContextManager[Any]) -> World:
            changes.enter_context(design)
            return World(ground, settings, clock, _session, {})

        yield make
