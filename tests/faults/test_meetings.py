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
    ("download by a link", "download by a link"),
    ("change a link", "rename"),
    ("open a link", "rename"),
]


# A link is of its owner's files, and has nothing to do with these.
LINKS = ("/links", "/s/")
NOT_OF_LINKS = ("/register", "/login", "/me", "/uploads", "/groups", "/files", "/download")


def apart(one: Operation, two: Operation) -> bool:
    """Whether two operations have no row in common but sessions, which others of theirs meet."""
    paths = [operation.route.partition(" ")[2] for operation in (one, two)]
    return any(
        first.startswith(LINKS) and second.startswith(NOT_OF_LINKS)
        for first, second in (paths, reversed(paths))
    )


@pytest.fixture(scope="session")
def known() -> dict[Any, Outcome]:
    """What two operations give one after the other does not change between tests."""
    return {}


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_meetings(world: World, operation: Operation, known: dict[Any, Outcome]) -> None:
    """Stopped before any of its calls, it may meet whatever there is."""
    near = tuple(other for other in OPERATIONS if not apart(operation, other))
    report = meetings(world, operation, near, known)
    assert not report.violations, str(report)
    others = sum(other.writes or operation.writes for other in near)
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
