"""Every patch of moto: the answers of the fake AWS, and faster ways to the same results.

Without the patches for speed, moto copies whole tables where a few rows change, and parses,
validates and measures the same values at each call. `test_moto_patches.py` compares the results
with those of moto.
"""

import copy
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache, lru_cache
from typing import Any

from moto.core.base_backend import BaseBackend
from moto.core.botocore_stubber import BotocoreStubber
from moto.dynamodb import responses as dynamodb_responses
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table
from moto.dynamodb.models.utilities import bytesize
from moto.dynamodb.parsing.ast_nodes import (
    DepthFirstTraverser,
    Expression,
    Node,
    UpdateExpressionFunction,
)
from moto.dynamodb.parsing.expressions import UpdateExpressionParser

from tests.support.botocore_patches import is_plain
from tests.support.moto_rows import MAX_ROW_BYTES, copy_row, row_bytes, rows_of, to_json
from tests.support.patch_register import PatchRegister
from tests.support.plain_updates import update_row

NAMED_LIKE_TYPES = {"S", "N", "NULL"}

REGISTER = PatchRegister("moto")
patch = REGISTER.patch


def patched_moto(serve: Callable[..., Any]) -> AbstractContextManager[None]:
    """Applies every patch. `serve` answers AWS calls; see `serve_calls`."""
    return REGISTER.apply(serve_calls=serve)


@patch("5.2.5", BotocoreStubber, "__call__", {BotocoreStubber: "enabled"})
def serve_calls(original: Any, serve: Callable[..., Any]) -> Any:
    """Answer calls by `serve(event, request, moto)`, where `moto()` is the answer of moto."""

    def answer(stubber: Any, event_name: str, request: Any, **_: Any) -> Any:
        if not stubber.enabled:
            return None
        return serve(event_name, request, lambda: original(stubber, event_name, request))

    return answer


@patch("5.2.5", DynamoDBBackend, "transact_write_items", {Table: "hash_key_attr items name"})
def restore_written_rows(original: Any) -> Any:
    """When a transaction fails, restore the rows that it names; moto restores whole tables.

    Streams are not restored: the stack has none.
    """

    def transact_write_items(backend: Any, writes: list[dict[str, Any]]) -> None:
        before = {}
        for write in writes:
            for item in write.values():
                table = backend.tables.get(item.get("TableName"))
                if table is not None:
                    if table.name not in before:
                        before[table.name] = table, copy.copy(table.items)
                    _keep_row(before[table.name][1], table, item.get("Key") or item.get("Item"))
        try:
            original(backend, writes)
        except BaseException:
            for table, rows in before.values():
                table.items = rows
            raise

    return transact_write_items


def _keep_row(rows: Any, table: Any, attributes: dict[str, Any] | None) -> None:
    """Replaces the row with these keys, and its partition, by copies in `rows`."""
    names = {table.hash_key_attr, table.range_key_attr or table.hash_key_attr}
    if not attributes or not names <= attributes.keys():
        return  # moto refuses the transaction before it changes a row
    partition = DynamoType(attributes[table.hash_key_attr])
    if partition not in rows:
        return
    held = rows[partition]
    if table.range_key_attr is None:
        rows[partition] = copy_row(held)
        return
    if held is table.items[partition]:
        rows[partition] = held = dict(held)
    sort = DynamoType(attributes[table.range_key_attr])
    if sort in held:
        held[sort] = copy_row(held[sort])


@patch("5.2.5", Table, "__deepcopy__", adds=True)
def copy_no_table(_: Any) -> Any:
    """Copy no table for a transaction: `restore_written_rows` keeps the rows."""
    return lambda table, _: table


@patch(
    "5.2.5",
    DynamoDBBackend,
    "update_item",
    {Table: "attr hash_key_attr put_item range_key_attr stream_shard", Item: "attrs"},
)
def update_attributes_directly(original: Any) -> Any:
    """Update whole attributes without the syntax tree that moto validates a dozen times."""

    def update_item(
        backend: Any,
        table_name: str,
        key: Any,
        update_expression: Any,
        expression_attribute_names: Any,
        expression_attribute_values: Any,
        *more: Any,
        condition_expression: Any = None,
        **options: Any,
    ) -> Any:
        table, row = backend.tables.get(table_name), None
        if table and update_expression and not more and not any(options.values()):
            names, values = expression_attribute_names or {}, expression_attribute_values or {}
            row = update_row(table, key, update_expression, condition_expression, names, values)
        if row is not None:
            return row
        return original(
            backend, table_name, key, update_expression, expression_attribute_names,
            expression_attribute_values, *more, condition_expression=condition_expression,
            **options,
        )  # fmt: skip

    return update_item


