"""Those on whose behalf something is done without a session of theirs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Member:
    """An account that proved itself when it asked, and on whose behalf something is done now.

    `address` and `agent` are from where it asked, where that is known.
    """

    username: str
    id: str
    address: str = ""
    agent: str = ""


@dataclass(frozen=True)
class Guest:
    """Whoever comes without an account: what they are called here, and from where they come."""

    username: str
    address: str
    agent: str = ""


@dataclass(frozen=True)
class Sender:
    """Whoever has the token of a request: its id and its owner, as the token found them."""

    request: str
    owner: str
    owner_id: str
    address: str = ""
    agent: str = ""

    @property
    def username(self) -> str:
        """What its uploads stand under; no account has such a name."""
        return f"~{self.request}"
