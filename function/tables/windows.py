"""Counters in windows of time, in the table sessions: failed logins, wrong codes, reset mails.

Windows have a fixed length and begin at multiples of it since the epoch. The number of the window
is part of a row's key, so every count begins at 0 with the next window; the table's TTL deletes the
row later. A row can hold several counters, each in its own attribute.
"""

from collections.abc import Mapping
from typing import NamedTuple

from function.aws.rows import Key, Rows
from function.aws.writes import Condition, Write, below, check, missing, update
from function.contract import SESSIONS

COUNT = "count"


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
    return check(counter.key, _below_limit(counter))


def increment(counter: Counter) -> Write:
    """Adds 1 to a count, if it is below its limit."""
    return add({counter: 1}, when=_below_limit(counter))


def add(amounts: Mapping[Counter, int], when: Condition | None = None) -> Write:
    """Adds an amount to each of some counters of one row."""
    key, _, _, expires_at = next(iter(amounts))
    counts = {counter.name: amount for counter, amount in amounts.items()}
    return update(key, add={**counts}, set={"expires_at": expires_at}, when=when)


def _below_limit(counter: Counter) -> Condition:
    return missing(counter.name) | below(**{counter.name: counter.limit})
