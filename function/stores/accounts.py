"""Accounts: where they stand, and how they change."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from function.contract import USERS
from function.records import Account, Load
from function.stores.rows import Item, Key, Rows, Write

NOTHING = Load()
QUOTAS = {"bytes": "quota", "files": "files_quota"}
ENABLED = " AND (attribute_not_exists(disabled) OR disabled = :no)"


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


def opened(account: Account) -> Write:
    """A new account, where none has its name."""
    key = account_key(account.username)
    return Write("Put", key, "attribute_not_exists(username)", item=account.model_dump())


def altered(old: Account, rev: str, **fields: Any) -> Write:
    """Changes what is said, if the account is still the one that was read; None clears."""
    fields["rev"] = rev
    kept: Item = {name: each for name, each in fields.items() if each not in (None, frozenset())}
    gone = [name for name in fields if name not in kept]
    update = "SET " + ", ".join(f"#{name} = :{name}" for name in kept)
    return Write(
        "Update",
        account_key(old.username),
        condition="id = :id AND rev = :was",
        values={":id": old.id, ":was": old.rev, **{f":{name}": kept[name] for name in kept}},
        update=update + (" REMOVE " + ", ".join(f"#{name}" for name in gone) if gone else ""),
        names={f"#{name}": name for name in fields},
    )


def stands(account: Account) -> Write:
    """Expects the same account, not disabled: what it has to do with is cleared when it goes."""
    return charge(account, NOTHING)


def charge(account: Account, more: Load, reserved: Load = NOTHING) -> Write:
    """Adds to what an account uses, if it is the same, not disabled, and has room for it.

    `reserved` is what uploads in progress are to hold of it more, or less.
    """
    return _charge(account.username, account.id, more, reserved, ENABLED, account)


def hold(
    username: str, account_id: str, load: Load, account: Account | None, roles: Sequence[str] = ()
) -> Write:
    """Reserves room, as `charge` does, of the account as it was read.

    Of one that nobody has read it is expected to have no quota, and one of these `roles`.
    """
    if account:
        return _charge(username, account_id, load, load, ENABLED, account)
    values: Item = {f":role{at}": role for at, role in enumerate(roles)}
    condition = f"{ENABLED} AND #role IN ({', '.join(values)})"
    for growing in (noun for noun, grows in _amounts(load) if grows > 0):
        condition += f" AND attribute_not_exists({QUOTAS[growing]})"
    held = _charge(username, account_id, load, load, condition)
    return replace(held, values=held.values | values, names={"#role": "role"})


def discharge(username: str, account_id: str, less: Load, reserved: Load = NOTHING) -> Write:
    """Takes from what an account uses, and from what is `reserved` of it, if it is the same."""
    return _charge(username, account_id, -less, -reserved)


def mark(quota: int) -> int:
    """What an account uses, at the least, of which little of a quota is left: four fifths of it."""
    return -(-4 * quota // 5)


def _charge(
    username: str,
    account_id: str,
    more: Load,
    reserved: Load,
    condition: str = "",
    account: Account | None = None,
) -> Write:
    values: Item = {":id": account_id} | ({":no": False} if condition else {})
    condition = "id = :id" + condition
    adds: list[str] = []
    for (noun, grows), (_, holds) in zip(_amounts(more), _amounts(reserved), strict=True):
        quota = getattr(account, QUOTAS[noun], None)
        if quota is not None and grows > 0:
            low, high = _span(quota, getattr(account, f"{noun}_used"), grows)
            condition += f" AND (attribute_not_exists({noun}_used) OR {noun}_used <= :{noun}_high)"
            values[f":{noun}_high"] = high
            if low > 0:
                condition += f" AND {noun}_used >= :{noun}_low"
                values[f":{noun}_low"] = low
        for use, change in ((f"{noun}_used", grows), (f"{noun}_reserved", holds)):
            if change:
                values[f":{use}"] = change
                adds.append(f"{use} :{use}")
    key = account_key(username)
    if not adds:
        return Write("ConditionCheck", key, condition, values)
    update = "ADD " + ", ".join([*adds, "charges :one"])
    return Write("Update", key, condition, values | {":one": 1}, update=update)


def _amounts(load: Load) -> tuple[tuple[str, int], ...]:
    return ("bytes", load.bytes), ("files", load.files)


def _span(quota: int, used: int, grows: int) -> tuple[int, int]:
    """The least and the most that may be used, so that growing crosses the mark or not, as read.

    Of two who would cross it together, the second one looks again and finds it crossed.
    """
    if used >= mark(quota):
        return mark(quota), quota - grows
    if used + grows < mark(quota):
        return 0, mark(quota) - 1 - grows
    return mark(quota) - grows, min(quota - grows, mark(quota) - 1)
