"""Roles: the answer of every route to an administrator, a member and a client.

Each sends the register's request, for data of their own. A role without the route's power gets 403
`not-allowed`, and nothing changes.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from function import contract
from function.core.roles import ROLES
from function.http.dependencies import needs_token, power_of
from tests.conftest import Behind
from tests.support.api_register import ROUTES, Route
from tests.support.client import PASSWORD, Client, join
from tests.support.world import World

Rewire = Callable[[contract.Settings], None]

# The powers that each role lacks, written out: the table of `core.roles` is what is tested.
LACKS: dict[str, set[str]] = {
    "admin": set(),
    "member": {"admin"},
    "client": {"admin", "write", "share"},
}
# What a client may send, if not always with success: what takes no token, and what is theirs.
HARMLESS = {"/register", "/login", "/logout", "/password/forgot", "/password/reset"}


def expected(route: Route, role: str) -> int:
    """The status for data of one's own; a client's links and file requests do not work."""
    if {route.power, route.beyond} & LACKS[role]:
        return 403
    if role == "client" and route.path.startswith(("/s/", "/r/")):
        return 404
    return route.status


def test_every_role_is_tested() -> None:
    """And no other."""
    assert LACKS.keys() == ROLES.keys()


def test_a_client_changes_only_their_own_account() -> None:
    """The register allows them no other changing route."""
    for route in ROUTES:
        own = power_of(route.handler) == "account"
        if route.method not in {"GET", "HEAD"} and route.path not in HARMLESS and not own:
            needs = needs_token(route.handler)
            assert expected(route, "client") == (403 if needs else 404), route


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_each_role_may_what_its_row_says(world: World, behind: Behind, route: Route) -> None:
    """With data of their own; a refusal is `not-allowed` and changes nothing."""
    for role in LACKS:
        restore = behind.fake_aws.snapshot()
        behind.change("users", {"username": "alice"}, role=role)
        before = behind.state()
        answer = world.send(world.alice, route)
        assert answer.status == expected(route, role), (role, answer.text)
        if answer.status >= 400:
            assert behind.state() == before
        if answer.status == 403 and route.method != "HEAD":
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
    assert Client().get(f"/s/{world.ids.link_token}").slug == "no-such-link"
    assert Client().get(f"/r/{world.ids.request_token}").slug == "no-such-request"
    behind.change("users", {"username": "alice"}, role="member")
    assert world.alice.put("b.txt").status == 200
    assert Client().get(f"/s/{world.ids.link_token}").status == 200


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
