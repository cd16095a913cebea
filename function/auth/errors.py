"""What can go wrong with accounts, below the problems of `errors`.

Unauthenticated 401             Conflict 409
├── WrongCredentials            ├── UsernameTaken
├── OtpRequired                 ├── MfaOn
└── WrongOtp                    └── ProtectedAccount
Forbidden 403                   Invalid 422
├── NotAllowed                  ├── WeakPassword
├── RegistrationClosed          └── TypeNotAllowed
└── WrongResetToken             NotFound 404
MailNotConfigured 501           ├── NoSuchInvite
                                ├── NoSuchSession
                                ├── NoSuchKey
                                └── NoSuchFactor
"""

from function.core.errors import Conflict, Forbidden, Invalid, NotFound, Problem, Unauthenticated


class WrongCredentials(Unauthenticated):
    """No such account, or not its password: the same words for both."""

    slug, title = "wrong-credentials", "Wrong user name or password"


class OtpRequired(Unauthenticated):
    """The password is right, and a code of the second factor is needed as well."""

    slug, title = "otp-required", "A code is needed as well"
    default = "Send the code of your authenticator, or a recovery code, as otp."


class WrongOtp(Unauthenticated):
    """That is not the code of now, or it has been used."""

    slug, title = "wrong-otp", "That is not the code"
    default = "A code is good once and for half a minute; wait for the next one."


class WrongResetToken(Forbidden):
    """It was never made, or has been used, or has expired, or a newer one was made since."""

    slug, title = "wrong-reset-token", "That token is not good"
    default = (
        "A token is good once and for an hour, and only the newest; ask for another one, with "
        "POST /password/forgot or of an administrator."
    )


class MailNotConfigured(Problem):
    """There is no address to send mail from."""

    status, slug, title = 501, "mail-not-configured", "No mail can be sent here"
    default = (
        "Ask an administrator, who can hand over a token for POST /password/reset; it is mailed "
        "only where mailFrom is set."
    )


class NoSuchSession(NotFound):
    """The caller has no session of that id, or no more."""

    slug, title = "no-such-session", "There is no such session"


class NoSuchKey(NotFound):
    """The caller has no API key of that id, or no more."""

    slug, title = "no-such-key", "There is no such key"


class NoSuchFactor(NotFound):
    """The account has no second factor."""

    slug, title = "no-such-factor", "There is no second factor"


class MfaOn(Conflict):
    """The account has a second factor already."""

    slug, title = "mfa-on", "There is a second factor already"
    default = "Take it off first, with DELETE /mfa."


class WeakPassword(Invalid):
    """A password that is short, common or made of the account's own name."""

    slug, title = "weak-password", "That password is too weak"
