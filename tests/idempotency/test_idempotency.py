"""An `Idempotency-Key`: the same request gets the same secret, and nothing is created twice."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from function.links.models import MAX_ITEMS
from tests.conftest import Behind, Clock, reason_at
from tests.support.api_register import BY_NAME, QUERY, READ, ROUTES, Route
from tests.support.client import PASSWORD, Answer, Client, join
from tests.support.fake_aws import FakeAws
from tests.support.mfa import enable_mfa
from tests.support.transfers import complete, put
from tests.support.world import World

IDEMPOTENT = [route for route in ROUTES if route.idempotent]
each_route = pytest.mark.parametrize("route", IDEMPOTENT, ids=str)
KEY = {"idempotency-key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
SLIDES = {"title": "Slides", "folder": "in/"}
# The calls of a repetition: it proves the caller, then reads what was created.
CALLS_OF_REPETITION = {
    "POST /keys": [READ, READ],
    "POST /invites": [READ, READ],
    "POST /uploads": [READ, READ],
    "POST /links": [READ, QUERY, READ],
    "POST /requests": [READ, READ],
}
# Another value of a field of each body.
OTHER: dict[str, dict[str, Any]] = {
    "POST /keys": {"name": "another"},
    "POST /invites": {"expires_in": 7200},
    "POST /uploads": {"file_name": "another.bin"},
    "POST /links": {"password": "another horse battery"},
    "POST /requests": {"password": "another horse battery"},
}


def send(world: World, route: Route, client: Client | None = None, **sent: Any) -> Answer:
    """Sends the register's request with a key."""
    return world.send(client or world.sender(route), route, **{"headers": KEY} | sent)


def path_of(url: str) -> str:
    """The path of the address of a link or a file request."""
    return urlsplit(url).path


def new_session(client: Client, username: str) -> Client:
    """Another session of an account."""
    answer = client.post("/login", username=username, password=PASSWORD)
    return Client(answer.json()["token"])


@each_route
def test_a_repetition_gets_the_same_answer_and_creates_nothing(
    world: World, behind: Behind, route: Route
) -> None:
    """Also its secret, which is stored nowhere; and one may be repeated again and again."""
    first = send(world, route)
    assert first.status == 201, first.text
    state = behind.state()
    for _ in range(2):
        again = send(world, route)
        assert (again.status, again.json()) == (201, first.json())
    assert behind.state() == state


@each_route
def test_the_calls_of_a_repetition(world: World, fake_aws: FakeAws, route: Route) -> None:
    """The first request makes the same calls as without a key."""
    for calls in (list(route.calls), CALLS_OF_REPETITION[str(route)]):
        fake_aws.calls.clear()
        assert send(world, route).status == 201
        assert fake_aws.calls == calls


@each_route
def test_equal_requests_without_a_key_are_two(world: World, route: Route) -> None:
    """And so are those with two keys."""
    body = {**(route.body or {})} | ({"alias": None} if "alias" in (route.body or {}) else {})
    ids = set()
    for headers in ({}, {}, KEY, {"idempotency-key": "1"}):
        answer = send(world, route, headers=headers, json_=body)
        assert answer.status == 201, answer.text
        ids.add(answer.json().get("id") or answer.json()["upload_id"])
    assert len(ids) == 4


@each_route
def test_a_key_with_another_body_is_refused(world: World, behind: Behind, route: Route) -> None:
    """It says what to do, and creates nothing."""
    assert send(world, route).status == 201
    state = behind.state()
    other = send(world, route, json_={**(route.body or {}), **OTHER[str(route)]})
    assert (other.status, other.slug) == (422, "idempotency-key-reused")
    assert "Send a new key" in other.json()["detail"]
    assert behind.state() == state


@each_route
def test_the_order_of_members_does_not_matter(world: World, route: Route) -> None:
    """Nor the space between them: the request is compared as it is understood."""
    first = send(world, route)
    body = dict(reversed((route.body or {}).items()))
    again = send(world, route, json_=None, body=json.dumps(body, indent=2).encode())
    assert again.json() == first.json()


@each_route
def test_a_key_of_another_route_is_refused(world: World, behind: Behind, route: Route) -> None:
    """A key stands for one request of an account."""
    sender = world.sender(route)
    first = BY_NAME["POST /requests" if str(route) != "POST /requests" else "POST /links"]
    body = SLIDES if str(first) == "POST /requests" else {"items": ["a.txt"]}
    assert send(world, first, sender, json_=body).status == 201
    state = behind.state()
    answer = send(world, route)
    assert (answer.status, answer.slug) == (422, "idempotency-key-reused")
    assert behind.state() == state


