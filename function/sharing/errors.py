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

from function.core.errors import Conflict, NotFound


class NoSuchShare(NotFound):
    """The file is not shared with that account."""

    slug, title = "no-such-share", "There is no such share"
    default = "You do not share a file of that name with that user."


class NoSuchGroup(NotFound):
    """No group of that name that the caller belongs to."""

    slug, title = "no-such-group", "There is no such group"
    default = "You belong to no group of that name."


class NoSuchMember(NotFound):
    """The group has no such member."""

    slug, title = "no-such-member", "There is no such member"


class GroupTaken(Conflict):
    """Somebody else owns a group of that name."""

    slug, title = "group-taken", "That group's name is taken"
