"""API keys: what their scopes allow on every route, and what ends them."""

import hashlib

import pytest

from function.auth.keys import MAX_KEYS
from function.auth.mfa import PERIOD
from function.core.roles import IMPLIED, SCOPES
from function.http.dependencies import power_of
from tests.access.test_roles import expected
from tests.conftest import Behind, Clock, reason_at
from tests.support.api_register import PROTECTED, Route
from tests.support.client import PASSWORD, Client
from tests.support.mfa import enable_mfa
from tests.support.world import World

KEY = {"name": "backup", "scopes": ["read"], "current_password": PASSWORD}


def create_key(client: Client, *scopes: str, **fields: object) -> Client:
    """A client with a new API key of the account."""
    wish = {"name": "backup", "scopes": scopes, "current_password": PASSWORD}
    answer = client.send("POST", "/keys", json_=wish | fields)
    assert answer.status == 201, answer.text
    return Client(answer.json()["token"], client.address)


@pytest.mark.parametrize("route", PROTECTED, ids=str)
def test_a_key_allows_what_its_scope_allows(world: World, behind: Behind, route: Route) -> None:
    """On every route, a key with one scope is answered as its owner is, or 403 without effect."""
    behind.change("users", {"username": "alice"}, role="admin")
    keys = {scope: create_key(world.alice, scope) for scope in SCOPES}
    restore = behind.fake_aws.snapshot()
    power = route.beyond or power_of(route.handler)
    for scope, client in keys.items():
        before = behind.state()
        answer = world.send(client, route)
        if power is None or {power, IMPLIED.get(power, power)} <= SCOPES[scope]:
            assert answer.status == expected(route, "admin"), (scope, answer.text)
        else:
            assert answer.status == 403, (scope, answer.text)
            assert route.method == "HEAD" or answer.slug == "not-allowed"
            assert behind.state() == before
        restore()


@pytest.mark.parametrize("route", [r for r in PROTECTED if r.power == "share"], ids=str)
def test_to_share_takes_the_scope_read_too(world: World, route: Route) -> None:
    """A link of one's own shows everything, so a key with the scope alone would read it."""
    key = create_key(world.alice, "share", "read")
    assert world.send(key, route).status == route.status


@pytest.mark.parametrize("role", ["client", "member", "admin"])
@pytest.mark.parametrize("later", ["client", "member", "admin"])
def test_a_key_never_allows_more_than_the_role_of_its_creation(
    alice: Client, behind: Behind, role: str, later: str
) -> None:
    """Its dormant scopes do not wake when its owner is promoted, nor do those of its own keys."""
    behind.change("users", {"username": "alice"}, role=role)
    key = create_key(alice, "read", "write", "share", "admin", expires_in=3600)
    least = min(role, later, key=["client", "member", "admin"].index)
    behind.change("users", {"username": "alice"}, role=later)
    keys = [key, create_key(key, *alice.get("/keys").json()[0]["scopes"], expires_in=3600)]
    behind.change("users", {"username": "alice"}, role="admin")
    assert alice.put("a.txt").status == 201
    for each, most in zip(keys, (role, least), strict=True):
        assert each.get("/users").status == (200 if most == "admin" else 403)
        assert each.put("a.txt").status == (403 if most == "client" else 200)
        assert each.post("/links", items=["a.txt"]).status == (403 if most == "client" else 201)
        assert each.get("/sessions").status == 200


def test_scopes_that_the_role_has_no_power_of_are_left_out(bob: Client, behind: Behind) -> None:
    """A key of them alone is refused: it could do nothing."""
    behind.change("users", {"username": "bob"}, role="client")
    key = bob.send("POST", "/keys", json_=KEY | {"scopes": ["write", "read", "share"]})
    assert key.json()["scopes"] == ["read"]
    answer = bob.send("POST", "/keys", json_=KEY | {"scopes": ["write", "share"]})
    assert (answer.status, answer.slug) == (403, "not-allowed")


def test_a_key_of_an_earlier_release_has_no_role(alice: Client, behind: Behind) -> None:
    """Its scopes and its account's role decide alone, as they did."""
    key = create_key(alice, "read", "write")
    row = behind.row("sessions", token_hash=hashlib.sha256(str(key.token).encode()).hexdigest())
    del row["role"]
    behind.put("sessions", row)
    assert key.put("a.txt").status == 201


def test_every_scope_allows_some_routes_and_not_others() -> None:
    """The matrix above would prove nothing of a scope that allows all routes, or none."""
    powers = [power_of(route.handler) for route in PROTECTED]
    for scope, allowed in SCOPES.items():
        opened = [power in allowed for power in powers if power]
        assert True in opened, scope
        assert False in opened, scope


