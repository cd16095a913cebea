"""The words of the tables: keys, rows, writes with what they expect, pages. Imports contract.

A row is a flat dict of text, whole numbers, flags, and lists and sets of text; what is None, or an
empty set, is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from function.contract import Table

Value = str | int | bool | list[str] | frozenset[str] | None
Item = dict[str, Value]


class Key(NamedTuple):
    """One row's place."""

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


@dataclass(frozen=True)
class Write:
    """One write and what it expects: `condition` in DynamoDB's words over `values` (`:name`).

    `kind` is Put, Update, Delete or ConditionCheck; `item` is the row of a Put, `update` an update
    expression, `names` what stands for attributes (`#name`) that no expression can spell.
    """

    kind: str
    key: Key
    condition: str | None = None
    values: Item = field(default_factory=dict)
    item: Item = field(default_factory=dict)
    update: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """A commit did not happen. `failed` numbers the writes whose expectation does not hold.

    Empty when other commits were merely in the way. `found` is the row that stood in the way of a
    single write.
    """

    def __init__(self, failed: Sequence[int] = (), found: Item | None = None) -> None:
        """Numbers count from 0 in the order of the writes."""
        super().__init__(f"expectations {list(failed)} do not hold")
        self.failed = failed
        self.found = found


@dataclass(frozen=True)
class Page:
    """Rows in key order; `more` says that others follow the last one."""

    items: list[Item]
    more: bool


def encode(item: Item) -> dict[str, Any]:
    """A row in DynamoDB's types."""
    held = {name: value for name, value in item.items() if value not in (None, frozenset())}
    return {name: _encoded(value) for name, value in held.items()}


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


def decode(item: Mapping[str, Any]) -> Item:
    """A row from DynamoDB's types."""
    return {name: _decoded(*next(iter(value.items()))) for name, value in item.items()}


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


def key_of(table: Table, item: Item) -> Key:
    """The key of a row."""
    sort = str(item[table.sort]) if table.sort else None
    return Key(table, str(item[table.partition]), sort)
