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

from function.errors import Conflict, Forbidden, NotFound, Problem, Unauthenticated


class NoSuchGroup(NotFound):
    """No group of that name that the caller belongs to."""

    slug, title = "no-such-group", "There is no such group"
    default = "You belong to no group of that name."


class NoSuchMember(NotFound):
    """The group has no such member."""

    slug, title = "no-such-member", "There is no such member"


class NoSuchLink(NotFound):
    """No link of that id or token, or nothing of what it showed is left."""

    slug, title = "no-such-link", "There is no such link"
    default = "No link has that address; it may have been copied in part."


class NoSuchRequest(NotFound):
    """No request of that id or token."""

    slug, title = "no-such-request", "There is no such request"
    default = "No request has that address; it may have been copied in part."


class PasswordRequired(Unauthenticated):
    """The link or request has a password, and no grant for it was sent."""

    slug, title = "password-required", "It needs a password"
    default = "POST the password to …/unlock, and send the grant that it gives."


class WrongPassword(Unauthenticated):
    """It is not the password of the link or request."""

    slug, title = "wrong-password", "That is not the password"


class DownloadNotAllowed(Forbidden):
    """The link shows what there is, and gives no bytes."""

    slug, title = "download-not-allowed", "This link gives no downloads"
    default = "Its owner has allowed to look at it only."


class Gone(Problem):
    """It was there, and its holder deserves to know why it is not any more."""

    status = 410


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


class RequestClosed(Gone):
    """The request takes no more files: closed by its owner, or its time is over."""

    slug, title = "request-closed", "The request is closed"
    default = "It takes no more files; ask whoever gave it to you for another one."


class GroupTaken(Conflict):
    """Somebody else owns a group of that name."""

    slug, title = "group-taken", "That group's name is taken"


class AliasTaken(Conflict):
    """Another link has that alias."""

    slug, title = "alias-taken", "That alias is taken"


class RequestFull(Conflict):
    """The request has as many files or bytes as it takes."""

    slug, title = "request-full", "The request is full"
    default = "It has as many files or bytes as it takes."


class LimitReached(Conflict):
    """As many as there may be; the detail names the limit."""

    slug, title = "limit-reached", "There are as many as there may be"
