"""What administrators send and get about others' accounts. Imports `fields`, `models`, `roles`."""

from typing import Annotated

from pydantic import AfterValidator, Field, StrictBool

from function.core.fields import Amount, Email, InviteToken, Password, Seconds, Username
from function.core.models import Closed
from function.core.roles import Role

WEEK = 7 * 24 * 3600


class Registration(Closed):
    """A new account."""

    username: Username
    password: Password
    email: Email | None = None
    invite: InviteToken | None = None


class AccountView(Closed):
    """An account as its owner sees it; sizes are bytes, and no quota is no limit.

    What is used counts files, their versions, the trash, and what is reserved for uploads in
    progress, which `reserved` says again. A role that may upload uploads files of `upload_types`
    and of `upload_bytes` at most; null is no limit.
    """

    username: str
    role: str
    created: str
    email: str | None = None
    mfa: bool = False
    recovery_codes_left: int = 0
    bytes_used: int = 0
    bytes_reserved: int = 0
    quota: int | None = None
    files_used: int = 0
    files_reserved: int = 0
    files_quota: int | None = None
    upload_types: list[str] | None = None
    upload_bytes: int | None = None


class Closure(Closed):
    """An account that is being closed, and what of it is `left` to be cleared away."""

    username: str
    left: list[str]


class Registered(Closed):
    """A new account."""

    username: str
    role: str
    created: str


class AccountChange(Closed):
    """Another mail address, or none; the password, because one who has it may be mailed another."""

    email: Email | None
    current_password: Password


def off(value: bool) -> bool:
    """What others can only turn off. Raises ValueError."""
    if value:
        raise ValueError("only the account's owner turns it on, with POST /mfa")
    return value


Off = Annotated[StrictBool, AfterValidator(off), Field(json_schema_extra={"const": False})]


class NewInvite(Closed):
    """Whom to invite as what; the default role is the configured one.

    `email` becomes that of the account, unless its owner says another.
    """

    role: Role | None = None
    email: Email | None = None
    expires_in: Seconds = WEEK


class InviteView(Closed):
    """An invitation that has not been used; `username` made it."""

    id: str
    role: Role
    email: str | None
    username: str
    created: str
    expires_at: str


class InviteMade(InviteView):
    """A new invitation; `token` is said this once."""

    token: str


class UserView(Closed):
    """An account as administrators see it; sizes are bytes, and no quota is no limit."""

    username: str
    role: str
    created: str
    email: str | None
    mfa: bool
    disabled: bool
    quota: int | None
    files_quota: int | None
    bytes_used: int
    files_used: int


class UserChange(Closed):
    """What is to be otherwise about an account; null clears a quota.

    `mfa` can only be false, which takes the second factor off.
    """

    role: Role | None = None
    quota: Amount | None = None
    files_quota: Amount | None = None
    disabled: StrictBool | None = None
    mfa: Off | None = None


class Usage(Closed):
    """What an account uses, versions and trash included; sizes are bytes, no quota is no limit.

    `reserved` is what uploads in progress hold of what is used.
    """

    username: str
    bytes_used: int
    bytes_reserved: int
    quota: int | None
    files_used: int
    files_reserved: int
    files_quota: int | None
