"""Access to every route, for each relation of the caller to the file's owner.

A row has the status that a caller without a token, a stranger, a reader, a writer and the owner of
the file or upload get. An invalid session is no token. When the owner's account is disabled or
deleted, the others are strangers. A route without a row fails.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from function.http.dependencies import needs_token
from tests.conftest import Behind, Clock
from tests.support.client import Client, join
from tests.support.samples import MIB, ROUTES, SAMPLES, Sample, World, name_of

Key = tuple[str, str]

MATRIX: dict[Key, str] = {
    #                                             nobody stranger reader writer owner
    ("POST", "/register"): "                         201 201 201 201 201",
    ("POST", "/invites"): "                          401 403 403 403 403",
    ("GET", "/invites"): "                           401 403 403 403 403",
    ("DELETE", "/invites/{invite_id}"): "            401 403 403 403 403",
    ("GET", "/users"): "                             401 403 403 403 403",
    ("PATCH", "/users/{username}"): "                401 403 403 403 403",
    ("DELETE", "/users/{username}"): "               401 403 403 403 403",
    ("POST", "/users/{username}/reset"): "           401 403 403 403 403",
    ("GET", "/usage"): "                             401 200 200 200 200",
    ("GET", "/audit"): "                             401 403 403 403 403",
    ("POST", "/login"): "                            200 200 200 200 200",
    ("POST", "/logout"): "                           401 204 204 204 204",
    ("GET", "/me"): "                                401 200 200 200 200",
    ("PATCH", "/me"): "                              401 200 200 200 200",
    ("POST", "/password"): "                         401 204 204 204 204",
    ("POST", "/password/forgot"): "                  202 202 202 202 202",
    ("POST", "/password/reset"): "                   403 403 403 403 403",
    ("GET", "/sessions"): "                          401 200 200 200 200",
    ("DELETE", "/sessions/{session_id}"): "          401 404 404 404 204",
    ("POST", "/keys"): "                             401 201 201 201 201",
    ("GET", "/keys"): "                              401 200 200 200 200",
    ("DELETE", "/keys/{key_id}"): "                  401 404 404 404 204",
    ("POST", "/mfa"): "                              401 201 201 201 201",
    ("POST", "/mfa/confirm"): "                      401 404 404 404 404",
    ("DELETE", "/mfa"): "                            401 404 404 404 404",
    ("PUT", "/file"): "                              401 404 404 200 200",
    ("GET", "/file"): "                              401 404 200 200 200",
    ("HEAD", "/file"): "                             401 404 200 200 200",
    ("DELETE", "/file"): "                           401 404 404 404 204",
    ("PATCH", "/file"): "                            401 404 404 404 200",
    ("GET", "/versions"): "                          401 404 200 200 200",
    ("POST", "/restore"): "                          401 404 404 404 200",
    ("POST", "/copy"): "                             401 404 201 201 201",
    ("GET", "/jobs/{job_id}"): "                     401 404 404 404 200",
    ("GET", "/trash"): "                             401 200 200 200 200",
    ("DELETE", "/trash"): "                          401 204 204 204 204",
    ("GET", "/files"): "                             401 200 200 200 200",
    ("GET", "/changes"): "                           401 200 200 200 200",
    ("POST", "/uploads"): "                          401 404 404 201 201",
    ("GET", "/uploads"): "                           401 200 200 200 200",
    ("GET", "/uploads/{upload_id}"): "               401 404 404 404 200",
    ("POST", "/uploads/{upload_id}/parts"): "        401 404 404 404 200",
    ("POST", "/uploads/{upload_id}/complete"): "     401 404 404 404 409",
    ("DELETE", "/uploads/{upload_id}"): "            401 404 404 404 204",
    ("GET", "/download"): "                          401 404 200 200 200",
    ("POST", "/share"): "                            401 404 404 404 201",
    ("GET", "/shares"): "                            401 404 404 404 200",
    ("DELETE", "/share"): "                          401 404 404 404 204",
    ("GET", "/groups"): "                            401 200 200 200 200",
    ("PUT", "/groups/{group}"): "                    401 409 409 409 200",
    ("GET", "/groups/{group}"): "                    401 404 404 200 200",
    ("DELETE", "/groups/{group}"): "                 401 404 404 404 204",
    ("PUT", "/groups/{group}/members/{username}"): " 401 404 404 404 201",
    ("DELETE", "/groups/{group}/members/{username}"): "401 404 404 204 204",
    ("POST", "/links"): "                            401 404 404 404 201",
    ("GET", "/links"): "                             401 200 200 200 200",
    ("GET", "/links/{link_id}"): "                   401 404 404 404 200",
    ("PATCH", "/links/{link_id}"): "                 401 404 404 404 200",
    ("DELETE", "/links/{link_id}"): "                401 404 404 404 204",
    ("GET", "/links/{link_id}/events"): "            401 404 404 404 200",
    ("GET", "/s/{token}"): "                         200 200 200 200 200",
    ("POST", "/s/{token}/unlock"): "                 200 200 200 200 200",
    ("POST", "/s/{token}/download"): "               303 303 303 303 303",
    ("POST", "/requests"): "                         401 201 201 201 201",
    ("GET", "/requests"): "                          401 200 200 200 200",
    ("GET", "/requests/{request_id}"): "             401 404 404 404 200",
    ("PATCH", "/requests/{request_id}"): "           401 404 404 404 200",
    ("DELETE", "/requests/{request_id}"): "          401 404 404 404 204",
    ("GET", "/r/{token}"): "                         200 200 200 200 200",
    ("POST", "/r/{token}/unlock"): "                 200 200 200 200 200",
    ("POST", "/r/{token}/uploads"): "                201 201 201 201 201",
    ("GET", "/r/{token}/uploads/{upload_id}"): "     200 200 200 200 200",
    ("POST", "/r/{token}/uploads/{upload_id}/parts"): "200 200 200 200 200",
    ("POST", "/r/{token}/uploads/{upload_id}/complete"): "409 409 409 409 409",
    ("DELETE", "/r/{token}/uploads/{upload_id}"): "  204 204 204 204 204",
    ("POST", "/s3/multipart"): "                     401 200 200 200 200",
    ("GET", "/s3/multipart/{upload_id}/batch"): "    401 404 404 404 200",
    ("GET", "/s3/multipart/{upload_id}/{part_number}"): "401 404 404 404 200",
    ("GET", "/s3/multipart/{upload_id}"): "          401 404 404 404 200",
    ("POST", "/s3/multipart/{upload_id}/complete"): "401 404 404 404 409",
    ("DELETE", "/s3/multipart/{upload_id}"): "       401 404 404 404 200",
    ("GET", "/s3/params"): "                         401 200 200 200 200",
    ("POST", "/s3/params"): "                        401 200 200 200 200",
    ("GET", "/health"): "                            200 200 200 200 200",
    ("GET", "/info"): "                              200 200 200 200 200",
    ("GET", "/openapi.json"): "                      200 200 200 200 200",
    ("GET", "/docs"): "                              200 200 200 200 200",
    ("GET", "/"): "                                  302 302 302 302 302",
}
# About the file that readers and writers have a right to, where the sample is about another.
ABOUT_THE_FILE: dict[Key, Sample] = {
    ("POST", "/uploads"): Sample(
        body={"file_name": "a.txt", "username": "alice", "size": 100 * MIB}
    ),
    ("POST", "/uploads/{upload_id}/complete"): Sample(body={}),
}
# A group works without the account that owns it.
OUTLIVES: set[Key] = {
    ("GET", "/groups/{group}"),
    ("DELETE", "/groups/{group}/members/{username}"),
}
# Proven by a token of another kind, which is invalid in the sample.
PROVEN_OTHERWISE: set[Key] = {("POST", "/password/reset")}
ROLES = ("nobody", "stranger", "reader", "writer", "owner")


def as_role(world: World, role: str) -> Client:
    """The client that has this role for Alice's file and upload."""
    people = (Client(), world.dave, world.bob, world.carol, world.alice)
    return dict(zip(ROLES, people, strict=True))[role]


