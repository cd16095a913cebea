"""Writes to DynamoDB, and the conditions under which they happen.

An expression spells every attribute as a placeholder (`#rev` for its name, `:rev` for its new
value, `:rev_is` for a value that it is compared with), so it never contains a word that DynamoDB
reserves. `boto3.dynamodb.conditions` builds conditions too, but not updates, and importing
boto3 would cost a tenth of a cold start.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from operator import and_
from typing import Any, Literal, NamedTuple

from function.aws.rows import Item, Key, Row, Value, encode, has_value


class Expression(NamedTuple):
    """A DynamoDB expression, with the names and the values that its placeholders stand for."""

    text: str
    names: Mapping[str, str]
    values: Item


class Condition(Expression):
    """A condition on the stored row. Conditions join with `&` (both) and `|` (at least one).

    A row that does not exist has no attributes.
    """

    def __and__(self, other: Expression) -> "Condition":
        """Both are true."""
        return Condition(f"{self.text} AND {other.text}", *_placeholders(self, other))

    def __or__(self, other: Expression) -> "Condition":
        """At least one is true."""
        return Condition(f"({self.text} OR {other.text})", *_placeholders(self, other))


class Write(NamedTuple):
    """One write, which happens if `when` is true of the row that is stored under `key`.

    `item` is the row of a Put, `change` the update expression of an Update. A ConditionCheck writes
    nothing: its transaction requires its condition.

    `spread` is for a row that many transactions write at once. When another one is in the way, it
    returns the write to do instead: it takes the row as it is then, without attributes if there is
    none, and 32 random hexadecimal digits.
    """

    kind: Literal["Put", "Update", "Delete", "ConditionCheck"]
    key: Key
    when: Condition | None = None
    item: Item | None = None
    change: Expression | None = None
    spread: "Callable[[Item, str], Write] | None" = None

    def parameters(self) -> dict[str, Any]:
        """The parameters of the DynamoDB call, but for the name of the table."""
        names, values = _placeholders(*(each for each in (self.change, self.when) if each))
        parameters = {
            "Item": encode(self.item) if self.item else None,
            "Key": None if self.item else encode(self.key.item()),
            "UpdateExpression": self.change.text if self.change else None,
            "ConditionExpression": self.when.text if self.when else None,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": encode(values),
        }
        return {name: value for name, value in parameters.items() if value}


def put(key: Key, row: Row | Item, when: Condition | None = None) -> Write:
    """Writes a whole row: the attributes of its key and those of `row`."""
    item: Item = row.model_dump() if isinstance(row, Row) else row
    return Write("Put", key, when, item=item | key.item())


def update(
    key: Key,
    *,
    set: Item | None = None,  # noqa: A002 - DynamoDB's word
    default: Item | None = None,
    add: Item | None = None,
    delete: Item | None = None,
    when: Condition | None = None,
) -> Write:
    """Changes attributes of a row; creates a row that does not exist, unless `when` forbids it.

    `set` gives attributes a value; None or an empty set removes the attribute. `default` gives a
    value to attributes that the row does not have. `add` adds to numbers, of which a missing one is
    0, and to sets. `delete` takes elements from sets. An attribute may appear only once.
    """
    gives = set or {}
    actions: list[tuple[str, str, Item]] = [
        ("SET", "{name} = {value}", {k: v for k, v in gives.items() if has_value(v)}),
        ("SET", "{name} = if_not_exists({name}, {value})", default or {}),
        ("REMOVE", "{name}", {k: v for k, v in gives.items() if not has_value(v)}),
        ("ADD", "{name} {value}", add or {}),
        ("DELETE", "{name} {value}", delete or {}),
    ]
    clauses: dict[str, list[str]] = {}
    parts = []
    for verb, template, attributes in actions:
        for name, value in attributes.items():
            part = _expression(template, name, value)
            clauses.setdefault(verb, []).append(part.text)
            parts.append(part)
    text = " ".join(f"{verb} {', '.join(texts)}" for verb, texts in clauses.items())
    return Write("Update", key, when, change=Expression(text, *_placeholders(*parts)))


def delete(key: Key, when: Condition | None = None) -> Write:
    """Deletes a row. Without a condition, a row that does not exist is no error."""
    return Write("Delete", key, when)


def check(key: Key, when: Condition) -> Write:
    """Requires a condition of a row that the transaction does not write."""
    return Write("ConditionCheck", key, when)


def all_of(conditions: Iterable[Condition]) -> Condition:
    """All of the conditions, of which there is at least one, are true."""
    return reduce(and_, conditions)


def exists(attribute: str) -> Condition:
    """The row has this attribute."""
    return _condition("attribute_exists({name})", attribute)


def missing(attribute: str) -> Condition:
    """The row does not have this attribute."""
    return _condition("attribute_not_exists({name})", attribute)


def equals(**attributes: Value) -> Condition:
    """The attributes have these values; None or an empty set: the attribute is missing."""
    return all_of(
        _condition("{name} = {value}", name, value, "is") if has_value(value) else missing(name)
        for name, value in attributes.items()
    )


def count_equals(**attributes: int) -> Condition:
    """The attributes are these numbers, of which a missing one is 0."""
    return all_of(
        equals(**{name: count}) if count else missing(name) | equals(**{name: 0})
        for name, count in attributes.items()
    )


def differs(**attributes: Value) -> Condition:
    """The attributes have other values."""
    return _each("{name} <> {value}", attributes, "not")


def below(**attributes: int) -> Condition:
    """The attributes are less than these numbers. Never true of a missing one."""
    return _each("{name} < {value}", attributes, "below")


def above(**attributes: int) -> Condition:
    """The attributes are greater than these numbers. Never true of a missing one."""
    return _each("{name} > {value}", attributes, "above")


def at_most(**attributes: int) -> Condition:
    """The attributes are these numbers or less. Never true of a missing one."""
    return _each("{name} <= {value}", attributes, "max")


def at_least(**attributes: int) -> Condition:
    """The attributes are these numbers or more. Never true of a missing one."""
    return _each("{name} >= {value}", attributes, "min")


def one_of(attribute: str, values: Sequence[str]) -> Condition:
    """The attribute has one of these values."""
    options: Item = {f"{_placeholder(':', attribute)}_{at}": each for at, each in enumerate(values)}
    name = _placeholder("#", attribute)
    return Condition(f"{name} IN ({', '.join(options)})", {name: attribute}, options)


def size_equals(**attributes: int) -> Condition:
    """The sets have these numbers of elements, of which a missing one has none."""
    return all_of(
        exists(name) & _condition("size({name}) = {value}", name, size, "size")
        if size
        else missing(name)
        for name, size in attributes.items()
    )


def size_below(**attributes: int) -> Condition:
    """The sets have fewer elements than these numbers, or are missing."""
    return all_of(
        missing(name) | _condition("size({name}) < {value}", name, size, "size")
        for name, size in attributes.items()
    )


def _each(template: str, attributes: Mapping[str, Value], suffix: str) -> Condition:
    return all_of(_condition(template, name, value, suffix) for name, value in attributes.items())


def _condition(template: str, name: str, value: Value = None, suffix: str = "") -> Condition:
    return Condition(*_expression(template, name, value, suffix))


def _expression(template: str, name: str, value: Value, suffix: str = "") -> Expression:
    """`template` with the placeholders of an attribute and of its value."""
    of_name, of_value = _placeholder("#", name), _placeholder(":", name)
    of_value += f"_{suffix}" if suffix else ""
    text = template.format(name=of_name, value=of_value)
    return Expression(text, {of_name: name}, {of_value: value} if has_value(value) else {})


def _placeholder(sign: str, attribute: str) -> str:
    """DynamoDB allows letters, digits and underscores in a placeholder."""
    return sign + re.sub(r"\W", "_", attribute, flags=re.ASCII)


def _placeholders(*expressions: Expression) -> tuple[dict[str, str], Item]:
    """The placeholders of all. Raises ValueError when one stands for two values."""
    names: dict[str, str] = {}
    values: Item = {}
    for each in expressions:
        names |= each.names
        if twice := values.keys() & each.values.keys():
            raise ValueError(f"two values for {', '.join(sorted(twice))}")
        values |= each.values
    return names, values
