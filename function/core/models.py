"""Models that every package uses: the base of bodies, the request, the caller, conditions."""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from function.core.fields import Etag
from function.core.roles import Power

MOST_AGENT = 200
# Who may register: everybody, people with an invitation, or nobody.
RegistrationPolicy = Literal["open", "invite", "closed"]


class Closed(BaseModel):
    """The base of the bodies of requests and answers: frozen, unknown fields are refused.

    pydantic builds a model at its first use (`defer_build`): a request uses about two, and a cold
    start would build all of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


@dataclass(frozen=True)
class Caller:
    """The account that a token names. It proves nothing until `Access` has read the session.

    `token_hash` is the token's SHA-256, `power` and `beyond` are the powers that the route
    requires; `address` is the source IP address and `agent` the `User-Agent` of the request.
    `may_lack_factor` tells a route that an account reaches without the second factor that it must
    set up. `key_only` says that the token must be an API key, because it came in Basic credentials,
    which people store in files.
    """

    username: str
    token_hash: str
    power: Power | None = None
    beyond: Power | None = None
    address: str = ""
    agent: str = ""
    may_lack_factor: bool = False
    key_only: bool = False


class AccountOfRequest(NamedTuple):
    """The account that a request is for, by name and id; not `proven` where a login only names it.

    It is for the log and the audit log, and decides nothing.
    """

    username: str
    id: str
    proven: bool


account_of_request: ContextVar[AccountOfRequest | None] = ContextVar("account", default=None)


@dataclass(frozen=True)
class HttpRequest:
    """A request as the gateway delivered it.

    Names of `headers` are lower case. `base` is scheme, host and port of the API. `as_text` says
    that the gateway passed the body as text, so bytes that are not UTF-8 did not survive. `cookies`
    are the values by name.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    address: str
    request_id: str
    base: str
    as_text: bool = False
    cookies: Mapping[str, str] = field(default_factory=dict)

    @property
    def agent(self) -> str:
        """The `User-Agent`, cut to 200 characters."""
        return self.headers.get("user-agent", "")[:MOST_AGENT]


@dataclass(frozen=True)
class IfMatch:
    """The condition under which a download is resumed: that the file is still the same."""

    if_match: str | None = None


@dataclass(frozen=True)
class Conditions(IfMatch):
    """The conditional header fields of a request (RFC 9110, section 13.1)."""

    if_none_match: str | None = None


@dataclass(frozen=True)
class Digests:
    """The header fields with digests of a request's body (RFC 9530)."""

    content_digest: str | None = None
    repr_digest: str | None = None

    def by_field(self) -> dict[str, str | None]:
        """Each value by the name of its header field."""
        return {"content-digest": self.content_digest, "repr-digest": self.repr_digest}


class ConditionalRead(Closed):
    """The same condition in a body: an ETag or a revision of the file, or `*`."""

    if_match: Etag | None = None


class Conditional(ConditionalRead):
    """Both conditions in a body."""

    if_none_match: Etag | None = None


class FieldError(Closed):
    """A wrong field of a request, such as `body.file_name`, and the reason."""

    at: str
    reason: str


class Problem(Closed):
    """An error (RFC 9457). `type` identifies the kind of error and never changes."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[FieldError] = []
