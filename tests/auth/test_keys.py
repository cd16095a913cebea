"""API keys: what their scopes let them do on every route, and what ends them."""

import hashlib

import pytest

from function.auth.keys import MOST
from function.core.roles import SCOPES
from function.http.dependencies import power_of
from tests.access.test_matrix import ABOUT_THE_FILE
from tests.access.test_roles import expected
from tests.conftest import Behind, Clock
from tests.support.client import PASSWORD, Client
from tests.support.samples import PROTECTED, ROUTES, World, name_of

Key = tuple[str, str]


def key_of(client: Client, *scopes: str, **fields: object) -> Client:
    """A key of somebody's."""
    answer = client.post("/keys", name="backup", scopes=scopes, **fields)
    assert answer.status == 201, answer.text
    return Client(answer.json()["token"], client.address)


@pytest.mark.parametrize("key", PROTECTED, ids=name_of)
def test_a_key_goes_as_far_as_its_scope(world: World, behind: Behind, key: Key) -> None:
    """On every route there is, with each scope alone: as its owner, or 403 and nothing happens."""
    behind.change("users", {"username": "alice"}, role="admin")
    keys = {scope: key_of(world.alice, scope) for scope in SCOPES}
    restore = behind.ground.snapshot()
    power = power_of(ROUTES[key])
    for scope, client in keys.items():
        before = behind.state()
        answer = world.send(client, key, ABOUT_THE_FILE.get(key))
        if power is None or power in SCOPES[scope]:
            assert answer.status == expected(key, "admin"), (scope, answer.text)
        else:
            assert answer.status == 403, (scope, answer.text)
            assert key[0] == "HEAD" or answer.slug == "not-allowed"
            assert behind.state() == before
        restore()


def test_the_matrix_of_scopes_says_both() -> None:
    """Each scope opens some routes that need a token and not others."""
    powers = [power_of(ROUTES[key]) for key in PROTECTED]
    for scope, allowed in SCOPES.items():
        opened = [power in allowed for power in powers if power]
        assert True in opened, scope
        assert False in opened, scope


def test_a_key_is_said_once_and_stored_as_a_hash(alice: Client, behind: Behind) -> None:
    """Its token names its owner, as that of a session does, and lists do not have it."""
    made = alice.post("/keys", name="backup of June", scopes=["write", "read", "read"]).json()
    assert made["token"].startswith("alice.")
    assert made["id"] == hashlib.sha256(made["token"].encode()).hexdigest()
    assert made["scopes"] == ["read", "write"]
    listed = alice.get("/keys")
    (key,) = listed.json()
    assert key == {name: value for name, value in made.items() if name != "token"}
    assert made["token"].partition(".")[2] not in listed.text + repr(behind.rows("sessions"))


def test_a_key_is_no_session(alice: Client) -> None:
    """It is listed with the keys, and ended there."""
    key = key_of(alice, "read", "admin")
    (session,) = alice.get("/sessions").json()
    assert session["current"]
    assert [each["current"] for each in key.get("/sessions").json()] == [False]
    (listed,) = alice.get("/keys").json()
    assert alice.delete(f"/sessions/{listed['id']}").slug == "no-such-session"
    assert alice.delete(f"/keys/{session['id']}").slug == "no-such-key"
    assert key.get("/files").status == alice.get("/me").status == 200


def test_a_revoked_key_is_dead_at_once(alice: Client, bob: Client) -> None:
    """Once, and by whose it is."""
    key = key_of(alice, "read")
    (listed,) = alice.get("/keys").json()
    assert bob.delete(f"/keys/{listed['id']}").slug == "no-such-key"
    assert key.get("/files").status == 200
    assert alice.delete(f"/keys/{listed['id']}").status == 204
    assert key.get("/files").slug == "not-signed-in"
    assert alice.delete(f"/keys/{listed['id']}").slug == "no-such-key"
    assert alice.get("/keys").json() == []
    assert alice.delete("/keys/x").slug == "no-such-key"


def test_a_key_ends_itself_with_logout(alice: Client) -> None:
    """Whatever its scope, and only itself."""
    key, other = key_of(alice, "read"), key_of(alice, "read")
    assert key.send("POST", "/logout", query={"everywhere": "true"}).slug == "not-allowed"
    assert key.post("/logout").status == 204
    assert key.get("/files").slug == "not-signed-in"
    assert len(alice.get("/keys").json()) == 1
    assert other.get("/files").status == alice.get("/me").status == 200


def test_a_key_ends_with_its_time(alice: Client, clock: Clock) -> None:
    """After ninety days unless it was said otherwise, however short a session is."""
    short, usual = key_of(alice, "read", expires_in=60), key_of(alice, "read", "admin")
    clock.time += 60
    assert short.get("/files").slug == "not-signed-in"
    assert [each["scopes"] for each in alice.get("/keys").json()] == [["admin", "read"]]
    clock.time += 89 * 86_400
    assert alice.get("/me").slug == "not-signed-in"
    assert usual.get("/files").status == 200
    clock.time += 86_400
    assert usual.get("/files").slug == "not-signed-in"


