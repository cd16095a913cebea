"""Accounts: their rows, their deletion, and invitations.

Accounts are the table users. Invitations and the list of accounts that are being deleted are rows
of the table files.
"""

from typing import Any

from function.aws.dynamodb import Dynamo
from function.aws.rows import Item, Key, Row, Rows
from function.aws.writes import (
    Write,
    above,
    check,
    delete,
    equals,
    missing,
    put,
    update,
)
from function.contract import FILES, USERS
from function.core.roles import Role
from function.core.tokens import token_hash

NOT_DISABLED = missing("disabled") | equals(disabled=False)
CLOSING_PARTITION = "~accounts/closing"
INVITES_PARTITION = "~accounts/invites"
TIME_DIGITS = 10  # of the epoch seconds that an invitation's token begins with


class Account(Row):
    """An account.

    - `id`: never used again, not for a later account of the same name.
    - `password`: its Argon2id hash. `role`: see `core.roles`. `created`: ISO 8601.
    - `epoch`: a session is valid only in the epoch in which it was created, so a new one ends all.
    - `rev`: random, another one with each change of settings, but not with a charge.
    - `disabled`: cannot log in, and nothing can be shared with it. `deleting`: is being deleted.
    - `quota`, `files_quota`: limits of bytes and files; None is no limit.
    - `bytes_used`, `files_used`: by live files, versions, trash and reservations; `bytes_reserved`,
      `files_reserved`: by the reservations among them. `charges` counts the changes of all four.
      `spread` names the shards that count the rest of them (see `shards`).
    - `groups`: names of groups, and `keys`: ids of API keys, that may still exist: the memberships
      and the keys decide.
    - `totp`: the secret of the second factor (RFC 6238), from which codes are computed, so that it
      cannot be hashed; `totp_new` is one that is not confirmed. `totp_step` is the time step of the
      last code, so that no code is accepted twice; `recovery` are the SHA-256 of recovery codes.
    """

    username: str
    id: str
    password: str
    role: str
    created: str
    epoch: str
    rev: str
    email: str | None = None
    disabled: bool = False
    deleting: bool = False
    quota: int | None = None
    bytes_used: int = 0
    bytes_reserved: int = 0
    files_quota: int | None = None
    files_used: int = 0
    files_reserved: int = 0
    charges: int = 0
    spread: str | None = None
    groups: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    totp: str | None = None
    totp_new: str | None = None
    totp_step: int = 0
    recovery: frozenset[str] = frozenset()


class InviteRow(Row):
    """An invitation that has not been used. `name` is its id (`invite_id`).

    The account that invited, `username` with the id `user_id`, must still be an administrator's and
    in the same `epoch`. If an API key invited, `key` is its id, and it must be valid. Invitations
    of an earlier release have neither. `created` is ISO 8601, `expires_at` epoch seconds.
    """

    partition: str
    name: str
    username: str
    user_id: str
    role: Role
    created: str
    expires_at: int
    email: str | None = None
    epoch: str | None = None
    key: str | None = None


def account_key(username: str) -> Key:
    """The key of an account."""
    return Key(USERS, username)


def account_in(rows: Rows, username: str) -> Account | None:
    """The account of that name, if it is among the rows and not disabled."""
    account = any_account_in(rows, username)
    return None if account is None or account.disabled else account


def any_account_in(rows: Rows, username: str) -> Account | None:
    """The account of that name, if it is among the rows, disabled or not."""
    row = rows.get(account_key(username))
    return Account.model_validate(row) if row else None


def create_account(account: Account) -> Write:
    """Creates an account, where none has its name."""
    return put(account_key(account.username), account, missing("username"))


def update_account(old: Account, rev: str, closed: Item | None = None, **fields: Any) -> Write:
    """Changes fields, if the account has not changed since it was read; None removes a field.

    `closed` are the sums of its shards, where the caller has closed them.
    """
    unchanged = equals(id=old.id, rev=old.rev, spread=old.spread)
    changes = fields | {"rev": rev} | ({} if closed is None else {"spread": None})
    return update(account_key(old.username), set=changes, add=closed, when=unchanged)


