"""The bodies of requests and answers about accounts. Imports `fields`, `models` and `roles`."""

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
    """A new password in place of the one there is."""

    current_password: Password
    new_password: Password


class SessionView(Closed):
    """Where somebody is signed in: from which address, with what; `seen` to ten minutes."""

    id: str
    created: str
    address: str
    agent: str
    seen: str
    expires_at: str
    current: bool


class KeyRequest(Closed):
    """An API key that is wanted; `expires_in` is seconds."""

    name: Line
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1, max_length=4)]
    expires_in: Annotated[StrictInt, Field(ge=1, le=YEAR)] = QUARTER


class KeyView(Closed):
    """An API key without its token: where it was made; `seen` is when it was used last, if ever."""

    id: str
    name: str
    scopes: list[str]
    created: str
    address: str
    agent: str
    seen: str | None
    expires_at: str


class NewKey(KeyView):
    """An API key: send `token` in the header `x-session-token`. Nobody can show it again."""

    token: str


class PasswordProof(Closed):
    """What shows that it is the account's owner who asks."""

    current_password: Password


class Enrolment(Closed):
    """A secret for an authenticator; `uri` is what it reads from a QR code."""

    secret: str
    uri: str


class Confirmation(Closed):
    """The code that an authenticator shows."""

    otp: Otp


class RecoveryCodes(Closed):
    """Codes for when the authenticator is lost, good once each. Nobody can show them again."""

    recovery_codes: list[str]


class Forgotten(Closed):
    """Whose password is forgotten."""

    username: Username


class PasswordReset(Closed):
    """A new password, for the token that was mailed or handed over."""

    token: Password
    new_password: Password


class ResetMade(Closed):
    """What somebody chooses a new password with, once; `token` is said this once."""

    username: str
    token: str
    expires_at: str
