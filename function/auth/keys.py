"""API keys: sessions with a name, a longer life, and scopes that limit them.

A key is shown once and stored as a hash. The account's row lists its keys, so that a list is never
out of date. A new epoch of the account ends them as it ends any session. A key that another key
created ends with that one.
"""

from dataclasses import replace
from typing import Any

from function.access.errors import NotAllowed
from function.access.policy import Access, Authentication
from function.access.sessions import SessionUse
from function.audit.service import AuditLog
from function.auth.errors import NoSuchKey
from function.auth.mfa import AccountFields, OwnerProof
from function.auth.models import KeyRequest, KeyView, NewKey
from function.auth.sessions import new_session
from function.aws.rows import Rows
from function.aws.writes import Write
from function.base import Base
from function.core.errors import Invalid, LimitReached, NotSignedIn
from function.core.idempotency import IdempotentRequest
from function.core.models import Caller
from function.core.roles import lesser, powers_of, useful
from function.core.runtime import iso
from function.core.tokens import is_token_hash, token_hash
from function.idempotency.creation import Creation, Earlier
from function.idempotency.errors import IdempotencyKeySpent
from function.tables.accounts import Account, update_account
from function.tables.sessions import (
    Session,
    create_session,
    expire_session,
    session_in,
    session_key,
    session_of,
)

MAX_KEYS = 50


class KeyService:
    """Creates, lists and revokes the API keys of an account."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._use = base.one(SessionUse)
        self._proof = base.one(OwnerProof)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime

    def create(
        self, caller: Caller, request: KeyRequest, idempotent: IdempotentRequest | None = None
    ) -> NewKey:
        """Creates a key; its token can never be shown again.

        Raises NotAllowed, LimitReached, IdempotencyKeyReused, IdempotencyKeySpent,
        ChangedMeanwhile and, for a session, Invalid, WrongCredentials, OtpRequired, WrongOtp,
        SlowDown.
        """
        creation = Creation(self._runtime, caller, idempotent)
        token = token_of(caller, creation.secret)
        holder = replace(caller, token_hash=token_hash(token))

        def plan() -> tuple[list[Write], NewKey]:
            authentication = self._proof.authenticate(caller, more=creation.keys)
            account, creator = authentication.account, session_in(authentication.rows, caller)
            if creator is None:
                raise NotSignedIn
            if earlier := creation.find_earlier(authentication):
                return self._repeat(authentication, creator, caller, request, earlier)
            changes, checks = self._prove(authentication, creator, caller, request)
            key = self._new_key(account, creator, holder, request)
            changes |= {"keys": self._keys_with_room(account) | {key.token_hash}}
            writes = [
                create_session(key),
                update_account(account, self._runtime.new_id(), **changes),
                *checks,
                self._audit.record(caller, "key.create", subject=key.token_hash),
                *creation.record(account, key.token_hash),
            ]
            return writes, NewKey(**_view(key).model_dump(), token=token)

        return self._db.transact(plan)

    def list_keys(self, caller: Caller) -> list[KeyView]:
        """The caller's valid keys, the newest first."""
        account = self._access.authenticate(caller).account
        if not account.keys:
            return []
        authentication = self._access.authenticate(caller, more=map(session_key, account.keys))
        found = (
            self._valid_key(each, authentication.account, authentication.rows)
            for each in authentication.account.keys
        )
        keys = sorted((key for key in found if key), key=lambda key: key.created, reverse=True)
        return [_view(key) for key in keys]

    def revoke(self, caller: Caller, key_id: str) -> None:
        """Ends one of the caller's keys at once. Raises NoSuchKey, ChangedMeanwhile."""
        keys = [session_key(key_id)] if is_token_hash(key_id) else []

        def plan() -> tuple[list[Write], None]:
            authentication = self._access.authenticate(caller, more=keys)
            key = session_of(authentication.rows, key_id)
            if key is None or not self._is_key(key, authentication.account):
                raise NoSuchKey
            others = authentication.account.keys - {key_id}
            return [
                expire_session(key_id, int(self._runtime.now())),
                update_account(authentication.account, self._runtime.new_id(), keys=others),
                self._audit.record(caller, "key.delete", subject=key_id),
            ], None

        self._db.transact(plan)

    def _prove(
        self, found: Authentication, creator: Session, caller: Caller, request: KeyRequest
    ) -> tuple[AccountFields, list[Write]]:
        """The proof of the owner that a session needs: the key may outlive it. A key needs none."""
        if creator.key is not None:
            return {}, []
        return self._proof.verify(found, caller, _password(request), request.otp)

    def _repeat(
        self,
        found: Authentication,
        creator: Session,
        caller: Caller,
        request: KeyRequest,
        earlier: Earlier,
    ) -> tuple[list[Write], NewKey]:
        """The key that an earlier request created; the owner is proven again.

        Raises IdempotencyKeySpent, and what proves the owner in `create`.
        """
        writes: list[Write] = []
        if creator.key is None:
            writes = self._proof.verify_again(
                found, caller, _password(request), request.otp, same_code=earlier.same_code
            )
        rows = {**found.rows, **self._db.read([session_key(earlier.id)])}
        key = self._valid_key(earlier.id, found.account, rows)
        if key is None:
            raise IdempotencyKeySpent
        token = token_of(caller, earlier.secret)
        return writes, NewKey(**_view(key).model_dump(), token=token)

    def _new_key(
        self, account: Account, creator: Session, holder: Caller, request: KeyRequest
    ) -> Session:
        """The row of a key with the token of `holder`. Raises NotAllowed."""
        fields = _cut(request, account, creator)
        key = new_session(self._runtime, account, holder, request.expires_in, **fields)
        _require_within(creator, key)
        return key

    def _keys_with_room(self, account: Account) -> frozenset[str]:
        """The ids of an account's keys; expired ones leave the list when it is full.

        Raises LimitReached where all are valid.
        """
        if len(account.keys) < MAX_KEYS:
            return account.keys
        rows = self._db.read(map(session_key, account.keys))
        keys = frozenset(each for each in account.keys if self._valid_key(each, account, rows))
        if len(keys) >= MAX_KEYS:
            raise LimitReached(f"An account has at most {MAX_KEYS} API keys. Revoke one first.")
        return keys

    def _valid_key(self, key_id: str, account: Account, keys: Rows) -> Session | None:
        """The key of that id, if it is valid now; `keys` has the rows of all the account's keys."""
        key = session_of(keys, key_id)
        return key if key and self._is_key(key, account, keys) else None

    def _is_key(self, session: Session, account: Account, keys: Rows | None = None) -> bool:
        return session.key is not None and self._use.is_valid(session, account, keys)