def require_account_unchanged(account: Account) -> Write:
    """Requires that the settings of an account, and so its role, are as they were read."""
    return check(account_key(account.username), equals(rev=account.rev))


def list_for_closing(username: str) -> Write:
    """Lists an account among those that are being deleted, in the commit that disables it."""
    return put(Key(FILES, CLOSING_PARTITION, username), {})


def require_account_closing(account: Account) -> Write:
    """Requires that the account is being deleted, so that no later account has its name."""
    return check(account_key(account.username), equals(id=account.id, deleting=True))


def delete_account(account: Account) -> list[Write]:
    """Deletes an account whose data is deleted, and its entry on the list.

    Requires that it was not added to a group meanwhile.
    """
    cleared = equals(id=account.id, deleting=True) & missing("groups")
    return [
        delete(account_key(account.username), cleared),
        delete(Key(FILES, CLOSING_PARTITION, account.username)),
    ]


def invite_token(created: int, secret: str) -> str:
    """The token of an invitation that is created at a time, in epoch seconds."""
    return f"{created:0{TIME_DIGITS}}{secret}"


def invite_time(invite: str) -> int:
    """The time with which the token of an invitation begins, by its id."""
    return int(invite[:TIME_DIGITS])


def invite_id(token: str) -> str:
    """The id of an invitation: the time that its token begins with, and the token's hash."""
    return f"{token[:TIME_DIGITS]}-{token_hash(token)}"


def invite_key(invite: str) -> Key:
    """The key of an invitation, by its id."""
    return Key(FILES, INVITES_PARTITION, invite)


def invite_in(rows: Rows, invite: str, now: float) -> InviteRow | None:
    """The invitation of that id, if it is among the rows and has not expired."""
    found = rows.get(invite_key(invite))
    row = InviteRow.model_validate(found) if found else None
    return row if row and row.expires_at > now else None


def put_invite(row: InviteRow) -> Write:
    """Creates an invitation."""
    return put(invite_key(row.name), row, missing("partition"))


def delete_invite(row: InviteRow, now: float) -> Write:
    """Deletes an invitation, if it has not been used and has not expired."""
    return delete(invite_key(row.name), above(expires_at=int(now)))


def require_administrator(username: str, user_id: str, epoch: str | None, *, named: bool) -> Write:
    """Requires that an account is still an administrator's, and in the same epoch if one is given.

    `named` tells that the settings name it as the administrator, whatever the role of its row.
    """
    when = equals(id=user_id) & NOT_DISABLED
    when = when if epoch is None else when & equals(epoch=epoch)
    return check(account_key(username), when if named else when & equals(role="admin"))


class Accounts:
    """Queries of all accounts."""

    def __init__(self, db: Dynamo) -> None:
        """Takes the client."""
        self._db = db

    def list_accounts(self, *, after: str, limit: int) -> tuple[list[Account], str | None]:
        """Accounts in no order that means anything, and the name after which others follow."""
        page = self._db.scan(USERS, after=after, limit=limit)
        last = str(page.items[-1]["username"]) if page.more else None
        return [Account.model_validate(row) for row in page.items if "password" in row], last


class ClosingList:
    """The accounts that are being deleted."""

    def __init__(self, db: Dynamo) -> None:
        """Takes the client."""
        self._db = db

    def list_usernames(self, limit: int) -> list[str]:
        """The first of them, by name."""
        page = self._db.query(FILES, CLOSING_PARTITION, limit=limit)
        return [str(item["name"]) for item in page.items]


class Invites:
    """Queries of invitations."""

    def __init__(self, db: Dynamo) -> None:
        """Takes the client."""
        self._db = db

    def list_invites(
        self, now: float, *, after: str, limit: int
    ) -> tuple[list[InviteRow], str | None]:
        """Invitations that have not expired, the oldest first, and the id after which more follow.

        `now` is epoch seconds.
        """
        page = self._db.query(FILES, INVITES_PARTITION, after=after, limit=limit)
        rows = [InviteRow.model_validate(item) for item in page.items]
        last = rows[-1].name if page.more else None
        return [row for row in rows if row.expires_at > now], last
