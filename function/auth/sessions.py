"""The caller's sessions: where one is signed in, and ending one of them from another."""

import re

from function.access.policy import Access
from function.audit.service import AuditTrail
from function.auth.errors import NoSuchSession
from function.auth.models import SessionView
from function.aws.dynamodb import ConditionFailed
from function.base import Base
from function.core.cursors import seal, unseal
from function.core.models import Caller
from function.core.runtime import iso
from function.tables.accounts import Account
from function.tables.sessions import (
    Session,
    Sessions,
    expire_session,
    is_valid_session,
    session_in,
    session_key,
    session_of,
    session_place,
)

ID = re.compile(r"[0-9a-f]{64}")
SESSIONS = "sessions"


class SessionService:
    """The sessions of an account, without its keys."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._sessions = Sessions(base.db)
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime

    def page(
        self, caller: Caller, limit: int, cursor: str | None
    ) -> tuple[list[SessionView], str | None]:
        """The caller's sessions, the newest first, and the next cursor. Raises InvalidCursor.

        The index names them; what they are is read from their rows, so that none is listed which
        has ended.
        """
        entry = self._access.authenticate(caller)
        account, own = entry.account, session_in(entry.rows, caller)
        place = unseal(cursor, account.id, SESSIONS)
        found, following = self._sessions.list_sessions(
            caller.username,
            lambda each: self._alive(each, account),
            after=(place[0], place[1]) if place else None,
            limit=limit,
        )
        seen = [*map(session_place, found), *([following] if following else [])]
        if own and not place and own.key is None and all(own.created > each for each, _ in seen):
            found.insert(0, own)  # it has just begun, and the index does not know it yet
        if len(found) > limit:
            found, following = found[:limit], session_place(found[limit - 1])
        entry = self._access.authenticate(
            caller, more=[session_key(each.token_hash) for each in found]
        )
        there = (session_of(entry.rows, each.token_hash) for each in found)
        views = [self._view(each, caller) for each in there if each and self._alive(each, account)]
        return views, seal([*following], account.id, SESSIONS) if following else None

    def end(self, caller: Caller, session_id: str) -> None:
        """Ends one of the caller's sessions at once. Raises NoSuchSession, ChangedMeanwhile."""
        if not ID.fullmatch(session_id):
            self._access.authenticate(caller)
            raise NoSuchSession
        for _ in self._runtime.attempts():
            entry = self._access.authenticate(caller, more=[session_key(session_id)])
            session = session_of(entry.rows, session_id)
            if session is None or not self._alive(session, entry.account):
                raise NoSuchSession
            end = expire_session(session_id, int(self._runtime.now()))
            noted = self._audit.record(caller, "session.delete", subject=session_id)
            try:
                self._db.commit([end, noted], self._runtime.new_id())
            except ConditionFailed:
                continue
            return

    def _alive(self, session: Session, account: Account) -> bool:
        return session.key is None and is_valid_session(session, account, self._runtime.now())

    def _view(self, session: Session, caller: Caller) -> SessionView:
        return SessionView(
            id=session.token_hash,
            created=session.created,
            address=session.address,
            agent=session.agent,
            seen=session.seen or session.created,
            expires_at=iso(session.expires_at),
            current=session.token_hash == caller.token_hash,
        )
