"""Invitations to make an account; an administrator's."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from function.access.errors import NotAllowed, ProtectedAccount
from function.accounts.closing import AccountDeletion
from function.accounts.errors import NoSuchInvite, RegistrationClosed, UsernameTaken
from function.accounts.models import (
    AccountChange,
    AccountView,
    Closure,
    InviteMade,
    InviteView,
    NewInvite,
    Registered,
    Registration,
    Usage,
    UserChange,
    UserView,
)
from function.accounts.registration import InviteService, RegistrationService
from function.accounts.service import AccountService, DirectoryService
from function.auth.errors import WeakPassword, WrongCredentials
from function.auth.models import ResetMade
from function.auth.password_change import PasswordResetService
from function.base import one
from function.core.errors import ChangedMeanwhile, Invalid, InvalidCursor, NoSuchUser, SlowDown
from function.core.fields import Username, described_pattern
from function.http.dependencies import (
    Admin,
    CurrentRequest,
    Holder,
    Reader,
    SignedIn,
)
from function.http.responses import JSON, answers, listed, nothing

router = Router()
Named = Annotated[
    str, described_pattern(r"^[0-9]{10}-[0-9a-f]{64}$", "an id of GET /invites"), Path()
]
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.post(
    "/register",
    status_code=201,
    responses=answers(
        {201: Registered}, UsernameTaken, WeakPassword, RegistrationClosed, NoSuchInvite
    ),
)
def register(body: Registration, sent: CurrentRequest) -> Registered:
    """Make an account. Names are folded to lower case: `Alice` and `alice` are one.

    `invite` is the token of an invitation, which may be needed, and says what role you get.
    """
    return one(RegistrationService).register(body, sent)


@router.get("/me")
def me(caller: SignedIn) -> AccountView:
    """Your own account, how much of its quota is used, and what its role may upload."""
    return one(AccountService).me(caller)


@router.patch(
    "/me", responses=answers({200: AccountView}, WrongCredentials, SlowDown, ChangedMeanwhile)
)
def change_me(body: AccountChange, caller: Holder) -> AccountView:
    """Change your mail address, or clear it with null. It takes your password."""
    return one(AccountService).change(caller, body)


@router.post(
    "/invites",
    status_code=201,
    responses=answers({201: InviteMade}, NotAllowed, RegistrationClosed, ChangedMeanwhile),
)
def make_invite(body: NewInvite, caller: Admin) -> InviteMade:
    """Invite somebody to make an account, once; its token is shown this once.

    It is good for seven days by default, and only as long as you are an administrator.
    """
    return one(InviteService).create(caller, body)


@router.get("/invites", responses=answers({200: list[InviteView]}, NotAllowed, InvalidCursor))
def list_invites(
    caller: Admin,
    sent: CurrentRequest,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str | None = None,
) -> Response[list[InviteView]]:
    """List the invitations that have not been used, oldest first."""
    return listed(*one(InviteService).page(caller, limit, cursor), sent)


@router.delete(
    "/invites/<invite_id>",
    status_code=204,
    responses=answers({204: None}, NotAllowed, NoSuchInvite, ChangedMeanwhile, Invalid),
)
def delete_invite(invite_id: Named, caller: Admin) -> Response[None]:
    """Take an invitation back; nobody can register with it any more."""
    one(InviteService).delete(caller, invite_id)
    return nothing()


@router.get("/users", responses=answers({200: list[UserView]}, NotAllowed, InvalidCursor))
def list_users(
    caller: Admin, sent: CurrentRequest, limit: Limit = 100, cursor: str | None = None
) -> Response[list[UserView]]:
    """List all accounts, in no particular order."""
    return listed(*one(DirectoryService).page(caller, limit, cursor), sent)


@router.patch(
    "/users/<username>",
    responses=answers(
        {200: UserView}, NotAllowed, NoSuchUser, ProtectedAccount, ChangedMeanwhile, Invalid
    ),
)
def change_user(username: Annotated[Username, Path()], body: UserChange, caller: Admin) -> UserView:
    """Change somebody's role or quota, disable their account, or take their second factor off.

    Null clears a quota. Disabling ends their sessions and keys for good, and their links answer
    404, until it is enabled again. `mfa: false` lets somebody in again who has lost authenticator
    and recovery codes, with the password alone; it ends their sessions and keys as well, for what
    was lost may be signed in. Nobody demotes or disables themselves or the configured
    administrator, nor takes the second factor off either.
    """
    return one(DirectoryService).change(caller, username, body)


@router.delete(
    "/users/<username>",
    status_code=204,
    responses=answers(
        {202: Closure, 204: None}, NotAllowed, NoSuchUser, ProtectedAccount, ChangedMeanwhile
    ),
)
def delete_user(username: Annotated[Username, Path()], caller: Admin) -> Response[Closure | None]:
    """Close somebody's account for good; it is shut at once, whatever has to be cleared away.

    Their files go to the trash; links, requests, groups and shares end, and so do sessions and
    keys. 202 when that takes longer: send it again to go on, or leave it to the hourly sweep.
    """
    done = one(AccountDeletion).delete(caller, username)
    return Response(202, JSON, done) if done.left else Response(204)


@router.post(
    "/users/<username>/reset",
    status_code=201,
    responses=answers(
        {201: ResetMade}, NotAllowed, NoSuchUser, ProtectedAccount, ChangedMeanwhile, Invalid
    ),
)
def reset_user(username: Annotated[Username, Path()], caller: Admin) -> ResetMade:
    """Make a token to hand over to somebody who has forgotten their password and gets no mail.

    It is shown this once, and good once and for an hour, at `POST /password/reset`; the newest
    alone is good. Until then nothing changes, and a second factor stays. Nobody makes one for
    themselves, nor for the configured administrator. One for an account that is disabled is good
    once that is enabled.
    """
    return one(PasswordResetService).hand(caller, username)


@router.get(
    "/usage",
    responses=answers({200: list[Usage]}, NotAllowed, NoSuchUser, InvalidCursor),
)
def get_usage(
    caller: Reader,
    sent: CurrentRequest,
    username: Annotated[
        Username | None, Query(description="Somebody else's, for administrators.")
    ] = None,
    everybody: Annotated[bool, Query(description="All accounts, for administrators.")] = False,
    limit: Limit = 100,
    cursor: str | None = None,
) -> Response[list[Usage]]:
    """How much you use of what you may; administrators see another's by `username`, or everybody's.

    Without `username` and `everybody=true` it is a list of one, your own.
    """
    return listed(
        *one(DirectoryService).usage(caller, username, limit, cursor, everybody=everybody), sent
    )
