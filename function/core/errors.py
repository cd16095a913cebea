"""The families of errors, and those that every package raises.

A service raises an error where it knows the fact; nothing catches it on the way. `http.problems`
turns it into an `application/problem+json` answer (RFC 9457) whose `type` is `/problems/<slug>`.
Each package has the errors of its noun in its own `errors` module.

    Problem
    ├── Malformed 400          ├── Gone 410
    │   └── InvalidCursor      ├── PreconditionFailed 412
    ├── Unauthenticated 401    ├── TooLarge 413
    │   └── NotSignedIn        ├── UnsupportedMediaType 415
    ├── Forbidden 403          ├── RangeNotSatisfiable 416
    ├── NotFound 404           ├── Invalid 422
    │   ├── NoSuchRoute        │   └── InvalidName
    │   └── NoSuchUser         ├── SlowDown 429
    ├── MethodNotAllowed 405   ├── Internal 500
    └── Conflict 409           └── Unavailable 503
        ├── ChangedMeanwhile       └── Contended
        └── LimitReached
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

Errors = Sequence[Mapping[str, str]]
Headers = Mapping[str, str] | None
KEY_ONLY = "As a password, send an API key of that user; POST /keys creates one."


class Problem(Exception):
    """A request that failed, and the answer to it.

    `status`, `slug` and `title` belong to the class. `detail` is one sentence that a person can act
    on and holds no secret; the class has a `default`, or an `advice` where the detail depends on
    the request. `errors` names the wrong fields as `{at, reason}`. The answer carries `headers`,
    and the class adds its own (`always`). `refusal` is the action under which the audit log counts
    it, where it does.
    """

    status: ClassVar[int]
    slug: ClassVar[str]
    title: ClassVar[str]
    default: ClassVar[str] = ""
    advice: ClassVar[str] = ""
    always: ClassVar[Mapping[str, str]] = {}
    refusal: Literal["", "access.refused", "throttled"] = ""

    def __init__(self, detail: str = "", *, errors: Errors = (), headers: Headers = None) -> None:
        super().__init__(detail or self.default)
        self.detail = detail or self.default or f"{self.title}."
        self.errors = errors
        self.headers = {**self.always, **(headers or {})}


class Malformed(Problem):
    """The request cannot be parsed."""

    status, slug, title = 400, "malformed-request", "Malformed request"
    advice = (
        "Send one JSON object in UTF-8, as the route describes it; the detail says what is wrong."
    )


class InvalidCursor(Malformed):
    """The cursor does not belong to this list, or it was altered."""

    slug, title = "invalid-cursor", "Wrong cursor"
    default = "Start the list again without a cursor, or follow the Link header unchanged."


class Unauthenticated(Problem):
    """The caller is not authenticated. RFC 9110, section 15.5.2, requires the header.

    It names Bearer alone, although Basic is accepted: for Basic a browser asks for a password in a
    dialog, also where a script sent the request.
    """

    status = 401
    always: ClassVar[Mapping[str, str]] = {"www-authenticate": 'Bearer realm="satchel"'}


class NotSignedIn(Unauthenticated):
    """The token is missing, malformed, unknown, expired or revoked."""

    slug, title = "not-signed-in", "Not signed in"
    default = "Send a token in the header x-session-token; POST /login returns one."


class Forbidden(Problem):
    """The caller is known and may not do this."""

    status = 403


class NotFound(Problem):
    """The thing does not exist, or the caller has no access to it: one answer for both."""

    status = 404


class NoSuchRoute(NotFound):
    """No route has this path."""

    slug, title = "no-such-route", "No such route"
    default = "GET /openapi.json lists all routes."


class NoSuchUser(NotFound):
    """No account has this name."""

    slug, title = "no-such-user", "No such user"
    advice = "Check the name; every account is found by its whole name alone."


class MethodNotAllowed(Problem):
    """The path has no route for this method; `Allow` names the methods that it has."""

    status, slug, title = 405, "method-not-allowed", "Method not allowed"
    advice = "Use one of the methods in Allow."


class Conflict(Problem):
    """The present state does not allow the request."""

    status = 409


class ChangedMeanwhile(Conflict):
    """Other requests changed the same rows at every attempt; this one changed nothing."""

    slug, title = "changed-meanwhile", "Changed by another request"
    default = "Other requests changed it at the same time. Nothing was done; please try again."


class PreconditionFailed(Problem):
    """`If-Match` or `If-None-Match` does not hold (RFC 9110, section 13.1)."""

    status, slug, title = 412, "precondition-failed", "Precondition failed"
    default = "The file has changed since you read it. Read it again, then repeat your request."


class TooLarge(Problem):
    """The body or the file exceeds a limit; the detail names the limit and what to use instead."""

    status, slug, title = 413, "too-large", "Too large"
    advice = "Send less, or a file with POST /uploads, which takes any size."


class UnsupportedMediaType(Problem):
    """The route does not accept this type of body."""

    status, slug, title = 415, "unsupported-media-type", "Unsupported content type"
    default = "Send the body as JSON with the header content-type: application/json."


class RangeNotSatisfiable(Problem):
    """`Range` begins after the end of the file (RFC 9110, section 15.5.17)."""

    status, slug, title = 416, "range-not-satisfiable", "Range beyond the end of the file"
    advice = "Ask for a range within the file; Content-Range has its size."

    def __init__(self, size: int) -> None:
        headers = {"content-range": f"bytes */{size}"}
        super().__init__(
            f"The file has {size} bytes; ask for a range within them.", headers=headers
        )


class Invalid(Problem):
    """Fields of the request are wrong; `errors` names them."""

    status, slug, title = 422, "invalid-request", "Invalid request"
    default = "Correct the fields that `errors` names."


class InvalidName(Invalid):
    """A file name breaks the rules of names."""

    slug, title = "invalid-name", "Invalid file name"


class SlowDown(Problem):
    """Too many attempts in a window; `Retry-After` gives the seconds until the next window."""

    status, slug, title = 429, "slow-down", "Too many attempts"
    advice = "Wait for the seconds in Retry-After, then try again."
    refusal = "throttled"

    def __init__(self, seconds: int, more: str = "") -> None:
        detail = f"Try again in {seconds} seconds.{more}"
        super().__init__(detail, headers={"retry-after": str(seconds)})


class Unavailable(Problem):
    """A call of AWS failed; nothing that was acknowledged is lost."""

    status, slug, title = 503, "unavailable", "Temporarily unavailable"
    default = "Nothing was lost. Please try again in a moment."
    always: ClassVar[Mapping[str, str]] = {"retry-after": "2"}


class Contended(Unavailable):
    """Other requests wrote the same rows at every attempt; this one certainly wrote nothing."""

    default = "Too many requests change the same things at once. Please try again in a moment."


class Internal(Problem):
    """A bug of ours; the log has it under the same request id."""

    status, slug, title = 500, "internal-error", "Internal error"
    default = "This is a fault of the server. The request id finds it in the log."


class Gone(Problem):
    """It existed and has ended: expired, used up or revoked."""

    status = 410


class LimitReached(Conflict):
    """The caller has as many of these as allowed; the detail names the limit."""

    slug, title = "limit-reached", "Limit reached"
    advice = "Delete one that you do not need any more, then try again."
