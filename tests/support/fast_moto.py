"""Moto and botocore as they are, only sooner: what takes long is done so that it does not.

Moto copies whole tables where a few rows change; both do the same over and over at each call.
"""

import base64
import copy
import json
import re
import string
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from operator import is_
from typing import Any
from unittest import mock

from botocore import useragent
from botocore.awsrequest import AWSResponse
from botocore.validate import ParamValidator
from moto.backends import get_backend
from moto.core import responses, utils
from moto.core.base_backend import BaseBackend
from moto.core.models import botocore_stubber
from moto.dynamodb import responses as dynamodb_responses
from moto.dynamodb.comparisons import ConditionExpressionParser, get_filter_expression
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table
from moto.dynamodb.models.utilities import bytesize
from moto.dynamodb.parsing import ast_nodes
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser, Expression, Node
from moto.dynamodb.parsing.expressions import UpdateExpressionParser
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords
from moto.dynamodb.responses import DynamoHandler
from moto.moto_api._internal.moto_random import MotoRandom

LARGEST_ITEM = 405_000  # bytes, as moto has it
# What moto changes in place; of all else it makes a new one, so that rows may have it in common.
CHANGED_IN_PLACE = {"L", "M", "SS", "NS", "BS"}
BYTES = {"B", "BS"}
LARGEST_ANSWER = 16_000_000  # bytes, a little less than moto has it
MOST_ROWS = 100
LONGEST_KEY = 2048  # bytes
PLAIN = {
    "SET": re.compile(r"(?P<name>#?\w+) = (?P<value>:\w+)"),
    "ADD": re.compile(r"(?P<name>#?\w+) (?P<value>:\w+)"),
    "REMOVE": re.compile(r"(?P<name>#?\w+)"),
}
NAMED_LIKE_TYPES = {"S", "N", "NULL"}
MOST_DIGITS = 38
MOST_VALID = 20_000
DECODED = re.compile(rb'"BS?":')
OFTEN = {
    "BatchGetItem": "batch_get_item",
    "DeleteItem": "delete_item",
    "GetItem": "get_item",
    "PutItem": "put_item",
    "Query": "query",
    "Scan": "scan",
    "TransactWriteItems": "transact_write_items",
    "UpdateItem": "update_item",
}
REGION = "eu-central-1"
ACCOUNT = "123456789012"
ENDPOINT = f"https://dynamodb.{REGION}.amazonaws.com"

_clean = useragent.sanitize_user_agent_string_component
_transact = DynamoDBBackend.transact_write_items
_update = DynamoDBBackend.update_item
_urls: Any = BaseBackend.urls.fget
_query = Table.query
_equal, _unequal, _less = DynamoType.__eq__, DynamoType.__ne__, DynamoType.__lt__
_hash, _size = DynamoType.__hash__, DynamoType.size
_item_types = Table._validate_item_types
_map = ParamValidator._validate_map
_parse = UpdateExpressionParser.make.__func__
_make = Item.__init__
_plain = dynamodb_responses.dynamo_to_dict
_lex = ConditionExpressionParser._lex_condition_expression


_encoder = json.JSONEncoder(default=lambda each: base64.b64encode(each).decode())


class Handler(DynamoHandler):
    """Moto's handler, which looks its backend up once."""

    dynamodb_backend: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.dynamodb_backend = get_backend("dynamodb")[ACCOUNT][REGION]


def at_once(operation: str, request: Any) -> bytes | None:
    """What DynamoDB answers to a call that does well, by the handler that moto has for it.

    None has moto go its whole way: through a web framework, the words of the service's model and
    back, which takes several times as long as what it does. What fails has changed nothing, and
    fails again on that way, in the right words.
    """
    if operation not in OFTEN or request.url != f"{ENDPOINT}/":
        return None
    short = isinstance(request, Request)
    if operation == "BatchGetItem" and short:
        found = rows_at_once(request.told)
        if found is not None:
            return found
    body = json.loads(request.body)
    if not short and holds_bytes(body):
        return None  # they go as text, and moto has them as bytes
    handler = Handler()
    handler.body = handler.params = body
    handler.current_account, handler.region = ACCOUNT, REGION
    try:
        result = getattr(handler, OFTEN[operation])().result
    except Exception:  # noqa: BLE001 - whatever it is, moto says it better
        return None
    return _encoder.encode(result).encode()


