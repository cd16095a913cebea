"""Accounts: their rows, the storage that they use and reserve, their deletion, and invitations."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from function.aws.dynamodb import Dynamo
from function.aws.rows import Item, Key, Row, Rows
from function.aws.writes import (
    Condition,
    Write,
    above,
    all_of,
    at_least,
    at_most,
    check,
    delete,
    equals,
    exists,
    missing,
    one_of,
    put,
    update,
)
from function.contract import FILES, USERS
from function.core.roles import Role

QUOTAS = {"bytes": "quota", "files": "files_quota"}
ENABLED = missing("disabled") | equals(disabled=False)
CLOSING_PARTITION = "~accounts/closing"
INVITES_PARTITION = "~accounts/invites"
HOLDS = "holds"
HOLDS_PAGE = 1000
TIME = 10  # digits of epoch seconds


class Account(Row):
    """An account. `id` is never reused; `epoch` ends every session that carries another.

    `groups` names the groups to look at; whether it belongs to them is said by their memberships.
    `keys` are the ids of the API keys to look at; whether they are good is said by their rows.
    What is used is bytes, and rows that have some: files, their versions, the trash, and what is
    reserved for uploads in progress, which `reserved` says again; `charges` counts its changes. No
    quota is no limit.

    `totp` is the secret of its second factor, from which codes are computed, so that it cannot be
    hashed; `totp_new` is one that is not confirmed, `totp_step` the last step that was used, and
    `recovery` the SHA-256 of codes that are good once.
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
    groups: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    totp: str | None = None
    totp_new: str | None = None
    totp_step: int = 0
    recovery: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Load:
    """What an account is charged for: bytes, and the rows that have them."""

    bytes: int = 0
    files: int = 0

    def __neg__(self) -> "Load":
        return Load(-self.bytes, -self.files)

    def __add__(self, other: "Load") -> "Load":
        return Load(self.bytes + other.bytes, self.files + other.files)

    def __sub__(self, other: "Load") -> "Load":
        return Load(self.bytes - other.bytes, self.files - other.files)


@dataclass(frozen=True)
class Reservation:
    """The storage that an upload of `size` bytes reserves until it is completed.

    It reserves from the account of its `owner`, and a slot of the file `request` that it answers,
    if any. It has a row of its own, and the account has reserved the sum of these rows: a commit
    that deletes the row also releases the storage.
    """

    size: int
    owner: str
    owner_id: str
    request: str | None = None


class InviteRow(Row):
    """An invitation that has not been used, under the hash of its token.

    It is as good as whoever made it: `username` and `user_id` must still be an administrator's.
    """

    shelf: str
    name: str
    username: str
    user_id: str
    role: Role
    created: str
    expires_at: int
    email: str | None = None


NOTHING = Load()


def account_key(username: str) -> Key:
    """Where an account stands."""
    return Key(USERS, username)


def account_in(rows: Rows, username: str) -> Account | None:
    """The account of that name, if it was read and is not disabled."""
    account = account_at(rows, username)
    return None if account is None or account.disabled else account


def account_at(rows: Rows, username: str) -> Account | None:
    """The account of that name, if it was read, also when it is disabled."""
    row = rows.get(account_key(username))
    return Account.model_validate(row) if row else None


def create_account(account: Account) -> Write:
    """A new account, where none has its name."""
    return put(account_key(account.username), account, missing("username"))


def update_account(old: Account, rev: str, **fields: Any) -> Write:
    """Changes what is said, if the account is still the one that was read; None clears."""
    unchanged = equals(id=old.id, rev=old.rev)
    return update(account_key(old.username), set=fields | {"rev": rev}, when=unchanged)


def require_account_active(account: Account) -> Write:
    """Expects the same account, not disabled: what it has to do with is cleared when it goes."""
    return charge(account, NOTHING)


def charge(account: Account, more: Load, reserved: Load = NOTHING) -> Write:
    """Adds to what an account uses, if it is the same, not disabled, and has room for it.

    `reserved` is what uploads in progress are to hold of it more, or less.
    """
    when = [equals(id=account.id), ENABLED, *_fits(account, more)]
    return _charge(account_key(account.username), more, reserved, when)


def reserve_room(
    username: str, account_id: str, load: Load, account: Account | None, roles: Sequence[str] = ()
) -> Write:
    """Reserves room, as `charge` does, of the account as it was read.

    Of one that nobody has read it is expected to have no quota, and one of these `roles`.
    """
    if account:
        when = _fits(account, load)
    else:
        unlimited = [missing(QUOTAS[noun]) for noun, grows in _amounts(load) if grows > 0]
        when = [one_of("role", roles), *unlimited]
    return _charge(account_key(username), load, load, [equals(id=account_id), ENABLED, *when])


def refund(username: str, account_id: str, less: Load, reserved: Load = NOTHING) -> Write:
    """Takes from what an account uses, and from what is `reserved` of it, if it is the same."""
    return _charge(account_key(username), -less, -reserved, [equals(id=account_id)])