@pytest.mark.parametrize(
    "wish",
    [
        {"scopes": []}, {"scopes": ["all"]}, {"scopes": ["account"]}, {"scopes": "read"},
        {"scopes": ["read"] * 5}, {"expires_in": 0}, {"expires_in": 365 * 86_400 + 1},
        {"expires_in": None}, {"name": ""}, {"name": " "}, {"name": "x" * 201}, {"key": "x"},
    ],
    ids=repr,
)  # fmt: skip
def test_other_keys_are_refused(alice: Client, behind: Behind, wish: dict[str, object]) -> None:
    """Without a name, a scope, or an end."""
    before = behind.state()
    answer = alice.send("POST", "/keys", json_={"name": "backup", "scopes": ["read"], **wish})
    assert answer.status == 422
    assert len(answer.json()["errors"]) == 1
    assert behind.state() == before


def test_a_key_makes_none_that_is_more(alice: Client, behind: Behind) -> None:
    """Neither of a scope that it has not, nor for longer than itself."""
    admin = key_of(alice, "admin", "read", expires_in=3600)
    assert admin.get("/files").status == 200  # its first use is noted
    before = behind.state()
    for wish in ({"scopes": ["write"]}, {"scopes": ["read", "share"]}, {"scopes": ["read"]}):
        answer = admin.post("/keys", name="more", **wish)
        assert (answer.status, answer.slug) == (403, "not-allowed")
    assert behind.state() == before
    less = key_of(admin, "read", expires_in=3600)
    assert less.get("/files").status == 200
    assert less.post("/keys", name="x", scopes=["read"], expires_in=60).slug == "not-allowed"


def test_role_and_scope_both_limit(alice: Client, bob: Client, behind: Behind) -> None:
    """A key of somebody who is demoted has lost with the next request (CVE-2026-29061)."""
    bob.put("his.txt", b"his")
    bob.post("/share", file_name="his.txt", username="alice", permission="write")
    key = key_of(alice, "read", "write", "share", "admin")
    assert key.put("a.txt").status == 201
    behind.change("users", {"username": "alice"}, role="client")
    assert key.put("a.txt").slug == "not-allowed"
    assert key.post("/links", items=["a.txt"]).slug == "not-allowed"
    assert key.read("his.txt", username="bob").content == b"his"
    behind.change("users", {"username": "alice"}, role="member", disabled=True)
    assert key.get("/files").slug == "not-signed-in"


@pytest.mark.parametrize("way", ["password", "everywhere"])
def test_a_new_epoch_ends_every_key(alice: Client, way: str) -> None:
    """A new password does, and a log-out everywhere; they count no more either."""
    key = key_of(alice, "read")
    if way == "password":
        other = {"current_password": PASSWORD, "new_password": "another horse battery"}
        assert alice.post("/password", **other).status == 204
        assert alice.get("/keys").json() == []
    else:
        assert alice.send("POST", "/logout", query={"everywhere": "true"}).status == 204
    assert key.get("/files").slug == "not-signed-in"


def test_a_key_that_changes_the_password_lives_on(alice: Client) -> None:
    """It alone, and is listed as before."""
    key, other = key_of(alice, "admin"), key_of(alice, "admin")
    wish = {"current_password": PASSWORD, "new_password": "another horse battery"}
    assert key.post("/password", **wish).status == 204
    assert len(key.get("/keys").json()) == 1
    assert other.get("/keys").slug == alice.get("/me").slug == "not-signed-in"


def test_there_are_so_many_keys_and_dead_ones_make_room(alice: Client, clock: Clock) -> None:
    """Fifty that are good, however many there were."""
    for number in range(MOST):
        key_of(alice, "read", expires_in=60 if number < 2 else 3600)
    answer = alice.post("/keys", name="one more", scopes=["read"])
    assert (answer.status, answer.slug) == (409, "limit-reached")
    clock.time += 60
    for _ in range(2):
        key_of(alice, "read")
    assert alice.post("/keys", name="one more", scopes=["read"]).slug == "limit-reached"
    assert len(alice.get("/keys").json()) == MOST


def test_a_key_says_when_it_was_used(alice: Client, clock: Clock) -> None:
    """Never at first, and then to ten minutes."""
    key = key_of(alice, "read")
    assert alice.get("/keys").json()[0]["seen"] is None
    key.get("/files")
    first = alice.get("/keys").json()[0]["seen"]
    assert first
    clock.time += 700
    key.get("/files")
    assert alice.get("/keys").json()[0]["seen"] > first
