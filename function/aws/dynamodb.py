"""The client of DynamoDB: consistent reads, transactions and queries over the four tables."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from botocore.exceptions import ClientError

from function.aws.errors import error_code, translate_aws_errors
from function.aws.rows import Item, Key, Rows, decode, encode, key_from
from function.aws.writes import Write
from function.contract import TABLES, Index, Table
from function.core.errors import Unavailable
from function.core.runtime import Runtime

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

Result = TypeVar("Result")

BATCH_GET_LIMIT = 100  # keys of one BatchGetItem
TRANSACTION_LIMIT = 100  # writes of one TransactWriteItems
PARALLEL_CALLS = 8
ROUNDS = 5
PAUSE = 0.02  # seconds, doubled with each round


class ConditionFailed(Exception):
    """A commit did not happen. `failed` numbers the writes whose expectation does not hold.

    Empty when other commits were merely in the way. `found` is the row that stood in the way of a
    single write.
    """

    def __init__(self, failed: Sequence[int] = (), found: Item | None = None) -> None:
        """Numbers count from 0 in the order of the writes."""
        super().__init__(f"expectations {list(failed)} do not hold")
        self.failed = failed
        self.found = found


class Page(NamedTuple):
    """Rows in the order of their keys; `more` tells whether others follow the last one."""

    items: list[Item]
    more: bool


class Dynamo:
    """The four tables through one client."""

    def __init__(
        self,
        client: "DynamoDBClient",
        names: Mapping[str, str],
        runtime: Runtime,
    ) -> None:
        """`names` are the tables' physical names by noun."""
        self._client = client
        self._names = names
        self._tables = {names[table.noun]: table for table in TABLES}
        self._runtime = runtime

    def rounds(self) -> Iterator[None]:
        """Tries at what is done only in part or collides, each after a longer pause."""
        for attempt in range(ROUNDS):
            if attempt:
                self._runtime.sleep(random.uniform(0, PAUSE * 2**attempt))  # noqa: S311
            yield
        raise Unavailable

    def read(self, keys: Iterable[Key]) -> Rows:
        """The rows that exist among `keys`; one call for each hundred, all at the same time.

        Raises Unavailable.
        """
        unique = list(dict.fromkeys(keys))
        starts = range(0, len(unique), BATCH_GET_LIMIT)
        batches = [unique[start : start + BATCH_GET_LIMIT] for start in starts]
        if len(batches) <= 1:
            return self._read(unique) if unique else {}
        with ThreadPoolExecutor(max_workers=PARALLEL_CALLS) as pool:
            return {key: row for rows in pool.map(self._read, batches) for key, row in rows.items()}

    def _read(self, keys: Sequence[Key]) -> dict[Key, Item]:
        names = {self._names[key.table.noun] for key in keys}
        request: Any = {name: {"Keys": [], "ConsistentRead": True} for name in names}
        for key in keys:
            request[self._names[key.table.noun]]["Keys"].append(encode(key.item()))
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

    def transact(
        self,
        plan: Callable[[], tuple[Sequence[Write], Result]],
        refused: Callable[[ConditionFailed], None] | None = None,
    ) -> Result:
        """Plans and commits until the conditions of the writes hold; returns the plan's result.

        `plan` reads, decides, and returns its writes and its result. It runs again, after a pause,
        when another commit came between its reads and its writes. Without writes nothing is
        committed. An error that `plan` raises ends the transaction; `refused` may raise one for a
        failed condition. Raises ChangedMeanwhile after the last attempt, Unavailable.
        """
        for _ in self._runtime.attempts():
            writes, result = plan()
            try:
                if writes:
                    self.commit(writes)
            except ConditionFailed as failed:
                if refused:
                    refused(failed)
                continue
            return result
        raise AssertionError

    def commit(self, writes: Sequence[Write], token: str = "") -> None:
        """All the writes or none, applied once even when the SDK repeats the call.

        `token` is the ClientRequestToken, a new one by default. Raises ConditionFailed.
        """
        token = token or self._runtime.new_id()
        items: Any = [{write.kind: self._request(write)} for write in writes]
        try:
            with translate_aws_errors():
                self._client.transact_write_items(TransactItems=items, ClientRequestToken=token)
        except ClientError as error:
            if error_code(error) == "TransactionCanceledException":
                raise _cancelled(error) from error
            raise

    def write(self, write: Write) -> None:
        """One write. Raises Refused with the row that stood in its way, Unavailable.

        A transaction on the same row is waited for: the SDK does not try such a write again.
        """
        call: Any = {
            "Put": self._client.put_item,
            "Update": self._client.update_item,
            "Delete": self._client.delete_item,
        }[write.kind]
        seen = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"} if write.when else {}
        for _ in self.rounds():
            try:
                with translate_aws_errors():
                    call(**self._request(write), **seen)
            except ClientError as error:
                if error_code(error) == "TransactionConflictException":
                    continue
                if error_code(error) == "ConditionalCheckFailedException":
                    found: Any = error.response.get("Item")
                    raise ConditionFailed([0], decode(found) if found else None) from error
                raise
            return

    def commit_each(self, writes: Sequence[Write], token: Callable[[], str]) -> None:
        """Commits those of the writes whose expectations hold, a hundred at a time."""
        left = list(writes)
        while left:
            some = left[:TRANSACTION_LIMIT]
            for _ in self.rounds():
                try:
                    self.commit(some, token())
                except ConditionFailed as refused:
                    some = [each for at, each in enumerate(some) if at not in refused.failed]
                    if some:
                        continue
                break
            left = left[TRANSACTION_LIMIT:]

    def query(
        self,
        table: Table,
        partition: str,
        *,
        prefix: str = "",
        after: str = "",
        limit: int = 100,
        newest: bool = False,
        once: bool = False,
    ) -> Page:
        """At most `limit` rows whose sort key begins with `prefix` and comes after `after`.

        With `newest` in falling order: where keys begin with a time, the newest first. In one call
        with `once`, which gives fewer where they take more than a MiB.
        """
        items: list[Item] = []
        start = encode(Key(table, partition, after).item()) if after else None
        while len(items) < limit:
            request = self._among(table, table, partition, prefix) | {
                "ConsistentRead": True,
                "Limit": limit - len(items),
            }
            request |= {"ScanIndexForward": False} if newest else {}
            found, start = self._page(request, start)
            items += found
            if once or not start:
                break
        return Page(items, more=bool(start))

    def scan(self, table: Table, *, after: str, limit: int) -> Page:
        """At most `limit` rows of a whole table without sort key, after `after`, in no order."""
        items: list[Item] = []
        start = encode(Key(table, after).item()) if after else None
        while len(items) <= limit:
            request: Any = {"ExclusiveStartKey": start} if start else {}
            with translate_aws_errors():
                answer = self._client.scan(
                    TableName=self._names[table.noun],
                    ConsistentRead=True,
                    Limit=limit + 1 - len(items),
                    **request,
                )
            items += map(decode, answer["Items"])
            start = answer.get("LastEvaluatedKey")
            if not start:
                break
        return Page(items[:limit], more=len(items) > limit)

    def query_index(
        self, table: Table, partition: str, *, newest: int = 0, after: Item | None = None
    ) -> Page:
        """All rows of one partition of the index, or its `newest` few, in falling order.

        These come `after` a key. Eventually consistent, so it decides nothing.
        """
        if table.index is None:
            raise TypeError(f"{table.noun} has no index")
        request = self._among(table, table.index, partition) | {"IndexName": table.index.name}
        request |= {"ScanIndexForward": False, "Limit": newest} if newest else {}
        items, start = self._page(request, encode(after) if after else None)
        while start and not newest:
            found, start = self._page(request, start)
            items += found
        return Page(items, more=bool(start))

    def _among(
        self, table: Table, keys: Table | Index, partition: str, prefix: str = ""
    ) -> dict[str, Any]:
        """The request for the rows of one partition whose sort key begins with `prefix`."""
        both = {"#s": keys.sort} if prefix else {}
        return {
            "TableName": self._names[table.noun],
            "KeyConditionExpression": "#p = :p" + (" AND begins_with(#s, :s)" if prefix else ""),
            "ExpressionAttributeNames": {"#p": keys.partition, **both},
            "ExpressionAttributeValues": encode({":p": partition, ":s": prefix or None}),
        }

    def _page(self, request: dict[str, Any], start: Any) -> tuple[list[Item], Any]:
        """One page and where the next one starts, None after the last."""
        with translate_aws_errors():
            answer = self._client.query(
                **request, **({"ExclusiveStartKey": start} if start else {})
            )
        return [decode(item) for item in answer["Items"]], answer.get("LastEvaluatedKey")

    def _request(self, write: Write) -> dict[str, Any]:
        return {"TableName": self._names[write.key.table.noun], **write.parameters()}


def _cancelled(error: ClientError) -> Exception:
    """What the reasons of a cancelled transaction amount to."""
    reasons: Any = error.response.get("CancellationReasons", [])
    codes = [reason.get("Code", "None") for reason in reasons]
    if failed := [at for at, why in enumerate(codes) if why == "ConditionalCheckFailed"]:
        return ConditionFailed(failed)
    if set(codes) <= {"None", "TransactionConflict"}:
        return ConditionFailed()
    if set(codes) & {"ThrottlingError", "ProvisionedThroughputExceeded"}:
        return Unavailable()
    return error