def rows_at_once(told: Mapping[str, Any]) -> bytes | None:
    """What is answered to the plain wish for some rows, each named by texts; None to any other."""
    tables = get_backend("dynamodb")[ACCOUNT][REGION].tables
    wishes = told["RequestItems"]
    if (
        told.keys() != {"RequestItems"}
        or sum(len(each["Keys"]) for each in wishes.values()) > MOST_ROWS
    ):
        return None
    found: dict[str, list[str]] = {}
    for name, wish in wishes.items():
        table = tables.get(name)
        if table is None or not wish.keys() <= {"Keys", "ConsistentRead"}:
            return None
        places = [place_of(table, key) for key in wish["Keys"]]
        if None in places or len({*places}) < len(places):
            return None
        rows = [row_at(table, *place) for place in places if place]
        found[name] = [written(row) for row in rows if row is not None]
    if sum(len(text) for texts in found.values() for text in texts) > LARGEST_ANSWER:
        return None
    used = [
        {"CapacityUnits": len(wish["Keys"]), "TableName": name} for name, wish in wishes.items()
    ]
    answered = ", ".join(
        f"{json.dumps(name)}: [{', '.join(texts)}]" for name, texts in found.items()
    )
    return (
        f'{{"ConsumedCapacity": {json.dumps(used)}, "Responses": {{{answered}}}, '
        '"UnprocessedKeys": {}}'
    ).encode()


def place_of(table: Any, key: Mapping[str, Any]) -> tuple[str, str] | None:
    """The partition and what a row is sorted by, if that is what names it and both are texts."""
    names = [table.hash_key_attr, *([table.range_key_attr] if table.range_key_attr else [])]
    if key.keys() != {*names} or any(
        each.keys() != {"S"} or not each["S"] for each in key.values()
    ):
        return None
    texts = [key[name]["S"] for name in names]
    return texts[0], texts[1] if len(texts) > 1 else ""


def row_at(table: Any, partition: str, sort: str) -> Any:
    """The row that stands there."""
    held = table.items.get(DynamoType({"S": partition}))
    if held is None or isinstance(held, Item):
        return held
    return held.get(DynamoType({"S": sort}))


def written(item: Any) -> str:
    """A row as JSON: written again when a value is another."""
    return str(once(item, "written", lambda: _encoder.encode(plain(item.attrs))))


def once(item: Any, what: str, make: Callable[[], Any]) -> Any:
    """What follows from the values of a row, kept as long as they are the same."""
    attributes = item.attrs
    names, values, made = vars(attributes).get(what, ((), (), None))
    now = tuple(attributes.values())
    if names and names == tuple(attributes) and all(map(is_, values, now)):
        return made
    made = make()
    if CHANGED_IN_PLACE.isdisjoint(value.type for value in now):
        vars(attributes)[what] = tuple(attributes), now, made
    return made


@lru_cache(1000)
def actions_of(expression: str) -> tuple[tuple[str, str, str], ...] | None:
    """The actions of an update: verb, name and value; None where it is more than plain."""
    actions: list[tuple[str, str, str]] = []
    verbs = [each.strip() for each in re.split(r"\b(SET|ADD|REMOVE)\s", expression)]
    if verbs[0] or len({*verbs[1::2]}) < len(verbs[1::2]):
        return None
    for verb, told in zip(verbs[1::2], verbs[2::2], strict=True):
        for action in told.split(","):
            found = PLAIN[verb].fullmatch(action.strip())
            if not found or found["name"].upper() in ReservedKeywords.get_reserved_keywords():
                return None
            actions.append((verb, found["name"], found.groupdict().get("value", "")))
    return tuple(actions)


