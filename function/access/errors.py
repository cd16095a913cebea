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

from function.core.errors import Conflict, Forbidden, NotFound, Problem


class NoSuchFile(NotFound):
    """No file of that name that the caller may use in this way."""

    slug, title = "no-such-file", "There is no such file"
    default = "You have no file of that name, nor is one of that name shared with you for this."


class QuotaExceeded(Problem):
    """The owner's account has no room for these bytes, or for one file more."""

    status, slug, title = 507, "quota-exceeded", "There is no room for that"


class NotAllowed(Forbidden):
    """The caller's role, or the scopes of the key, do not go so far."""

    slug, title = "not-allowed", "You may not do that"
    default = (
        "Your role, or the scopes of your key, do not include this; an administrator can help."
    )


class ProtectedAccount(Conflict):
    """An administrator's own account, or the configured one: somebody must remain."""

    slug, title = "protected-account", "That account is protected"
    default = (
        "Nobody demotes, disables or deletes their own account here, nor the configured "
        "administrator's, nor takes its second factor off or makes a token for its password; ask "
        "another administrator, or change the configuration."
    )


class NoSuchRequest(NotFound):
    """No request of that id or token."""

    slug, title = "no-such-request", "There is no such request"
    default = "No request has that address; it may have been copied in part."
