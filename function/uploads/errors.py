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


class NoSuchUpload(NotFound):
    """No upload of that id is in progress for the caller."""

    slug, title = "no-such-upload", "There is no such upload"
    default = "You have no upload of that id; it may have been completed, aborted or expired."


class UploadIncomplete(Conflict):
    """Not all bytes have arrived; the upload stays open."""

    slug, title = "upload-incomplete", "Not all of it has arrived"
    default = "Upload what GET /uploads/{id} lists as missing, and complete it again."


class UploadMismatch(Invalid):
    """What arrived is not what was declared; it has been removed."""

    slug, title = "upload-mismatch", "It is not what was declared"
    default = "The size or the checksum differs from what was declared; start a new upload."
