"""Tokens with which a forgotten password is answered: one for a name, the newest."""

from function.account_records import Reset
from function.contract import SESSIONS
from function.stores.rows import Key, Rows, Write
from function.stores.sessions import ALIVE


def reset_key(name: str) -> Key:
    """Where the token of a name stands; no session has such an id."""
    return Key(SESSIONS, f"reset:{name}")


def reset_in(rows: Rows, name: str) -> Reset | None:
    """The token of a name, if it was read."""
    row = rows.get(reset_key(name))
    return Reset.model_validate(row) if row else None


def put(name: str, reset: Reset) -> Write:
    """A token in the place of whatever was there."""
    key = reset_key(name)
    return Write("Put", key, item=reset.model_dump() | key.item())


def used(name: str, reset: Reset, now: int) -> Write:
    """Uses a token up, if nobody has."""
    return Write(
        "Update",
        reset_key(name),
        condition=f"{ALIVE} AND secret = :secret",
        values={":now": now, ":secret": reset.secret},
        update="SET expires_at = :now",
    )
