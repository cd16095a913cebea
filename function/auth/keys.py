"""API keys: sessions with a name, a longer life, and scopes beyond which they may nothing.

A key is shown once and stored as a hash. Its account names it, so that what is listed is never
late, and in the next epoch of the account it is as dead as any session.
"""

import re

from function.access.errors import NotAllowed
from function.access.policy import Access
from function.audit.service import AuditTrail
from function.auth.errors import NoSuchKey
from function.auth.models import KeyRequest, KeyView, NewKey
from function.aws.dynamodb import ConditionFailed
from function.aws.rows import Rows
from function.base import Base
from function.core.errors import LimitReached, NotSignedIn
from function.core.models import Caller
from function.core.runtime import iso
from function.core.tokens import token_hash
from function.tables.accounts import Account, update_account
from function.tables.sessions import (
    Session,
    create_session,
    expire_session,
    is_valid_session,
    session_in,
    session_key,
    session_of,
)

ID = re.compile(r"[0-9a-f]{64}")
MOST = 50


class KeyService:
    """The API keys of an account."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime

    def create(self, caller: Caller, wanted: KeyRequest) -> NewKey:
        """Makes a key, whose token is said this once.

        Raises NotAllowed, LimitReached, ChangedMeanwhile.
        """
        token = f"{caller.username}.{self._runtime.new_secret()}"
        for _ in self._runtime.attempts():
            entry = self._access.authenticate(caller)
            account, maker = entry.account, session_in(entry.rows, caller)
            if maker is None:
                raise NotSignedIn
            key = self._key(account, caller, wanted, token_hash(token))
            _within(key, maker)
            others = account.keys if len(account.keys) < MOST else self._alive(account)
            if len(others) >= MOST:
                raise LimitReached(f"An account has at most {MOST} keys; revoke one first.")
            writes = [
                create_session(key),
                update_account(account, key.rev, keys=others | {key.token_hash}),
                self._audit.record(caller, "key.create", subject=key.token_hash),
            ]
            try:
                self._db.commit(writes, key.rev)
            except ConditionFailed:
                continue
            return NewKey(**key_view(key).model_dump(), token=token)
        raise AssertionError

    def of(self, caller: Caller) -> list[KeyView]:
        """The caller's keys that are good now, the newest first."""
        account = self._access.authenticate(caller).account
        if not account.keys:
            return []
        entry = self._access.authenticate(caller, more=map(session_key, account.keys))
        found = (self._key_in(entry.rows, each, entry.account) for each in entry.account.keys)
        keys = sorted((each for each in found if each), key=lambda each: each.created, reverse=True)
        return [key_view(each) for each in keys]

    def revoke(self, caller: Caller, key_id: str) -> None:
        """Ends one of the caller's keys at once. Raises NoSuchKey, ChangedMeanwhile."""
        for _ in self._runtime.attempts():
            known = [session_key(key_id)] if ID.fullmatch(key_id) else []
            entry = self._access.authenticate(caller, more=known)
            if self._key_in(entry.rows, key_id, entry.account) is None:
                raise NoSuchKey
            rev, now = self._runtime.new_id(), int(self._runtime.now())
            writes = [
                expire_session(key_id, now),
                update_account(entry.account, rev, keys=entry.account.keys - {key_id}),
                self._audit.record(caller, "key.delete", subject=key_id),
            ]
            try:
                self._db.commit(writes, rev)
            except ConditionFailed:
                continue
            return

    def _key(self, account: Account, caller: Caller, wanted: KeyRequest, key_id: str) -> Session:
        now = self._runtime.now()
        return Session(
            token_hash=key_id,
            username=account.username,
            user_id=account.id,
            epoch=account.epoch,
            created=iso(now),
            expires_at=int(now) + wanted.expires_in,
            rev=self._runtime.new_id(),
            key=wanted.name,
            scopes=frozenset(wanted.scopes),
            address=caller.address,
            agent=caller.agent,
        )

    def _alive(self, account: Account) -> frozenset[str]:
        """Those of an account's keys that are good now: the others make room."""
        rows = self._db.read(map(session_key, account.keys))
        return frozenset(each for each in account.keys if self._key_in(rows, each, account))

    def _key_in(self, rows: Rows, key_id: str, account: Account) -> Session | None:
        """A key of that id, if it was read and is good now."""
        session = session_of(rows, key_id)
        good = (
            session
            and session.key is not None
            and is_valid_session(session, account, self._runtime.now())
        )
        return session if good else None


def _within(key: Session, maker: Session) -> None:
    """A key makes none that may more than itself, or for longer. Raises NotAllowed."""
    if maker.key is None:
        return
    if not key.scopes <= maker.scopes:
        raise NotAllowed("A key can give only the scopes that it has itself.")
    if key.expires_at > maker.expires_at:
        raise NotAllowed("A key can make none that lives longer than itself.")


def key_view(key: Session) -> KeyView:
    """A key as its owner sees it."""
    return KeyView(
        id=key.token_hash,
        name=key.key or "",
        scopes=sorted(key.scopes),
        created=key.created,
        address=key.address,
        agent=key.agent,
        seen=key.seen,
        expires_at=iso(key.expires_at),
    )
