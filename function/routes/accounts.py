"""Accounts: register, log in, log out, who am I, passwords, sessions."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from function.account_errors import (
    MailNotConfigured,
    NoSuchInvite,
    NoSuchSession,
    OtpRequired,
    RegistrationClosed,
    UsernameTaken,
    WeakPassword,
    WrongCredentials,
    WrongOtp,
    WrongResetToken,
)
from function.account_models import (
    AccountChange,
    AccountView,
    Credentials,
    Forgotten,
    PasswordChange,
    PasswordReset,
    Registered,
    Registration,
    SessionView,
    Token,
)
from function.deps import (
    AccountsDep,
    Caller,
    CredentialsDep,
    Holder,
    LoginsDep,
    RecoveringDep,
    RegisteringDep,
    Sent,
    SessionsDep,
)
from function.errors import ChangedMeanwhile, InvalidCursor, SlowDown
from function.routes.answers import answers, listed, nothing

router = Router()

Limit = Annotated[int, Query(ge=1, le=1000)]


@router.post(
    "/register",
    status_code=201,
    responses=answers(
        {201: Registered}, UsernameTaken, WeakPassword, RegistrationClosed, NoSuchInvite
    ),
)
def register(body: Registration, sent: Sent, registering: RegisteringDep) -> Registered:
    """Make an account. Names are folded to lower case: `Alice` and `alice` are one.

    `invite` is the token of an invitation, which may be needed, and says what role you get.
    """
    return registering.register(body, sent)


@router.post(
    "/login",
    responses=answers(
        {200: Token}, WrongCredentials, OtpRequired, WrongOtp, SlowDown, ChangedMeanwhile
    ),
)
def login(body: Credentials, sent: Sent, logins: LoginsDep) -> Token:
    """Start a session. Send its token in the header `x-session-token`.

    With a second factor it takes a code as `otp`, which is said once the password was right.
    """
    return logins.login(body, sent)


@router.post("/logout", status_code=204, responses=answers({204: None}, ChangedMeanwhile))
def logout(caller: Caller, logins: LoginsDep, everywhere: bool = False) -> Response[None]:
    """End the session; its token is dead at once, on every machine.

    With `everywhere=true` every session and key of the account ends.
    """
    if everywhere:
        logins.everywhere(caller)
    else:
        logins.logout(caller)
    return nothing()


@router.get("/me")
def me(caller: Caller, accounts: AccountsDep) -> AccountView:
    """Your own account, how much of its quota is used, and what its role may upload."""
    return accounts.me(caller)


@router.patch(
    "/me", responses=answers({200: AccountView}, WrongCredentials, SlowDown, ChangedMeanwhile)
)
def change_me(body: AccountChange, caller: Holder, accounts: AccountsDep) -> AccountView:
    """Change your mail address, or clear it with null. It takes your password."""
    return accounts.change(caller, body)


@router.post(
    "/password",
    status_code=204,
    responses=answers({204: None}, WrongCredentials, SlowDown, WeakPassword, ChangedMeanwhile),
)
def change_password(
    body: PasswordChange, caller: Holder, credentials: CredentialsDep
) -> Response[None]:
    """Change your password. Every other session and every key of yours is dead at once."""
    credentials.change(caller, body)
    return nothing()


@router.post(
    "/password/forgot",
    status_code=202,
    responses=answers({202: None}, SlowDown, ChangedMeanwhile, MailNotConfigured),
)
def forgot_password(body: Forgotten, sent: Sent, recovering: RecoveringDep) -> Response[None]:
    """Have a token for a new password mailed to the address of your account, if it has one.

    The answer does not tell whether it has, or whether there is such an account.
    """
    recovering.forgot(body, sent)
    return Response(202)


@router.post(
    "/password/reset",
    status_code=204,
    responses=answers({204: None}, WrongResetToken, WeakPassword, ChangedMeanwhile),
)
def reset_password(body: PasswordReset, sent: Sent, recovering: RecoveringDep) -> Response[None]:
    """Choose a new password, with the token that was mailed or handed over to you.

    Every session and key is dead with the old one; a second factor stays.
    """
    recovering.reset(body, sent)
    return nothing()


@router.get("/sessions", responses=answers({200: list[SessionView]}, InvalidCursor))
def list_sessions(
    caller: Holder, sent: Sent, sessions: SessionsDep, limit: Limit = 100, cursor: str | None = None
) -> Response[list[SessionView]]:
    """List where you are signed in, the newest session first."""
    return listed(*sessions.page(caller, limit, cursor), sent)


@router.delete(
    "/sessions/<session_id>",
    status_code=204,
    responses=answers({204: None}, NoSuchSession, ChangedMeanwhile),
)
def end_session(session_id: str, caller: Holder, sessions: SessionsDep) -> Response[None]:
    """End one of your sessions; its token is dead at once."""
    sessions.end(caller, session_id)
    return nothing()
