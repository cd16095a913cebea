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

from function.core.errors import Conflict, Forbidden, Gone, NotFound


class NoSuchLink(NotFound):
    """No link of that id or token, or nothing of what it showed is left."""

    slug, title = "no-such-link", "There is no such link"
    default = "No link has that address; it may have been copied in part."


class DownloadNotAllowed(Forbidden):
    """The link shows what there is, and gives no bytes."""

    slug, title = "download-not-allowed", "This link gives no downloads"
    default = "Its owner has allowed to look at it only."


class LinkExpired(Gone):
    """The link's time is over."""

    slug, title = "link-expired", "The link has expired"
    default = "Ask whoever gave it to you for another one."


class LinkExhausted(Gone):
    """The link has been downloaded from as often as it allows."""

    slug, title = "link-exhausted", "The link has been used up"
    default = "It was good for so many downloads; ask whoever gave it to you for another one."


class LinkRevoked(Gone):
    """The link's owner has taken it back."""

    slug, title = "link-revoked", "The link has been taken back"
    default = "Ask whoever gave it to you for another one."


class AliasTaken(Conflict):
    """Another link has that alias."""

    slug, title = "alias-taken", "That alias is taken"
