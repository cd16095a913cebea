"""The client of DynamoDB: consistent reads, conditional writes, transactions and queries.

Reads of tables are strongly consistent. Reads of an index are eventually consistent, so nothing is
decided by them.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from botocore.exceptions import ClientError

from function.aws.errors import error_code, translate_aws_errors
from function.aws.rows import Item, Key, Rows, decode, encode, key_from
from function.aws.writes import Write
from function.contract import TABLES, Index, Table
from function.core.errors import Contended, Unavailable
from function.core.runtime import Runtime

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

Element = TypeVar("Element")
Other = TypeVar("Other")
Result = TypeVar("Result")

BATCH_GET_LIMIT = 100  # keys of one BatchGetItem
TRANSACTION_LIMIT = 100  # writes of one TransactWriteItems
PARALLEL_CALLS = 8
ROUNDS = 5
PAUSE, LONGEST = 0.02, 1.0  # seconds; doubled with each round, up to the longest
# Seconds of pauses in which a request lets other transactions pass; it ends after 28 in all.
CONFLICT_SECONDS = 10


class ConditionFailed(Exception):
    """Nothing was written, because the condition of a write is not true.

    `failed` are the positions of those writes, from 0.
    """

    def __init__(self, failed: Sequence[int]) -> None:
        """Takes the positions of the writes."""
        super().__init__(f"the conditions of the writes {list(failed)} are not true")
        self.failed = failed


class TransactionConflict(Exception):
    """Nothing was written, because another transaction on one of the rows is in progress."""


class QueryPage(NamedTuple, Generic[Element]):
    """Some of a query's rows, in the order of their keys; `more` tells whether others follow."""

    items: list[Element]
    more: bool

    def map(self, read: Callable[[Element], Other]) -> "QueryPage[Other]":
        """The same page with every element as `read` returns it."""
        return QueryPage([read(element) for element in self.items], self.more)


