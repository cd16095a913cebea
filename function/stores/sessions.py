"""Sessions, which tokens name; an API key is one that has a name."""

from collections.abc import Callable
from contextlib import suppress

from function.contract import SESSIONS
from function.errors import Unavailable
from function.models import Caller
from function.records import Account, Session
from function.stores.dynamo import Dynamo
from function.stores.rows import Item, Key, Refused, Rows, Write

AT_ONCE, LOOKS = 250, 4
ALIVE = "attribute_exists(token_hash) AND expires_at > :now"


Place = tuple[str, str]


def place_of(session: Session) -> Place:
    """Where a session stands among its account's."""
    return session.created, session.token_hash


def session_key(token_hash: str) -> Key:
    """Where a session stands."""
    return Key(SESSIONS, token_hash)


def session_in(rows: Rows, caller: Caller) -> Session | None:
    """The caller's session, if it was read."""
    return session_of(rows, caller.token_hash)


def session_of(rows: Rows, token_hash: str) -> Session | None:
    """The session of that id, if it was read."""
    row = rows.get(session_key(token_hash))
    return Session.model_validate(row) if row else None


def proves(session: Session | None, account: Account, now: float) -> bool:
    """Whether a session is good now, for this account and no namesake, and since its last epoch."""
    return (
        session is not None
        and session.expires_at > now
        and (session.username, session.user_id, session.epoch)
        == (account.username, account.id, account.epoch)
    )


def begun(session: Session) -> Write:
    """A new session."""
    return Write("Put", session_key(session.token_hash), item=session.model_dump())


def ended(token_hash: str, now: int) -> Write:
    """Has a session expire at once, if it has not; its row stays until the table removes it."""
    values: Item = {":now": now}
    return Write("Update", session_key(token_hash), ALIVE, values, update="SET expires_at = :now")


def carried(session: Session, epoch: str, now: int) -> Write:
    """Takes a session over into its account's next epoch, in which all others are dead."""
    return Write(
        "Update",
        session_key(session.token_hash),
        condition=f"{ALIVE} AND epoch = :was",
        values={":now": now, ":was": session.epoch, ":epoch": epoch},
        update="SET epoch = :epoch",
    )


class Sessions:
    """The table sessions."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the table through `db`."""
        self._db = db

    def newest(
        self,
        username: str,
        wanted: Callable[[Session], bool],
        *,
        after: Place | None,
        limit: int,
    ) -> tuple[list[Session], Place | None]:
        """What the index knows of somebody's sessions and keys, and where that goes on.

        The newest first, and those that are `wanted` alone, of a thousand that are looked at.
        """
        found: list[Session] = []
        for _ in range(LOOKS):
            start: Item | None = None
            if after:
                start = {"username": username, "created": after[0], "token_hash": after[1]}
            page = self._db.query_index(SESSIONS, username, newest=AT_ONCE, after=start)
            for row in map(Session.model_validate, page.items):
                if wanted(row):
                    if len(found) == limit:
                        return found, after
                    found.append(row)
                after = place_of(row)
            if not page.more:
                return found, None
        return found, after

    def seen(self, token_hash: str, now: int, at: str) -> None:
        """Notes when a session was used, if that can be done; nobody is refused for it."""
        values: Item = {":now": now, ":at": at}
        write = Write(
            "Update",
            session_key(token_hash),
            ALIVE,
            values,
            update="SET #seen = :at",
            names={"#seen": "seen"},
        )
        with suppress(Refused, Unavailable):
            self._db.write(write)