def expected(key: Key, role: str) -> int:
    return int(MATRIX[key].split()[ROLES.index(role)])


def check(world: World, behind: Behind, key: Key, client: Client, status: int) -> None:
    """Requires this status; a refused request changes nothing and shows nothing of the file."""
    before = behind.state()
    answer = world.send(client, key, ABOUT_THE_FILE.get(key))
    assert answer.status == status, (name_of(key), answer.text)
    if status >= 400:
        assert behind.state() == before
        assert "the first bytes" not in answer.text
        if key[0] != "HEAD":
            assert status != 401 or answer.slug == "not-signed-in"
            assert status != 403 or answer.slug in {"not-allowed", "wrong-reset-token"}
            assert status != 409 or answer.slug in {"upload-incomplete", "group-taken"}
            assert status != 404 or answer.slug.startswith("no-such-")


each_route = pytest.mark.parametrize("key", MATRIX, ids=name_of)


def test_every_route_has_a_row() -> None:
    """Every row is of a route that exists."""
    assert MATRIX.keys() == ROUTES.keys()
    assert all(len(row.split()) == len(ROLES) for row in MATRIX.values())


def test_nobody_is_refused_where_a_token_is_needed() -> None:
    """And nowhere else."""
    for key, route in ROUTES.items():
        refused = expected(key, "nobody") == 401 and key not in PROVEN_OTHERWISE
        assert refused is needs_token(route), key


