"""Counters in windows of time, in the table sessions: failed logins, wrong codes, reset mails.

Windows have a fixed length and begin at multiples of it since the epoch. The number of the window
is part of a row's key, so every count begins at 0 with the next window; the table's TTL deletes the
row later. A row can hold several counters, each in its own attribute.
"""

from collections.abc import Mapping
from typing import NamedTuple

from function.aws.dynamodb import Item, Key, Rows, Write
from function.contract import SESSIONS

COUNT = "count"
BELOW_LIMIT = "attribute_not_exists(#count) OR #count < :limit"


class Counter(NamedTuple):
    """One count: the attribute `name` of the row `key`.

    The count can reach `limit`. `expires_at` is the end of the window, in epoch seconds.
    """

    key: Key
    name: str
    limit: int
    expires_at: int


def window_key(subject: str, window: int) -> Key:
    """The key of the row that counts for a subject in one window. No session has such an id."""
    return Key(SESSIONS, f"{subject}:{window}")


def left_in(rows: Rows, counter: Counter) -> int:
    """How much is left below the limit, by the row that was read; without a row all is left."""
    return counter.limit - int(str(rows.get(counter.key, {}).get(counter.name, 0)))


def require_left(counter: Counter) -> Write:
    """Requires that the count is below its limit."""
    values: Item = {":limit": counter.limit}
    return Write("ConditionCheck", counter.key, BELOW_LIMIT, values, names={"#count": counter.name})


def increment(counter: Counter) -> Write:
    """Adds 1 to a count, if it is below its limit."""
    return Write(
        "Update",
        counter.key,
        BELOW_LIMIT,
        {":one": 1, ":limit": counter.limit, ":expires_at": counter.expires_at},
        update="ADD #count :one SET expires_at = :expires_at",
        names={"#count": counter.name},
    )


def add(amounts: Mapping[Counter, int]) -> Write:
    """Adds an amount to each of some counters of one row, whatever their limits are."""
    key, _, _, expires_at = next(iter(amounts))
    pairs = [(f"#count{at}", f":amount{at}") for at in range(len(amounts))]
    values: Item = {
        value: amount for (_, value), amount in zip(pairs, amounts.values(), strict=True)
    }
    return Write(
        "Update",
        key,
        update=f"ADD {', '.join(map(' '.join, pairs))} SET expires_at = :expires_at",
        values={**values, ":expires_at": expires_at},
        names={name: counter.name for (name, _), counter in zip(pairs, amounts, strict=True)},
    )
