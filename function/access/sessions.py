"""Whether a session or an API key is valid now, and the record of its use."""

from function.aws.rows import Rows
from function.base import Base
from function.core.runtime import iso
from function.tables.accounts import Account
from function.tables.sessions import (
    Session,
    Sessions,
    is_valid_session,
    session_key,
    session_of,
)

# Seconds between two writes of a last use, so that few requests cost a write: for an API key, and
# at most for a session. A session's is a fraction of its idle time, which it must tell precisely.
SEEN_SECONDS = 600
SEEN_FRACTION = 120


class SessionUse:
    """Judges sessions by their last use. API keys do not idle out: scripts may run once a week."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._sessions = Sessions(base.db)
        self._now = base.runtime.now
        self._idle_seconds = base.settings.idle_seconds

    def is_valid(self, session: Session, account: Account, keys: Rows | None = None) -> bool:
        """Whether a session is valid for an account, and has been used within the idle time.

        A key that another key created is valid for as long as that one is. It is looked for among
        the rows of `keys`, or read.
        """
        now = self._now()
        used = session.key is not None or _seen(session) > iso(now - self._idle_seconds)
        if not used or not is_valid_session(session, account, now):
            return False
        if session.parent is None:
            return True
        rows = self._db.read([session_key(session.parent)]) if keys is None else keys
        parent = session_of(rows, session.parent)
        return parent is not None and is_valid_session(parent, account, now)

    def record(self, session: Session) -> None:
        """Records that a valid session is used, unless that was recorded shortly before."""
        seconds: float = SEEN_SECONDS
        if session.key is None:
            seconds = min(SEEN_SECONDS, self._idle_seconds / SEEN_FRACTION)
        now = self._now()
        if session.seen is None or session.seen < iso(now - seconds):
            self._sessions.record_use(session.token_hash, int(now), iso(now))


def _seen(session: Session) -> str:
    return session.seen or session.created