@each_route
def test_another_session_cannot_repeat_it(world: World, behind: Behind, route: Route) -> None:
    """The secret is derived from the token that came with the request."""
    assert send(world, route).status == 201
    other = new_session(world.sender(route), "root" if route.power == "admin" else "alice")
    state = behind.state()
    answer = send(world, route, other)
    assert (answer.status, answer.slug) == (422, "idempotency-key-reused")
    assert behind.state() == state


def test_the_keys_of_accounts_do_not_meet(alice: Client, bob: Client) -> None:
    """Both may count from 1."""
    bodies = {"json_": SLIDES, "headers": {"idempotency-key": "1"}}
    first, other = (client.send("POST", "/requests", **bodies) for client in (alice, bob))
    assert first.status == other.status == 201
    assert first.json()["url"] != other.json()["url"]
    assert alice.send("POST", "/requests", **bodies).json() == first.json()


def test_a_later_account_of_the_name_has_no_keys(world: World) -> None:
    """Its first request with the same key is a first one."""
    body = {"json_": SLIDES, "headers": KEY}
    first = world.dave.send("POST", "/requests", **body)
    assert world.root.delete("/users/dave").status == 204
    later = join("dave").send("POST", "/requests", **body)
    assert first.status == later.status == 201
    assert later.json()["url"] != first.json()["url"]


@each_route
def test_a_key_is_free_again_after_a_day(world: World, clock: Clock, route: Route) -> None:
    """Its record expires then, whether DynamoDB has deleted it or not."""
    every = {"name": "all", "scopes": ["read", "write", "share", "admin"]}
    token = world.sender(route).post("/keys", **every, current_password=PASSWORD).json()["token"]
    script = Client(token)
    body = {**(route.body or {}), **({"alias": None} if str(route) == "POST /links" else {})}
    first = send(world, route, script, json_=body)
    assert first.status == 201, first.text
    clock.time += 24 * 3600 - 1
    again = send(world, route, script, json_=body)
    assert again.json() == first.json() or again.slug == "idempotency-key-spent"
    clock.time += 1
    later = send(world, route, script, json_=body)
    assert later.status == 201
    assert later.json() != first.json()


def delete_invite(world: World, made: Any) -> Answer:
    return world.root.delete(f"/invites/{made['id']}")


def use_invite(world: World, made: Any) -> Answer:
    return Client().post("/register", username="newcomer", password=PASSWORD, invite=made["token"])


ENDS: list[tuple[str, Callable[[World, Any], Answer]]] = [
    ("POST /keys", lambda world, made: world.alice.delete(f"/keys/{made['id']}")),
    ("POST /invites", delete_invite),
    ("POST /invites", use_invite),
    ("POST /uploads", lambda world, made: world.alice.delete(f"/uploads/{made['upload_id']}")),
    ("POST /links", lambda world, made: world.alice.delete(f"/links/{made['id']}")),
    ("POST /requests", lambda world, made: world.alice.delete(f"/requests/{made['id']}")),
]


@pytest.mark.parametrize(("name", "end"), ENDS)
def test_what_has_ended_is_not_created_again(
    world: World, behind: Behind, name: str, end: Callable[[World, Any], Answer]
) -> None:
    """The answer says so, and a new key creates another."""
    route = BY_NAME[name]
    made = send(world, route).json()
    assert end(world, made).status in {201, 204}
    state = behind.state()
    answer = send(world, route)
    assert (answer.status, answer.slug) == (410, "idempotency-key-spent")
    assert behind.state() == state
    assert send(world, route, headers={"idempotency-key": "2"}).status == 201


def test_a_completed_upload_is_not_begun_again(alice: Client) -> None:
    """Its file is there; the bytes would only come twice."""
    sent = {"json_": {"file_name": "new.bin", "size": 4}, "headers": KEY}
    made = alice.send("POST", "/uploads", **sent).json()
    put(made, b"data")
    assert complete(alice, made).status == 200
    assert alice.send("POST", "/uploads", **sent).slug == "idempotency-key-spent"
    assert alice.get("/uploads").json() == []


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "a b", "schlüssel", "\x7f"])
def test_a_malformed_key_is_refused(alice: Client, key: str) -> None:
    """1 to 255 visible ASCII characters."""
    answer = alice.send("POST", "/requests", json_=SLIDES, headers={"idempotency-key": key})
    assert answer.status == 422
    assert reason_at(answer, "header.idempotency-key").startswith("must be 1 to 255 visible")
    assert alice.get("/requests").json() == []


