"""The AWS calls of a request: the answer to each, and the rows and objects that it uses.

They decide which interleavings need no run. Another request runs either just before a call or just
after it. The outcome is the same under two conditions: the call has the same answer in both runs,
and either it only reads or it uses no row and no object of the other request.

Proof: Before the call both runs are equal. The call changes nothing that the other request uses, so
the other request gets the same answers and makes the same writes in both runs. The writes of the
two concern different rows and objects, so the stored data is the same when both are done. The
first request has the same answers and the same stored data, so it goes on equally. This needs that
a request depends on nothing else: each request draws its own ids, and the clock stands still.
"""

import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSResponse

from function.contract import TABLES, Settings, Table
from tests.support.fake_aws import Call

READS = (
    "BatchGetItem", "GetItem", "Query", "Scan", "HeadObject", "GetObject", "ListParts",
    "ListObjectsV2",
)  # fmt: skip
# Header fields that differ in each answer and that the code does not read.
VARYING = {
    "date", "last-modified", "x-amz-id-2", "x-amz-request-id", "x-amz-version-id",
    "x-amzn-requestid",
}  # fmt: skip
# A row or an object by its path, or a prefix of it: the service, the table, the partition.
Place = tuple[str, ...]


@dataclass(frozen=True)
class Made:
    """A call that was made."""

    operation: str
    answer: Any
    places: frozenset[Place]

    @property
    def reads(self) -> bool:
        """Whether it only reads."""
        return self.operation in READS


@dataclass
class Calls:
    """The calls of one request, in order."""

    settings: Settings
    made: list[Made] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)

    def note(self, call: Call, answer: AWSResponse) -> AWSResponse:
        """Notes a call and returns its answer, whose body can still be read."""
        headers = {name: value for name, value in answer.headers.items() if name not in VARYING}
        told = answer.status_code, headers, answer.raw.getvalue()
        self.made.append(Made(call.operation, told, places_of(call, self.settings)))
        self.threads.add(threading.get_ident())
        return answer

    def count_unaffected(self, after: "Calls", touched: Iterable[Place]) -> int:
        """The number of first calls before which the other request leads to the same outcome.

        These are the calls without the other request. `after` are the calls when it came before
        the first of them and used the places `touched`. Calls of several threads have no order.
        """
        if len(self.threads | after.threads) > 1:
            return 0
        others, count = tuple(touched), 0
        for was, now in zip(self.made[:-1], after.made, strict=False):
            if was != now or not (was.reads or are_disjoint(was.places, others)):
                break
            count += 1
        return count

    def skip(self, count: int) -> "Calls":
        """The calls without the first ones."""
        return Calls(self.settings, self.made[count:], self.threads)


def are_disjoint(some: Iterable[Place], others: Iterable[Place]) -> bool:
    """Whether no place of one side equals, contains or is within one of the other side."""
    return not any(one[: len(other)] == other[: len(one)] for one in some for other in others)


def places_of(call: Call, settings: Settings) -> frozenset[Place]:
    """The rows or objects that a call uses: a query its partition, or of an index the table."""
    url = urlsplit(call.request.url)
    service = url.netloc.removesuffix(".amazonaws.com").split(".")[-2]
    if service == "dynamodb":
        tables = {str(getattr(settings, each.name)): each for each in TABLES}
        return frozenset(_rows(json.loads(call.request.body), tables))
    assert "x-amz-copy-source" not in call.request.headers, "it would read another object"
    return frozenset({(service, *filter(None, url.path.split("/")))})


def _rows(body: Any, tables: Mapping[str, Table]) -> Iterator[Place]:
    def place(name: str, row: Any) -> Place:
        keys = tables[name].partition, tables[name].sort
        return "dynamodb", name, *(row[key]["S"] for key in keys if key)

    for name, asked in body.get("RequestItems", {}).items():
        yield from (place(name, key) for key in asked["Keys"])
    for item in body.get("TransactItems", []):
        for told in item.values():
            yield place(told["TableName"], told.get("Key") or told["Item"])
    name, row = body.get("TableName"), body.get("Key") or body.get("Item")
    if row:
        yield place(name, row)
    elif name:
        yield "dynamodb", name, *_partition(body, tables[name])


def _partition(body: Any, table: Table) -> list[str]:
    """The partition that a query reads; none if it reads an index."""
    names = body.get("ExpressionAttributeNames", {})
    for placeholder in [each for each in names if names[each] == table.partition]:
        found = re.match(rf"{placeholder} = (:\w+)", body.get("KeyConditionExpression", ""))
        if found and "IndexName" not in body:
            return [body["ExpressionAttributeValues"][found[1]]["S"]]
    return []