class Dynamo:
    """The four tables of the contract."""

    def __init__(
        self, client: "DynamoDBClient", names: Mapping[str, str], runtime: Runtime
    ) -> None:
        """`names` are the physical names of the tables by the nouns of the contract."""
        self._client = client
        self._names = names
        self._tables = {names[table.name]: table for table in TABLES}
        self._runtime = runtime

    def rounds(self) -> Iterator[None]:
        """Rounds of a call that DynamoDB did only in part.

        Each but the first begins after a longer pause, with full jitter. Raises Unavailable after
        the last.
        """
        for attempt in range(ROUNDS):
            if attempt:
                self._runtime.sleep(random.uniform(0, PAUSE * 2**attempt))  # noqa: S311
            yield
        raise Unavailable

    def read(self, keys: Iterable[Key]) -> Rows:
        """The rows that exist under `keys`, by key. Raises Unavailable.

        One BatchGetItem reads a hundred; those of more keys run in parallel.
        """
        unique = list(dict.fromkeys(keys))
        starts = range(0, len(unique), BATCH_GET_LIMIT)
        batches = [unique[start : start + BATCH_GET_LIMIT] for start in starts]
        if len(batches) <= 1:
            return self._read(unique) if unique else {}
        with ThreadPoolExecutor(max_workers=PARALLEL_CALLS) as pool:
            return {key: row for rows in pool.map(self._read, batches) for key, row in rows.items()}

    def transact(
        self,
        plan: Callable[[], tuple[Sequence[Write], Result]],
        on_condition_failed: Callable[[ConditionFailed], None] | None = None,
    ) -> Result:
        """Plans and commits until the conditions of the writes are true; returns the plan's result.

        `plan` reads, decides, and returns its writes and its result. It runs again, after a pause,
        when a condition of its writes is no longer true. Besides reading it may have only
        effects that can be repeated, such as the count of a wrong password. Without writes nothing
        is committed.

        `on_condition_failed` may raise an error for a failed condition of the commit. An error that
        `plan` raises ends the transaction, also a ConditionFailed of a write of its own. Raises
        ChangedMeanwhile after the last attempt, Contended, Unavailable.
        """
        pauses = self._pauses()
        for _ in self._runtime.attempts():
            writes, result = plan()
            try:
                if writes:
                    self.commit(writes, pauses)
            except ConditionFailed as failed:
                if on_condition_failed:
                    on_condition_failed(failed)
                continue
            return result
        raise AssertionError

    def commit(self, writes: Sequence[Write], pauses: Iterator[None] | None = None) -> None:
        """Does all the writes or none, in one TransactWriteItems.

        DynamoDB cancels it when another transaction is in progress on one of its rows. After the
        next of `pauses` it is sent again, with the writes that spread over several rows instead
        (`Write.spread`). Raises ConditionFailed, Unavailable; Contended after the last pause.
        """
        pauses = pauses or self._pauses()
        sent = writes
        while True:
            try:
                return self._transact(sent)
            except TransactionConflict:
                next(pauses)
            sent = self._spread(writes)

    def commit_each(self, writes: Sequence[Write]) -> None:
        """Does those of the writes whose conditions are true, a hundred in a transaction.

        Raises Unavailable.
        """
        for start in range(0, len(writes), TRANSACTION_LIMIT):
            batch = list(writes[start : start + TRANSACTION_LIMIT])
            while batch:
                try:
                    self.commit(batch)
                except ConditionFailed as error:
                    batch = [each for at, each in enumerate(batch) if at not in error.failed]
                else:
                    break

    def write(self, write: Write) -> None:
        """Does one write. Raises ConditionFailed, Unavailable.

        The SDK does not repeat a write that a transaction on the same row refuses; this does.
        """
        call: Any = {
            "Put": self._client.put_item,
            "Update": self._client.update_item,
            "Delete": self._client.delete_item,
        }[write.kind]
        parameters, pauses = self._parameters(write), self._pauses()
        while True:
            try:
                with translate_aws_errors():
                    call(**parameters)
            except ClientError as error:
                if error_code(error) == "TransactionConflictException":
                    next(pauses)
                    continue
                if error_code(error) == "ConditionalCheckFailedException":
                    raise ConditionFailed([0]) from error
                raise
            return

    def query(
        self,
        table: Table,
        partition: str,
        *,
        prefix: str = "",
        after: str = "",
        limit: int = 100,
        descending: bool = False,
        single_call: bool = False,
    ) -> QueryPage[Item]:
        """At most `limit` rows of a partition, in the order of their sort keys. Raises Unavailable.

        Their sort keys begin with `prefix` and come after `after`. A Query returns at most one MiB;
        with `single_call` there may therefore be fewer rows, although more follow.
        """
        items: list[Item] = []
        start = encode(Key(table, partition, after).item()) if after else None
        while len(items) < limit:
            request = self._query(table, table, partition, prefix) | {
                "ConsistentRead": True,
                "ScanIndexForward": not descending,
                "Limit": limit - len(items),
            }
            found, start = self._query_page(request, start)
            items += found
            if single_call or not start:
                break
        return QueryPage(items, more=bool(start))

    def query_index(
        self,
        table: Table,
        partition: str,
        *,
        after: Item | None = None,
        limit: int,
        descending: bool = False,
    ) -> QueryPage[Item]:
        """At most `limit` rows of one partition of the index, in the order of its key, in one call.

        They come after the key `after` of the index and the table. Raises Unavailable.
        """
        request = self._query(table, _index(table), partition) | {
            "ScanIndexForward": not descending,
            "Limit": limit,
        }
        items, start = self._query_page(request, encode(after) if after else None)
        return QueryPage(items, more=bool(start))

    def scan(self, table: Table, *, after: str, limit: int) -> QueryPage[Item]:
        """At most `limit` rows of a whole table that has no sort key, after the key `after`.

        In no order that means anything. Raises Unavailable.
        """
        items: list[Item] = []
        start = encode(Key(table, after).item()) if after else None
        while len(items) <= limit:
            request: Any = {"ExclusiveStartKey": start} if start else {}
            with translate_aws_errors():
                answer = self._client.scan(
                    TableName=self._names[table.name],
                    ConsistentRead=True,
                    Limit=limit + 1 - len(items),
                    **request,
                )
            items += map(decode, answer["Items"])
            start = answer.get("LastEvaluatedKey")
            if not start:
                break
        return QueryPage(items[:limit], more=len(items) > limit)

    def _transact(self, writes: Sequence[Write]) -> None:
        """Sends one transaction. Raises TransactionConflict, ConditionFailed, Unavailable.

        The SDK repeats a call whose answer is lost, and DynamoDB recognises it by its token and
        does not write twice.
        """
        token = self._runtime.new_id()
        items: Any = [{write.kind: self._parameters(write)} for write in writes]
        try:
            with translate_aws_errors():
                self._client.transact_write_items(TransactItems=items, ClientRequestToken=token)
        except ClientError as error:
            if error_code(error) == "TransactionCanceledException":
                raise _cancelled(error) from error
            raise

    def _spread(self, writes: Sequence[Write]) -> list[Write]:
        """The writes, each that can with what it is after a conflict."""
        rows = self.read(each.key for each in writes if each.spread)
        nonce = self._runtime.new_id()
        return [
            each.spread(rows.get(each.key, {}), nonce) if each.spread else each for each in writes
        ]

    def _pauses(self) -> Iterator[None]:
        """Pauses while other transactions are in the way. Raises Contended after the last.

        They have full jitter, so that two transactions that met do not meet again.
        """
        waited, longest = 0.0, PAUSE
        while waited < CONFLICT_SECONDS:
            longest = min(2 * longest, LONGEST)
            pause = random.uniform(0, longest)  # noqa: S311
            self._runtime.sleep(pause)
            waited += pause
            yield
        raise Contended

    def _read(self, keys: Sequence[Key]) -> dict[Key, Item]:
        names = {self._names[key.table.name] for key in keys}
        request: Any = {name: {"Keys": [], "ConsistentRead": True} for name in names}
        for key in keys:
            request[self._names[key.table.name]]["Keys"].append(encode(key.item()))
        rows: dict[Key, Item] = {}
        for _ in self.rounds():
            with translate_aws_errors():
                answer = self._client.batch_get_item(RequestItems=request)
            for name, found in answer["Responses"].items():
                rows |= {key_from(self._tables[name], item): item for item in map(decode, found)}
            request = answer["UnprocessedKeys"]
            if not request:
                break
        return rows

    def _query(
        self, table: Table, keys: Table | Index, partition: str, prefix: str = ""
    ) -> dict[str, Any]:
        """The parameters of a Query of a table, or of its index."""
        sort = {"#s": keys.sort} if prefix else {}
        index = {"IndexName": keys.name} if isinstance(keys, Index) else {}
        return {
            "TableName": self._names[table.name],
            "KeyConditionExpression": "#p = :p" + (" AND begins_with(#s, :s)" if prefix else ""),
            "ExpressionAttributeNames": {"#p": keys.partition, **sort},
            "ExpressionAttributeValues": encode({":p": partition, ":s": prefix or None}),
            **index,
        }

    def _query_page(self, request: dict[str, Any], start: Any) -> tuple[list[Item], Any]:
        """The rows of one call, and the key where the next one starts; None after the last."""
        with translate_aws_errors():
            answer = self._client.query(
                **request, **({"ExclusiveStartKey": start} if start else {})
            )
        return [decode(item) for item in answer["Items"]], answer.get("LastEvaluatedKey")

    def _parameters(self, write: Write) -> dict[str, Any]:
        return {"TableName": self._names[write.key.table.name], **write.parameters()}


def _index(table: Table) -> Index:
    if table.index is None:
        raise TypeError(f"{table.name} has no index")
    return table.index


def _cancelled(error: ClientError) -> Exception:
    """The error that a cancelled transaction means for its caller."""
    reasons: Any = error.response.get("CancellationReasons", [])
    codes = [reason.get("Code", "None") for reason in reasons]
    if failed := [at for at, why in enumerate(codes) if why == "ConditionalCheckFailed"]:
        return ConditionFailed(failed)
    if set(codes) <= {"None", "TransactionConflict"}:
        return TransactionConflict()
    if set(codes) & {"ThrottlingError", "ProvisionedThroughputExceeded"}:
        return Unavailable()
    return error