def _with_key_of_full_page(table: Any, index_name: str | None, limit: Any, page: Any) -> Any:
    """A page with its last key, also where the page has exactly the rows that there are.

    DynamoDB stops when it has read `Limit` rows, before it knows whether there are more. Moto
    leaves out the key where there are none.
    """
    rows, scanned, last = page
    if last is None and rows and scanned == limit:
        last = table._get_last_evaluated_key(rows[-1], index_name)
    return rows, scanned, last


@patch("5.2.5", Table, "scan", {Table: "_get_last_evaluated_key"})
def end_full_scans_with_a_key(original: Any) -> Any:
    """End a page of `Limit` rows with a key, as DynamoDB does."""

    def scan(
        table: Any,
        filters: Any,
        limit: Any,
        start: Any,
        filter_expression: Any = None,
        index_name: str | None = None,
        *more: Any,
        **options: Any,
    ) -> Any:
        page = original(
            table, filters, limit, start, filter_expression, index_name, *more, **options
        )
        return _with_key_of_full_page(table, index_name, limit, page)

    return scan


@patch("5.2.5", Table, "query", {Table: "all_items items _get_last_evaluated_key"})
def query_one_partition(original: Any) -> Any:
    """Read one partition, and the rows of an index unsorted; end full pages with a key.

    Moto sorts all rows of the table by their keys, and sorts the found rows again.
    """

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
        **options: Any,
    ) -> Any:
        whole = index_name or partition is None
        held = table.items.values() if whole else [table.items.get(partition, {})]
        rows = list(rows_of(held))
        table.all_items = lambda: rows
        try:
            page = original(
                table, partition, comparison, values, limit, start, forward, projection,
                index_name, *more, **options,
            )  # fmt: skip
        finally:
            del table.all_items
        return _with_key_of_full_page(table, index_name, limit, page)

    return query


@patch("5.2.5", Table, "_validate_item_types")
def validate_few_attributes(original: Any) -> Any:
    """Validate only attributes that are neither a text nor a whole number."""

    def _validate_item_types(table: Any, attributes: Any, attr: str | None = None) -> None:
        others = {
            name: value
            for name, value in attributes.items()
            if attr or name in NAMED_LIKE_TYPES or not is_plain(value)
        }
        if others:
            original(table, others, attr)

    return _validate_item_types


@patch("5.2.5", DynamoType, "__eq__", {DynamoType: "type value"})
def compare_equal_texts(original: Any) -> Any:
    """Compare two texts directly."""

    def __eq__(one: Any, other: Any) -> bool:  # noqa: N807 - the name of what it replaces
        if one.type == other.type == "S":
            return one.value == other.value
        return original(one, other)

    return __eq__


@patch("5.2.5", DynamoType, "__lt__", {DynamoType: "type value"})
def order_texts(original: Any) -> Any:
    """Compare two texts directly."""

    def __lt__(one: Any, other: Any) -> bool:  # noqa: N807
        if one.type == other.type == "S":
            return one.value < other.value
        return original(one, other)

    return __lt__


@patch("5.2.5", DynamoType, "__hash__", {DynamoType: "type value"})
def hash_texts(original: Any) -> Any:
    """Hash a text directly."""

    def __hash__(value: Any) -> int:  # noqa: N807
        return hash(("S", value.value)) if value.type == "S" else original(value)

    return __hash__


@patch("5.2.5", DynamoType, "__init__", {DynamoType: "type value"})
def create_values_once(_: Any) -> Any:
    """Look at the type of a value once."""

    def __init__(made: Any, value: Any) -> None:  # noqa: N807
        if type(value) is DynamoType:
            made.type, held = value.type, value.value
        else:
            made.type, held = next(iter(value.items()))
        if made.type == "L":
            held = [DynamoType(each) for each in held]
        elif made.type == "M":
            held = {name: DynamoType(each) for name, each in held.items()}
        made.value = held

    return __init__


@patch("5.2.5", Item, "__deepcopy__", {Item: "attrs hash_key range_key"})
def copy_mutable_values(_: Any) -> Any:
    """Copy only values that moto changes in place."""
    return lambda row, _: copy_row(row)


