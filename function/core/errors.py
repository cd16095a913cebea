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

from collections.abc import Mapping, Sequence
from typing import ClassVar

Errors = Sequence[Mapping[str, str]]
Headers = Mapping[str, str] | None


class Problem(Exception):
    """A request that failed: `detail` is one sentence a person can act on, never a secret.

    `errors` are the wrong fields as `{at, reason}`; `headers` go out with the answer.
    """

    status: ClassVar[int]
    slug: ClassVar[str]
    title: ClassVar[str]
    default: ClassVar[str] = ""
    always: ClassVar[Mapping[str, str]] = {}

    def __init__(self, detail: str = "", *, errors: Errors = (), headers: Headers = None) -> None:
        super().__init__(detail or self.default)
        self.detail = detail or self.default or f"{self.title}."
        self.errors = errors
        self.headers = {**self.always, **(headers or {})}


class Malformed(Problem):
    """The request could not be read at all."""

    status, slug, title = 400, "malformed-request", "The request could not be read"


class InvalidCursor(Malformed):
    """A cursor that this listing did not give out."""

    slug, title = "invalid-cursor", "That cursor is not of this list"
    default = "Start the list again without a cursor, or follow the Link header as it was given."


class Unauthenticated(Problem):
    """Nobody is signed in; the header is required by RFC 9110, section 15.5.2."""

    status = 401
    always: ClassVar[Mapping[str, str]] = {"www-authenticate": 'Bearer realm="satchel"'}


class NotSignedIn(Unauthenticated):
    """The token is missing, malformed, unknown, expired or no longer its account's."""

    slug, title = "not-signed-in", "You are not signed in"
    default = "Send a valid token in x-session-token; POST /login gives one."


class Forbidden(Problem):
    """Whoever asks may see it, and may not do this."""

    status = 403


class NotFound(Problem):
    """It is not there, or it is not yours: the same answer for both."""

    status = 404


class NoSuchRoute(NotFound):
    """No route has that path."""

    slug, title = "no-such-route", "There is no such route"
    default = "GET /openapi.json lists the routes."


class NoSuchUser(NotFound):
    """No account of that name."""

    slug, title = "no-such-user", "There is no such user"


class MethodNotAllowed(Problem):
    """The path exists, the method does not; `Allow` names those that do."""

    status, slug, title = 405, "method-not-allowed", "That method is not allowed here"


class Conflict(Problem):
    """The request cannot be done as things stand now."""

    status = 409


class ChangedMeanwhile(Conflict):
    """Others kept changing the same thing until we gave up; nothing was changed."""

    slug, title = "changed-meanwhile", "It was changed meanwhile"
    default = "Too much was changed at the same time; nothing was done, please try again."


class PreconditionFailed(Problem):
    """`If-Match` or `If-None-Match` does not hold (RFC 9110, section 13.1)."""

    status, slug, title = 412, "precondition-failed", "The precondition does not hold"
    default = "The file is not, or no longer, the one your If-Match or If-None-Match names."


class TooLarge(Problem):
    """More than this route carries; the detail names the limit and the route to use instead."""

    status, slug, title = 413, "too-large", "That is too large for this route"


class UnsupportedMediaType(Problem):
    """The body is of a kind that this route does not read."""

    status, slug, title = 415, "unsupported-media-type", "That kind of body is not read here"
    default = "Send the body as JSON with the header content-type: application/json."


class RangeNotSatisfiable(Problem):
    """`Range` begins after the end of the file (RFC 9110, section 15.5.17)."""

    status, slug, title = 416, "range-not-satisfiable", "The file has no such range"

    def __init__(self, size: int) -> None:
        headers = {"content-range": f"bytes */{size}"}
        super().__init__(f"The file has {size} bytes.", headers=headers)


class Invalid(Problem):
    """The request was read, and fields of it are wrong."""

    status, slug, title = 422, "invalid-request", "The request is not valid"
    default = "Correct the fields named in errors."


class InvalidName(Invalid):
    """A file name that breaks the rules of names."""

    slug, title = "invalid-name", "That is not a file name"


class SlowDown(Problem):
    """Too many tries; `Retry-After` says when the next one is listened to."""

    status, slug, title = 429, "slow-down", "Too many tries"

    def __init__(self, seconds: int, more: str = "") -> None:
        detail = f"Try again in {seconds} s.{more}"
        super().__init__(detail, headers={"retry-after": str(seconds)})


class Unavailable(Problem):
    """AWS did not do its part; nothing that was acknowledged is lost."""

    status, slug, title = 503, "unavailable", "Not available at the moment"
    default = "Nothing was lost; please try again in a moment."
    always: ClassVar[Mapping[str, str]] = {"retry-after": "2"}


class Internal(Problem):
    """A fault of ours; the log has it under the same request id."""

    status, slug, title = 500, "internal-error", "Something went wrong here"
    default = "This is our fault, not yours; the request id finds it in the log."


class Gone(Problem):
    """It was there, and its holder deserves to know why it is not any more."""

    status = 410


class LimitReached(Conflict):
    """As many as there may be; the detail names the limit."""

    slug, title = "limit-reached", "There are as many as there may be"
