"""Accounts: where they stand, and how they change."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from function.contract import USERS
from function.records import Account, Load
from function.stores.rows import Item, Key, Rows, Write

NOTHING = Load()
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
    quotas = (account.quota, account.files_quota)
    return _charge(account.username, account.id, more, reserved, quotas, ENABLED)


def hold(
    username: str, account_id: str, load: Load, account: Account | None, roles: Sequence[str] = ()
) -> Write:
    """Reserves room, as `charge` does, of the account as it was read.

    Of one that nobody has read it is expected to have no quota, and one of these `roles`.
    """
    if account:
        quotas = (account.quota, account.files_quota)
        return _charge(username, account_id, load, load, quotas, ENABLED)
    values: Item = {f":role{at}": role for at, role in enumerate(roles)}
    condition = f"{ENABLED} AND #role IN ({', '.join(values)})"
    held = _charge(username, account_id, load, load, None, condition)
    return replace(held, values=held.values | values, names={"#role": "role"})


def discharge(username: str, account_id: str, less: Load, reserved: Load = NOTHING) -> Write:
    """Takes from what an account uses, and from what is `reserved` of it, if it is the same."""
    return _charge(username, account_id, -less, -reserved, (None, None), "")


def _charge(
    username: str,
    account_id: str,
    more: Load,
    reserved: Load,
    quotas: tuple[int | None, int | None] | None,
    condition: str,
) -> Write:
    values: Item = {":id": account_id} | ({":no": False} if condition else {})
    condition = "id = :id" + condition
    adds: list[str] = []
    for at, (quota, noun, grows, holds) in enumerate(
        (
            ("quota", "bytes", more.bytes, reserved.bytes),
            ("files_quota", "files", more.files, reserved.files),
        )
    ):
        limit = quotas[at] if quotas else None
        if quotas is None and grows > 0:
            condition += f" AND attribute_not_exists({quota})"
        elif limit is not None and grows > 0:
            values[f":{quota}"] = limit - grows
            condition += f" AND (attribute_not_exists({noun}_used) OR {noun}_used <= :{quota})"
        for use, change in ((f"{noun}_used", grows), (f"{noun}_reserved", holds)):
            if change:
                values[f":{use}"] = change
                adds.append(f"{use} :{use}")
    key = account_key(username)
    if not adds:
        return Write("ConditionCheck", key, condition, values)
    return Write("Update", key, condition, values, update="ADD " + ", ".join(adds))
