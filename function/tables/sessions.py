"""The table sessions: sessions, API keys, tokens for password resets, idempotency records.

And the addresses of logins, in the table files.

A session is stored under the SHA-256 of its token, so that who reads the table cannot log in. An
API key is a session that has a name.
"""

from collections.abc import Callable
from contextlib import suppress

from function.aws.dynamodb import ConditionFailed, Dynamo
from function.aws.rows import Item, Key, Row, Rows
from function.aws.writes import (
    Condition,
    Write,
    above,
    at_most,
    check,
    differs,
    equals,
    exists,
    missing,
    put,
    update,
)
from function.contract import FILES, SESSIONS
from function.core.errors import Unavailable
from function.core.limits import DAY
from function.core.models import Caller
from function.tables.accounts import Account

PAGE_SIZE, MAX_PAGES = 250, 4  # of the index, for one list
LOGIN_ADDRESS_SECONDS = 30 * DAY
SessionPosition = tuple[str, str]


class Session(Row):
    """A session, or an API key, whose name is `key` and which allows what its `scopes` say.

    - `token_hash`: the SHA-256 of the token. `username`, `user_id`: the account.
    - `epoch`: the account's when the session was created; a session of another epoch is invalid.
    - `created` is ISO 8601; `expires_at` is epoch seconds, compared at every read.
    - `role`: the most that a key allows, whatever its account becomes; None for a session, and for
      the keys of an earlier release.
    - `parent`: the id of the API key that created the key, which ends with it; None for other keys.
    - `address`, `agent`: the IP address and User-Agent that it was created from.
    - `seen`: when it was last used (ISO 8601), to ten minutes or less (`access.sessions`).
    """

    token_hash: str
    username: str
    user_id: str
    epoch: str
    created: str
    expires_at: int
    key: str | None = None
    scopes: frozenset[str] = frozenset()
    role: str | None = None
    parent: str | None = None
    address: str = ""
    agent: str = ""
    seen: str | None = None


class LoginAddress(Row):
    """A network from which the account with the id `user_id` has logged in, until `expires_at`."""

    user_id: str
    expires_at: int

    def is_fresh(self, now: int) -> bool:
        """Whether the last login from there was stored within a day."""
        return self.expires_at > now + LOGIN_ADDRESS_SECONDS - DAY


class Reset(Row):
    """A token for a new password: its SHA-256 as `secret`, and the account when it was issued.

    A new password changes the account's `epoch`, and either that or another e-mail address makes
    the token invalid. `expires_at` is epoch seconds. One by an administrator is for as long as the
    `issuer` is one, in the same epoch, and for as long as the API key of `issuer_key` is valid.
    """

    secret: str
    user_id: str
    epoch: str
    email: str
    expires_at: int
    issuer: str | None = None
    issuer_id: str | None = None
    issuer_epoch: str | None = None
    issuer_key: str | None = None


class IdempotencyRecord(Row):
    """What the request of an account with an Idempotency-Key created: the thing's id as `subject`.

    The thing's secret is derived from `nonce`, and from two that no row has: the token that the
    request came with, and its key. `fingerprint` and `code` are those of the request
    (`core.idempotency`). `user_id` is the id of the account. `expires_at` is epoch seconds.
    """

    user_id: str
    subject: str
    nonce: str
    fingerprint: str
    code: str | None = None
    expires_at: int


def session_key(token_hash: str) -> Key:
    """The key of a session."""
    return Key(SESSIONS, token_hash)


def idempotency_key(username: str, key_hash: str) -> Key:
    """The key of an idempotency record. No session has such an id."""
    return Key(SESSIONS, f"idempotency:{username}:{key_hash}")


def login_address_key(username: str, network: str) -> Key:
    """The key of a network from which an account has logged in."""
    return Key(FILES, f"{username}/logins", network)


def login_address_in(rows: Rows, account: Account, network: str, now: float) -> LoginAddress | None:
    """The row of a network from which an account has logged in, if it was read and is valid."""
    row = rows.get(login_address_key(account.username, network))
    found = LoginAddress.model_validate(row) if row else None
    return found if found and found.user_id == account.id and found.expires_at > now else None


def put_login_address(account: Account, network: str, now: int) -> Write:
    """Stores that an account has logged in from a network; it is known there for 30 days."""
    row = LoginAddress(user_id=account.id, expires_at=now + LOGIN_ADDRESS_SECONDS)
    return put(login_address_key(account.username, network), row)


def mailed_reset_key(username: str) -> Key:
    """The key of the token that was mailed to an account. No session has such an id."""
    return Key(SESSIONS, f"reset:{username}")


