"""The patches have the results of moto on generated values, rows and updates."""

import base64
import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from moto.backends import get_backend
from moto.dynamodb import responses
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from tests.support.conftest import moto_alone
from tests.support.fake_aws import empty_account
from tests.support.moto_rows import ACCOUNT, REGION, row_at, tables
from tests.support.plain_updates import parse_actions

text = st.text(max_size=6)
TOO_LARGE = "9" * 130
digits = st.one_of(
    st.integers(-(10**6), 10**40).map(str),
    st.sampled_from(["1.50", "-0", " 1", "x", "", "1e200", TOO_LARGE]),
)
binary = st.binary(max_size=4).map(lambda value: base64.b64encode(value).decode())
scalar = st.one_of(
    st.fixed_dictionaries({"S": text}),
    st.fixed_dictionaries({"N": digits}),
    st.fixed_dictionaries({"B": binary}),
    st.sampled_from([{"BOOL": True}, {"BOOL": False}, {"NULL": True}, {"NULL": False}]),
    st.fixed_dictionaries({"SS": st.lists(text, min_size=1, max_size=3, unique=True)}),
    st.sampled_from([{"NS": ["1", "2.0"]}, {"S": 1}, {"N": 1}, {"N": 1.5}]),
)
typed = st.recursive(
    scalar,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"L": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"M": st.dictionaries(text, inner, max_size=3)}),
    ),
    max_leaves=6,
)
attributes = st.dictionaries(st.sampled_from(["of", "S", "N", "NULL", "a", "ä"]), typed, max_size=4)


