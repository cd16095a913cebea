"""The DynamoDB rows that moto holds: read, copied, measured and written as JSON."""

import base64
import copy
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import is_
from typing import Any

from moto.backends import get_backend
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.utilities import bytesize, dynamo_to_dict

REGION = "eu-central-1"
ACCOUNT = "123456789012"
MAX_ROW_BYTES = 405_000  # in moto
MAX_KEY_BYTES = 2048
# The types of values that moto changes in place. It replaces other values, so copies share them.
MUTABLE_TYPES = {"L", "M", "SS", "NS", "BS"}
BYTES_TYPES = {"B", "BS"}
ENCODER = json.JSONEncoder(default=lambda each: base64.b64encode(each).decode())


def tables() -> dict[str, Any]:
    """The tables of the fake account, by name."""
    return get_backend("dynamodb")[ACCOUNT][REGION].tables


def key_texts(table: Any, key: Mapping[str, Any]) -> tuple[str, str] | None:
    """The partition key and the sort key ("" without one); None unless both are non-empty texts."""
    names = [table.hash_key_attr, *([table.range_key_attr] if table.range_key_attr else [])]
    if key.keys() != {*names} or any(
        each.keys() != {"S"} or not each["S"] for each in key.values()
    ):
        return None
    texts = [key[name]["S"] for name in names]
    return texts[0], texts[1] if len(texts) > 1 else ""


def row_at(table: Any, partition: str, sort: str) -> Any:
    """The row with these keys, or None."""
    held = table.items.get(DynamoType({"S": partition}))
    if held is None or isinstance(held, Item):
        return held
    return held.get(DynamoType({"S": sort}))


def rows_of(partitions: Iterable[Any]) -> Iterator[Any]:
    """The rows of partitions. In a table without a sort key each partition is a row."""
    for held in partitions:
        yield from [held] if isinstance(held, Item) else held.values()


def copy_row(row: Any) -> Any:
    """An independent copy of a row. It shares values that moto never changes in place."""
    copied = Item.__new__(Item)
    copied.hash_key, copied.range_key = row.hash_key, row.range_key
    copied.attrs = LimitedSizeDict.__new__(LimitedSizeDict)
    dict.update(copied.attrs, row.attrs)
    for name, value in row.attrs.items():
        if value.type in MUTABLE_TYPES:
            dict.__setitem__(copied.attrs, name, copy.deepcopy(value))
    vars(copied.attrs).update(vars(row.attrs))
    return copied


def copy_rows(items: Any) -> dict[Any, Any]:
    """Independent copies of all rows of a table, in the structure of `Table.items`."""
    return {
        key: copy_row(held)
        if isinstance(held, Item)
        else {sort: copy_row(row) for sort, row in held.items()}
        for key, held in items.items()
    }


def row_json(row: Any) -> str:
    """A row as JSON text, encoded again only after a value was replaced."""
    return str(derived(row, "json", lambda: ENCODER.encode(to_json(row.attrs))))


def row_bytes(row: Any) -> int:
    """The size of names and values in bytes, counted again only after a value was replaced."""
    return int(
        derived(
            row,
            "bytes",
            lambda: sum(bytesize(name) + value.size() for name, value in row.attrs.items()),
        )
    )


def derived(row: Any, name: str, derive: Callable[[], Any]) -> Any:
    """A result derived from the values of a row, cached under `name` while they are the same."""
    attributes = row.attrs
    names, values, result = vars(attributes).get(name, ((), (), None))
    current = tuple(attributes.values())
    if names and names == tuple(attributes) and all(map(is_, values, current)):
        return result
    result = derive()
    if MUTABLE_TYPES.isdisjoint(value.type for value in current):
        vars(attributes)[name] = tuple(attributes), current, result
    return result


def to_json(value: Any) -> Any:
    """Moto's `dynamo_to_dict` without its type checks of each part."""
    kind = type(value)
    if kind is str:
        return value
    if kind is DynamoType:
        whole = value.type in BYTES_TYPES
        return dynamo_to_dict(value) if whole else {value.type: to_json(value.value)}
    if kind is dict or kind is LimitedSizeDict:
        return {name: to_json(each) for name, each in value.items()}
    if kind is list:
        return [to_json(each) for each in value]
    return dynamo_to_dict(value)