def admin_reset_key(username: str) -> Key:
    """The key of the token that an administrator issued for an account."""
    return Key(SESSIONS, f"reset-by-admin:{username}")


def session_place(session: Session) -> SessionPosition:
    """The position of a session in its account's list."""
    return session.created, session.token_hash


def session_in(rows: Rows, caller: Caller) -> Session | None:
    """The caller's session, if it is among the rows."""
    return session_of(rows, caller.token_hash)


def session_of(rows: Rows, token_hash: str) -> Session | None:
    """The session of that id, if it is among the rows."""
    row = rows.get(session_key(token_hash))
    return Session.model_validate(row) if row else None


def reset_at(rows: Rows, key: Key) -> Reset | None:
    """The token for a new password under `key`, if it is among the rows."""
    row = rows.get(key)
    return Reset.model_validate(row) if row else None


def idempotency_record_in(
    rows: Rows, key: Key, account: Account, now: float
) -> IdempotencyRecord | None:
    """The idempotency record, if it is among the rows, the account's, and has not expired."""
    row = rows.get(key)
    record = IdempotencyRecord.model_validate(row) if row else None
    return record if record and record.user_id == account.id and record.expires_at > now else None


def is_valid_session(session: Session, account: Account, now: float) -> bool:
    """Whether a session has not expired, and is of this account and its present epoch.

    A later account of the same name has another id.
    """
    return session.expires_at > now and (session.username, session.user_id, session.epoch) == (
        account.username,
        account.id,
        account.epoch,
    )


def create_session(session: Session) -> Write:
    """Creates a session."""
    return put(session_key(session.token_hash), session)


def expire_session(token_hash: str, now: int) -> Write:
    """Expires a valid session at once; the table's TTL deletes its row later."""
    return update(session_key(token_hash), set={"expires_at": now}, when=_not_expired(now))


def require_session(token_hash: str, now: int) -> Write:
    """Requires that a session or an API key has not ended."""
    return check(session_key(token_hash), _not_expired(now))


def rotate_session(session: Session, epoch: str, now: int) -> Write:
    """Takes a valid session into its account's next epoch, which ends all other sessions."""
    when = _not_expired(now) & equals(epoch=session.epoch)
    return update(session_key(session.token_hash), set={"epoch": epoch}, when=when)


def put_reset(key: Key, reset: Reset) -> Write:
    """Stores a token for a new password, in the place of an earlier one."""
    return put(key, reset)


def use_reset(key: Key, reset: Reset, now: int) -> Write:
    """Expires a token for a new password, if it is still valid: it can be used once."""
    when = _not_expired(now) & equals(secret=reset.secret)
    return update(key, set={"expires_at": now}, when=when)


def put_idempotency_record(key: Key, record: IdempotencyRecord, now: int) -> Write:
    """Records what a request created, if the account has no record for its key."""
    free = missing("token_hash") | differs(user_id=record.user_id) | at_most(expires_at=now)
    return put(key, record, free)


class Sessions:
    """Queries of sessions and API keys, and the record of their use."""

    def __init__(self, db: Dynamo) -> None:
        """Takes the client."""
        self._db = db

    def list_sessions(
        self,
        username: str,
        is_listed: Callable[[Session], bool],
        *,
        after: SessionPosition | None,
        limit: int,
    ) -> tuple[list[Session], SessionPosition | None]:
        """An account's sessions that `is_listed` accepts, the newest first, and the next position.

        They come after the position `after`. It reads the eventually consistent index, and at most
        a thousand rows of it; there may be fewer than `limit` sessions although more follow.
        """
        found: list[Session] = []
        for _ in range(MAX_PAGES):
            start: Item | None = None
            if after:
                start = {"username": username, "created": after[0], "token_hash": after[1]}
            page = self._db.query_index(
                SESSIONS, username, after=start, limit=PAGE_SIZE, descending=True
            )
            for row in map(Session.model_validate, page.items):
                if is_listed(row):
                    if len(found) == limit:
                        return found, after
                    found.append(row)
                after = session_place(row)
            if not page.more:
                return found, None
        return found, after

    def record_use(self, token_hash: str, now: int, at: str) -> None:
        """Records that a session was used `at` (ISO 8601).

        Ignores a failure: no request is refused because its use cannot be recorded.
        """
        with suppress(ConditionFailed, Unavailable):
            self._db.write(
                update(session_key(token_hash), set={"seen": at}, when=_not_expired(now))
            )


def _not_expired(now: int) -> Condition:
    return exists("token_hash") & above(expires_at=now)
