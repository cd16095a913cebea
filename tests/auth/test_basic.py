"""Basic credentials (RFC 7617): a user name and an API key, on every route that takes a token."""

import base64

import pytest

from tests.auth.test_keys import create_key
from tests.conftest import Behind
from tests.support.api_register import PROTECTED, Route
from tests.support.client import PASSWORD, Answer, Client
from tests.support.links import make
from tests.support.world import World


def basic(username: str, password: str, scheme: str = "Basic") -> dict[str, str]:
    """The header that curl sends with `-u`."""
    text = base64.b64encode(f"{username}:{password}".encode()).decode()
    return {"authorization": f"{scheme} {text}"}


def me(headers: dict[str, str]) -> Answer:
    """The answer to `GET /me`; a refusal is that of any bad token."""
    answer = Client().send("GET", "/me", headers=headers)
    if answer.status != 200:
        assert (answer.status, answer.slug) == (401, "not-signed-in")
        assert answer.headers["www-authenticate"] == 'Bearer realm="satchel"'
    return answer


@pytest.mark.parametrize("route", PROTECTED, ids=str)
def test_every_route_takes_them_with_the_powers_of_the_key(
    world: World, behind: Behind, route: Route
) -> None:
    """The answer is the one to the same key in `x-session-token`, be it allowed or refused."""
    sender = world.sender(route)
    for scopes in (("read", "write", "share", "accounts"), ("read",)):
        restore = behind.fake_aws.snapshot()
        key = str(create_key(sender, *scopes).token)
        kept = behind.fake_aws.snapshot()
        expected = world.send(Client(key), route)
        kept()
        answer = world.send(Client(), route, headers=basic(key.rpartition(".")[0], key))
        assert answer.status == expected.status, answer.text
        assert answer.status != 401
        restore()


def test_the_password_is_an_api_key_and_nothing_else(alice: Client, behind: Behind) -> None:
    """A session token lives in a shell for hours, a password opens everything: neither is taken."""
    key = str(create_key(alice, "read").token)
    assert me(basic("alice", key)).json()["username"] == "alice"
    assert me(basic("Alice", key, "bAsIc")).status == 200
    before = behind.state()
    for password in (str(alice.token), PASSWORD):
        answer = me(basic("alice", password))
        assert answer.json()["detail"].startswith("As a password, send an API key")
    assert behind.state() == before


def test_the_user_is_the_owner_of_the_key(alice: Client, bob: Client) -> None:
    """A key names its owner; with another name, or none, it is refused."""
    key = str(create_key(alice, "read").token)
    for name in ("bob", "", "alice ", "alice:alice", "ali\u212ace"):
        assert me(basic(name, key)).status == 401


@pytest.mark.parametrize(
    "sent",
    [
        "Basic",
        "Basic ",
        "Basic !",
        "Basic YQ",
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        "Basic " + base64.b64encode(b"alice").decode(),
        "Basic " + base64.b64encode(b"alice:").decode(),
        "Basic " + "A" * 8000,
        "Basic é",
    ],
)
def test_malformed_credentials_are_no_token(alice: Client, sent: str) -> None:
    """Also beside a valid token, and where the body is malformed too."""
    assert me({"authorization": sent}).status == 401
    answer = Client().send("PUT", "/file", body=b"{", headers={"authorization": sent})
    assert answer.slug == "not-signed-in"
    both = {"authorization": sent, "x-session-token": str(alice.token)}
    assert me(both).status == 401


def test_two_tokens_that_differ_are_refused(alice: Client, bob: Client) -> None:
    """None of them wins: who sends two does not know as whom they act."""
    key = str(create_key(alice, "read").token)
    both = basic("alice", key) | {"x-session-token": str(bob.token)}
    assert me(both).json()["detail"] == "The request has two different tokens; send one."
    assert me(basic("alice", key) | {"x-session-token": key}).status == 200
    token = str(alice.token)
    assert me(basic("alice", token) | {"x-session-token": token}).status == 401


def test_a_revoked_key_ends_them(alice: Client) -> None:
    """With the next request."""
    key = str(create_key(alice, "read").token)
    assert me(basic("alice", key)).status == 200
    alice.send("DELETE", f"/keys/{alice.get('/keys').json()[0]['id']}")
    assert me(basic("alice", key)).status == 401


def test_they_open_a_link_for_one_account(alice: Client, bob: Client) -> None:
    """Public routes read them as they read any token."""
    alice.put("a.txt")
    path = make(alice, "a.txt", audience="bob").path
    key = str(create_key(bob, "read").token)
    assert Client().send("GET", path, headers=basic("bob", key)).status == 200
    for password in (str(bob.token), PASSWORD):
        answer = Client().send("GET", path, headers=basic("bob", password))
        assert (answer.status, answer.slug) == (401, "not-signed-in")
