"""Accounts: register, log in, log out, who am I, passwords, sessions."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from function.access.errors import NotAllowed
from function.auth.errors import (
    MailNotConfigured,
    MfaOn,
    NoSuchFactor,
    NoSuchKey,
    NoSuchSession,
    OtpRequired,
    WeakPassword,
    WrongCredentials,
    WrongOtp,
    WrongResetToken,
)
from function.auth.keys import KeyService
from function.auth.login import LoginService
from function.auth.mfa import MfaService
from function.auth.models import (
    Confirmation,
    Credentials,
    Enrolment,
    Forgotten,
    KeyRequest,
    KeyView,
    NewKey,
    PasswordChange,
    PasswordProof,
    PasswordReset,
    RecoveryCodes,
    SessionView,
    Token,
)
from function.auth.password_change import PasswordChangeService, PasswordResetService
from function.auth.sessions import SessionService
from function.base import one
from function.core.errors import ChangedMeanwhile, InvalidCursor, LimitReached, SlowDown
from function.core.fields import Otp
from function.http.dependencies import (
    CurrentRequest,
    Holder,
    SignedIn,
)
from function.http.responses import answers, listed, nothing

router = Router()
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.post(
    "/login",
    responses=answers(
        {200: Token}, WrongCredentials, OtpRequired, WrongOtp, SlowDown, ChangedMeanwhile
    ),
)
def login(body: Credentials, sent: CurrentRequest) -> Token:
    """Start a session. Send its token in the header `x-session-token`.

    With a second factor it takes a code as `otp`, which is said once the password was right.
    """
    return one(LoginService).login(body, sent)


@router.post("/logout", status_code=204, responses=answers({204: None}, ChangedMeanwhile))
def logout(caller: SignedIn, everywhere: bool = False) -> Response[None]:
    """End the session; its token is dead at once, on every machine.

    With `everywhere=true` every session and key of the account ends.
    """
    if everywhere:
        one(LoginService).everywhere(caller)
    else:
        one(LoginService).logout(caller)
    return nothing()


@router.post(
    "/password",
    status_code=204,
    responses=answers({204: None}, WrongCredentials, SlowDown, WeakPassword, ChangedMeanwhile),
)
def change_password(body: PasswordChange, caller: Holder) -> Response[None]:
    """Change your password. Every other session and every key of yours is dead at once."""
    one(PasswordChangeService).change(caller, body)
    return nothing()


@router.post(
    "/password/forgot",
    status_code=202,
    responses=answers({202: None}, SlowDown, ChangedMeanwhile, MailNotConfigured),
)
def forgot_password(body: Forgotten, sent: CurrentRequest) -> Response[None]:
    """Have a token for a new password mailed to the address of your account, if it has one.

    The answer does not tell whether it has, or whether there is such an account.
    """
    one(PasswordResetService).forgot(body, sent)
    return Response(202)


@router.post(
    "/password/reset",
    status_code=204,
    responses=answers({204: None}, WrongResetToken, WeakPassword, ChangedMeanwhile),
)
def reset_password(body: PasswordReset, sent: CurrentRequest) -> Response[None]:
    """Choose a new password, with the token that was mailed or handed over to you.

    Every session and key is dead with the old one; a second factor stays.
    """
    one(PasswordResetService).reset(body, sent)
    return nothing()


@router.get("/sessions", responses=answers({200: list[SessionView]}, InvalidCursor))
def list_sessions(
    caller: Holder, sent: CurrentRequest, limit: Limit = 100, cursor: str | None = None
) -> Response[list[SessionView]]:
    """List where you are signed in, the newest session first."""
    return listed(*one(SessionService).page(caller, limit, cursor), sent)


@router.delete(
    "/sessions/<session_id>",
    status_code=204,
    responses=answers({204: None}, NoSuchSession, ChangedMeanwhile),
)
def end_session(session_id: str, caller: Holder) -> Response[None]:
    """End one of your sessions; its token is dead at once."""
    one(SessionService).end(caller, session_id)
    return nothing()


@router.post(
    "/keys",
    status_code=201,
    responses=answers({201: NewKey}, NotAllowed, LimitReached, ChangedMeanwhile),
)
def make_key(body: KeyRequest, caller: Holder) -> NewKey:
    """Make an API key, to be sent as a token is; it is said this once.

    It may do what its scopes say, of what your role allows. It lasts 90 days unless `expires_in`
    says otherwise, a year at most. A key makes none that may more, or lives longer, than itself.
    """
    return one(KeyService).create(caller, body)


@router.get("/keys", responses=answers({200: list[KeyView]}))
def list_keys(caller: Holder) -> list[KeyView]:
    """List your API keys, the newest first; there are at most 50."""
    return one(KeyService).of(caller)


@router.delete(
    "/keys/<key_id>", status_code=204, responses=answers({204: None}, NoSuchKey, ChangedMeanwhile)
)
def revoke_key(key_id: str, caller: Holder) -> Response[None]:
    """Revoke an API key; it is dead at once."""
    one(KeyService).revoke(caller, key_id)
    return nothing()


@router.post(
    "/mfa",
    status_code=201,
    responses=answers({201: Enrolment}, WrongCredentials, SlowDown, MfaOn, ChangedMeanwhile),
)
def begin_mfa(body: PasswordProof, caller: Holder) -> Enrolment:
    """Begin with a second factor: a secret for your authenticator. It takes your password.

    No code is asked for until one is confirmed; begun again, there is another secret.
    """
    return one(MfaService).enrol(caller, body)


@router.post(
    "/mfa/confirm", responses=answers({200: RecoveryCodes}, NoSuchFactor, WrongOtp, SlowDown)
)
def confirm_mfa(body: Confirmation, caller: Holder) -> RecoveryCodes:
    """Confirm it with a code: from now on a login takes one. You get ten recovery codes, once."""
    return one(MfaService).confirm(caller, body)


@router.delete(
    "/mfa", status_code=204, responses=answers({204: None}, NoSuchFactor, WrongOtp, SlowDown)
)
def remove_mfa(otp: Annotated[Otp, Query()], caller: Holder) -> Response[None]:
    """Take the second factor off, with a code or a recovery code in `otp`."""
    one(MfaService).remove(caller, otp)
    return nothing()