def update(
    backend: Any,
    table_name: str,
    key: Any,
    update_expression: Any,
    expression_attribute_names: Any,
    expression_attribute_values: Any,
    *more: Any,
    condition_expression: Any = None,
    **told: Any,
) -> Any:
    """Does what a plain update says to the attributes of a row; moto does all others.

    Moto looks through such an expression a dozen times before it does anything.
    """
    names, values = expression_attribute_names or {}, expression_attribute_values or {}
    table, place = backend.tables.get(table_name), None
    actions = actions_of(update_expression) if update_expression else None
    if table and actions and not more and not any(told.values()) and table.stream_shard is None:
        place = place_of(table, key)
    if place and actions:
        item = row_at(table, *place)
        new = changed(table, item, actions, names, values)
        condition = get_filter_expression(condition_expression, names, values)
        if new is not None and condition.expr(item):
            if item is None:
                table.put_item(dict(key))
                item = row_at(table, *place)
            for name, value in new.items():
                if value is None:
                    item.attrs.pop(name, None)
                else:
                    dict.__setitem__(item.attrs, name, value)
            return item
    return _update(
        backend, table_name, key, update_expression, expression_attribute_names,
        expression_attribute_values, *more, condition_expression=condition_expression, **told,
    )  # fmt: skip


def changed(
    table: Any, item: Any, actions: tuple[tuple[str, str, str], ...], names: Any, values: Any
) -> dict[str, Any] | None:
    """The attributes that are others then, None for those that go; or None: moto must look."""
    had, new = item.attrs if item else {}, {}
    keys = {each["AttributeName"] for each in table.attr}
    for verb, placeholder, token in actions:
        name = names.get(placeholder, None if placeholder[0] == "#" else placeholder)
        value = DynamoType(values[token]) if token in values else None
        if name is None or name in new or name in keys or (token and value is None):
            return None
        if verb == "ADD":
            old = had.get(name, DynamoType({"N": "0"}))
            if not old.type == value.type == "N":
                return None
            value = old + value
        new[name] = value
    largest = sum(bytesize(name) + value.size() for name, value in new.items() if value)
    if largest + (size(item) if item else 2 * LONGEST_KEY) > LARGEST_ITEM:
        return None
    return new


@dataclass(frozen=True)
class Request:
    """A call of DynamoDB as it goes out, as far as anybody looks at it."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    told: Mapping[str, Any]


# Calls that the SDK has found to be right: it looks at each once.
_valid: set[tuple[str, bytes]] = set()


def short_request(client: Any, operation: str, told: dict[str, Any]) -> Request | None:
    """The request that the SDK makes of a call of DynamoDB; None where that takes more than JSON.

    That is: bytes, a token that the SDK would make, another address, and what the SDK refuses.
    """
    model = client.meta.service_model
    if model.service_name != "dynamodb" or operation not in OFTEN or not botocore_stubber.enabled:
        return None
    if client.meta.endpoint_url != ENDPOINT:
        return None
    if operation == "TransactWriteItems" and "ClientRequestToken" not in told:
        return None
    try:
        body = json.dumps(told).encode()
    except TypeError:
        return None
    if (operation, body) not in _valid:
        shape = model.operation_model(operation).input_shape
        if client._serializer._param_validator.validate(told, shape).has_errors():
            return None
        if len(_valid) == MOST_VALID:
            _valid.clear()
        _valid.add((operation, body))
    return Request(f"{ENDPOINT}/", body, {}, told)


def parsed_answer(client: Any, operation: str, answer: AWSResponse | None) -> Any:
    """An answer of DynamoDB's that says yes, as the SDK reads it; bytes it would decode."""
    if answer is None or answer.status_code != 200 or DECODED.search(answer.content):
        return None
    known = client.meta.service_model.operation_model(operation).output_shape.members
    told = {name: each for name, each in json.loads(answer.content).items() if name in known}
    metadata = {"HTTPStatusCode": 200, "HTTPHeaders": dict(answer.headers), "RetryAttempts": 0}
    return {**told, "ResponseMetadata": metadata}


