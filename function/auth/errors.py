"""Problems of logins, passwords, sessions, API keys and second factors.

Unauthenticated 401             NotFound 404
├── WrongCredentials            ├── NoSuchSession
├── OtpRequired                 ├── NoSuchKey
└── WrongOtp                    └── NoSuchFactor
Forbidden 403                   Conflict 409
└── WrongResetToken             └── MfaOn
MailNotConfigured 501           Invalid 422
                                └── WeakPassword
"""

from function.core.errors import Conflict, Forbidden, Invalid, NotFound, Problem, Unauthenticated


class WrongCredentials(Unauthenticated):
    """No account has that name, or it has another password: the same words for both."""

    slug, title = "wrong-credentials", "Wrong user name or password"
    advice = "Check both; POST /password/forgot sends a token for a new password."


class OtpRequired(Unauthenticated):
    """The password is right, and the account also requires a code of its second factor."""

    slug, title = "otp-required", "Code required"
    default = (
        "Send the code of your authenticator app, or a recovery code, as otp or in the header "
        "x-otp."
    )


class WrongOtp(Unauthenticated):
    """The code is not the present one, or it has been used."""

    slug, title = "wrong-otp", "Wrong code"
    default = "A code works once and for 90 seconds. Wait for the next one."


class WrongResetToken(Forbidden):
    """The token does not exist, has been used, has expired, or a newer one replaced it."""

    slug, title = "wrong-reset-token", "Wrong token"
    refusal = "access.refused"
    default = (
        "A token works once and for an hour, and only the newest one works. Ask for another one "
        "with POST /password/forgot, or ask an administrator."
    )


class MailNotConfigured(Problem):
    """The deployment has no address to send mail from."""

    status, slug, title = 501, "mail-not-configured", "Mail is not configured"
    default = (
        "Tokens are mailed only where mailFrom is set. Ask an administrator for a token for "
        "POST /password/reset."
    )


class NoSuchSession(NotFound):
    """The caller has no valid session of that id."""

    slug, title = "no-such-session", "No such session"
    default = "It may have ended. GET /sessions lists your sessions."


class NoSuchKey(NotFound):
    """The caller has no valid API key of that id."""

    slug, title = "no-such-key", "No such API key"
    default = "It may have been revoked or expired. GET /keys lists your API keys."


class NoSuchFactor(NotFound):
    """The account has no second factor."""

    slug, title = "no-such-factor", "No second factor"
    default = "Your account has no second factor. POST /mfa sets one up."


class MfaOn(Conflict):
    """The account has a second factor already."""

    slug, title = "mfa-on", "Second factor is on"
    default = "Your account has a second factor. To replace it, remove it first with DELETE /mfa."


class WeakPassword(Invalid):
    """A password that is short, common, or made of the account's own names."""

    slug, title = "weak-password", "Weak password"
