"""Tokens with which a forgotten password is answered: the newest mailed, the newest handed over.

They stand apart, so that no stranger ends what was handed over by asking for a mail.
"""

from function.account_records import Reset
from function.contract import SESSIONS
from function.stores.rows import Key, Rows, Write
from function.stores.sessions import ALIVE


def mailed_key(name: str) -> Key:
    """Where the mailed token of a name stands; no session has such an id."""
    return Key(SESSIONS, f"reset:{name}")


def handed_key(name: str) -> Key:
    """Where the one stands that an administrator hands over."""
    return Key(SESSIONS, f"handed:{name}")


def reset_at(rows: Rows, key: Key) -> Reset | None:
    """The token that stands there, if it was read."""
    row = rows.get(key)
    return Reset.model_validate(row) if row else None


def put(key: Key, reset: Reset) -> Write:
    """A token in the place of whatever was there."""
    return Write("Put", key, item=reset.model_dump() | key.item())


def used(key: Key, reset: Reset, now: int) -> Write:
    """Uses a token up, if nobody has."""
    return Write(
        "Update",
        key,
        condition=f"{ALIVE} AND secret = :secret",
        values={":now": now, ":secret": reset.secret},
        update="SET expires_at = :now",
    )