@pytest.mark.parametrize("key", ["1", "x" * 255, '"8e03978e"', "!~,;="])
def test_every_visible_key_is_taken(alice: Client, key: str) -> None:
    """It is compared as it is: in quotation marks, as the draft has it, it is another one."""
    sent = {"json_": SLIDES, "headers": {"idempotency-key": key}}
    first, again = (alice.send("POST", "/requests", **sent) for _ in range(2))
    assert first.status == 201
    assert again.json() == first.json()


def test_the_secret_works(world: World) -> None:
    """That of a repetition opens the link, signs in, registers, and takes files."""
    made = {}
    for number, route in enumerate(2 * IDEMPOTENT):
        sent = {"idempotency-key": str(number % len(IDEMPOTENT))}
        made[route.path] = send(world, route, headers=sent).json()
    key, invite, request = made["/keys"], made["/invites"], made["/requests"]
    assert made["/links"]["url"].endswith("/s/a-file")
    assert Client(key["token"]).get("/me").status == 200
    assert use_invite(world, invite).status == 201
    assert Client().get(path_of(request["url"])).slug == "password-required"
    plain = {"json_": {"items": ["a.txt"]}, "headers": {"idempotency-key": "plain"}}
    first, again = (world.alice.send("POST", "/links", **plain).json() for _ in range(2))
    assert again == first
    assert Client().get(path_of(again["url"])).status == 200


def test_no_row_has_the_secret_nor_what_it_is_derived_from(world: World, behind: Behind) -> None:
    """Neither the client's key nor a hash without a key by which to guess a password."""
    secrets = []
    for route in IDEMPOTENT:
        key = {"idempotency-key": KEY["idempotency-key"] + route.path}
        secrets += secrets_of(send(world, route, headers=key).json())
    rows = repr([behind.rows(noun) for noun in ("users", "sessions", "shares", "files")])
    assert "idempotency:alice:" in rows
    assert len(secrets) == 3
    for secret in [*secrets, KEY["idempotency-key"], PASSWORD, str(world.alice.token)[-43:]]:
        assert secret not in rows


def secrets_of(made: Any) -> list[str]:
    """The random ends of a token or an address; an alias is none."""
    text = made.get("token") or made.get("url") or "/a-file"
    return [] if text.endswith("/a-file") else [text[-43:]]


def test_a_changed_link_is_answered_as_it_is_now(alice: Client) -> None:
    """With its address."""
    alice.put("a.txt")
    sent = {"json_": {"items": ["a.txt"], "note": "first"}, "headers": KEY}
    made = alice.send("POST", "/links", **sent).json()
    alice.send("PATCH", f"/links/{made['id']}", json_={"note": "changed"})
    again = alice.send("POST", "/links", **sent)
    assert again.json() == made | {"note": "changed"}


def test_an_upload_that_fills_the_quota_can_be_repeated(world: World) -> None:
    """Its own reservation does not refuse the repetition."""
    world.root.send("PATCH", "/users/dave", json_={"quota": 100})
    sent = {"json_": {"file_name": "new.bin", "size": 100}, "headers": KEY}
    first, again = (world.dave.send("POST", "/uploads", **sent) for _ in range(2))
    assert first.status == again.status == 201
    assert again.json()["upload_id"] == first.json()["upload_id"]
    assert len(world.dave.get("/uploads").json()) == 1


def test_conditions_of_the_header_belong_to_the_request(alice: Client) -> None:
    """As those of the body do."""
    body = {"file_name": "new.bin", "size": 100}
    first = alice.send("POST", "/uploads", json_=body, headers=KEY | {"if-none-match": "*"})
    again = alice.send("POST", "/uploads", json_=body | {"if_none_match": "*"}, headers=KEY)
    other = alice.send("POST", "/uploads", json_=body, headers=KEY)
    assert first.status == 201
    assert again.json()["upload_id"] == first.json()["upload_id"]
    assert other.slug == "idempotency-key-reused"


def new_key(client: Client, password: str = PASSWORD, **fields: Any) -> Answer:
    body = {"name": "backup", "scopes": ["read"], "current_password": password, **fields}
    return client.send("POST", "/keys", json_=body, headers=KEY)


