"""What administrators send and get about others' accounts. Imports `fields`, `models`, `roles`."""

from typing import Annotated

from pydantic import AfterValidator, Field, StrictBool

from function.fields import Amount, Email, Seconds
from function.models import Closed
from function.roles import Role

WEEK = 7 * 24 * 3600


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


class ResetMade(Closed):
    """What somebody chooses a new password with, once; `token` is said this once."""

    username: str
    token: str
    expires_at: str
