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

from function.errors import Conflict, Forbidden, Invalid, NotFound, Problem, Unauthenticated


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


class NotAllowed(Forbidden):
    """The caller's role, or the scopes of the key, do not go so far."""

    slug, title = "not-allowed", "You may not do that"
    default = (
        "Your role, or the scopes of your key, do not include this; an administrator can help."
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


class RegistrationClosed(Forbidden):
    """Not everybody may make an account here, or nobody."""

    slug, title = "registration-closed", "Registration is closed"
    default = "Nobody can make an account here, not by an invitation either."


class NoSuchInvite(NotFound):
    """No invitation of that token or id stands."""

    slug, title = "no-such-invite", "There is no such invitation"
    default = "It may have been used, taken back or expired, or its maker is no administrator now."


class UsernameTaken(Conflict):
    """Somebody has registered that name."""

    slug, title = "username-taken", "That user name is taken"


class ProtectedAccount(Conflict):
    """An administrator's own account, or the configured one: somebody must remain."""

    slug, title = "protected-account", "That account is protected"
    default = (
        "Nobody demotes, disables or deletes their own account here, nor the configured "
        "administrator's, nor takes its second factor off or makes a token for its password; ask "
        "another administrator, or change the configuration."
    )


class WeakPassword(Invalid):
    """A password that is short, common or made of the account's own name."""

    slug, title = "weak-password", "That password is too weak"


class TypeNotAllowed(Invalid):
    """A file of a type that the caller's role may not upload, or that only says to be of one."""

    slug, title = "type-not-allowed", "That type of file is not allowed"
