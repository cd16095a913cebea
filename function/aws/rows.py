"""Rows of the DynamoDB tables: their keys, their attributes, and DynamoDB's types for these.

An item is a flat mapping of text, whole numbers, flags, lists of text and sets of text. No row
holds None or an empty set: such an attribute is left out.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from function.contract import Table

Value = str | int | bool | list[str] | frozenset[str] | None
Item = dict[str, Value]
NO_VALUE: tuple[Value, ...] = (None, frozenset())


class Row(BaseModel):
    """A row as its table's module reads it.

    Attributes that it does not know are ignored, so that the version before a release can read the
    rows that the release wrote.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Key(NamedTuple):
    """The primary key of a row; `sort` is None in a table that has no sort key."""

    table: Table
    partition: str
    sort: str | None = None

    def item(self) -> Item:
        """The key as attributes."""
        key: Item = {self.table.partition: self.partition}
        if self.table.sort:
            key[self.table.sort] = self.sort
        return key


Rows = Mapping[Key, Item]


def key_from(table: Table, item: Item) -> Key:
    """The key of a row of `table`."""
    sort = str(item[table.sort]) if table.sort else None
    return Key(table, str(item[table.partition]), sort)


def has_value(value: Value) -> bool:
    """Whether a row can hold the value: neither None nor an empty set."""
    return value not in NO_VALUE


def encode(item: Item) -> dict[str, Any]:
    """The attributes in DynamoDB's types, without None and empty sets."""
    return {name: _encoded(value) for name, value in item.items() if has_value(value)}


def decode(item: Mapping[str, Any]) -> Item:
    """The attributes of a row that DynamoDB returned."""
    return {name: _decoded(*next(iter(value.items()))) for name, value in item.items()}


def _encoded(value: Value) -> dict[str, Any]:
    match value:
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case list():
            return {"L": [{"S": text} for text in value]}
        case frozenset():
            return {"SS": sorted(value)}
        case _:
            return {"S": value}


def _decoded(kind: str, value: Any) -> Value:
    match kind:
        case "N":
            return int(value)
        case "L":
            return [element["S"] for element in value]
        case "SS":
            return frozenset(value)
        case _:
            plain: Value = value
            return plain
