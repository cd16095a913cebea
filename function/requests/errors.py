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

from function.core.errors import Conflict, Gone


class RequestClosed(Gone):
    """The request takes no more files: closed by its owner, or its time is over."""

    slug, title = "request-closed", "The request is closed"
    default = "It takes no more files; ask whoever gave it to you for another one."


class RequestFull(Conflict):
    """The request has as many files or bytes as it takes."""

    slug, title = "request-full", "The request is full"
    default = "It has as many files or bytes as it takes."
