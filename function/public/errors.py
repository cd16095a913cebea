"""What can go wrong with groups, links and requests, below the problems of `errors`.

NotFound 404                    Gone 410
├── NoSuchGroup                 ├── LinkExpired
├── NoSuchMember                ├── LinkExhausted
├── NoSuchLink                  ├── LinkRevoked
└── NoSuchRequest               └── RequestClosed
Unauthenticated 401             Conflict 409
├── PasswordRequired            ├── GroupTaken
└── WrongPassword               ├── AliasTaken
Forbidden 403                   ├── RequestFull
└── DownloadNotAllowed          └── LimitReached
"""

from function.core.errors import Unauthenticated


class PasswordRequired(Unauthenticated):
    """The link or request has a password, and no grant for it was sent."""

    slug, title = "password-required", "It needs a password"
    default = "POST the password to …/unlock, and send the grant that it gives."


class WrongPassword(Unauthenticated):
    """It is not the password of the link or request."""

    slug, title = "wrong-password", "That is not the password"
