"""Every way a request can fail. Standard library only; imports nothing of ours.

An error is raised where its fact is known and never caught on the way; `app.py` alone turns it into
an `application/problem+json` answer (RFC 9457) whose `type` is `/problems/<slug>`.

    Problem
    ├── Malformed 400               ├── Conflict 409
    │   └── InvalidCursor           │   ├── FileExists
    ├── Unauthenticated 401         │   ├── ChangedMeanwhile
    │   └── NotSignedIn             │   └── UploadIncomplete
    ├── Forbidden 403               ├── PreconditionFailed 412
    ├── NotFound 404                ├── TooLarge 413
    │   ├── NoSuchRoute             ├── UnsupportedMediaType 415
    │   ├── NoSuchFile              ├── RangeNotSatisfiable 416
    │   ├── NoSuchUser              ├── Invalid 422
    │   ├── NoSuchShare             │   ├── InvalidName
    │   ├── NoSuchUpload            │   └── UploadMismatch
    │   ├── NoSuchVersion           ├── SlowDown 429
    │   └── NoSuchJob               │
    ├── MethodNotAllowed 405        ├── Unavailable 503
    └── QuotaExceeded 507           └── Internal 500

More are in `account_errors`, `listing_errors` and `sharing_errors`.
"""

from function.core.errors import Conflict, Invalid, NotFound


class NoSuchVersion(NotFound):
    """The file has no such version that the caller may read."""

    slug, title = "no-such-version", "There is no such version"


class FileExists(Conflict):
    """`on_conflict` is `fail` and there is a file of that name."""

    slug, title = "file-exists", "There is a file of that name"
    default = "Choose another name, or send on_conflict=replace or on_conflict=rename."


class TypeNotAllowed(Invalid):
    """A file of a type that the caller's role may not upload, or that only says to be of one."""

    slug, title = "type-not-allowed", "That type of file is not allowed"
