"""The patches of moto and the direct answers have the results of moto."""

from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models.table import Table

from tests.support import fake_aws as fake_aws_module
from tests.support.conftest import FULL, REFUSED, held, key, moto_alone, on
from tests.support.moto_rows import MAX_ROW_BYTES, copy_rows, tables

UPDATE = (
    "SET #text = :text, #map.#in.deep = :text, #list[1][0] = :text, fresh = :text "
    "REMOVE gone ADD #number :one, #set :set"
)
VALUES: dict[str, Any] = {":text": {"S": "new"}, ":one": {"N": "1"}, ":set": {"SS": ["c"]}}
NAMES = {f"#{name}": name for name in ("text", "map", "in", "list", "number", "set")}
CHANGE = {
    "UpdateExpression": UPDATE,
    "ExpressionAttributeNames": NAMES,
    "ExpressionAttributeValues": VALUES,
}


PLAIN = {
    "UpdateExpression": "SET #note = :text, fresh = :text REMOVE gone ADD #number :one",
    "ExpressionAttributeNames": {"#note": "note", "#number": "number"},
    "ExpressionAttributeValues": {name: VALUES[name] for name in (":text", ":one")},
}
WRITES = [
    {"Update": on("pairs", Key=key("a", "2"), **CHANGE)},
    {"Delete": on("pairs", Key=key("a", "1"))},
    {"Put": on("pairs", Item=key("a", "3") | FULL | {"text": {"S": "over"}})},
    {"Put": on("pairs", Item=key("a", "0"))},
    {"Put": on("pairs", Item=key("new", "0"))},
    {"Update": on("pairs", Key=key("c", "9"), **PLAIN)},
    {"Update": on("pairs", Key=key("c", "1"), **PLAIN)},
    {"Delete": on("pairs", Key=key("b", "1"))},
    {"Update": on("single", Key={"of": {"S": "a"}}, **CHANGE)},
    {"Put": on("single", Item={"of": {"S": "new"}})},
    {"Delete": on("single", Key={"of": {"S": "b"}})},
]
FAILURES: list[Any] = [
    {"ConditionCheck": on("pairs", Key=key("d", "1"), **REFUSED)},
    {"Put": on("pairs", Item=key("d", "1"), **REFUSED)},
    {"Update": on("pairs", Key=key("a", "2"), **CHANGE)},  # a second time
    {"Put": on("pairs", Item=key("d", "1") | {"large": {"S": "x" * 410_000}})},
    {"Put": on("pairs", Item={"of": {"S": "c"}})},  # a part of its key is missing
    {"Update": on("pairs", Key=key("d", "1"), **CHANGE | {"UpdateExpression": "SET #text = :no"})},
    {"Delete": on("nowhere", Key=key("c", "1"))},
]


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("last", [True, False])
def test_a_failed_transaction_changes_nothing(db: Any, failure: dict[str, Any], last: bool) -> None:
    """Rows, attributes, nested values, and their order."""
    before, those = held(), {name: table.items for name, table in tables().items()}
    writes = [*WRITES, failure] if last else [failure, *WRITES]
    with pytest.raises(ClientError):
        db.transact_write_items(TransactItems=writes)
    assert held() == before
    db.transact_write_items(TransactItems=WRITES)
    assert held() != before
    assert those.keys() == tables().keys()


def test_writes_have_the_results_of_moto(db: Any) -> None:
    """The same transaction with and without the patches, on the same rows."""
    begun = {name: copy_rows(table.items) for name, table in tables().items()}
    db.transact_write_items(TransactItems=WRITES)
    ours = held()
    for name, rows in begun.items():
        tables()[name].items.clear()
        tables()[name].items.update(rows)
    with moto_alone(), mock.patch.object(Table, "__deepcopy__", create=True) as copied:
        db.transact_write_items(TransactItems=WRITES)
    assert copied.called
    assert held() == ours


def test_a_copy_of_a_row_stays_as_it_was(db: Any) -> None:
    """Also when an update changes a nested value of the row."""
    rows = {name: copy_rows(table.items) for name, table in tables().items()}
    before = repr(rows)
    db.update_item(TableName="pairs", Key=key("a", "2"), **CHANGE)
    db.update_item(TableName="single", Key={"of": {"S": "a"}}, **CHANGE)
    db.update_item(
        TableName="pairs",
        Key=key("a", "3"),
        UpdateExpression="REMOVE #map.#in.deep, #list[0] DELETE #set :set",
        ExpressionAttributeNames={k: v for k, v in NAMES.items() if k not in {"#text", "#number"}},
        ExpressionAttributeValues={":set": {"SS": ["a"]}},
    )
    assert repr(rows) == before != held()


