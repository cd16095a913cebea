"""Updates that set, add to or remove whole attributes, computed without moto's update parser."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.utilities import bytesize
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from tests.support.moto_rows import MAX_KEY_BYTES, MAX_ROW_BYTES, key_texts, row_at

ACTIONS = {
    "SET": re.compile(r"(?P<name>#?\w+) = (?P<value>:\w+)"),
    "ADD": re.compile(r"(?P<name>#?\w+) (?P<value>:\w+)"),
    "REMOVE": re.compile(r"(?P<name>#?\w+)"),
}


def update_row(
    table: Any,
    key: Mapping[str, Any],
    expression: str,
    condition: str | None,
    names: Mapping[str, str],
    values: Mapping[str, Any],
) -> Any:
    """Updates a row and returns it; None, with nothing changed, if moto has to handle the update.

    Moto handles nested attributes, functions, streams, failed conditions and every error.
    """
    actions = parse_actions(expression)
    keys = key_texts(table, key)
    if actions is None or keys is None or table.stream_shard is not None:
        return None
    row = row_at(table, *keys)
    changes = attribute_changes(table, row, actions, names, values)
    if changes is None or not get_filter_expression(condition, names, values).expr(row):
        return None
    if row is None:
        table.put_item(dict(key))
        row = row_at(table, *keys)
    for name, value in changes.items():
        if value is None:
            row.attrs.pop(name, None)
        else:
            dict.__setitem__(row.attrs, name, value)
    return row


@lru_cache(1000)
def parse_actions(expression: str) -> tuple[tuple[str, str, str], ...] | None:
    """Each action as verb, name and placeholder of the value; None for any other expression."""
    actions: list[tuple[str, str, str]] = []
    parts = [each.strip() for each in re.split(r"\b(SET|ADD|REMOVE)\s", expression)]
    verbs = parts[1::2]
    if parts[0] or len({*verbs}) < len(verbs):
        return None
    for verb, listed in zip(verbs, parts[2::2], strict=True):
        for action in listed.split(","):
            found = ACTIONS[verb].fullmatch(action.strip())
            if not found or found["name"].upper() in ReservedKeywords.get_reserved_keywords():
                return None
            actions.append((verb, found["name"], found.groupdict().get("value", "")))
    return tuple(actions)


def attribute_changes(
    table: Any,
    row: Any,
    actions: tuple[tuple[str, str, str], ...],
    names: Mapping[str, str],
    values: Mapping[str, Any],
) -> dict[str, Any] | None:
    """The new value of each changed attribute, None for a removed one. None for invalid updates."""
    old, changes = row.attrs if row else {}, {}
    keys = {each["AttributeName"] for each in table.attr}
    for verb, placeholder, token in actions:
        name = names.get(placeholder, None if placeholder[0] == "#" else placeholder)
        value = DynamoType(values[token]) if token in values else None
        if name is None or name in changes or name in keys or (token and value is None):
            return None
        if verb == "ADD":
            number = old.get(name, DynamoType({"N": "0"}))
            if not number.type == value.type == "N":
                return None
            value = number + value
        changes[name] = value
    added = sum(bytesize(name) + value.size() for name, value in changes.items() if value)
    if added + (row.size() if row else 2 * MAX_KEY_BYTES) > MAX_ROW_BYTES:
        return None
    return changes