def holds_bytes(body: Any) -> bool:
    """Whether there are bytes anywhere in a request."""
    if isinstance(body, dict):
        return not BYTES.isdisjoint(body) or any(map(holds_bytes, body.values()))
    return isinstance(body, list) and any(map(holds_bytes, body))


def transact(backend: Any, writes: list[dict[str, Any]]) -> None:
    """Puts back the rows that it touched when a transaction fails, where moto puts back tables.

    The stack has no streams, which would have to be put back too.
    """
    before = {}
    for write in writes:
        for told in write.values():
            table = backend.tables.get(told.get("TableName"))
            if table is not None:
                if table.name not in before:
                    before[table.name] = table, copy.copy(table.items)
                keep(before[table.name][1], table, told.get("Key") or told.get("Item") or {})
    try:
        _transact(backend, writes)
    except BaseException:
        for table, rows in before.values():
            table.items = rows
        raise


def keep(rows: Any, table: Any, attributes: dict[str, Any]) -> None:
    """Sets a row apart from the table's own, and the partition that it is in."""
    if not {table.hash_key_attr, table.range_key_attr or table.hash_key_attr} <= attributes.keys():
        return  # moto refuses such a write before it does anything
    partition = DynamoType(attributes[table.hash_key_attr])
    if partition not in rows:
        return
    held = rows[partition]
    if table.range_key_attr is None:
        rows[partition] = same(held)
        return
    if held is table.items[partition]:
        rows[partition] = held = dict(held)
    row = DynamoType(attributes[table.range_key_attr])
    if row in held:
        held[row] = same(held[row])


def query(
    table: Any,
    partition: Any,
    comparison: Any,
    values: Any,
    limit: Any,
    start: Any,
    forward: Any,
    projection: Any,
    index_name: str | None = None,
    *more: Any,
    **told: Any,
) -> Any:
    """Has moto look through one partition, or through an index's rows as they stand.

    It would sort all rows of the table by their keys, and then those that it has found once more.
    """
    if index_name or partition is None:
        items = list(rows_of(table.items.values()))
    else:
        held = table.items.get(partition, {})
        items = list(rows_of([held]))
    table.all_items = lambda: items
    try:
        return _query(
            table, partition, comparison, values, limit, start, forward, projection, index_name,
            *more, **told,
        )  # fmt: skip
    finally:
        del table.all_items


def rows_of(partitions: Iterable[Any]) -> Iterator[Any]:
    """The rows of partitions; of a table without a second key each is a row."""
    for held in partitions:
        yield from [held] if isinstance(held, Item) else held.values()


def equal(one: Any, other: Any) -> bool:
    """Texts as they are, which is how moto compares them in the end."""
    if one.type == other.type == "S":
        return one.value == other.value
    return _equal(one, other)


def less(one: Any, other: Any) -> bool:
    """The same of what comes first."""
    if one.type == other.type == "S":
        return one.value < other.value
    return _less(one, other)


def unequal(one: Any, other: Any) -> bool:
    """The same of what differs."""
    if one.type == other.type == "S":
        return one.value != other.value
    return _unequal(one, other)


def hashed(value: Any) -> int:
    """The hash that goes with it."""
    return hash(("S", value.value)) if value.type == "S" else _hash(value)


def typed(made: Any, told: Any) -> None:
    """A value with its type, each of them asked for once."""
    if type(told) is DynamoType:
        made.type, held = told.type, told.value
    else:
        made.type, held = next(iter(told.items()))
    if made.type == "L":
        held = [DynamoType(each) for each in held]
    elif made.type == "M":
        held = {name: DynamoType(each) for name, each in held.items()}
    made.value = held


