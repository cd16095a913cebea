"""Roles: the answer of every route to an administrator, a member and a client.

A row has the status that each gets for data of their own. A role without the route's power gets 403
`not-allowed`, and nothing changes. A route without a row fails.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from function import contract
from function.core.roles import ROLES
from function.http.dependencies import needs_token, power_of
from tests.access.test_matrix import ABOUT_THE_FILE
from tests.conftest import Behind
from tests.support.client import PASSWORD, Client, join
from tests.support.samples import ROUTES, World, name_of

Key = tuple[str, str]
Rewire = Callable[[contract.Settings], None]

OF_ROLE: dict[Key, str] = {
    #                                             admin member client
    ("POST", "/register"): "                      201 201 201",
    ("POST", "/invites"): "                       201 403 403",
    ("GET", "/invites"): "                        200 403 403",
    ("DELETE", "/invites/{invite_id}"): "         204 403 403",
    ("GET", "/users"): "                          200 403 403",
    ("PATCH", "/users/{username}"): "             200 403 403",
    ("DELETE", "/users/{username}"): "            204 403 403",
    ("POST", "/users/{username}/reset"): "        201 403 403",
    ("GET", "/usage"): "                          200 200 200",
    ("GET", "/audit"): "                          200 403 403",
    ("POST", "/login"): "                         200 200 200",
    ("POST", "/logout"): "                        204 204 204",
    ("GET", "/me"): "                             200 200 200",
    ("PATCH", "/me"): "                           200 200 200",
    ("POST", "/password"): "                      204 204 204",
    ("POST", "/password/forgot"): "               202 202 202",
    ("POST", "/password/reset"): "                403 403 403",
    ("GET", "/sessions"): "                       200 200 200",
    ("DELETE", "/sessions/{session_id}"): "       204 204 204",
    ("POST", "/keys"): "                          201 201 201",
    ("GET", "/keys"): "                           200 200 200",
    ("DELETE", "/keys/{key_id}"): "               204 204 204",
    ("POST", "/mfa"): "                           201 201 201",
    ("POST", "/mfa/confirm"): "                   404 404 404",
    ("DELETE", "/mfa"): "                         404 404 404",
    ("PUT", "/file"): "                           200 200 403",
    ("GET", "/file"): "                           200 200 200",
    ("HEAD", "/file"): "                          200 200 200",
    ("DELETE", "/file"): "                        204 204 403",
    ("PATCH", "/file"): "                         200 200 403",
    ("GET", "/versions"): "                       200 200 200",
    ("POST", "/restore"): "                       200 200 403",
    ("POST", "/copy"): "                          201 201 403",
    ("GET", "/jobs/{job_id}"): "                  200 200 200",
    ("GET", "/trash"): "                          200 200 200",
    ("DELETE", "/trash"): "                       204 204 403",
    ("GET", "/files"): "                          200 200 200",
    ("GET", "/changes"): "                        200 200 200",
    ("POST", "/uploads"): "                       201 201 403",
    ("GET", "/uploads"): "                        200 200 403",
    ("GET", "/uploads/{upload_id}"): "            200 200 403",
    ("POST", "/uploads/{upload_id}/parts"): "     200 200 403",
    ("POST", "/uploads/{upload_id}/complete"): "  409 409 403",
    ("DELETE", "/uploads/{upload_id}"): "         204 204 403",
    ("GET", "/download"): "                       200 200 200",
    ("POST", "/share"): "                         201 201 403",
    ("GET", "/shares"): "                         200 200 200",
    ("DELETE", "/share"): "                       204 204 403",
    ("GET", "/groups"): "                         200 200 200",
    ("PUT", "/groups/{group}"): "                 200 200 403",
    ("GET", "/groups/{group}"): "                 200 200 200",
    ("DELETE", "/groups/{group}"): "              204 204 403",
    ("PUT", "/groups/{group}/members/{username}"): "201 201 403",
    ("DELETE", "/groups/{group}/members/{username}"): "204 204 403",
    ("POST", "/links"): "                         201 201 403",
    ("GET", "/links"): "                          200 200 403",
    ("GET", "/links/{link_id}"): "                200 200 403",
    ("PATCH", "/links/{link_id}"): "              200 200 403",
    ("DELETE", "/links/{link_id}"): "             204 204 403",
    ("GET", "/links/{link_id}/events"): "         200 200 403",
    ("GET", "/s/{token}"): "                      200 200 404",
    ("POST", "/s/{token}/unlock"): "              200 200 404",
    ("POST", "/s/{token}/download"): "            303 303 404",
    ("POST", "/requests"): "                      201 201 403",
    ("GET", "/requests"): "                       200 200 403",
    ("GET", "/requests/{request_id}"): "          200 200 403",
    ("PATCH", "/requests/{request_id}"): "        200 200 403",
    ("DELETE", "/requests/{request_id}"): "       204 204 403",
    ("GET", "/r/{token}"): "                      200 200 404",
    ("POST", "/r/{token}/unlock"): "              200 200 404",
    ("POST", "/r/{token}/uploads"): "             201 201 404",
    ("GET", "/r/{token}/uploads/{upload_id}"): "  200 200 404",
    ("POST", "/r/{token}/uploads/{upload_id}/parts"): "200 200 404",
    ("POST", "/r/{token}/uploads/{upload_id}/complete"): "409 409 404",
    ("DELETE", "/r/{token}/uploads/{upload_id}"): "204 204 404",
    ("POST", "/s3/multipart"): "                  200 200 403",
    ("GET", "/s3/multipart/{upload_id}/batch"): " 200 200 403",
    ("GET", "/s3/multipart/{upload_id}/{part_number}"): "200 200 403",
    ("GET", "/s3/multipart/{upload_id}"): "       200 200 403",
    ("POST", "/s3/multipart/{upload_id}/complete"): "409 409 403",
    ("DELETE", "/s3/multipart/{upload_id}"): "    200 200 403",
    ("GET", "/s3/params"): "                      200 200 403",
    ("POST", "/s3/params"): "                     200 200 403",
    ("GET", "/health"): "                         200 200 200",
    ("GET", "/info"): "                           200 200 200",
    ("GET", "/openapi.json"): "                   200 200 200",
    ("GET", "/docs"): "                           200 200 200",
    ("GET", "/"): "                               302 302 302",
}
NAMES = ("admin", "member", "client")
# What a client may send, if not always with success: what takes no token, and what is theirs.
HARMLESS = {"/register", "/login", "/logout", "/password/forgot", "/password/reset"}


def expected(key: Key, role: str) -> int:
    return int(OF_ROLE[key].split()[NAMES.index(role)])


def test_every_route_has_a_row() -> None:
    """Every row is of a route that exists."""
    assert OF_ROLE.keys() == ROUTES.keys()
    assert set(NAMES) == ROLES.keys()
    assert all(len(row.split()) == len(NAMES) for row in OF_ROLE.values())


def test_a_client_changes_only_their_own_account() -> None:
    """No other changing route is allowed by a row of the table."""
    for key, route in OF_ROLE.items():
        own = power_of(ROUTES[key]) == "account"
        if key[0] not in {"GET", "HEAD"} and key[1] not in HARMLESS and not own:
            needs = needs_token(ROUTES[key])
            assert expected(key, "client") == (403 if needs else 404), route


@pytest.mark.parametrize("key", OF_ROLE, ids=name_of)
def test_each_role_may_what_its_row_says(world: World, behind: Behind, key: Key) -> None:
    """With data of their own; a refusal is `not-allowed` and changes nothing."""
    for role in NAMES:
        restore = behind.ground.snapshot()
        behind.change("users", {"username": "alice"}, role=role)
        before = behind.state()
        answer = world.send(world.alice, key, ABOUT_THE_FILE.get(key))
        assert answer.status == expected(key, role), (role, answer.text)
        if answer.status >= 400:
            assert behind.state() == before
        if answer.status == 403 and key[0] != "HEAD":
            assert answer.slug in {"not-allowed", "wrong-reset-token"}
        restore()


def test_a_client_reads_shared_files_and_writes_none(world: World, behind: Behind) -> None:
    """Each way of reading works, by a share with a group as well."""
    for name in ("bob", "carol"):
        behind.change("users", {"username": name}, role="client")
    world.alice.put("in/b.txt", b"in the folder")
    world.alice.post("/share", file_name="in/", group="team", permission="write")
    of = {"file_name": "a.txt", "username": "alice"}
    assert world.bob.read("a.txt", username="alice").content == b"the first bytes"
    assert world.bob.get("/download", **of).status == 200
    assert world.bob.names() == ["alice/a.txt"]
    assert world.carol.names() == ["alice/a.txt", "alice/in/b.txt"]
    assert world.carol.read("in/b.txt", username="alice").content == b"in the folder"
    answer = world.carol.put("in/b.txt", username="alice")
    assert (answer.status, answer.slug) == (403, "not-allowed")


def test_a_lower_role_applies_from_the_next_request(world: World, behind: Behind) -> None:
    """To older sessions, links and file requests too."""
    assert world.alice.put("b.txt").status == 201
    behind.change("users", {"username": "alice"}, role="client")
    assert world.alice.put("b.txt").slug == "not-allowed"
    assert Client().get(f"/s/{world.ids['token']}").slug == "no-such-link"
    assert Client().get(f"/r/{world.ids['asked']}").slug == "no-such-request"
    behind.change("users", {"username": "alice"}, role="member")
    assert world.alice.put("b.txt").status == 200
    assert Client().get(f"/s/{world.ids['token']}").status == 200


def test_a_file_request_of_the_configured_administrator_works(
    settings: contract.Settings, rewire: Rewire, behind: Behind
) -> None:
    """The role of the account's row alone would not allow it."""
    rewire(replace(settings, administrator="alice"))
    asked = join("alice").post("/requests", title="Slides", folder="in/").json()["url"]
    path = asked[asked.index("/r/") :] + "/uploads"
    behind.change("users", {"username": "alice"}, role="client")
    assert Client().post(path, file_name="a.txt", size=3).status == 201
    rewire(settings)
    assert Client().post(path, file_name="a.txt", size=3).slug == "no-such-request"


