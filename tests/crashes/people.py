"""Requests about accounts, and the view that a person has of theirs."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.conftest import Clock
from tests.crashes.known import Known, Send
from tests.support import mfa
from tests.support.client import PASSWORD, Answer, Client

OTHER = "another horse battery"


def session_id(client: Client) -> str:
    """The id of a session in lists: the hash of its token."""
    return hashlib.sha256(str(client.token).encode()).hexdigest()


def login(username: str) -> Client:
    """A new session."""
    answer = Client().post("/login", username=username, password=PASSWORD)
    return Client(answer.json()["token"])


def keys_of(person: Client) -> list[str]:
    """The names of an account's API keys."""
    return sorted(each["name"] for each in person.get("/keys").json())


def enable_mfa(client: Client, now: Callable[[], float]) -> dict[str, str]:
    """Sets an e-mail address and MFA; a code that works once and a recovery code."""
    wish = {"email": "dora@example.org", "current_password": PASSWORD}
    assert client.send("PATCH", "/me", json_=wish).status == 200
    app = mfa.enable_mfa(client, now)
    return {"code": app.code(1), "recovery": app.recovery[0]}


def login_with(kind: str) -> Send:
    """Logs Dora in with the code or the recovery code."""
    who = {"username": "dora", "password": PASSWORD}
    return lambda client, known: client.post("/login", **who, otp=known.codes[kind])


def disable_mfa(client: Client, known: Known) -> Answer:
    """Uses the same code."""
    return client.send("DELETE", "/mfa", headers={"x-otp": known.codes["code"]})


def confirm_mfa(client: Client, known: Known) -> Answer:
    """Sends the code of the time at which the clock stands still."""
    return client.post("/mfa/confirm", otp=mfa.Authenticator(known.codes["new"], Clock()).code())


def request_reset(client: Client, _known: Known) -> Answer:
    """Dora has forgotten her password."""
    return client.post("/password/forgot", username="dora")


def reset_password(kind: str) -> Send:
    """Sets another password by the token that was mailed or issued."""
    return lambda client, known: client.post(
        "/password/reset", token=known.codes[kind], new_password=OTHER
    )


def set_up_mfa(client: Client, known: Known) -> None:
    """Starts MFA, which is not confirmed."""
    known.codes["new"] = client.post("/mfa", current_password=PASSWORD).json()["secret"]


def set_up_key(client: Client, known: Known) -> None:
    """Creates an API key."""
    answer = client.post(
        "/keys", name="uploader", scopes=["read", "admin"], current_password=PASSWORD
    )
    known.ids = replace(known.ids, key_id=answer.json()["id"])


def set_up_mailed_token(client: Client, known: Known) -> None:
    """Dora gets a reset token by mail."""
    request_reset(client, known)
    text = known.mails[-1]["Content"]["Simple"]["Body"]["Text"]["Data"]
    known.codes["mailed"] = re.findall(r"dora\.[A-Za-z0-9_-]{43}", text)[0]


def set_up_issued_token(client: Client, known: Known) -> None:
    """The administrator issues a reset token for Dora."""
    known.codes["issued"] = client.post("/users/dora/reset").json()["token"]


def account_of(person: Client) -> dict[str, Any] | None:
    """The account without its counters; None if the session is not valid."""
    answer = person.get("/me")
    if answer.status == 401:
        return None
    assert answer.status == 200, answer.text
    me: dict[str, Any] = answer.json()
    return {name: value for name, value in me.items() if "_used" not in name}
