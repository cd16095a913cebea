"""The sessions of an account: created, listed, ended from another session."""

from typing import Any

from function.access.policy import Access
from function.access.sessions import SessionUse
from function.audit.service import AuditLog
from function.auth.errors import NoSuchSession
from function.auth.models import SessionView
from function.aws.writes import Write
from function.base import Base
from function.core.models import Caller
from function.core.paging import Page, PageQuery, Paging
from function.core.runtime import Runtime, iso
from function.core.tokens import is_token_hash
from function.tables.accounts import Account
from function.tables.sessions import (
    Session,
    Sessions,
    expire_session,
    session_in,
    session_key,
    session_of,
    session_place,
)

LIST = "sessions"


class SessionService:
    """Lists and ends the sessions of an account; its API keys are `KeyService`'s."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._sessions = Sessions(base.db)
        self._use = base.one(SessionUse)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime

    def list_sessions(self, caller: Caller, page: PageQuery) -> Page[SessionView]:
        """A page of the caller's sessions, the newest first.

        The index only names them. Each is read from its own row, so that none is listed which has
        ended. Raises InvalidCursor.
        """
        authentication = self._access.authenticate(caller)
        account, own = authentication.account, session_in(authentication.rows, caller)
        paging = Paging(page, account.id, LIST)
        position, limit = paging.position, paging.limit
        found, following = self._sessions.list_sessions(
            caller.username,
            lambda each: self._is_valid(each, account),
            after=(position[0], position[1]) if position else None,
            limit=limit,
        )
        seen = [*map(session_place, found), *([following] if following else [])]
        if own and not position and own.key is None and all(own.created > at for at, _ in seen):
            found.insert(0, own)  # it is so new that the index does not contain it yet
        if len(found) > limit:
            found, following = found[:limit], session_place(found[limit - 1])
        authentication = self._access.authenticate(
            caller, more=[session_key(each.token_hash) for each in found]
        )
        if authentication.account.epoch != account.epoch:
            return self.list_sessions(caller, page)  # the password has been changed meanwhile
        rows = (session_of(authentication.rows, each.token_hash) for each in found)
        views = [_view(row, caller) for row in rows if row and self._is_valid(row, account)]
        return paging.page(views, following)

    def end(self, caller: Caller, session_id: str) -> None:
        """Ends one of the caller's sessions at once. Raises NoSuchSession, ChangedMeanwhile."""
        if not is_token_hash(session_id):
            self._access.authenticate(caller)
            raise NoSuchSession

        def plan() -> tuple[list[Write], None]:
            authentication = self._access.authenticate(caller, more=[session_key(session_id)])
            session = session_of(authentication.rows, session_id)
            if session is None or not self._is_valid(session, authentication.account):
                raise NoSuchSession
            return [
                expire_session(session_id, int(self._runtime.now())),
                self._audit.record(caller, "session.delete", subject=session_id),
            ], None

        self._db.transact(plan)

    def _is_valid(self, session: Session, account: Account) -> bool:
        return session.key is None and self._use.is_valid(session, account)


def new_session(
    runtime: Runtime, account: Account, caller: Caller, seconds: int, **fields: Any
) -> Session:
    """A session of an account under the caller's token, which expires in `seconds`.

    `fields` are further fields of the row: those of an API key, for example.
    """
    now = runtime.now()
    return Session(
        token_hash=caller.token_hash,
        username=account.username,
        user_id=account.id,
        epoch=account.epoch,
        created=iso(now),
        expires_at=int(now) + seconds,
        address=caller.address,
        agent=caller.agent,
        **fields,
    )


def _view(session: Session, caller: Caller) -> SessionView:
    return SessionView(
        id=session.token_hash,
        created=session.created,
        address=session.address,
        agent=session.agent,
        seen=session.seen or session.created,
        expires_at=iso(session.expires_at),
        current=session.token_hash == caller.token_hash,
    )
