"""What can go wrong with accounts, below the problems of `errors`.

Unauthenticated 401             Conflict 409
└── WrongCredentials            └── UsernameTaken
Forbidden 403                   Invalid 422
└── NotAllowed                  └── WeakPassword
NotFound 404
├── NoSuchSession
└── NoSuchKey
"""

from function.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated


class WrongCredentials(Unauthenticated):
    """No such account, or not its password: the same words for both."""

    slug, title = "wrong-credentials", "Wrong user name or password"


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


class UsernameTaken(Conflict):
    """Somebody has registered that name."""

    slug, title = "username-taken", "That user name is taken"


class WeakPassword(Invalid):
    """A password that is short, common or made of the account's own name."""

    slug, title = "weak-password", "That password is too weak"