def value_size(value: Any) -> int:
    """The size of a value in bytes; most are ASCII."""
    held = value.value
    return len(held) if value.type == "S" and held.isascii() else _size(value)


def item_types(table: Any, attributes: Any, attr: str | None = None) -> None:
    """Has moto look into those attributes of a row that are neither a text nor a whole number."""
    doubtful = {
        name: value
        for name, value in attributes.items()
        if attr or name in NAMED_LIKE_TYPES or not _is_plain(value)
    }
    if doubtful:
        _item_types(table, doubtful, attr)


def _is_plain(value: Any) -> bool:
    if type(value) is not dict or len(value) != 1:
        return False
    ((kind, held),) = value.items()
    if kind == "S":
        return type(held) is str
    return kind == "N" and type(held) is str and held.isdecimal() and len(held) < MOST_DIGITS


def attributes(validator: Any, value: Any, shape: Any, errors: Any, name: str) -> None:
    """Has the SDK look through attributes of which it is not clear at once that they are right."""
    if shape.value.name == "AttributeValue" and type(value) is dict:
        value = {
            key: each for key, each in value.items() if not (type(key) is str and _is_plain(each))
        }
    _map(validator, value, shape, errors, name)


def same(item: Any, _: Any = None) -> Any:
    """A row of its own, with the same in it; moto copies each value, and notes that it did."""
    made = Item.__new__(Item)
    made.hash_key, made.range_key = item.hash_key, item.range_key
    made.attrs = LimitedSizeDict.__new__(LimitedSizeDict)
    dict.update(made.attrs, item.attrs)
    for name, value in item.attrs.items():
        if value.type in CHANGED_IN_PLACE:
            dict.__setitem__(made.attrs, name, copy.deepcopy(value))
    vars(made.attrs).update(vars(item.attrs))
    return made


def copies(items: Any) -> dict[Any, Any]:
    """All rows of a table, each its own."""
    return {
        key: same(held) if isinstance(held, Item) else {at: same(row) for at, row in held.items()}
        for key, held in items.items()
    }


def made(item: Any, hash_key: Any, range_key: Any, attrs: dict[str, Any]) -> None:
    """Measures a new row once, where moto does it again with each attribute."""
    item.hash_key, item.range_key = hash_key, range_key
    item.attrs = LimitedSizeDict()
    size = 0
    for name, value in attrs.items():
        typed = DynamoType(value)
        size += bytesize(name) + typed.size()
        dict.__setitem__(item.attrs, name, typed)
    if size > LARGEST_ITEM:
        raise ItemSizeTooLarge


@lru_cache(1000)
def parsed(text: str) -> Any:
    """An update's expression, which nobody changes: it is copied before it is worked on."""
    return _parse(UpdateExpressionParser, text)


def node_again(node: Any, _: Any = None) -> Any:
    """A copy of an expression from this node on."""
    again = object.__new__(type(node))
    again.__dict__.update(node.__dict__)
    if node.children is not None:
        again.children = [
            node_again(each) if isinstance(each, Node) else each for each in node.children
        ]
        for each in again.children:
            if isinstance(each, Node):
                each.parent = again
    return again


def lexed(parser: Any) -> Any:
    """The words of a condition, of which its reader takes one after the other."""
    text = parser.condition_expression
    return deque(_words(text)) if text else _lex(parser)


@lru_cache(1000)
def _words(text: str) -> tuple[Any, ...]:
    return tuple(_lex(ConditionExpressionParser(text, {}, {})))


_kinds: dict[type, tuple[Any, ...]] = {}


def kinds(worker: Any) -> tuple[Any, ...]:
    """The kinds of nodes that a worker works on, which moto finds out at each node."""
    if type(worker) not in _kinds:
        _kinds[type(worker)] = tuple(worker._processing_map())
    return _kinds[type(worker)]


@cache
def is_a(kind: type, kinds_of: type | tuple[type, ...]) -> bool:
    """Whether a class is one of those, which moto asks of each node by a slow way."""
    return issubclass(kind, kinds_of)


