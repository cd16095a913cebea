"""Registration, the caller's own account, invitations, and administration of accounts."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from function.access.errors import NotAllowed, ProtectedAccount
from function.accounts.closing import AccountDeletion
from function.accounts.errors import (
    NoSuchInvite,
    RegistrationClosed,
    UsernameTaken,
    WrongSetupToken,
)
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
from function.auth.errors import OtpRequired, WeakPassword, WrongCredentials, WrongOtp
from function.auth.models import ResetMade
from function.auth.password_change import PasswordResetService
from function.base import one
from function.core.errors import ChangedMeanwhile, Invalid, InvalidCursor, NoSuchUser, SlowDown
from function.core.fields import Username, described_pattern
from function.core.media_types import JSON
from function.core.paging import Page, PageQuery
from function.http.dependencies import (
    Admin,
    CurrentRequest,
    Cursor,
    HolderWithoutFactor,
    IdempotencyKeyHeader,
    Limit,
    OptionalOtpHeader,
    Reader,
    SignedInWithoutFactor,
    idempotent,
    with_otp,
)
from function.http.responses import answers, list_answer, no_content
from function.idempotency.errors import OF_KEY

router = Router()
Named = Annotated[
    str, described_pattern(r"^[0-9]{10}-[0-9a-f]{64}$", "an id of GET /invites"), Path()
]


@router.post(
    "/register",
    status_code=201,
    responses=answers(
        {201: Registered},
        UsernameTaken,
        WeakPassword,
        RegistrationClosed,
        WrongSetupToken,
        NoSuchInvite,
    ),
)
def register_account(body: Registration, request: CurrentRequest) -> Registered:
    """Create an account. User names are folded to lower case: `Alice` and `alice` are one.

    Some deployments require the token of an invitation as `invite`. The invitation sets your role.
    """
    return one(RegistrationService).register(body, request)


@router.get("/me")
def get_me(caller: SignedInWithoutFactor) -> AccountView:
    """Get your own account, its usage and quotas, and the uploads that its role allows."""
    return one(AccountService).get(caller)


@router.patch(
    "/me",
    responses=answers(
        {200: AccountView}, WrongCredentials, OtpRequired, WrongOtp, SlowDown, ChangedMeanwhile
    ),
)
def change_me(
    body: AccountChange, caller: HolderWithoutFactor, otp: OptionalOtpHeader = None
) -> AccountView:
    """Change your mail address, or clear it with null.

    It requires your password and, if you have a second factor, a code.
    """
    return one(AccountService).update(caller, with_otp(body, otp))


@router.post(
    "/invites",
    status_code=201,
    responses=answers(
        {201: InviteMade}, NotAllowed, OtpRequired, WrongOtp, SlowDown, RegistrationClosed,
        ChangedMeanwhile, *OF_KEY,
    ),
)  # fmt: skip
def create_invite(
    body: NewInvite,
    caller: Admin,
    request: CurrentRequest,
    otp: OptionalOtpHeader = None,
    key: IdempotencyKeyHeader = None,
) -> InviteMade:
    """Create an invitation, with which one account can be registered. It is shown only here.

    It expires after seven days by default, and works only while you are an administrator: a new
    password, or a logout everywhere, ends it. One by an API key ends with the key. An administrator
    is invited with a code of your second factor, if you have one, or by a key with the scope
    `accounts`.
    """
    body = with_otp(body, otp)
    return one(InviteService).create(caller, body, idempotent(request, key, body))


@router.get("/invites", responses=answers({200: list[InviteView]}, NotAllowed, InvalidCursor))
def list_invites(
    caller: Admin, request: CurrentRequest, limit: Limit = 100, cursor: Cursor = None
) -> Response[list[InviteView]]:
    """List the unused invitations, the oldest first."""
    return list_answer(one(InviteService).list_invites(caller, PageQuery(limit, cursor)), request)


@router.delete(
    "/invites/<invite_id>",
    status_code=204,
    responses=answers({204: None}, NotAllowed, NoSuchInvite, ChangedMeanwhile, Invalid),
)
def delete_invite(invite_id: Named, caller: Admin) -> Response[None]:
    """Delete an invitation. Nobody can register with it any more."""
    one(InviteService).delete(caller, invite_id)
    return no_content()


@router.get("/users", responses=answers({200: list[UserView]}, NotAllowed, InvalidCursor))
def list_users(
    caller: Admin, request: CurrentRequest, limit: Limit = 100, cursor: Cursor = None
) -> Response[list[UserView]]:
    """List all accounts, in no particular order."""
    return list_answer(one(DirectoryService).list_users(caller, PageQuery(limit, cursor)), request)


@router.patch(
    "/users/<username>",
    responses=answers(
        {200: UserView}, NotAllowed, OtpRequired, WrongOtp, SlowDown, NoSuchUser, ProtectedAccount,
        ChangedMeanwhile, Invalid,
    ),
)  # fmt: skip
def change_user(
    username: Annotated[Username, Path()],
    body: UserChange,
    caller: Admin,
    otp: OptionalOtpHeader = None,
) -> UserView:
    """Change the role or quotas of an account, disable it, or remove its second factor.

    Null clears a quota. Disabling ends the account's sessions and API keys for good; its links
    answer 404 until it is enabled again. `mfa: false` is for an owner who has lost authenticator
    and recovery codes: the password alone is enough then. It also ends all sessions and API keys,
    because a lost device may hold one. Your own account and the configured administrator's cannot
    be demoted or disabled, nor lose their second factor here. `role` and `mfa` take a code of your
    own second factor, if you have one, or a key with the scope `accounts`.
    """
    return one(DirectoryService).update(caller, username, with_otp(body, otp))


@router.delete(
    "/users/<username>",
    status_code=204,
    responses=answers(
        {202: Closure, 204: None}, NotAllowed, NoSuchUser, ProtectedAccount, ChangedMeanwhile
    ),
)
def delete_user(username: Annotated[Username, Path()], caller: Admin) -> Response[Closure | None]:
    """Delete an account. It is disabled at once, and nobody can enable it again.

    Its files move to the trash. Its links, file requests, groups, shares, sessions and API keys
    are deleted. The answer is 202 when that takes longer: send the request again to go on, or
    leave the rest to the sweep.
    """
    done = one(AccountDeletion).delete(caller, username)
    return Response(202, JSON, done) if done.left else Response(204)


@router.post(
    "/users/<username>/reset",
    status_code=201,
    responses=answers(
        {201: ResetMade}, NotAllowed, OtpRequired, WrongOtp, SlowDown, NoSuchUser, ProtectedAccount,
        ChangedMeanwhile, Invalid,
    ),
)  # fmt: skip
def reset_user(
    username: Annotated[Username, Path()], caller: Admin, otp: OptionalOtpHeader = None
) -> ResetMade:
    """Issue a token for a new password, to hand over to an owner who gets no mail.

    It is shown only here, and works once and for an hour, at `POST /password/reset`. Only the
    newest token works. Until then nothing changes, and a second factor stays. You cannot issue one
    for your own account, nor for the configured administrator. A token for a disabled account
    works when the account is enabled.

    It takes a code of your second factor in `x-otp`, if you have one, or a key with the scope
    `accounts`. It ends when you change your password or are no administrator any more, and with the
    key that issued it.
    """
    return one(PasswordResetService).issue_admin_reset(caller, username, otp)


@router.get(
    "/usage",
    responses=answers({200: list[Usage]}, NotAllowed, NoSuchUser, InvalidCursor),
)
def get_usage(
    caller: Reader,
    request: CurrentRequest,
    username: Annotated[
        Username | None, Query(description="Another account, for administrators.")
    ] = None,
    everybody: Annotated[bool, Query(description="All accounts, for administrators.")] = False,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response[list[Usage]]:
    """Get the storage that you use, and your quotas.

    Administrators get another account's with `username`, or all with `everybody=true`. Otherwise
    the list has one entry, your own.
    """
    directory = one(DirectoryService)
    if everybody:
        return list_answer(directory.list_usage(caller, PageQuery(limit, cursor)), request)
    return list_answer(Page([directory.usage(caller, username)], None), request)
