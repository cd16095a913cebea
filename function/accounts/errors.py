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

from function.core.errors import Conflict, Forbidden, NotFound


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