def test_a_key_is_shown_once_and_stored_as_a_hash(alice: Client, behind: Behind) -> None:
    """The token names its owner, as a session's does; lists and tables do not contain it."""
    made = alice.post(
        "/keys", name="backup of June", scopes=["write", "read", "read"], current_password=PASSWORD
    ).json()
    assert made["token"].startswith("alice.")
    assert made["id"] == hashlib.sha256(made["token"].encode()).hexdigest()
    assert made["scopes"] == ["read", "write"]
    listed = alice.get("/keys")
    (key,) = listed.json()
    assert key == {name: value for name, value in made.items() if name != "token"}
    assert made["token"].partition(".")[2] not in listed.text + repr(behind.rows("sessions"))


def test_a_session_needs_the_password_for_a_key(alice: Client, behind: Behind) -> None:
    """A stolen session would become a key that outlives it. Wrong ones are counted."""
    before = behind.state()
    answer = alice.post("/keys", name="x", scopes=["read"])
    assert (answer.status, answer.slug) == (422, "invalid-request")
    assert reason_at(answer, "body.current_password").startswith("is required")
    answers = [
        alice.send("POST", "/keys", json_=KEY | {"current_password": "x"}) for _ in range(11)
    ]
    assert [each.status for each in answers] == [401] * 10 + [429]
    assert {each.slug for each in answers[:10]} == {"wrong-credentials"}
    assert behind.state() == before


def test_a_session_needs_a_code_for_a_key_or_another_address(alice: Client, clock: Clock) -> None:
    """Where the account has a second factor. A code works once for all routes."""
    app = enable_mfa(alice, clock)
    clock.time += PERIOD
    email = {"email": "other@example.org", "current_password": PASSWORD}
    for method, path, body in (("POST", "/keys", KEY), ("PATCH", "/me", email)):
        assert alice.send(method, path, json_=body).slug == "otp-required"
        assert alice.send(method, path, json_=body | {"otp": "000000"}).slug == "wrong-otp"
        assert alice.send(method, path, json_=body | {"otp": app.code()}).status in {200, 201}
        assert alice.send(method, path, json_=body | {"otp": app.code()}).slug == "wrong-otp"
        clock.time += PERIOD
        sent = alice.send(method, path, json_=body, headers={"x-otp": app.code()})
        assert sent.status in {200, 201}
        clock.time += PERIOD
        recovery = app.recovery.pop()
        assert alice.send(method, path, json_=body | {"otp": recovery}).status in {200, 201}
        assert alice.send(method, path, json_=body | {"otp": recovery}).slug == "wrong-otp"


def test_a_key_needs_no_proof_for_a_key(alice: Client, clock: Clock) -> None:
    """Its owner gave it the scope; what it creates lives no longer and may no more."""
    app = enable_mfa(alice, clock)
    admin = create_key(alice, "admin", "read", otp=app.recovery[0])
    assert admin.post("/keys", name="x", scopes=["read"], expires_in=60).status == 201


def test_a_key_is_no_session(alice: Client) -> None:
    """Keys and sessions are listed and ended by their own routes only."""
    key = create_key(alice, "read", "admin")
    (session,) = alice.get("/sessions").json()
    assert session["current"]
    assert [each["current"] for each in key.get("/sessions").json()] == [False]
    (listed,) = alice.get("/keys").json()
    assert alice.delete(f"/sessions/{listed['id']}").slug == "no-such-session"
    assert alice.delete(f"/keys/{session['id']}").slug == "no-such-key"
    assert key.get("/files").status == alice.get("/me").status == 200


def test_a_revoked_key_stops_working_at_once(alice: Client, bob: Client) -> None:
    """Only its owner can revoke it, and only once."""
    key = create_key(alice, "read")
    (listed,) = alice.get("/keys").json()
    assert bob.delete(f"/keys/{listed['id']}").slug == "no-such-key"
    assert key.get("/files").status == 200
    assert alice.delete(f"/keys/{listed['id']}").status == 204
    assert key.get("/files").slug == "not-signed-in"
    assert alice.delete(f"/keys/{listed['id']}").slug == "no-such-key"
    assert alice.get("/keys").json() == []
    assert alice.delete("/keys/x").slug == "no-such-key"


def test_a_key_ends_itself_with_logout(alice: Client) -> None:
    """A key of any scope can end itself, and needs more to end the others."""
    key, other = create_key(alice, "read"), create_key(alice, "read")
    assert key.send("POST", "/logout", query={"everywhere": "true"}).slug == "not-allowed"
    assert key.post("/logout").status == 204
    assert key.get("/files").slug == "not-signed-in"
    assert len(alice.get("/keys").json()) == 1
    assert other.get("/files").status == alice.get("/me").status == 200


def test_a_key_expires(alice: Client, clock: Clock) -> None:
    """By default after ninety days, although sessions are shorter."""
    short, usual = create_key(alice, "read", expires_in=60), create_key(alice, "read", "admin")
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
def test_malformed_keys_are_refused(alice: Client, behind: Behind, wish: dict[str, object]) -> None:
    """A key needs a name, known scopes and an expiry within a year."""
    before = behind.state()
    answer = alice.send("POST", "/keys", json_=KEY | wish)
    assert answer.status == 422
    assert len(answer.json()["errors"]) == 1
    assert behind.state() == before


