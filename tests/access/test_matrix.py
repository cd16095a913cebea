"""Access to every route, for each relation of the caller to the file's owner.

Five callers send the register's request: one without a token, a stranger, a reader, a writer and
the owner of the file or upload. An invalid session is no token. When the owner's account is
disabled or deleted, the others are strangers.
"""

from collections.abc import Callable

import pytest

from tests.conftest import Behind, Clock
from tests.support.api_register import PROTECTED, RELATIONS, ROUTES, Route
from tests.support.client import Client, join
from tests.support.world import World

ROLES = ("nobody", *RELATIONS)


def expected(route: Route, role: str) -> int:
    """The status that the register gives a member with this role for Alice's file."""
    if role == "nobody" and not route.public:
        return 401
    if route.power == "admin":
        return 403
    if not route.public and ROLES.index(role) < ROLES.index(route.relation):
        return route.refusal
    return route.status


def as_role(world: World, role: str) -> Client:
    """The client that has this role for Alice's file and upload."""
    people = (Client(), world.dave, world.bob, world.carol, world.alice)
    return dict(zip(ROLES, people, strict=True))[role]


def check(world: World, behind: Behind, route: Route, client: Client, status: int) -> None:
    """Requires this status; a refused request changes nothing and shows nothing of the file."""
    before = behind.state()
    answer = world.send(client, route)
    assert answer.status == status, (route, answer.text)
    if status >= 400:
        assert behind.state() == before
        assert "the first bytes" not in answer.text
        if route.method != "HEAD":
            assert status != 401 or answer.slug == "not-signed-in"
            assert status != 403 or answer.slug in {"not-allowed", "wrong-reset-token"}
            assert status != 409 or answer.slug in {"upload-incomplete", "group-taken"}
            assert status != 404 or answer.slug.startswith("no-such-")


each_route = pytest.mark.parametrize("route", ROUTES, ids=str)


@each_route
def test_each_role_gets_what_its_row_says(world: World, behind: Behind, route: Route) -> None:
    """The owner of the file has an active account."""
    restore = behind.fake_aws.snapshot()
    for role in ROLES:
        check(world, behind, route, as_role(world, role), expected(route, role))
        restore()


def disabled(world: World, behind: Behind) -> None:
    behind.change("users", {"username": "alice"}, disabled=True)


def namesake(world: World, behind: Behind) -> None:
    behind.delete("users", username="alice")
    join("alice")


@pytest.mark.slow
@pytest.mark.parametrize("route", [route for route in ROUTES if route.path != "/login"], ids=str)
@pytest.mark.parametrize("gone", [disabled, namesake])
def test_grants_of_a_disabled_or_deleted_owner_give_nothing(
    world: World, behind: Behind, route: Route, gone: Callable[[World, Behind], None]
) -> None:
    """An account of the same name does not revive them, and links and file requests answer 404."""
    gone(world, behind)
    restore = behind.fake_aws.snapshot()
    public = route.path.startswith(("/s/", "/r/"))
    for role in ("reader", "writer", "stranger"):
        status = 404 if public else expected(route, role if route.outlives_owner else "stranger")
        check(world, behind, route, as_role(world, role), status)
        restore()
    if not route.public:
        status = 204 if route.path == "/logout" else 401  # it ends a session of any state
        check(world, behind, route, world.alice, status)


def expired(world: World, behind: Behind, clock: Clock) -> None:
    clock.time += 10 * 365 * 86_400


def logged_out(world: World, behind: Behind, clock: Clock) -> None:
    assert world.alice.post("/logout").status == 204


def changed_epoch(world: World, behind: Behind, clock: Clock) -> None:
    behind.change("users", {"username": "alice"}, epoch="another")


def disabled_caller(world: World, behind: Behind, clock: Clock) -> None:
    disabled(world, behind)


@pytest.mark.parametrize("route", PROTECTED, ids=str)
def test_an_invalid_session_is_refused(
    world: World, behind: Behind, clock: Clock, route: Route
) -> None:
    """401 for the owner, in each way a session ends, and nothing changes."""
    restore, now = behind.fake_aws.snapshot(), clock.time
    for dead in (expired, logged_out, changed_epoch, disabled_caller):
        dead(world, behind, clock)
        # A session that is invalid but not expired can still be ended.
        ends = route.path == "/logout" and dead in {changed_epoch, disabled_caller}
        check(world, behind, route, world.alice, 204 if ends else 401)
        restore()
        clock.time = now


def test_lists_have_own_and_shared_files_alone(world: World) -> None:
    """Each role sees its files and permissions, and no others."""
    world.bob.put("own.txt")
    seen = {
        role: {
            (file["key"], file["permission"]) for file in as_role(world, role).get("/files").json()
        }
        for role in ROLES[1:]
    }
    assert seen == {
        "stranger": set(),
        "reader": {("bob/own.txt", "own"), ("alice/a.txt", "read")},
        "writer": {("alice/a.txt", "write")},
        "owner": {("alice/a.txt", "own")},
    }
    uploads = {role: len(as_role(world, role).get("/uploads").json()) for role in ROLES[1:]}
    assert uploads == {"stranger": 0, "reader": 0, "writer": 0, "owner": 1}


@pytest.mark.parametrize("route", [each for each in ROUTES if "file_name" in each.query], ids=str)
def test_a_hidden_file_and_a_missing_one_get_the_same_answer(world: World, route: Route) -> None:
    """A stranger learns neither whether Alice's file exists nor whether she does."""
    said = []
    for changes in ({}, {"file_name": "b.txt"}, {"username": "zoe"}):
        answer = world.send(world.dave, route, query={**route.query, **changes})
        body = answer.json() | {"request_id": ""} if answer.content else None
        said.append((answer.status, body, answer.headers | {"x-request-id": ""}))
    assert said[0][0] == 404
    assert said[0] == said[1] == said[2]
