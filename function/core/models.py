"""The nouns, and the bodies of requests and answers: frozen, and closed to unknown fields.

Imports `fields` and `roles`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from function.core.fields import Etag
from function.core.roles import Power

MOST_AGENT = 200
# Who may make an account: everybody, who has an invitation, or nobody.
Registration = Literal["open", "invite", "closed"]


class Closed(BaseModel):
    """What people send and get.

    A model is made ready when it is first used: most requests use two, a cold start would wait for
    all of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


@dataclass(frozen=True)
class Caller:
    """Who the token says is calling. Nothing is proven until `Access.open` has read its session.

    `power` is what the route takes, `address` and `agent` where the request came from.
    """

    username: str
    token_hash: str
    power: Power | None = None
    address: str = ""
    agent: str = ""


@dataclass(frozen=True)
class Incoming:
    """A request as the gateway delivered it; header names are lower case, `body` is bytes."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    address: str
    request_id: str
    base: str
    as_text: bool = False

    @property
    def agent(self) -> str:
        """What the client calls itself, as far as anybody wants to read."""
        return self.headers.get("user-agent", "")[:MOST_AGENT]


@dataclass(frozen=True)
class Conditions:
    """What a request's header says must be so of a file (RFC 9110, section 13.1)."""

    if_match: str | None = None
    if_none_match: str | None = None


class Conditional(Closed):
    """The same in a body: the ETag or revision that the file has, or does not have; or `*`."""

    if_match: Etag | None = None
    if_none_match: Etag | None = None


class FieldError(Closed):
    """Where a request is wrong (`body.file_name`), and why."""

    at: str
    reason: str


class Problem(Closed):
    """What went wrong (RFC 9457); `type` names the kind and never changes."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[FieldError] = []
