"""What people do to their own accounts, and what they see of them."""

import hashlib
import re
from collections.abc import Callable
from typing import Any

from tests.conftest import Clock
from tests.support import mfa
from tests.support.client import PASSWORD, Answer, Client

OTHER = "another horse battery"
# The sessions and keys that operations are about, by the names they are given here.
IDS: dict[str, str] = {}
CODES: dict[str, str] = {}
MAILS: list[list[dict[str, Any]]] = []  # the last is where mails of the world of now arrive


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


def end(name: str, noun: str = "sessions") -> Callable[[Client], Answer]:
    """Ends a session, or a key."""
    return lambda client: client.delete(f"/{noun}/{IDS[name]}")


def make_key(client: Client) -> Answer:
    """One that reads."""
    return client.post("/keys", name="backup", scopes=["read"])


def key(name: str) -> Callable[[Client], Answer]:
    """Makes a key that operations are about."""

    def make(client: Client) -> Answer:
        answer = client.post("/keys", name=name, scopes=["read", "admin"])
        IDS[name] = answer.json()["id"]
        return answer

    return make


def keys_of(person: Client) -> list[str]:
    """The names of somebody's keys."""
    return sorted(each["name"] for each in person.get("/keys").json())


def careful(client: Client, now: Callable[[], float]) -> None:
    """Gives somebody an address, and a second factor."""
    wish = {"email": "dora@example.org", "current_password": PASSWORD}
    assert client.send("PATCH", "/me", json_=wish).status == 200
    app = mfa.enrolled(client, now)
    CODES.update({"code": app.code(1), "recovery": app.recovery[0]})


def sign_in_with(kind: str) -> Callable[[Client], Answer]:
    """Signs the careful one in, with a code that is good once."""
    who = {"username": "dora", "password": PASSWORD}
    return lambda client: client.post("/login", **who, otp=CODES[kind])


def take_off(client: Client) -> Answer:
    """Takes the second factor off, with the same code."""
    return client.delete("/mfa", otp=CODES["code"])


def begin_mfa(client: Client) -> Answer:
    """Begins with a second factor."""
    return client.post("/mfa", current_password=PASSWORD)


def mfa_begun(client: Client) -> Answer:
    """Begins with one that is to be confirmed."""
    answer = begin_mfa(client)
    CODES["new"] = answer.json()["secret"]
    return answer


def confirm_mfa(client: Client) -> Answer:
    """Confirms it, with the code of the time at which the clock stands."""
    return client.post("/mfa/confirm", otp=mfa.Authenticator(CODES["new"], Clock()).code())


def forget(client: Client) -> Answer:
    """The careful one has forgotten their password."""
    return client.post("/password/forgot", username="dora")


def forgotten(client: Client) -> Answer:
    """And has got the mail."""
    answer = forget(client)
    text = MAILS[-1][-1]["Content"]["Simple"]["Body"]["Text"]["Data"]
    CODES["token"] = re.findall(r"dora\.[A-Za-z0-9_-]{43}", text)[0]
    return answer


def helped(client: Client) -> Answer:
    """An administrator hands them a token."""
    answer = client.post("/users/dora/reset")
    CODES["handed"] = answer.json()["token"]
    return answer


def choose_another(kind: str) -> Callable[[Client], Answer]:
    """They choose another with what was mailed, or handed over."""
    return lambda client: client.post("/password/reset", token=CODES[kind], new_password=OTHER)


def account_of(person: Client) -> dict[str, Any] | None:
    """What somebody is told of their account, but for what is counted; None who is shut out."""
    answer = person.get("/me")
    if answer.status == 401:
        return None
    assert answer.status == 200, answer.text
    me: dict[str, Any] = answer.json()
    return {name: value for name, value in me.items() if "_used" not in name}