def test_an_expression_uses_the_names_and_values_of_each_call(db: Any) -> None:
    """It is parsed once; each call has its own names and values."""
    for at, names, value in (("1", "text", "x"), ("2", "fresh", "y"), ("1", "fresh", "z")):
        db.update_item(
            TableName="pairs",
            Key=key("a", at),
            UpdateExpression="SET #name = :value",
            ConditionExpression="attribute_exists(#of) AND #text <> :value",
            ExpressionAttributeNames={"#name": names, "#of": "of", "#text": "text"},
            ExpressionAttributeValues={":value": {"S": value}},
        )
    rows = [db.get_item(TableName="pairs", Key=key("a", at))["Item"] for at in "12"]
    assert [(row["text"]["S"], row["fresh"]["S"]) for row in rows] == [("x", "z"), ("old", "y")]


def test_a_row_has_the_size_limit_of_moto(db: Any) -> None:
    """Names and values count, as in moto."""
    room = MAX_ROW_BYTES - len("ofaat1textlong") + len("1")
    item = key("a", "1") | {"text": {"S": "t"}, "long": {"S": "x" * (room - len("1t"))}}
    db.put_item(TableName="pairs", Item=item)
    item["long"]["S"] += "x"
    with pytest.raises(ClientError, match="size"):
        db.put_item(TableName="pairs", Item=item)
    with pytest.raises(ClientError, match="size"):
        db.update_item(
            TableName="pairs",
            Key=key("a", "1"),
            UpdateExpression="SET more = :value",
            ExpressionAttributeValues={":value": {"S": "x"}},
        )


def test_values_are_read_as_they_were_written(db: Any) -> None:
    """Of all types, nested too."""
    more: dict[str, Any] = {
        "yes": {"BOOL": True},
        "none": {"NULL": True},
        "bytes": {"B": b"\0\xff"},
    }
    item = key("a", "1") | FULL | more | {"numbers": {"NS": ["1", "2"]}, "all": {"M": FULL | more}}
    db.put_item(TableName="pairs", Item=item)
    assert db.get_item(TableName="pairs", Key=key("a", "1"))["Item"] == item
    found = db.query(
        TableName="pairs",
        KeyConditionExpression="#of = :of",
        ExpressionAttributeNames={"#of": "of"},
        ExpressionAttributeValues={":of": {"S": "a"}},
    )
    assert found["Items"][0] == item


