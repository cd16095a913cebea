"""Counts that many commits change at once, such as what an account uses: rows and their shards.

DynamoDB cancels a transaction when another one is in progress on a row that it names. A count is an
attribute of its row, and a commit that meets no other adds to it there. A commit that met another
one is sent again, and adds to a random shard of the row: the attribute `spread` of the row names
its set of shards, and the first such commit sets it. So the count is the sum of the row and of
these shards, and who works alone has none.

A row's set is closed before a change that a commit in progress must not miss, such as a quota:
every shard refuses further counts, and the change adds the sum to the row and removes `spread`. The
id of a set is random and no set is opened again. Closed shards stay for a day: no commit takes as
long.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NamedTuple

from function.aws.dynamodb import ConditionFailed, Dynamo
from function.aws.rows import Item, Key, Rows
from function.aws.writes import Condition, Write, check, equals, missing, update
from function.contract import Table
from function.core.limits import DAY

SPREAD = "spread"
SHARDS = 16
NOT_SPREAD = missing(SPREAD)


class ShardSet(NamedTuple):
    """Where a row's shards are: their partition, and the beginning of their sort keys."""

    table: Table
    partition: str
    prefix: str = ""

    def keys(self, spread: str) -> list[Key]:
        """The keys of the shards of one set; the rows exist from their first count."""
        return [self._key(spread, number) for number in range(SHARDS)]

    def random_key(self, spread: str, nonce: str) -> Key:
        """The key of the shard that 32 random hexadecimal digits choose."""
        return self._key(spread, int(nonce, 16) % SHARDS)

    def _key(self, spread: str, number: int) -> Key:
        return Key(self.table, self.partition, f"{self.prefix}{spread}/{number:02}")


def spreading(
    write: Write,
    shards: ShardSet,
    amounts: Item,
    *,
    opens: Condition = NOT_SPREAD,
    applies: Callable[[Item], bool] = lambda _: True,
) -> Write:
    """A write that adds `amounts` to a row, and to a shard of it after a conflict.

    Without amounts both only require their conditions. A row that has no shards is given them on
    the condition `opens`. `applies` tells of the row, as it is read then, whether it may have any;
    a set that is open proves that this has not changed since.
    """

    def spread(row: Item, nonce: str) -> Write:
        if not applies(row):
            return write
        if SPREAD not in row:
            return update(write.key, set={SPREAD: nonce}, add=amounts, when=opens)
        key, is_open = shards.random_key(str(row[SPREAD]), nonce), missing("closed")
        return update(key, add=amounts, when=is_open) if amounts else check(key, is_open)

    return write._replace(spread=spread)


def close_shards(db: Dynamo, shards: ShardSet, spread: str, now: float) -> Item:
    """Closes a set of shards, and returns the sums of their counts.

    It may be repeated: the sums of a closed set do not change. Raises Unavailable.
    """
    closed: Item = {"closed": True, "expires_at": int(now) + DAY}
    for key in shards.keys(spread):
        db.write(update(key, set=closed))
    keys = shards.keys(spread)
    return sum_shards(db.read(keys), keys)


def fold_shards(db: Dynamo, key: Key, shards: ShardSet, spread: str, now: float) -> Item:
    """Closes the shards of a row, adds their sums to it and returns them. Raises Unavailable."""
    sums = close_shards(db, shards, spread, now)
    with suppress(ConditionFailed):  # another process has done it
        db.write(update(key, set={SPREAD: None}, add=sums, when=equals(spread=spread)))
    return sums


def sum_shards(rows: Rows, keys: Iterable[Key]) -> Item:
    """The sum of each count of those shards that are among the rows; no sum is 0."""
    sums: Counter[str] = Counter()
    for row in (rows.get(key, {}) for key in keys):
        sums.update({name: value for name, value in row.items() if type(value) is int})
    del sums["expires_at"]
    return {name: value for name, value in sums.items() if value}