def test_the_same_code_repeats_the_creation_of_a_key(alice: Client, clock: Clock) -> None:
    """Though a code works once: it creates nothing. In the header it is the same."""
    app = enable_mfa(alice, clock)
    clock.time += 30
    code = app.code()
    first = new_key(alice, otp=code)
    assert first.status == 201, first.text
    clock.time += 600
    assert new_key(alice, otp=code).json() == first.json()
    body = {"name": "backup", "scopes": ["read"], "current_password": PASSWORD}
    in_header = alice.send("POST", "/keys", json_=body, headers=KEY | {"x-otp": code})
    assert in_header.json() == first.json()


def test_a_new_code_repeats_it_too_and_is_used_up(alice: Client, clock: Clock) -> None:
    """The code is a proof of who sends the request, not a part of it."""
    app = enable_mfa(alice, clock)
    clock.time += 30
    first = new_key(alice, otp=app.code())
    clock.time += 30
    code = app.code()
    assert new_key(alice, otp=code).json() == first.json()
    other = alice.post("/keys", name="other", scopes=["read"], current_password=PASSWORD, otp=code)
    assert other.slug == "wrong-otp"


def test_a_repetition_proves_the_owner(alice: Client, clock: Clock) -> None:
    """A stolen session cannot guess the password or a code by it."""
    app = enable_mfa(alice, clock)
    clock.time += 30
    code = app.code()
    assert new_key(alice, otp=code).status == 201
    assert new_key(alice, otp=None).slug == "otp-required"
    assert new_key(alice, otp="000000").slug == "wrong-otp"
    assert new_key(alice, "wrong", otp=code).slug == "wrong-credentials"
    slugs = [new_key(alice, f"wrong {number}", otp=code).slug for number in range(30)]
    assert slugs[-1] == "slow-down"


def test_a_recovery_code_repeats_it(alice: Client, clock: Clock) -> None:
    """It is used up once."""
    app = enable_mfa(alice, clock)
    first = new_key(alice, otp=app.recovery[0])
    assert new_key(alice, otp=app.recovery[0]).json() == first.json()
    assert new_key(alice, otp=app.recovery[1]).json() == first.json()
    assert new_key(alice, otp=app.recovery[1]).slug == "wrong-otp"


def test_a_key_that_a_key_creates_is_repeated(alice: Client) -> None:
    """Without a password."""
    parent = alice.post("/keys", name="parent", scopes=["read", "admin"], current_password=PASSWORD)
    script = Client(parent.json()["token"])
    child = {"name": "child", "scopes": ["read"], "expires_in": 60}
    first, again = (script.send("POST", "/keys", json_=child, headers=KEY) for _ in range(2))
    assert first.status == 201, first.text
    assert again.json() == first.json()


def test_an_invitation_of_an_administrator_takes_the_same_or_a_new_code(
    world: World, clock: Clock
) -> None:
    """As its creation does."""
    app = enable_mfa(world.root, clock)
    clock.time += 30
    code = app.code()

    def invite(otp: str | None) -> Answer:
        body = {"role": "admin", "otp": otp}
        return world.root.send("POST", "/invites", json_=body, headers=KEY)

    first = invite(code)
    assert first.status == 201, first.text
    assert invite(code).json() == first.json()
    assert invite(None).slug == "otp-required"
    clock.time += 30
    assert invite(app.code()).json() == first.json()
    assert invite("000000").slug == "wrong-otp"


def test_a_repetition_takes_the_right_of_the_present(world: World) -> None:
    """Who may not start the upload any more may not repeat it."""
    sent = {"json_": {"file_name": "a.txt", "username": "alice", "size": 100}, "headers": KEY}
    assert world.carol.send("POST", "/uploads", **sent).status == 201
    world.alice.delete("/share", file_name="a.txt", username="carol")
    assert world.carol.send("POST", "/uploads", **sent).status == 404


def test_a_key_is_ignored_where_nothing_secret_is_created(alice: Client) -> None:
    """As every unknown header field."""
    assert alice.send("GET", "/files", headers={"idempotency-key": ""}).status == 200


def test_a_link_with_the_most_items_has_room_for_the_record(alice: Client) -> None:
    """A transaction has at most a hundred writes."""
    names = [f"many/{number}.txt" for number in range(MAX_ITEMS)]
    for name in names:
        alice.put(name, b"x")
    sent = {"json_": {"items": names, "alias": "many"}, "headers": KEY}
    first, again = (alice.send("POST", "/links", **sent) for _ in range(2))
    assert first.status == 201, first.text
    assert again.json() == first.json()
