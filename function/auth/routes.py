"""Login and logout, passwords, sessions, API keys, and the second factor."""

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

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
from function.core.paging import PageQuery
from function.http.dependencies import (
    CurrentRequest,
    Cursor,
    Holder,
    HolderWithoutFactor,
    IdempotencyKeyHeader,
    Limit,
    OptionalOtpHeader,
    OtpHeader,
    SignedInWithoutFactor,
    idempotent,
    with_otp,
)
from function.http.responses import answers, list_answer, no_content
from function.idempotency.errors import OF_KEY

router = Router()


@router.post(
    "/login",
    responses=answers(
        {200: Token}, WrongCredentials, OtpRequired, WrongOtp, SlowDown, ChangedMeanwhile
    ),
)
def log_in(body: Credentials, request: CurrentRequest, otp: OptionalOtpHeader = None) -> Token:
    """Start a session. Send its token in the header `x-session-token`.

    An account with a second factor also needs a code, as `otp` or in the header `x-otp`. The answer
    says so only after the right password.
    """
    return one(LoginService).login(with_otp(body, otp), request)


@router.post("/logout", status_code=204, responses=answers({204: None}, ChangedMeanwhile))
def log_out(caller: SignedInWithoutFactor, everywhere: bool = False) -> Response[None]:
    """End the session. Its token stops working at once.

    `everywhere=true` ends every session and API key of the account.
    """
    if everywhere:
        one(LoginService).logout_everywhere(caller)
    else:
        one(LoginService).logout(caller)
    return no_content()


@router.post(
    "/password",
    status_code=204,
    responses=answers({204: None}, WrongCredentials, SlowDown, WeakPassword, ChangedMeanwhile),
)
def change_password(body: PasswordChange, caller: Holder) -> Response[None]:
    """Change your password. All your other sessions and API keys end at once."""
    one(PasswordChangeService).change(caller, body)
    return no_content()


@router.post(
    "/password/forgot",
    status_code=202,
    responses=answers({202: None}, SlowDown, ChangedMeanwhile, MailNotConfigured),
)
def forgot_password(body: Forgotten, request: CurrentRequest) -> Response[None]:
    """Mail a token for a new password to the address of the account.

    The answer is the same without such an account, and for an account without an address.
    """
    one(PasswordResetService).mail_reset(body, request)
    return Response(202)


@router.post(
    "/password/reset",
    status_code=204,
    responses=answers({204: None}, WrongResetToken, WeakPassword, ChangedMeanwhile),
)
def reset_password(body: PasswordReset, request: CurrentRequest) -> Response[None]:
    """Set a new password, with the token that was mailed to you, or that an administrator issued.

    All sessions and API keys of the account end at once. A second factor stays.
    """
    one(PasswordResetService).reset(body, request)
    return no_content()


@router.get("/sessions", responses=answers({200: list[SessionView]}, InvalidCursor))
def list_sessions(
    caller: Holder, request: CurrentRequest, limit: Limit = 100, cursor: Cursor = None
) -> Response[list[SessionView]]:
    """List your sessions, the newest first."""
    return list_answer(one(SessionService).list_sessions(caller, PageQuery(limit, cursor)), request)


@router.delete(
    "/sessions/<session_id>",
    status_code=204,
    responses=answers({204: None}, NoSuchSession, ChangedMeanwhile),
)
def end_session(session_id: str, caller: Holder) -> Response[None]:
    """End one of your sessions. Its token stops working at once."""
    one(SessionService).end(caller, session_id)
    return no_content()


@router.post(
    "/keys",
    status_code=201,
    responses=answers(
        {201: NewKey}, WrongCredentials, OtpRequired, WrongOtp, SlowDown, NotAllowed, LimitReached,
        ChangedMeanwhile, *OF_KEY,
    ),
)  # fmt: skip
def create_key(
    body: KeyRequest,
    caller: Holder,
    request: CurrentRequest,
    otp: OptionalOtpHeader = None,
    key: IdempotencyKeyHeader = None,
) -> NewKey:
    """Create an API key. Send it as a session's token is sent. It is shown only here.

    A session needs your password and, if you have a second factor, a code. A key allows what both
    its scopes and your role allow, and never more than your role at its creation; scopes without
    power for it are left out. `share` needs `read` too. It expires after 90 days, or after
    `expires_in` seconds, a year at most. A key creates only keys with its own scopes or fewer,
    which expire no later than itself.
    """
    body = with_otp(body, otp)
    return one(KeyService).create(caller, body, idempotent(request, key, body))


@router.get("/keys", responses=answers({200: list[KeyView]}))
def list_keys(caller: Holder) -> list[KeyView]:
    """List your API keys, at most 50, the newest first."""
    return one(KeyService).list_keys(caller)


@router.delete(
    "/keys/<key_id>", status_code=204, responses=answers({204: None}, NoSuchKey, ChangedMeanwhile)
)
def revoke_key(key_id: str, caller: Holder) -> Response[None]:
    """Revoke an API key. It stops working at once."""
    one(KeyService).revoke(caller, key_id)
    return no_content()


@router.post(
    "/mfa",
    status_code=201,
    responses=answers({201: Enrolment}, WrongCredentials, SlowDown, MfaOn, ChangedMeanwhile),
)
def begin_mfa(body: PasswordProof, caller: HolderWithoutFactor) -> Enrolment:
    """Create a secret for your authenticator app. It requires your password.

    Logins need a code only after `POST /mfa/confirm`. Sent again, it replaces the secret.
    """
    return one(MfaService).enrol(caller, body)


@router.post(
    "/mfa/confirm",
    responses=answers({200: RecoveryCodes}, NoSuchFactor, OtpRequired, WrongOtp, SlowDown),
)
def confirm_mfa(
    body: Confirmation, caller: HolderWithoutFactor, otp: OptionalOtpHeader = None
) -> RecoveryCodes:
    """Turn the second factor on, with a code. From now on a login needs one.

    All your other sessions and API keys end at once, because none of them needed one.

    The answer contains ten recovery codes, which are shown only here.
    """
    return one(MfaService).confirm(caller, with_otp(body, otp))


@router.delete(
    "/mfa", status_code=204, responses=answers({204: None}, NoSuchFactor, WrongOtp, SlowDown)
)
def remove_mfa(otp: OtpHeader, caller: HolderWithoutFactor) -> Response[None]:
    """Remove the second factor, with a code or a recovery code in the header `x-otp`."""
    one(MfaService).remove(caller, otp)
    return no_content()
