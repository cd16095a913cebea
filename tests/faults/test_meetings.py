"""However two operations meet, it is as if one had come after the other."""

from typing import Any

import pytest

from tests.faults.meetings import Outcome, meetings
from tests.faults.operations import BY_NAME, OPERATIONS, Operation
from tests.faults.world import World

QUICK = [
    ("register", "register"),
    ("replace", "replace another's"),
    ("replace", "delete"),
    ("share", "log out"),
    ("share again", "delete"),
    ("get another's", "unshare"),
    ("list another's", "share a folder"),
    ("complete parts", "complete parts"),
    ("complete", "abort"),
    ("abort", "complete"),
    ("send", "send"),
    ("send", "give the place up"),
    ("send", "narrow a request"),
    ("send in parts", "close a request"),
    ("hand over", "delete a request"),
    ("hand over", "give up"),
    ("give up parts", "delete a request"),
]


@pytest.fixture(scope="session")
def known() -> dict[Any, Outcome]:
    """What two operations give one after the other does not change between tests."""
    return {}


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_meetings(world: World, operation: Operation, known: dict[Any, Outcome]) -> None:
    """Stopped before any of its calls, it may meet whatever there is."""
    report = meetings(world, operation, OPERATIONS, known)
    assert not report.violations, str(report)
    others = sum(other.writes or operation.writes for other in OPERATIONS)
    assert report.cases == report.seen["calls"] * others >= operation.calls * others
    assert report.seen["first came first"] + report.seen["first came second"] == report.cases
    if operation.route == "PUT /file":
        assert report.seen["looked again"] > 0


@pytest.mark.parametrize(("first", "other"), QUICK)
def test_meeting(world: World, first: str, other: str) -> None:
    """Two who are at the same thing at the same moment."""
    report = meetings(world, BY_NAME[first], (BY_NAME[other],), {})
    assert not report.violations, str(report)
    assert report.cases >= BY_NAME[first].calls
