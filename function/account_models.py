"""The bodies of requests and answers about accounts. Imports `fields` and `models`."""

from function.fields import Email, Password, Username
from function.models import Closed


class Registration(Closed):
    """A new account."""

    username: Username
    password: Password
    email: Email | None = None


class Credentials(Closed):
    """A user name and its password."""

    username: Username
    password: Password


class AccountView(Closed):
    """An account as its owner sees it; sizes are bytes."""

    username: str
    role: str
    created: str
    email: str | None = None
    bytes_used: int = 0
    quota: int | None = None


class Registered(Closed):
    """A new account."""

    username: str
    role: str
    created: str


class Token(Closed):
    """A session: send `token` in the header `x-session-token`."""

    token: str
    expires_at: str
