"""Interleaved operations have the outcome of a sequence."""

import os
from typing import Any

import pytest

from tests.crashes.meetings import Meeting, Outcome, meetings
from tests.crashes.operations import BY_NAME, OPERATIONS, REPEATED, Operation
from tests.crashes.world import World

QUICK = [
    ("register", "register"),
    ("change the password", "delete a session"),
    ("log in", "change the password"),
    ("create a key", "create a key"),
    ("log in with a code", "log in with a code"),
    ("register by invitation", "register another by invitation"),
    ("disable an account", "replace another's"),
    ("reset by mail", "reset by mail"),
    ("replace", "replace another's"),
    ("replace", "delete"),
    ("share again", "delete"),
    ("get another's", "unshare"),
    ("complete", "abort"),
    ("start an upload by request", "start an upload by request"),
    ("download by a link", "download by a link"),
    *((each.name, each.name) for each in REPEATED),
    ("change a link", "rename"),
    ("copy", "delete permanently"),
    ("restore a version", "replace"),
    ("move a folder", "rename"),
]
# Pairs that share rows and are in no circle together.
MORE = [
    ("log in with a code", "disable another's MFA"),
    ("disable another's MFA", "log in with a recovery code"),
    ("disable another's MFA", "disable MFA"),
    ("disable another's MFA", "reset by mail"),
    ("replace another's", "demote"),
    ("replace another's", "disable an account"),
    ("demote", "put as a member"),
    ("issue a reset token", "reset by an issued token"),
]
# Pairs with an outcome that is no sequence, and why that does no harm.
NO_SEQUENCE = {
    ("download by a link", "delete permanently"): "The URL is of an object that is deleted by now.",
    ("list versions", "delete permanently"): "The current version is listed without older ones.",
    ("restore a version", "delete permanently"): "404 is of the version instead of the file.",
    ("search", "move a folder"): "A file that moves after the index was read is not found.",
}


# Routes that share rows other than sessions. Logging out meets those that are nearest to sessions.
# EVERY_PAIR=1 interleaves all pairs, which takes half an hour.
CIRCLES: tuple[tuple[str, ...], ...] = (
    ("/register", "/login", "/logout", "/me", "/password", "/sessions", "/keys", "/mfa"),
    ("/register", "/invites"),
    ("/users", "/usage", "/audit", "/me"),
    ("/logout", "/file", "/share"),
    ("/file", "/files", "/changes", "/download", "/share", "/shares"),
    ("/groups", "/share", "/shares", "/files"),
    ("/file", "/uploads"),
    ("/file", "/versions", "/restore", "/trash", "/copy", "/jobs"),
    ("/file", "/links", "/s"),
    ("/file", "/links", "/send"),
    ("/requests", "/r"),
)


def circles(operation: Operation) -> set[int]:
    """The circles that the route of an operation is in."""
    path = operation.route.path
    return {
        at
        for at, circle in enumerate(CIRCLES)
        if any(path == each or path.startswith(f"{each}/") for each in circle)
    }


def meets(operation: Operation, other: Operation) -> bool:
    """Whether an operation is stopped for another."""
    if (operation.name, other.name) in NO_SEQUENCE:
        return False
    return bool(os.environ.get("EVERY_PAIR") or circles(operation) & circles(other))


def test_every_operation_meets_another() -> None:
    """An operation in no circle would meet none."""
    for each in OPERATIONS:
        assert any(meets(each, other) or meets(other, each) for other in OPERATIONS if other.writes)


@pytest.fixture(scope="session")
def known() -> dict[Any, Outcome]:
    """The outcomes of sequences are the same in all tests."""
    return {}


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_meetings(world: World, operation: Operation, known: dict[Any, Outcome]) -> None:
    """Stopped before each of its calls, for each operation in its circles."""
    near = tuple(other for other in OPERATIONS if meets(operation, other))
    report = meetings(world, operation, near, known)
    assert not report.violations, str(report)
    others = report.seen["others"]
    assert others >= sum(other.writes for other in near)
    assert report.cases == report.seen["calls"] * others >= operation.calls * others
    assert report.seen["first came first"] + report.seen["first came second"] == report.cases
    if str(operation.route) == "PUT /file":
        assert report.seen["looked again"] > 0


@pytest.mark.parametrize(
    ("first", "other"), [*QUICK, *(pytest.param(*each, marks=pytest.mark.slow) for each in MORE)]
)
def test_meeting(world: World, first: str, other: str) -> None:
    """Two operations on the same rows at the same time."""
    report = meetings(world, BY_NAME[first], (BY_NAME[other],), {})
    assert not report.violations, str(report)
    assert report.cases >= BY_NAME[first].calls


@pytest.mark.parametrize(("first", "other"), NO_SEQUENCE)
def test_pair_still_has_an_outcome_of_no_sequence(world: World, first: str, other: str) -> None:
    """In one case. Where there is none any more, the pair is no exception."""
    report = meetings(world, BY_NAME[first], (BY_NAME[other],), {})
    assert len(report.violations) == 1


# Pairs with runs that are left out, and pairs with none.
SOME, NONE = True, False
LEFT_OUT = [
    ("replace", "replace another's", SOME),
    ("put a new file", "share", SOME),
    ("delete a group", "replace another's", SOME),
    ("complete parts", "put under another name", SOME),
    ("delete permanently", "copy another's", SOME),
    ("move a folder", "rename", SOME),
    ("empty the trash", "restore from the trash", SOME),
    ("complete by request", "delete a file request", SOME),
    ("open a link", "rename", NONE),
    ("list events of a link", "delete a link", NONE),
    ("get a file request", "delete a file request", NONE),
]


@pytest.mark.parametrize(("first", "other", "some"), LEFT_OUT)
def test_a_run_that_is_left_out_has_the_same_outcome(
    world: World, first: str, other: str, some: bool
) -> None:
    """As the run that stands for it; and the run at the first call is a sequence."""
    one, two = BY_NAME[first], BY_NAME[other]
    steps = world.steps(one)
    meeting = Meeting(world, steps, one, two, {})
    assert [meeting.find_run(at).outcome for at in range(len(steps))] == [
        meeting.run(at).outcome for at in range(len(steps))
    ]
    assert some is (len(meeting.runs) < len(steps))
    assert meeting.find_run(0).outcome == meeting.other_then_first()
