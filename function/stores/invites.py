"""Invitations, in the order in which they were made, on a shelf that no user name can own.

A token begins with the time at which it was made, so that it names its row by itself.
"""

import hashlib

from function.account_records import InviteRow
from function.contract import FILES
from function.stores.accounts import account_key
from function.stores.dynamo import Dynamo
from function.stores.rows import Item, Key, Rows, Write

SHELF = "~accounts/invites"
TIME = 10  # digits of epoch seconds


def invite_id(token: str) -> str:
    """What is stored of a token: 256 random bits need no salt and no slow hash."""
    return f"{token[:TIME]}-{hashlib.sha256(token.encode()).hexdigest()}"


def invite_key(invite: str) -> Key:
    """Where an invitation stands."""
    return Key(FILES, SHELF, invite)


def invite_in(rows: Rows, invite: str, now: float) -> InviteRow | None:
    """The invitation of that id, if it was read and has not expired."""
    found = rows.get(invite_key(invite))
    row = InviteRow.model_validate(found) if found else None
    return row if row and row.expires_at > now else None


def put_invite(row: InviteRow) -> Write:
    """Puts a new invitation."""
    key = invite_key(row.name)
    return Write("Put", key, "attribute_not_exists(shelf)", item=row.model_dump())


def strike_invite(row: InviteRow, now: float) -> Write:
    """Takes an invitation away, if it stands."""
    values: Item = {":now": int(now)}
    return Write("Delete", invite_key(row.name), "expires_at > :now", values=values)


def invites_still(row: InviteRow, *, named: bool) -> Write:
    """Expects that whoever made an invitation is still an administrator.

    `named` says that the configuration makes them one, whatever their row says.
    """
    values: Item = {":id": row.user_id, ":no": False}
    condition = "id = :id AND (attribute_not_exists(disabled) OR disabled = :no)"
    if named:
        return Write("ConditionCheck", account_key(row.username), condition, values)
    return Write(
        "ConditionCheck",
        account_key(row.username),
        condition + " AND #role = :admin",
        values | {":admin": "admin"},
        names={"#role": "role"},
    )


class Invites:
    """The invitations in the table files."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the table through `db`."""
        self._db = db

    def of(self, now: float, *, after: str, limit: int) -> tuple[list[InviteRow], str | None]:
        """Invitations that have not expired, oldest first, and after which one they go on."""
        page = self._db.query(FILES, SHELF, after=after, limit=limit)
        rows = [InviteRow.model_validate(item) for item in page.items]
        last = rows[-1].name if page.more else None
        return [row for row in rows if row.expires_at > now], last
