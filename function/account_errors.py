"""What can go wrong with accounts, below the problems of `errors`.

Unauthenticated 401             Conflict 409
├── WrongCredentials            ├── UsernameTaken
├── OtpRequired                 └── MfaOn
└── WrongOtp                    Invalid 422
Forbidden 403                   └── WeakPassword
└── NotAllowed                  NotFound 404
                                ├── NoSuchSession
                                ├── NoSuchKey
                                └── NoSuchFactor
"""

from function.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated


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


class UsernameTaken(Conflict):
    """Somebody has registered that name."""

    slug, title = "username-taken", "That user name is taken"


class WeakPassword(Invalid):
    """A password that is short, common or made of the account's own name."""

    slug, title = "weak-password", "That password is too weak"