def test_an_unknown_role_may_do_nothing(world: World, behind: Behind) -> None:
    """A row that a newer version wrote gives no power here."""
    behind.change("users", {"username": "alice"}, role="auditor")
    assert world.alice.get("/files").slug == "not-allowed"


@pytest.mark.parametrize("more", [{"role": "admin"}, {"quota": 0}, {"created": "now"}])
def test_nobody_chooses_their_own_role(anyone: Client, more: dict[str, object]) -> None:
    """Registration refuses fields about what an account may do."""
    answer = anyone.post("/register", username="mallory", password=PASSWORD, **more)
    assert (answer.status, answer.slug) == (422, "invalid-request")
    made = anyone.post("/register", username="mallory", password=PASSWORD)
    assert made.json()["role"] == "member"


def test_the_configuration_names_the_first_administrator(
    settings: contract.Settings, rewire: Rewire, behind: Behind
) -> None:
    """The role of the row does not matter, and nobody else becomes one."""
    rewire(replace(settings, administrator="alice"))
    alice, bob = join("alice"), join("bob")
    assert alice.get("/me").json()["role"] == "admin"
    assert bob.get("/me").json()["role"] == "member"
    assert behind.row("users", username="alice")["role"] == "member"
    behind.change("users", {"username": "alice"}, role="client")
    assert alice.put("a.txt").status == 201
    rewire(settings)
    assert alice.put("a.txt").slug == "not-allowed"


def test_the_default_role_is_configured(
    settings: contract.Settings, rewire: Rewire, anyone: Client
) -> None:
    """It applies to accounts that register from now on."""
    rewire(replace(settings, default_role="client"))
    made = anyone.post("/register", username="carol", password=PASSWORD)
    assert made.json()["role"] == "client"
    assert join("dave").put("a.txt").slug == "not-allowed"
