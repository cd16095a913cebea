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
    """An account as its owner sees it; sizes are bytes, and no quota is no limit.

    What is used counts files, their versions, the trash, and what is reserved for uploads in
    progress, which `reserved` says again.
    """

    username: str
    role: str
    created: str
    email: str | None = None
    bytes_used: int = 0
    bytes_reserved: int = 0
    quota: int | None = None
    files_used: int = 0
    files_reserved: int = 0
    files_quota: int | None = None


class Registered(Closed):
    """A new account."""

    username: str
    role: str
    created: str


class Token(Closed):
    """A session: send `token` in the header `x-session-token`."""

    token: str
    expires_at: str


class AccountChange(Closed):
    """Another mail address, or none; the password, because one who has it may be mailed another."""

    email: Email | None
    current_password: Password


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
