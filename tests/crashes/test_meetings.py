"""However two operations meet, it is as if one had come after the other."""

import os
from typing import Any

import pytest

from tests.crashes.meetings import Meeting, Outcome, meetings
from tests.crashes.operations import BY_NAME, OPERATIONS, Operation
from tests.crashes.seen import said
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
    ("change a link", "rename"),
    ("copy", "delete permanently"),
    ("restore a version", "replace"),
    ("move a folder", "rename"),
]
# In the one order that is more likely to go wrong, and that `meets` may leave out.
MORE = [
    ("change the password", "log out everywhere"),
    ("create a key", "change the password"),
    ("delete a key", "delete a key"),
    ("log in with a recovery code", "log in with a recovery code"),
    ("log in with a code", "disable MFA"),
    ("log in with a code", "disable another's MFA"),
    ("disable another's MFA", "log in with a recovery code"),
    ("disable another's MFA", "disable MFA"),
    ("disable another's MFA", "reset by mail"),
    ("confirm MFA", "confirm MFA"),
    ("replace another's", "demote"),
    ("replace another's", "disable an account"),
    ("demote", "create as a member"),
    ("register by invitation", "delete an invitation"),
    ("reset by mail", "log in with a code"),
    ("reset by mail", "request a reset"),
    ("reset by an issued token", "reset by mail"),
    ("issue a reset token", "reset by an issued token"),
    ("issue a reset token", "demote"),
    ("share", "log out"),
    ("list another's", "share a folder"),
    ("complete parts", "complete parts"),
    ("abort", "complete"),
    ("start an upload by request", "abort by the small request"),
    ("start an upload by request", "lower a limit of a file request"),
    ("start a multipart upload by request", "close a file request"),
    ("complete by request", "delete a file request"),
    ("complete by request", "abort by request"),
    ("abort parts by request", "delete a file request"),
    ("open a link", "rename"),
    ("delete permanently", "copy another's"),
    ("restore from the trash", "empty the trash"),
    ("create under another name", "move a folder"),
    ("move a folder", "unshare a folder"),
    ("move a folder", "create a link"),
]


# Those that have rows in common but sessions, by the paths of their routes; who logs out is met by
# what is nearest to every session. EVERY_PAIR=1 has all meet all, which takes half an hour.
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
    ("/requests", "/r"),
)


def circles(operation: Operation) -> set[int]:
    """The circles that an operation moves in."""
    path = operation.route.path
    return {
        at
        for at, circle in enumerate(CIRCLES)
        if any(path == each or path.startswith(f"{each}/") for each in circle)
    }


def meets(operation: Operation, other: Operation) -> bool:
    """Whether an operation is stopped for another: of two with different nouns, one is enough."""
    if os.environ.get("EVERY_PAIR"):
        return True
    nouns = {each.route.path.split("/")[1] for each in (operation, other)}
    near = bool(circles(operation) & circles(other))
    return near and (len(nouns) == 1 or operation.name < other.name)


def test_everybody_meets_somebody() -> None:
    """An operation in no circle would never meet any."""
    for each in OPERATIONS:
        assert any(meets(each, other) or meets(other, each) for other in OPERATIONS if other.writes)


@pytest.fixture(scope="session")
def known() -> dict[Any, Outcome]:
    """What two operations give one after the other does not change between tests."""
    return {}


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_meetings(world: World, operation: Operation, known: dict[Any, Outcome]) -> None:
    """Stopped before any of its calls, it may meet whatever is near."""
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
    """Two who are at the same thing at the same moment."""
    report = meetings(world, BY_NAME[first], (BY_NAME[other],), {})
    assert not report.violations, str(report)
    assert report.cases >= BY_NAME[first].calls


# Two of whom meetings are left out, and two of whom none is: it matters when the other one comes.
SOME, NONE = True, False
LEFT_OUT = [
    ("replace", "replace another's", SOME),
    ("create a file", "share", SOME),
    ("delete a group", "replace another's", SOME),
    ("complete parts", "create under another name", SOME),
    ("delete permanently", "copy another's", SOME),
    ("move a folder", "rename", SOME),
    ("empty the trash", "restore from the trash", SOME),
    ("complete by request", "delete a file request", SOME),
    ("open a link", "rename", NONE),
    ("list events of a link", "delete a link", NONE),
    ("get a file request", "delete a file request", NONE),
]


@pytest.mark.parametrize(("first", "other", "some"), LEFT_OUT)
def test_a_meeting_that_is_left_out_comes_to_the_same(
    world: World, first: str, other: str, some: bool
) -> None:
    """As the one that stands for it; and the first of all is the other one, then the first one."""
    one, two = BY_NAME[first], BY_NAME[other]
    steps = world.steps(one)
    meeting = Meeting(world, steps, one, two, {})
    assert [meeting.before(at).outcome for at in range(len(steps))] == [
        meeting.run(at).outcome for at in range(len(steps))
    ]
    assert some is (len(meeting.runs) < len(steps))
    world.begin(one, two)
    came = said(world.send_elsewhere(two, twin=False)), said(world.send(one))
    assert meeting.before(0).outcome == (*came[::-1], world.view())
