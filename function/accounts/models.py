"""The bodies of requests and answers of registration, profiles, invitations and administration."""

from typing import Annotated

from pydantic import AfterValidator, Field, StrictBool

from function.core.fields import Amount, Email, InviteToken, Otp, Password, Seconds, Username
from function.core.limits import WEEK
from function.core.models import Closed
from function.core.roles import Role


class Registration(Closed):
    """A new account; `invite` is the token of an invitation.

    The configured administrator, and nobody else, sends a `setup_token`.
    """

    username: Username
    password: Password
    email: Email | None = None
    invite: InviteToken | None = None
    setup_token: Password | None = None


class AccountView(Closed):
    """An account as its owner sees it; sizes are bytes, and null is no limit.

    Used bytes and files include versions, the trash, and those that uploads in progress have
    reserved. The role allows uploads of the `upload_types`, of `upload_bytes` at most.
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
    """An account that is being deleted; `left` names the kinds of its data that remain."""

    username: str
    left: list[str]


class Registered(Closed):
    """The account that was created."""

    username: str
    role: str
    created: str


class AccountChange(Closed):
    """A new mail address, or null for none, and the proof of the owner.

    A reader of the address can set a new password. `otp` is required with a second factor.
    """

    email: Email | None
    current_password: Password
    otp: Otp | None = None


def _require_false(value: bool) -> bool:
    """False: an administrator can only remove a second factor. Raises ValueError for true."""
    if value:
        raise ValueError("only the owner of the account can turn it on, with POST /mfa")
    return value


Off = Annotated[
    StrictBool, AfterValidator(_require_false), Field(json_schema_extra={"const": False})
]


class NewInvite(Closed):
    """A new invitation; `expires_in` is seconds, seven days by default.

    The role is the configured default role, unless `role` names another. `email` becomes the
    account's address, unless its owner gives another. For the role `admin`, `otp` is required of a
    session with a second factor.
    """

    role: Role | None = None
    email: Email | None = None
    expires_in: Seconds = WEEK
    otp: Otp | None = None


class InviteView(Closed):
    """An unused invitation; `username` is the administrator who created it."""

    id: str
    role: Role
    email: str | None
    username: str
    created: str
    expires_at: str


class InviteMade(InviteView):
    """A new invitation; `token` is shown only here."""

    token: str


class UserView(Closed):
    """An account as administrators see it; sizes are bytes, and a quota of null is no limit."""

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
    """Fields of an account to change; null clears a quota.

    `mfa` can only be false, which removes the second factor. For `role` and `mfa`, `otp` is
    required of a session with a second factor.
    """

    role: Role | None = None
    quota: Amount | None = None
    files_quota: Amount | None = None
    disabled: StrictBool | None = None
    mfa: Off | None = None
    otp: Otp | None = None


class Usage(Closed):
    """The storage that an account uses; sizes are bytes, and a quota of null is no limit.

    It includes versions, the trash, and what uploads in progress have `reserved`.
    """

    username: str
    bytes_used: int
    bytes_reserved: int
    quota: int | None
    files_used: int
    files_reserved: int
    files_quota: int | None