SET = {
    "UpdateExpression": "SET #n = :n",
    "ExpressionAttributeNames": {"#n": "n"},
    "ExpressionAttributeValues": {":n": {"N": "2"}},
}
QUERY = {
    "KeyConditionExpression": "#of = :of",
    "ExpressionAttributeNames": {"#of": "of"},
    "ExpressionAttributeValues": {":of": {"S": "a"}},
}
BY_TEXT = {
    "KeyConditionExpression": "#text = :text",
    "ExpressionAttributeNames": {"#text": "text"},
    "ExpressionAttributeValues": {":text": {"S": "old"}},
}
FROM = key("a", "2") | {"text": {"S": "old"}}
MANY = [key("a", str(each)) for each in range(101)]
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("get_item", on("pairs", Key=key("a", "1"))),
    ("get_item", on("pairs", Key=key("no", "1"))),
    ("get_item", on("pairs", Key={"of": {"S": "a"}})),
    ("get_item", on("nowhere", Key=key("a", "1"))),
    ("batch_get_item", {"RequestItems": {"pairs": {"Keys": [key("a", "2"), key("no", "2")]}}}),
    ("batch_get_item", {"RequestItems": {"pairs": {"Keys": [key("a", "2")] * 2}}}),
    ("batch_get_item", {"RequestItems": {"pairs": {"Keys": MANY[:100], "ConsistentRead": True}}}),
    ("batch_get_item", {"RequestItems": {"pairs": {"Keys": MANY}}}),
    ("batch_get_item", {"RequestItems": {"pairs": {"Keys": [{"of": {"S": "a"}}]}}}),
    ("batch_get_item", {"RequestItems": {"single": {"Keys": [{"of": {"S": "a"}}]}}}),
    ("batch_get_item", {"RequestItems": {"nowhere": {"Keys": [key("a", "2")]}}}),
    (
        "batch_get_item",
        {"RequestItems": {"pairs": {"Keys": [key("a", "2")], "AttributesToGet": ["of"]}}},
    ),
    ("query", on("pairs", Limit=2, **QUERY)),
    ("query", on("pairs", Select="COUNT", ScanIndexForward=False, **QUERY)),
    ("query", on("pairs", ExclusiveStartKey=key("a", "1"), **QUERY)),
    ("query", on("pairs", IndexName="by text", **BY_TEXT)),
    ("query", on("pairs", IndexName="by text", ExclusiveStartKey=FROM, Limit=2, **BY_TEXT)),
    ("query", on("single", **QUERY)),
    ("query", on("single", **QUERY | {"ExpressionAttributeValues": {":of": {"S": "no"}}})),
    ("scan", on("pairs", Limit=2)),
    ("put_item", on("pairs", Item=key("a", "9") | FULL | {"b": {"B": b"\0\xff"}})),
    ("put_item", on("pairs", Item=key("a", "9"), ReturnValues="ALL_OLD")),
    ("put_item", on("pairs", Item=key("a", "9"), **REFUSED)),
    ("put_item", on("pairs", Item=key("", "9"))),
    ("update_item", on("pairs", Key=key("a", "2"), **SET, ReturnValues="ALL_NEW")),
    ("update_item", on("pairs", Key=key("z", "2"), **SET, **REFUSED)),
    ("update_item", on("pairs", Key=key("z", "2"), **SET, ReturnValues="UPDATED_NEW")),
    ("update_item", on("pairs", Key=key("z", "3"), UpdateExpression="SET size = 1")),
    ("delete_item", on("pairs", Key=key("a", "3"), ReturnValues="ALL_OLD")),
    ("delete_item", on("pairs", Key=key("a", "3"), **REFUSED)),
    ("transact_write_items", {"TransactItems": [*WRITES[:1], FAILURES[0]]}),
    ("transact_write_items", {"TransactItems": WRITES[:1]}),
]


def test_direct_answers_are_those_of_moto(db: Any) -> None:
    """For each call: status, answer or error, and the rows afterwards."""

    def said(name: str, parameters: dict[str, Any]) -> Any:
        try:
            answer = getattr(db, name)(**parameters)
        except ClientError as error:
            answer = error.response
        status = answer.pop("ResponseMetadata")["HTTPStatusCode"]
        return status, answer, held()

    begun = {name: copy_rows(table.items) for name, table in tables().items()}
    ours = [said(*each) for each in CALLS]
    for name, rows in begun.items():
        tables()[name].items.clear()
        tables()[name].items.update(rows)
    with (
        moto_alone(),
        mock.patch.object(fake_aws_module, "encode_request", return_value=None),
        mock.patch.object(fake_aws_module, "answer_directly", return_value=None) as asked,
    ):
        theirs = [said(*each) for each in CALLS]
    assert asked.call_count == len(CALLS)
    for each, our, their in zip(CALLS, ours, theirs, strict=True):
        assert our == their, each
    assert {our[0] for our in ours} == {200, 400}


@pytest.mark.parametrize("operation", ["query", "scan"])
def test_a_page_of_as_many_rows_as_were_asked_for_ends_with_a_key(db: Any, operation: str) -> None:
    """DynamoDB does not look whether a row follows; the next page then has none."""
    read, asked = getattr(db, operation), on("pairs", **(QUERY if operation == "query" else {}))
    rows = read(**asked)["Items"]
    assert "LastEvaluatedKey" not in read(**asked)
    page = read(Limit=len(rows), **asked)
    last = {name: rows[-1][name] for name in key("", "")}
    assert (page["Items"], page["LastEvaluatedKey"]) == (rows, last)
    after = read(Limit=len(rows), ExclusiveStartKey=last, **asked)
    assert (after["Items"], "LastEvaluatedKey" in after) == ([], False)
    assert "LastEvaluatedKey" not in read(Limit=len(rows) + 1, **asked)
