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
    ("change the password", "end a session"),
    ("log in", "change the password"),
    ("make a key", "make a key"),
    ("log in with a code", "log in with a code"),
    ("register by invitation", "register another by it"),
    ("disable", "replace another's"),
    ("choose another password", "choose another password"),
    ("replace", "replace another's"),
    ("replace", "delete"),
    ("share again", "delete"),
    ("get another's", "unshare"),
    ("complete", "abort"),
    ("send", "send"),
    ("download by a link", "download by a link"),
    ("change a link", "rename"),
    ("copy", "delete for good"),
    ("restore a version", "replace"),
    ("move a folder", "rename"),
]
# In the one order that is more likely to go wrong, and that `meets` may leave out.
MORE = [
    ("change the password", "log out everywhere"),
    ("make a key", "change the password"),
    ("revoke a key", "revoke a key"),
    ("log in with a recovery code", "log in with a recovery code"),
    ("log in with a code", "take a second factor off"),
    ("log in with a code", "take another's second factor off"),
    ("take another's second factor off", "log in with a recovery code"),
    ("take another's second factor off", "take a second factor off"),
    ("take another's second factor off", "choose another password"),
    ("confirm a second factor", "confirm a second factor"),
    ("replace another's", "demote"),
    ("replace another's", "disable"),
    ("demote", "put as a member"),
    ("register by invitation", "take an invitation back"),
    ("choose another password", "log in with a code"),
    ("choose another password", "forget"),
    ("choose another by it", "choose another password"),
    ("make a token for another's password", "choose another by it"),
    ("make a token for another's password", "demote"),
    ("share", "log out"),
    ("list another's", "share a folder"),
    ("complete parts", "complete parts"),
    ("abort", "complete"),
    ("send", "give the place up"),
    ("send", "narrow a request"),
    ("send in parts", "close a request"),
    ("hand over", "delete a request"),
    ("hand over", "give up"),
    ("give up parts", "delete a request"),
    ("open a link", "rename"),
    ("delete for good", "copy another's"),
    ("restore", "empty the trash"),
    ("put beside", "move a folder"),
    ("move a folder", "unshare a folder"),
    ("move a folder", "make a link"),
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
    path = operation.route.partition(" ")[2]
    return {
        at
        for at, circle in enumerate(CIRCLES)
        if any(path == each or path.startswith(f"{each}/") for each in circle)
    }


def meets(operation: Operation, other: Operation) -> bool:
    """Whether an operation is stopped for another: of two with different nouns, one is enough."""
    if os.environ.get("EVERY_PAIR"):
        return True
    nouns = {each.route.partition(" ")[2].split("/")[1] for each in (operation, other)}
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
    if operation.route == "PUT /file":
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
    ("put new", "share", SOME),
    ("delete a group", "replace another's", SOME),
    ("complete parts", "put beside", SOME),
    ("delete for good", "copy another's", SOME),
    ("move a folder", "rename", SOME),
    ("empty the trash", "restore", SOME),
    ("hand over", "delete a request", SOME),
    ("open a link", "rename", NONE),
    ("what became of a link", "revoke a link", NONE),
    ("look at a request", "delete a request", NONE),
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