def traverse(worker: Any, node: Any, child_id: int = -1) -> Any:
    """The same work on the same nodes of an expression, in the same order."""
    if not is_a(type(node), Node):
        return node
    parent = node.parent
    for at, child in enumerate(node.children or ()):
        worker.pre_processing_of_child(node, at)
        traverse(worker, child, at)
    if is_a(type(node), kinds(worker)):
        node = worker.process(node)
        node.parent = parent
        if parent:
            parent.children[child_id] = node
    return node


def clauses(node: Any, of: list[type]) -> list[Any]:
    """The nodes of those classes, in their order."""
    found = []
    for child in node.children or ():
        if type(child) in of:
            found.append(child)
        elif is_a(type(child), (Expression, ast_nodes.UpdateExpressionFunction)):
            found.extend(child.find_clauses(of))
    return found


def size(item: Any) -> int:
    """The size of a row in bytes, of its names and values: counted again when one is another."""
    return int(once(item, "measured", lambda: counted(item)))


def counted(item: Any) -> int:
    """The same, counted."""
    return sum(bytesize(name) + value.size() for name, value in item.attrs.items())


def plain(value: Any) -> Any:
    """An answer as JSON has it; moto asks of each part of it what it may be."""
    kind = type(value)
    if kind is str:
        return value
    if kind is DynamoType:
        held = value.value
        if type(held) is str and value.type != "B":
            return {value.type: held}
        return _plain(value) if value.type in BYTES else {value.type: plain(held)}
    if kind is dict or kind is LimitedSizeDict:
        return {name: plain(each) for name, each in value.items()}
    if kind is list:
        return [plain(each) for each in value]
    return _plain(value)


def letters(
    by: Any, length: int = 20, include_digits: bool = True, lower_case: bool = False
) -> str:
    """A random text, of which there is one in each answer."""
    pool = string.ascii_letters + (string.digits if include_digits else "")
    text = "".join(by.choices(pool, k=length))
    return text.lower() if lower_case else text


@contextmanager
def sooner() -> Iterator[None]:
    """Has moto be so."""
    changes: list[tuple[Any, str, Any]] = [
        (DynamoDBBackend, "transact_write_items", transact),
        (DynamoDBBackend, "update_item", update),
        (Table, "query", query),
        (DynamoType, "__eq__", equal),
        (DynamoType, "__lt__", less),
        (DynamoType, "__ne__", unequal),
        (DynamoType, "__hash__", hashed),
        (DynamoType, "__init__", typed),
        (DynamoType, "size", value_size),
        (Table, "_validate_item_types", item_types),
        (ParamValidator, "_validate_map", attributes),
        (Item, "__deepcopy__", same),
        (Item, "__init__", made),
        (UpdateExpressionParser, "make", staticmethod(parsed)),
        (Node, "__deepcopy__", node_again),
        (ConditionExpressionParser, "_lex_condition_expression", lexed),
        (DepthFirstTraverser, "nodes_to_be_processed", kinds),
        (DepthFirstTraverser, "traverse_node_recursively", traverse),
        (Node, "find_clauses", clauses),
        (Item, "size", size),
        (dynamodb_responses, "dynamo_to_dict", plain),
        (BaseBackend, "urls", property(cache(_urls))),
        (MotoRandom, "get_random_string", letters),
        (useragent, "sanitize_user_agent_string_component", lru_cache(1000)(_clean)),
        (responses, "method_names_from_class", cache(utils.method_names_from_class)),
    ]
    with ExitStack() as stack:
        for owner, name, instead in changes:
            create = not hasattr(owner, name)
            stack.enter_context(mock.patch.object(owner, name, instead, create=create))
        # A transaction copies the tables that it goes back to, which `transact` sees to.
        stack.enter_context(
            mock.patch.object(Table, "__deepcopy__", lambda table, _: table, create=True)
        )
        yield