def test_a_key_creates_no_stronger_key(alice: Client, behind: Behind) -> None:
    """Neither with a scope that it lacks, nor with a later expiry."""
    admin = create_key(alice, "admin", "read", expires_in=3600)
    assert admin.get("/files").status == 200  # its first use is noted
    before = behind.state()
    for wish in ({"scopes": ["write"]}, {"scopes": ["read", "share"]}, {"scopes": ["read"]}):
        answer = admin.post("/keys", name="more", **wish)
        assert (answer.status, answer.slug) == (403, "not-allowed")
    assert behind.state() == before
    less = create_key(admin, "read", expires_in=3600)
    assert less.get("/files").status == 200
    assert less.post("/keys", name="x", scopes=["read"], expires_in=60).slug == "not-allowed"


@pytest.mark.parametrize("way", ["revoked", "logged out", "expired"])
def test_a_key_ends_with_the_key_that_created_it(alice: Client, clock: Clock, way: str) -> None:
    """It neither outlives it nor creates others, so nothing is left of a key that was stolen."""
    parent = create_key(alice, "admin", "read", expires_in=7200)
    clock.time += 60
    child = create_key(parent, "admin", "read", expires_in=3600)
    assert child.get("/files").status == 200
    assert child.post("/keys", name="x", scopes=["read"], expires_in=60).slug == "not-allowed"
    if way == "revoked":
        _, first = alice.get("/keys").json()
        assert alice.delete(f"/keys/{first['id']}").status == 204
    elif way == "logged out":
        assert parent.send("POST", "/logout").status == 204
    else:
        clock.time += 7200
    assert child.get("/files").slug == "not-signed-in"
    assert alice.get("/keys").json() == []


def test_role_and_scope_both_limit_a_key(alice: Client, bob: Client, behind: Behind) -> None:
    """A key of a demoted owner loses the power with the next request (CVE-2026-29061)."""
    bob.put("his.txt", b"his")
    bob.post("/share", file_name="his.txt", username="alice", permission="write")
    key = create_key(alice, "read", "write", "share", "admin")
    assert key.put("a.txt").status == 201
    behind.change("users", {"username": "alice"}, role="client")
    assert key.put("a.txt").slug == "not-allowed"
    assert key.post("/links", items=["a.txt"]).slug == "not-allowed"
    assert key.read("his.txt", username="bob").content == b"his"
    behind.change("users", {"username": "alice"}, role="member", disabled=True)
    assert key.get("/files").slug == "not-signed-in"


@pytest.mark.parametrize("way", ["password", "everywhere"])
def test_a_new_epoch_ends_every_key(alice: Client, way: str) -> None:
    """A new password and a logout everywhere end all keys, which then leave room for others."""
    key = create_key(alice, "read")
    if way == "password":
        other = {"current_password": PASSWORD, "new_password": "another horse battery"}
        assert alice.post("/password", **other).status == 204
        assert alice.get("/keys").json() == []
    else:
        assert alice.send("POST", "/logout", query={"everywhere": "true"}).status == 204
    assert key.get("/files").slug == "not-signed-in"


def test_a_key_that_changes_the_password_stays_valid(alice: Client) -> None:
    """It alone stays valid, and listed."""
    key, other = create_key(alice, "admin"), create_key(alice, "admin")
    wish = {"current_password": PASSWORD, "new_password": "another horse battery"}
    assert key.post("/password", **wish).status == 204
    assert len(key.get("/keys").json()) == 1
    assert other.get("/keys").slug == alice.get("/me").slug == "not-signed-in"


def test_the_number_of_valid_keys_is_limited(alice: Client, clock: Clock) -> None:
    """Fifty valid keys are the limit; expired ones do not count."""
    for number in range(MAX_KEYS):
        create_key(alice, "read", expires_in=60 if number < 2 else 3600)
    answer = alice.send("POST", "/keys", json_=KEY)
    assert (answer.status, answer.slug) == (409, "limit-reached")
    clock.time += 60
    for _ in range(2):
        create_key(alice, "read")
    assert alice.send("POST", "/keys", json_=KEY).slug == "limit-reached"
    assert len(alice.get("/keys").json()) == MAX_KEYS


def test_a_key_shows_its_last_use(alice: Client, clock: Clock) -> None:
    """Null before the first use, and then exact to ten minutes."""
    key = create_key(alice, "read")
    assert alice.get("/keys").json()[0]["seen"] is None
    key.get("/files")
    first = alice.get("/keys").json()[0]["seen"]
    assert first
    clock.time += 700
    key.get("/files")
    assert alice.get("/keys").json()[0]["seen"] > first