def token_of(caller: Caller, secret: str) -> str:
    """The token of a key of the caller's account."""
    return f"{caller.username}.{secret}"


def _password(request: KeyRequest) -> str:
    """The password that a session must send. Raises Invalid."""
    if request.current_password is None:
        reason = "is required, unless an API key creates the key"
        raise Invalid(errors=[{"at": "body.current_password", "reason": reason}])
    return request.current_password.get_secret_value()


def _cut(request: KeyRequest, account: Account, creator: Session) -> dict[str, Any]:
    """The name, role and scopes of a new key: what the account may now, and no more later.

    Raises NotAllowed where that is nothing.
    """
    role = lesser(account.role, creator.role or account.role)
    scopes = useful(request.scopes, role)
    if not scopes:
        raise NotAllowed("Your role has no power of these scopes.")
    parent = creator.token_hash if creator.key else None
    return {"key": request.name, "role": role, "scopes": scopes, "parent": parent}


def _require_within(creator: Session, key: Session) -> None:
    """Raises NotAllowed where a key would create one with more scopes or a longer life.

    A key ends with the one that created it; so that one read tells, that is the only one above it.
    """
    if creator.key is None:
        return
    if creator.parent:
        raise NotAllowed("A key that a key created can create no other.")
    if not powers_of(key.scopes) <= powers_of(creator.scopes):
        raise NotAllowed("A key can give only scopes that it has itself.")
    if key.expires_at > creator.expires_at:
        raise NotAllowed("A key cannot create one that expires later than itself.")


def _view(key: Session) -> KeyView:
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
