"""Sessions, which tokens name; an API key is one that has a name."""

from collections.abc import Callable
from contextlib import suppress

from function.aws.dynamodb import ConditionFailed, Dynamo
from function.aws.rows import Item, Key, Row, Rows
from function.aws.writes import (
    Condition,
    Write,
    above,
    equals,
    exists,
    put,
    update,
)
from function.contract import SESSIONS
from function.core.errors import Unavailable
from function.core.models import Caller
from function.tables.accounts import Account

AT_ONCE, LOOKS = 250, 4
Place = tuple[str, str]


class Session(Row):
    """A signed-in caller; `expires_at` is epoch seconds, compared at every read.

    An API key is a session that has a `key`, its name: it may do what its `scopes` say. `address`
    and `agent` are where it was begun, `seen` is when it was last used, to ten minutes.
    """

    token_hash: str
    username: str
    user_id: str
    epoch: str
    created: str
    expires_at: int
    rev: str
    key: str | None = None
    scopes: frozenset[str] = frozenset()
    address: str = ""
    agent: str = ""
    seen: str | None = None


class Reset(Row):
    """A token for a new password: its hash as `secret`, and the account as it was then.

    A new password, or another address, makes that another, and the token dead.
    """

    secret: str
    user_id: str
    epoch: str
    email: str
    expires_at: int


def session_place(session: Session) -> Place:
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


def is_valid_session(session: Session | None, account: Account, now: float) -> bool:
    """Whether a session is good now, for this account and no namesake, and since its last epoch."""
    return (
        session is not None
        and session.expires_at > now
        and (session.username, session.user_id, session.epoch)
        == (account.username, account.id, account.epoch)
    )


def create_session(session: Session) -> Write:
    """A new session."""
    return put(session_key(session.token_hash), session)


def expire_session(token_hash: str, now: int) -> Write:
    """Has a session expire at once, if it has not; its row stays until the table removes it."""
    return update(session_key(token_hash), set={"expires_at": now}, when=_alive(now))


def rotate_session(session: Session, epoch: str, now: int) -> Write:
    """Takes a session over into its account's next epoch, in which all others are dead."""
    when = _alive(now) & equals(epoch=session.epoch)
    return update(session_key(session.token_hash), set={"epoch": epoch}, when=when)


def _alive(now: int) -> Condition:
    return exists("token_hash") & above(expires_at=now)


class Sessions:
    """The table sessions."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the table through `db`."""
        self._db = db

    def list_sessions(
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
            page = self._db.query_latest(SESSIONS, username, after=start, limit=AT_ONCE)
            for row in map(Session.model_validate, page.items):
                if wanted(row):
                    if len(found) == limit:
                        return found, after
                    found.append(row)
                after = session_place(row)
            if not page.more:
                return found, None
        return found, after

    def record_use(self, token_hash: str, now: int, at: str) -> None:
        """Notes when a session was used, if that can be done; nobody is refused for it."""
        with suppress(ConditionFailed, Unavailable):
            self._db.write(update(session_key(token_hash), set={"seen": at}, when=_alive(now)))


def mailed_reset_key(name: str) -> Key:
    """Where the mailed token of a name stands; no session has such an id."""
    return Key(SESSIONS, f"reset:{name}")


def admin_reset_key(name: str) -> Key:
    """Where the one stands that an administrator hands over."""
    return Key(SESSIONS, f"handed:{name}")


def reset_at(rows: Rows, key: Key) -> Reset | None:
    """The token that stands there, if it was read."""
    row = rows.get(key)
    return Reset.model_validate(row) if row else None


def put_reset(key: Key, reset: Reset) -> Write:
    """A token in the place of whatever was there."""
    return put(key, reset)


def use_reset(key: Key, reset: Reset, now: int) -> Write:
    """Uses a token up, if nobody has."""
    when = _alive(now) & equals(secret=reset.secret)
    return update(key, set={"expires_at": now}, when=when)
