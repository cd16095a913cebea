"""The bodies of requests and answers of logins, passwords, sessions, API keys and MFA."""

from typing import Annotated

from pydantic import Field, StrictInt

from function.core.fields import YEAR, Line, Otp, Password, Username
from function.core.models import Closed
from function.core.roles import Scope

QUARTER = 90 * 24 * 3600


class Credentials(Closed):
    """A user name and its password; `otp` is a code of the second factor, or a recovery code."""

    username: Username
    password: Password
    otp: Otp | None = None


class Token(Closed):
    """A session: send `token` in the header `x-session-token`."""

    token: str
    expires_at: str


class PasswordChange(Closed):
    """A new password, and the present one as proof."""

    current_password: Password
    new_password: Password


class SessionView(Closed):
    """A session: `address` and `agent` are those of its login, `seen` is its last use.

    `seen` is exact to ten minutes. `current` marks the session of this request.
    """

    id: str
    created: str
    address: str
    agent: str
    seen: str
    expires_at: str
    current: bool


class KeyRequest(Closed):
    """A new API key; `expires_in` is seconds, 90 days by default and a year at most.

    `current_password` and, with a second factor, `otp` are required of a session, not of a key.
    """

    name: Line
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1, max_length=4)]
    expires_in: Annotated[StrictInt, Field(ge=1, le=YEAR)] = QUARTER
    current_password: Password | None = None
    otp: Otp | None = None


class KeyView(Closed):
    """An API key without its token: `address` and `agent` are those that created it.

    `seen` is its last use to ten minutes, null before the first.
    """

    id: str
    name: str
    scopes: list[str]
    created: str
    address: str
    agent: str
    seen: str | None
    expires_at: str


class NewKey(KeyView):
    """A new API key: send `token` in the header `x-session-token`. It is shown only here."""

    token: str


class PasswordProof(Closed):
    """The account's password, as proof of its owner."""

    current_password: Password


class Enrolment(Closed):
    """A secret for an authenticator app, which reads `uri` from a QR code."""

    secret: str
    uri: str


class Confirmation(Closed):
    """The code that the authenticator app shows, unless the header `x-otp` has it."""

    otp: Otp | None = None


class RecoveryCodes(Closed):
    """Codes for when the authenticator is lost. Each works once, and they are shown only here."""

    recovery_codes: list[str]


class Forgotten(Closed):
    """The account whose password is forgotten."""

    username: Username


class PasswordReset(Closed):
    """A new password, and the token that was mailed, or that an administrator issued."""

    token: Password
    new_password: Password


class ResetMade(Closed):
    """A token with which the account's owner sets a new password, once. It is shown only here."""

    username: str
    token: str
    expires_at: str
