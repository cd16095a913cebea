"""For whom and from where a change is made: callers, also those without a session."""

from dataclasses import dataclass
from typing import Self

from function.core.models import Caller

STRANGER = "~stranger"


@dataclass(frozen=True)
class ActingAccount:
    """An account on whose behalf work is finished that it began in an earlier request.

    Its `id` stands for the session that proved it then. `address` and `agent` are those of the
    earlier request, "" where they are not known.
    """

    username: str
    id: str
    address: str = ""
    agent: str = ""


@dataclass(frozen=True)
class Anonymous:
    """A caller without an account, for the audit log.

    `username` is a name that no account can have, such as `~` with the id of a link, or the one
    that is about to be registered.
    """

    username: str
    address: str
    agent: str = ""

    @classmethod
    def stranger(cls, address: str, agent: str) -> Self:
        """A caller who has proven nothing."""
        return cls(STRANGER, address, agent)


@dataclass(frozen=True)
class Uploader:
    """A holder of the token of a file request: the request's id and its owner's name and id."""

    request: str
    owner: str
    owner_id: str
    address: str = ""
    agent: str = ""

    @property
    def username(self) -> str:
        """The partition of its uploads. No account can have such a name."""
        return f"~{self.request}"


Principal = Caller | ActingAccount | Uploader  # who can be authenticated
Actor = Principal | Anonymous  # who made a change, as an audit record says