def warning_threshold(quota: int) -> int:
    """What an account uses, at the least, of which little of a quota is left: four fifths of it."""
    return -(-4 * quota // 5)


def _charge(key: Key, more: Load, reserved: Load, conditions: list[Condition]) -> Write:
    used = {f"{noun}_used": amount for noun, amount in _amounts(more) if amount}
    held = {f"{noun}_reserved": amount for noun, amount in _amounts(reserved) if amount}
    changes: Item = {**used, **held}
    if not changes:
        return check(key, all_of(conditions))
    return update(key, add=changes | {"charges": 1}, when=all_of(conditions))


def _fits(account: Account, more: Load) -> list[Condition]:
    """`more` fits the quotas, and crosses the threshold of a warning exactly if it did as read.

    Of two writers who would cross it together, the second one looks again and finds it crossed.
    """
    conditions = []
    for noun, grows in _amounts(more):
        quota, used = getattr(account, QUOTAS[noun]), f"{noun}_used"
        if quota is not None and grows > 0:
            low, high = _span(quota, getattr(account, used), grows)
            conditions.append(missing(used) | at_most(**{used: high}))
            if low > 0:
                conditions.append(at_least(**{used: low}))
    return conditions


def _amounts(load: Load) -> tuple[tuple[str, int], ...]:
    return ("bytes", load.bytes), ("files", load.files)


def _span(quota: int, used: int, grows: int) -> tuple[int, int]:
    """The least and the most that may be used, so that growing crosses the mark or not, as read."""
    if used >= warning_threshold(quota):
        return warning_threshold(quota), quota - grows
    if used + grows < warning_threshold(quota):
        return 0, warning_threshold(quota) - 1 - grows
    return warning_threshold(quota) - grows, min(quota - grows, warning_threshold(quota) - 1)


def reservation_key(reservation: Reservation, upload: Key) -> Key:
    """The key of an upload's reservation, in the partition of the account that it reserves from."""
    return Key(FILES, f"{reservation.owner}/{HOLDS}", f"{upload.partition}/{upload.sort}")


def put_reservation(reservation: Reservation, upload: Key, expires_at: int) -> Write:
    """Stores a reservation; the table's TTL deletes it after `expires_at` (epoch seconds)."""
    row: Item = {
        "size": reservation.size, "owner_id": reservation.owner_id, "expires_at": expires_at
    }  # fmt: skip
    return put(reservation_key(reservation, upload), row)


def delete_reservation(reservation: Reservation, upload: Key, *, once: bool = False) -> Write:
    """Deletes a reservation; `once` requires that it exists."""
    return delete(reservation_key(reservation, upload), exists("owner_id") if once else None)


def reserved_sizes(db: Dynamo, owner: str, owner_id: str) -> list[int]:
    """The bytes that each upload reserves from an account."""
    sizes: list[int] = []
    after, more = "", True
    while more:
        page = db.query(FILES, f"{owner}/{HOLDS}", after=after, limit=HOLDS_PAGE)
        sizes += [int(str(row["size"])) for row in page.items if row["owner_id"] == owner_id]
        after, more = str(page.items[-1]["name"]) if page.items else "", page.more
    return sizes


def list_for_closing(username: str) -> Write:
    """Puts an account on the list, in the commit that shuts it."""
    key = Key(FILES, CLOSING_PARTITION, username)
    return put(key, {})


def delete_account(account: Account) -> list[Write]:
    """Removes an account that has been cleared away, and its line; none that got a group since."""
    cleared = equals(id=account.id, deleting=True) & missing("groups")
    return [
        delete(account_key(account.username), cleared),
        delete(Key(FILES, CLOSING_PARTITION, account.username)),
    ]


def require_account_closing(account: Account) -> Write:
    """Expects an account that is being closed: nobody has its name yet."""
    return check(account_key(account.username), equals(id=account.id, deleting=True))


class ClosingList:
    """The list."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the table files through `db`."""
        self._db = db

    def list_usernames(self, limit: int) -> list[str]:
        """The first accounts on it, by name."""
        page = self._db.query(FILES, CLOSING_PARTITION, limit=limit)
        return [str(item["name"]) for item in page.items]


def require_account_unchanged(account: Account) -> Write:
    """Expects that an account stands as it was read, and with it what it may."""
    return check(account_key(account.username), equals(rev=account.rev))


class Accounts:
    """The table users, as a whole."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the table through `db`."""
        self._db = db

    def list_accounts(self, *, after: str, limit: int) -> tuple[list[Account], str | None]:
        """Accounts in no order, and after which one they go on."""
        page = self._db.scan(USERS, after=after, limit=limit)
        last = str(page.items[-1]["username"]) if page.more else None
        return [Account.model_validate(row) for row in page.items if "password" in row], last


def invite_id(token: str) -> str:
    """What is stored of a token: 256 random bits need no salt and no slow hash."""
    return f"{token[:TIME]}-{hashlib.sha256(token.encode()).hexdigest()}"


def invite_key(invite: str) -> Key:
    """Where an invitation stands."""
    return Key(FILES, INVITES_PARTITION, invite)


def invite_in(rows: Rows, invite: str, now: float) -> InviteRow | None:
    """The invitation of that id, if it was read and has not expired."""
    found = rows.get(invite_key(invite))
    row = InviteRow.model_validate(found) if found else None
    return row if row and row.expires_at > now else None


def put_invite(row: InviteRow) -> Write:
    """Puts a new invitation."""
    return put(invite_key(row.name), row, missing("shelf"))


def delete_invite(row: InviteRow, now: float) -> Write:
    """Takes an invitation away, if it stands."""
    return delete(invite_key(row.name), above(expires_at=int(now)))


def require_inviter(row: InviteRow, *, named: bool) -> Write:
    """Expects that whoever made an invitation is still an administrator.

    `named` says that the configuration makes them one, whatever their row says.
    """
    when = equals(id=row.user_id) & ENABLED
    return check(account_key(row.username), when if named else when & equals(role="admin"))


class Invites:
    """The invitations in the table files."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the table through `db`."""
        self._db = db

    def list_invites(
        self, now: float, *, after: str, limit: int
    ) -> tuple[list[InviteRow], str | None]:
        """Invitations that have not expired, oldest first, and after which one they go on."""
        page = self._db.query(FILES, INVITES_PARTITION, after=after, limit=limit)
        rows = [InviteRow.model_validate(item) for item in page.items]
        last = rows[-1].name if page.more else None
        return [row for row in rows if row.expires_at > now], last
