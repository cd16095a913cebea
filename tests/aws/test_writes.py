"""The expressions of writes, and the conditions under which DynamoDB performs them."""

import pytest

from function.aws.dynamodb import ConditionFailed, Dynamo
from function.aws.rows import Item, Key
from function.aws.writes import (
    Condition,
    above,
    at_least,
    at_most,
    below,
    check,
    count_equals,
    delete,
    differs,
    equals,
    exists,
    missing,
    one_of,
    put,
    size_below,
    size_equals,
    update,
)
from function.base import current
from function.contract import FILES
from tests.support.fake_aws import FakeAws

KEY = Key(FILES, "alice", "a.txt")
ROW: Item = {"rev": "1", "count": 5, "flag": False, "who": frozenset({"bob", "carol"})}


@pytest.fixture
def db(fake_aws: FakeAws) -> Dynamo:
    """The client of an empty table, in which only rows of these tests stand."""
    return current().db


def stored(db: Dynamo) -> Item:
    """The attributes of the row, but for its key."""
    row = db.read([KEY]).get(KEY, {})
    return {name: value for name, value in row.items() if name not in KEY.item()}


@pytest.mark.odd_rows
@pytest.mark.parametrize(
    ("when", "true", "of_no_row"),
    [
        (exists("rev"), True, False),
        (exists("until"), False, False),
        (missing("rev"), False, True),
        (missing("until"), True, True),
        (equals(rev="1"), True, False),
        (equals(rev="2"), False, False),
        (equals(rev="1", flag=False), True, False),
        (equals(rev="1", flag=True), False, False),
        (equals(until=None), True, True),
        (equals(rev=None), False, True),
        (equals(who=frozenset({"carol", "bob"})), True, False),
        (equals(who=frozenset()), False, True),
        (differs(rev="2"), True, None),
        (differs(rev="1"), False, None),
        (below(count=6), True, False),
        (below(count=5), False, False),
        (above(count=4), True, False),
        (above(count=5), False, False),
        (at_most(count=5), True, False),
        (at_most(count=4), False, False),
        (at_least(count=5), True, False),
        (at_least(count=6), False, False),
        (at_least(count=1) & at_most(count=5), True, False),
        (count_equals(count=5), True, False),
        (count_equals(count=0), False, True),
        (count_equals(other=0), True, True),
        (one_of("rev", ["0", "1"]), True, False),
        (one_of("rev", ["0", "2"]), False, False),
        (size_equals(who=2), True, False),
        (size_equals(who=1), False, False),
        (size_equals(who=0), False, True),
        (size_below(who=3), True, True),
        (size_below(who=2), False, True),
        (equals(rev="2") | equals(flag=False), True, False),
        (equals(rev="2") | equals(flag=True), False, False),
        (missing("rev") & exists("flag") | exists("count"), True, False),
        (missing("rev") & (exists("flag") | exists("count")), False, False),
    ],
    ids=lambda each: each.text if isinstance(each, Condition) else "",
)
def test_conditions(db: Dynamo, when: Condition, true: bool, of_no_row: bool | None) -> None:
    """Each is true of the rows that it describes; a row that does not exist has no attributes.

    Whether a missing attribute differs from a value, DynamoDB does not document.
    """
    assert happens(db, when) is of_no_row or of_no_row is None
    db.write(put(KEY, ROW))
    assert happens(db, when) is true
    assert stored(db) == ROW


def happens(db: Dynamo, when: Condition) -> bool:
    """Whether a transaction commits under a condition."""
    try:
        db.commit([check(KEY, when)])
    except ConditionFailed:
        return False
    return True


@pytest.mark.odd_rows
def test_puts_and_deletes(db: Dynamo) -> None:
    """Each happens under its condition only."""
    db.write(put(KEY, ROW, missing("partition")))
    assert stored(db) == ROW
    with pytest.raises(ConditionFailed) as failed:
        db.write(put(KEY, {}, missing("partition")))
    assert failed.value.failed == [0]
    assert stored(db) == ROW
    with pytest.raises(ConditionFailed):
        db.write(delete(KEY, equals(rev="2")))
    assert stored(db) == ROW
    db.write(delete(KEY, equals(rev="1")))
    assert db.read([KEY]) == {}
    db.write(delete(KEY))


@pytest.mark.odd_rows
def test_updates(db: Dynamo) -> None:
    """All kinds of change happen in one write, and each attribute changes alone."""
    db.write(put(KEY, ROW | {"old": "x", "all": frozenset({"bob"}), "kept": 1}))
    db.write(
        update(
            KEY,
            set={"rev": "2", "old": None, "all": frozenset(), "name:bob": 1},
            default={"kept": 2, "made": 3},
            add={"count": -2, "failures": 1},
            delete={"who": frozenset({"bob", "dave"})},
            when=equals(rev="1"),
        )
    )
    changed: Item = {"rev": "2", "count": 3, "who": frozenset({"carol"}), "failures": 1}
    assert stored(db) == ROW | changed | {"kept": 1, "made": 3, "name:bob": 1}
    with pytest.raises(ConditionFailed):
        db.write(update(KEY, set={"rev": "3"}, when=equals(rev="1")))
    assert stored(db)["rev"] == "2"


@pytest.mark.odd_rows
def test_an_update_creates_a_row(db: Dynamo) -> None:
    """Numbers count from 0 and sets from none."""
    db.write(update(KEY, add={"count": 1, "who": frozenset({"bob"})}, default={"made": 2}))
    assert stored(db) == {"count": 1, "who": frozenset({"bob"}), "made": 2}


def test_a_placeholder_stands_for_one_value() -> None:
    """Two values would leave one of two conditions, or one of two changes, unsaid."""
    with pytest.raises(ValueError, match="two values for :rev_is"):
        equals(rev="1") & equals(rev="2")
    with pytest.raises(ValueError, match="two values for :rev_is"):
        equals(rev="1") | equals(rev="2")
    with pytest.raises(ValueError, match="two values for :who"):
        update(KEY, add={"who": frozenset({"bob"})}, delete={"who": frozenset({"carol"})})


def test_every_attribute_stands_behind_a_placeholder() -> None:
    """So that no word is spelt that DynamoDB reserves."""
    parameters = update(KEY, set={"name": "b"}, when=exists("size") | at_most(size=1)).parameters()
    assert parameters == {
        "Key": {"partition": {"S": "alice"}, "name": {"S": "a.txt"}},
        "UpdateExpression": "SET #name = :name",
        "ConditionExpression": "(attribute_exists(#size) OR #size <= :size_max)",
        "ExpressionAttributeNames": {"#name": "name", "#size": "size"},
        "ExpressionAttributeValues": {":name": {"S": "b"}, ":size_max": {"N": "1"}},
    }