@patch("5.2.5", Item, "__init__", {Item: "attrs hash_key range_key"})
def measure_new_rows_once(_: Any) -> Any:
    """Measure a new row once; moto measures it with each attribute."""

    def __init__(row: Any, hash_key: Any, range_key: Any, attrs: Any) -> None:  # noqa: N807
        row.hash_key, row.range_key = hash_key, range_key
        row.attrs = LimitedSizeDict()
        size = 0
        for name, plain in attrs.items():
            value = DynamoType(plain)
            size += bytesize(name) + value.size()
            dict.__setitem__(row.attrs, name, value)
        if size > MAX_ROW_BYTES:
            raise ItemSizeTooLarge

    return __init__


@patch("5.2.5", Item, "size", {Item: "attrs"})
def measure_changed_rows(_: Any) -> Any:
    """Measure a row again only after a value was replaced."""
    return row_bytes


@patch("5.2.5", UpdateExpressionParser, "make")
def parse_updates_once(original: Any) -> Any:
    """Parse each update expression once. Moto copies the syntax tree before it changes it."""
    return staticmethod(
        lru_cache(1000)(lambda text: original.__func__(UpdateExpressionParser, text))
    )


@patch("5.2.5", ConditionExpressionParser, "_lex_condition_expression")
def lex_conditions_once(original: Any) -> Any:
    """Lex each condition once. The parser removes tokens from its own deque."""

    @lru_cache(1000)
    def tokens(text: str) -> tuple[Any, ...]:
        return tuple(original(ConditionExpressionParser(text, {}, {})))

    def _lex_condition_expression(parser: Any) -> Any:
        text = parser.condition_expression
        return deque(tokens(text)) if text else original(parser)

    return _lex_condition_expression


@patch("5.2.5", Node, "__deepcopy__", {Node: "children parent"}, adds=True)
def copy_syntax_trees(_: Any) -> Any:
    """Copy the nodes of a syntax tree without `copy.deepcopy`."""

    def __deepcopy__(node: Any, _: Any = None) -> Any:  # noqa: N807
        copied = object.__new__(type(node))
        vars(copied).update(vars(node))
        if node.children is not None:
            copied.children = [
                __deepcopy__(each) if isinstance(each, Node) else each for each in node.children
            ]
            for each in copied.children:
                if isinstance(each, Node):
                    each.parent = copied
        return copied

    return __deepcopy__


@cache
def _is_a(kind: type, kinds: type | tuple[type, ...]) -> bool:
    """`issubclass`, which is slow for the abstract classes of nodes."""
    return issubclass(kind, kinds)


@patch(
    "5.2.5", DepthFirstTraverser, "nodes_to_be_processed", {DepthFirstTraverser: "_processing_map"}
)
def list_processed_nodes_once(_: Any) -> Any:
    """List the classes of nodes once for each class of traversers."""
    kinds: dict[type, tuple[Any, ...]] = {}

    def nodes_to_be_processed(traverser: Any) -> tuple[Any, ...]:
        if type(traverser) not in kinds:
            kinds[type(traverser)] = tuple(traverser._processing_map())
        return kinds[type(traverser)]

    return nodes_to_be_processed


@patch(
    "5.2.5",
    DepthFirstTraverser,
    "traverse_node_recursively",
    {DepthFirstTraverser: "nodes_to_be_processed pre_processing_of_child process"},
)
def traverse_with_cached_classes(_: Any) -> Any:
    """Traverse in the same order, with fewer checks of classes."""

    def traverse_node_recursively(traverser: Any, node: Any, child_id: int = -1) -> Any:
        if not _is_a(type(node), Node):
            return node
        parent = node.parent
        for at, child in enumerate(node.children or ()):
            traverser.pre_processing_of_child(node, at)
            traverse_node_recursively(traverser, child, at)
        if _is_a(type(node), traverser.nodes_to_be_processed()):
            node = traverser.process(node)
            node.parent = parent
            if parent:
                parent.children[child_id] = node
        return node

    return traverse_node_recursively


@patch("5.2.5", Node, "find_clauses", {Node: "children"})
def find_clauses_with_cached_classes(_: Any) -> Any:
    """Find in the same order, with fewer checks of classes."""

    def find_clauses(node: Any, kinds: list[type]) -> list[Any]:
        found = []
        for child in node.children or ():
            if type(child) in kinds:
                found.append(child)
            elif _is_a(type(child), (Expression, UpdateExpressionFunction)):
                found.extend(child.find_clauses(kinds))
        return found

    return find_clauses


@patch("5.2.5", dynamodb_responses, "dynamo_to_dict")
def encode_without_checks(_: Any) -> Any:
    """Encode rows by `to_json`."""
    return to_json


@patch("5.2.5", BaseBackend, "urls")
def build_urls_once(original: Any) -> Any:
    """Build the URL patterns of a backend once."""
    return property(cache(original.fget))
