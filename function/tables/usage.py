"""What accounts use and reserve: the charges of commits, and their conditions.

An account with a quota is charged in its own row, under the condition that there is room. The usage
of others is spread over shards where commits meet (see `shards`). An account that is spread is
neither disabled nor has it a quota, and has had the same role since: the change of any of these
folds its shards (`close_usage`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from function.aws.dynamodb import Dynamo
from function.aws.rows import Item
from function.aws.writes import (
    Condition,
    Write,
    all_of,
    at_least,
    at_most,
    check,
    equals,
    missing,
    one_of,
    update,
)
from function.contract import FILES
from function.tables.accounts import NOT_DISABLED, Account, account_key
from function.tables.shards import (
    NOT_SPREAD,
    ShardSet,
    close_shards,
    fold_shards,
    spreading,
    sum_shards,
)

QUOTAS = {"bytes": "quota", "files": "files_quota"}


@dataclass(frozen=True)
class StorageAmount:
    """The storage that an account is charged for: bytes, and the rows that refer to them."""

    bytes: int = 0
    files: int = 0

    def __neg__(self) -> "StorageAmount":
        return StorageAmount(-self.bytes, -self.files)

    def __add__(self, other: "StorageAmount") -> "StorageAmount":
        return StorageAmount(self.bytes + other.bytes, self.files + other.files)

    def __sub__(self, other: "StorageAmount") -> "StorageAmount":
        return StorageAmount(self.bytes - other.bytes, self.files - other.files)


NO_STORAGE = StorageAmount()


def require_account_active(account: Account) -> Write:
    """Requires that the account exists and is not disabled.

    A row that refers to an account is written with this, so that the account's deletion, which
    disables it first, finds every such row.
    """
    return charge(account, NO_STORAGE)


def charge(account: Account, storage: StorageAmount, reserved: StorageAmount = NO_STORAGE) -> Write:
    """Adds to what an account uses and has reserved, if it is not disabled and has room."""
    when = [NOT_DISABLED, *_fits(account, storage)]
    return _charge(account.username, account.id, storage, reserved, when)


def reserve_room(
    username: str,
    account_id: str,
    storage: StorageAmount,
    account: Account | None,
    roles: Sequence[str] = (),
) -> Write:
    """Charges what an upload reserves, to an account as it was read.

    Without the account's row it requires that the account has one of `roles` and no quota.
    """
    if account:
        when = _fits(account, storage)
    else:
        quotas = [missing(QUOTAS[noun]) for noun, amount in _amounts(storage) if amount > 0]
        when = [one_of("role", roles), *quotas]
    return _charge(
        username, account_id, storage, storage, [NOT_DISABLED, *when], () if account else roles
    )


def refund(
    username: str, account_id: str, storage: StorageAmount, reserved: StorageAmount = NO_STORAGE
) -> Write:
    """Subtracts from what an account uses and has reserved, if it is still the same account."""
    return _charge(username, account_id, -storage, -reserved, [])


def warning_threshold(quota: int) -> int:
    """The least use of a quota that its owner is warned of: four fifths, rounded up."""
    return -(-4 * quota // 5)


def usage_shards(username: str) -> ShardSet:
    """The shards of an account's usage."""
    return ShardSet(FILES, f"{username}/usage")


def with_shards(db: Dynamo, accounts: Iterable[Account]) -> list[Account]:
    """The accounts with what their shards count, in the same order. Raises Unavailable."""
    accounts = list(accounts)
    keys = {
        account.id: usage_shards(account.username).keys(account.spread)
        for account in accounts
        if account.spread
    }
    rows = db.read(key for shards in keys.values() for key in shards)
    return [add_usage(each, sum_shards(rows, keys.get(each.id, ()))) for each in accounts]


def add_usage(account: Account, sums: Item) -> Account:
    """The account with the sums of its shards added to its own counts."""
    own = {name: getattr(account, name) for name in sums}
    return account.model_copy(update={name: own[name] + int(str(sums[name])) for name in sums})


def fold_usage(db: Dynamo, account: Account, now: float) -> Account:
    """The account as it was read, whose row alone counts its usage afterwards.

    Raises Unavailable.
    """
    if account.spread is None:
        return account
    key, shards = account_key(account.username), usage_shards(account.username)
    folded = add_usage(account, fold_shards(db, key, shards, account.spread, now))
    return folded.model_copy(update={"spread": None})


def close_usage(db: Dynamo, account: Account, now: float) -> Item:
    """Closes an account's shards, and returns their sums, which `update_account` adds to its row.

    Afterwards nothing is charged to it but in its row. An account without shards takes no call.
    """
    if account.spread is None:
        return {}
    return close_shards(db, usage_shards(account.username), account.spread, now)


def _charge(
    username: str,
    account_id: str,
    storage: StorageAmount,
    reserved: StorageAmount,
    when: Sequence[Condition],
    roles: Sequence[str] = (),
) -> Write:
    """Adds to an account's usage in its row, or in a shard of it after a conflict."""
    key, is_same = account_key(username), equals(id=account_id)
    changes: Item = {
        **{f"{noun}_used": amount for noun, amount in _amounts(storage) if amount},
        **{f"{noun}_reserved": amount for noun, amount in _amounts(reserved) if amount},
    }
    changes |= {"charges": 1} if changes else {}
    conditions = all_of([is_same, *when])
    write = update(key, add=changes, when=conditions) if changes else check(key, conditions)
    opens = [is_same, NOT_DISABLED, NOT_SPREAD, *(missing(quota) for quota in QUOTAS.values())]

    def applies(row: Item) -> bool:
        is_limited = any(quota in row for quota in QUOTAS.values())
        has_role = not roles or row.get("role") in roles
        return row.get("id") == account_id and has_role and not is_limited

    return spreading(
        write,
        usage_shards(username),
        changes,
        opens=all_of([*opens, *([one_of("role", roles)] if roles else [])]),
        applies=applies,
    )


def _fits(account: Account, storage: StorageAmount) -> list[Condition]:
    """There is room, and the charge crosses the threshold of a warning exactly if it did as read.

    Of two commits that would cross it together, the second one is planned again and finds it
    crossed: there is one warning.
    """
    conditions = []
    for noun, amount in _amounts(storage):
        quota, used = getattr(account, QUOTAS[noun]), f"{noun}_used"
        if quota is not None and amount > 0:
            low, high = _range(quota, getattr(account, used), amount)
            conditions.append(missing(used) | at_most(**{used: high}))
            if low > 0:
                conditions.append(at_least(**{used: low}))
    return conditions


def _amounts(storage: StorageAmount) -> tuple[tuple[str, int], ...]:
    return ("bytes", storage.bytes), ("files", storage.files)


def _range(quota: int, used: int, amount: int) -> tuple[int, int]:
    """The least and the most use to which `amount` can be added with the effect that it has now.

    The effect is to stay below the threshold, to cross it, or to be above it already.
    """
    threshold = warning_threshold(quota)
    if used >= threshold:
        return threshold, quota - amount
    if used + amount < threshold:
        return 0, threshold - 1 - amount
    return threshold - amount, min(quota - amount, threshold - 1)
