"""What people do to their own accounts, and what they see of them."""

import hashlib
from collections.abc import Callable
from typing import Any

from tests.client import PASSWORD, Answer, Client

OTHER = "another horse battery"
# The sessions and keys that operations are about, by the names they are given here.
IDS: dict[str, str] = {}


def id_of(client: Client) -> str:
    """What a token is called in lists."""
    return hashlib.sha256(str(client.token).encode()).hexdigest()


def sign_in(username: str, name: str = "") -> Client:
    """A session of somebody's, with a name of its own if operations are about it."""
    answer = Client().post("/login", username=username, password=PASSWORD)
    client = Client(answer.json()["token"])
    if name:
        IDS[name] = id_of(client)
    return client


def change_password(client: Client) -> Answer:
    """To another, by somebody who has one session more than the one they act in."""
    return client.post("/password", current_password=PASSWORD, new_password=OTHER)


def end(name: str) -> Callable[[Client], Answer]:
    """Ends a session."""
    return lambda client: client.delete(f"/sessions/{IDS[name]}")


def account_of(person: Client) -> dict[str, Any]:
    """What somebody is told of their account, but for what is counted."""
    answer = person.get("/me")
    assert answer.status == 200, answer.text
    me: dict[str, Any] = answer.json()
    return {name: value for name, value in me.items() if "_used" not in name}
