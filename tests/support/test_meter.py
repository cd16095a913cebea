"""The meter counts as DynamoDB bills: by the size of a row, twice in a transaction, for indexes."""

from collections.abc import Callable

import pytest

from function import base
from function.aws.dynamodb import Dynamo
from function.aws.rows import Key
from function.aws.writes import check, delete, exists, put, update
from function.contract import FILES, SHARES
from tests.support.fake_aws import FakeAws
from tests.support.meter import measured

KEY, SHARED = Key(FILES, "p", "n"), Key(SHARES, "g", "f")
LARGE = {"text": "x" * 5000}
# An act, and its read and write units.
ACTS: dict[str, tuple[Callable[[Dynamo], object], float, int]] = {
    "put a small row": (lambda db: db.write(put(KEY, {"a": "b"})), 0, 1),
    "put a large row": (lambda db: db.write(put(KEY, LARGE)), 0, 5),
    "put one with an index": (lambda db: db.write(put(SHARED, LARGE)), 0, 10),
    "commit one": (lambda db: db.commit([put(KEY, LARGE)]), 0, 10),
    "commit one with an index": (lambda db: db.commit([put(SHARED, LARGE)]), 0, 15),
    "check one": (lambda db: db.commit([check(Key(FILES, "p", "5k"), exists("name"))]), 0, 10),
    "make one small": (lambda db: db.write(update(Key(FILES, "p", "5k"), set={"text": ""})), 0, 5),
    "delete one": (lambda db: db.write(delete(Key(FILES, "p", "5k"))), 0, 5),
    "delete nothing": (lambda db: db.write(delete(KEY)), 0, 1),
    "read one": (lambda db: db.read([Key(FILES, "p", "5k")]), 2, 0),
    "read nothing": (lambda db: db.read([KEY]), 1, 0),
    "query two": (lambda db: db.query(FILES, "p"), 3, 0),
    "query an index": (lambda db: db.query_index(SHARES, "5k", limit=9), 1, 0),
}


@pytest.mark.odd_rows
@pytest.mark.parametrize("name", ACTS)
def test_units_are_counted(fake_aws: FakeAws, name: str) -> None:
    """In a table with two rows of 5,000 bytes, of 1 KB for a write and 4 KB for a read."""
    db = base.current().db
    for key in (Key(FILES, "p", "5k"), Key(FILES, "p", "6k"), Key(SHARES, "g", "5k")):
        db.write(put(key, LARGE))
    act, reads, writes = ACTS[name]
    with measured(fake_aws) as cost:
        act(db)
    assert (cost.calls, cost.read_units, cost.write_units) == (1, reads, writes)
    assert cost.steps > 1