@each_route
def test_each_role_gets_what_its_row_says(world: World, behind: Behind, key: Key) -> None:
    """The owner of the file has an active account."""
    restore = behind.ground.snapshot()
    for role in ROLES:
        check(world, behind, key, as_role(world, role), expected(key, role))
        restore()


def disabled(world: World, behind: Behind) -> None:
    behind.change("users", {"username": "alice"}, disabled=True)


def namesake(world: World, behind: Behind) -> None:
    behind.delete("users", username="alice")
    join("alice")


@pytest.mark.slow
@pytest.mark.parametrize("key", [k for k in MATRIX if k[1] != "/login"], ids=name_of)
@pytest.mark.parametrize("gone", [disabled, namesake])
def test_grants_of_a_disabled_or_deleted_owner_give_nothing(
    world: World, behind: Behind, key: Key, gone: Callable[[World, Behind], None]
) -> None:
    """An account of the same name does not revive them, and links and file requests answer 404."""
    gone(world, behind)
    restore = behind.ground.snapshot()
    public = key[1].startswith(("/s/", "/r/"))
    for role in ("reader", "writer", "stranger"):
        status = 404 if public else expected(key, role if key in OUTLIVES else "stranger")
        check(world, behind, key, as_role(world, role), status)
        restore()
    if needs_token(ROUTES[key]):
        status = 204 if key[1] == "/logout" else 401  # it ends a session of any state
        check(world, behind, key, world.alice, status)


def expired(world: World, behind: Behind, clock: Clock) -> None:
    clock.time += 10 * 365 * 86_400


def logged_out(world: World, behind: Behind, clock: Clock) -> None:
    assert world.alice.post("/logout").status == 204


def changed_epoch(world: World, behind: Behind, clock: Clock) -> None:
    behind.change("users", {"username": "alice"}, epoch="another")


def disabled_caller(world: World, behind: Behind, clock: Clock) -> None:
    disabled(world, behind)


@pytest.mark.parametrize("key", [k for k in MATRIX if needs_token(ROUTES[k])], ids=name_of)
def test_an_invalid_session_is_refused(
    world: World, behind: Behind, clock: Clock, key: Key
) -> None:
    """401 for the owner, in each way a session ends, and nothing changes."""
    restore, now = behind.ground.snapshot(), clock.time
    for dead in (expired, logged_out, changed_epoch, disabled_caller):
        dead(world, behind, clock)
        # A session that is invalid but not expired can still be ended.
        ends = key[1] == "/logout" and dead in {changed_epoch, disabled_caller}
        check(world, behind, key, world.alice, 204 if ends else 401)
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


@pytest.mark.parametrize("key", [k for k in MATRIX if "file_name" in SAMPLES[k].query], ids=name_of)
def test_a_hidden_file_and_a_missing_one_get_the_same_answer(world: World, key: Key) -> None:
    """A stranger learns neither whether Alice's file exists nor whether she does."""
    said = []
    for changes in ({}, {"file_name": "b.txt"}, {"username": "zoe"}):
        sample = replace(SAMPLES[key], query=SAMPLES[key].query | changes)
        answer = world.send(world.dave, key, sample)
        body = answer.json() | {"request_id": ""} if answer.content else None
        said.append((answer.status, body, answer.headers | {"x-request-id": ""}))
    assert said[0][0] == 404
    assert said[0] == said[1] == said[2]