@pytest.fixture(scope="module")
def table(_fake_aws: Any) -> Iterator[Any]:
    """A table with a partition key, a sort key and an index."""
    with empty_account() as session:
        session.client("dynamodb").create_table(
            TableName="t",
            KeySchema=[
                {"AttributeName": "of", "KeyType": "HASH"},
                {"AttributeName": "at", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("of", "at", "by")
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by by",
                    "KeySchema": [{"AttributeName": "by", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        yield tables()["t"]


def outcome(act: Callable[[], Any]) -> Any:
    """What a function returns or raises."""
    try:
        return act()
    except (AttributeError, TypeError) as error:
        return type(error).__name__
    except Exception as error:  # noqa: BLE001 - the two are compared
        return type(error).__name__, str(error)


def run_both(act: Callable[[], Any]) -> tuple[Any, Any]:
    """What a function returns or raises with the patches, and without them."""
    ours = outcome(act)
    with moto_alone():
        return ours, outcome(act)


@given(one=typed, other=typed)
@pytest.mark.usefixtures("_fake_aws")
def test_values_are_those_of_moto(one: Any, other: Any) -> None:
    """A value is created, compared, hashed, measured and encoded as in moto."""
    for compare in (
        lambda a, b: a == b,
        lambda a, b: a != b,
        lambda a, b: a < b,
        lambda a, _: hash(a),
        lambda a, _: a.size(),
        lambda a, _: repr(a),
        lambda a, _: DynamoType(a).to_regular_json(),
        lambda a, b: responses.dynamo_to_dict({"Items": [a, {"b": b}], "Count": 2}),
    ):
        for second in (one, other):
            ours, theirs = run_both(
                lambda: compare(  # noqa: B023 - called at once
                    DynamoType(copy.deepcopy(one)),
                    DynamoType(copy.deepcopy(second)),  # noqa: B023
                )
            )
            assert ours == theirs


@given(attrs=attributes)
@example(attrs={"a": {"N": TOO_LARGE}})
def test_rows_are_those_of_moto(table: Any, attrs: Any) -> None:
    """Attributes are validated, and rows measured and copied, as in moto."""
    ours, theirs = run_both(lambda: table._validate_item_types(copy.deepcopy(attrs)))
    assert ours == theirs

    def describe() -> Any:
        row = Item(DynamoType({"S": "k"}), None, copy.deepcopy(attrs))
        copied = copy.deepcopy(row)
        assert copied.attrs is not row.attrs
        return repr(row), row.size(), row.size(), repr(copied), copied.size()

    ours, theirs = run_both(describe)
    assert ours == theirs


NAMES = {"#a": "a", "#b": "b", "#n": "number", "#by": "by", "#of": "of"}
VALUES: dict[str, Any] = {
    ":s": {"S": "text"}, ":n": {"N": "3"}, ":ss": {"SS": ["x"]}, ":l": {"L": [{"S": "y"}]},
    ":long": {"S": "x" * 410_000},
}  # fmt: skip
name = st.sampled_from([*NAMES, "a", "b", "number", "size", "#gone", "#a.#b"])
value = st.sampled_from([*VALUES, ":gone"])
CLAUSES = {
    "SET": st.tuples(name, st.one_of(value, value.map("if_not_exists(a, {})".format))).map(
        " = ".join
    ),
    "ADD": st.tuples(name, value).map(" ".join),
    "REMOVE": name,
    "DELETE": st.tuples(name, value).map(" ".join),
}
expressions = st.permutations(list(CLAUSES)).flatmap(
    lambda verbs: st.tuples(
        *(
            st.lists(CLAUSES[verb], min_size=at == 0, max_size=2).map(
                lambda actions, verb=verb: f"{verb} {', '.join(actions)}" if actions else ""
            )
            for at, verb in enumerate(verbs)
        )
    ).map(lambda clauses: " ".join(filter(None, clauses)))
)
rows = st.sampled_from([
    None,
    {},
    {"a": {"S": "old"}, "number": {"N": "1"}, "b": {"SS": ["x", "y"]}},
    {"number": {"S": "none"}, "a": {"M": {"b": {"S": "deep"}}}, "by": {"S": "key"}},
])  # fmt: skip
conditions = st.sampled_from([None, "attribute_exists(#a)", "attribute_not_exists(#of)"])


@given(expression=expressions, row=rows, condition=conditions)
@example(expression="SET #of = :s", row={}, condition=None)
@example(expression="SET #by = :n", row={}, condition=None)
@example(expression="SET #a = :s, a = :s", row={}, condition=None)
@example(expression="SET #a = :s REMOVE a", row={}, condition=None)
@example(expression="ADD #n :n", row={"number": {"S": "1"}}, condition=None)
@example(expression="ADD #n :s", row={}, condition=None)
def test_updates_are_those_of_moto(
    table: Any, expression: str, row: dict[str, Any] | None, condition: str | None
) -> None:
    """An update leaves the same row, its attributes in the same order, or raises the same error."""
    backend, key = get_backend("dynamodb")[ACCOUNT][REGION], {"of": {"S": "k"}, "at": {"S": "1"}}

    def update() -> str:
        table.items.clear()
        if row is not None:
            table.put_item(copy.deepcopy(key | row))
        try:
            backend.update_item(
                "t", copy.deepcopy(key), expression, NAMES, copy.deepcopy(VALUES),
                condition_expression=condition,
            )  # fmt: skip
        except Exception as error:  # noqa: BLE001 - the two are compared
            return f"{type(error).__name__} {error} {row_at(table, 'k', '1')}"
        return repr(row_at(table, "k", "1"))

    ours, theirs = run_both(update)
    assert ours == theirs


def test_a_plain_update_sets_adds_or_removes_whole_attributes() -> None:
    """Moto handles every other expression."""
    assert parse_actions("SET #a = :a, b = :b REMOVE #c, d ADD #e :e") == (
        ("SET", "#a", ":a"), ("SET", "b", ":b"), ("REMOVE", "#c", ""), ("REMOVE", "d", ""),
        ("ADD", "#e", ":e"),
    )  # fmt: skip
    for expression in (
        "SET a = if_not_exists(a, :a)",
        "DELETE a :a",
        "SET a.b = :a",
        "SET size = :a",
    ):
        assert parse_actions(expression) is None
