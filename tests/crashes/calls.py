"""The calls of AWS that a request makes: what each was answered, and what it read or changed.

They decide where two requests need not meet again. It is the same whether somebody else comes just
before a call or just after it, where that call is answered as if nobody had come, and either only
reads or changes no row and no object that the other one reads or changes. For then the other one
finds what it would have found; and the first one has been told the same so far, and goes on from
the same rows. Each has ids of its own, and time stands still, so that what is told and what is
stored say everything.
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
# What AWS says anew in each answer, and nobody looks at.
EACH_ANEW = {
    "date", "last-modified", "x-amz-id-2", "x-amz-request-id", "x-amz-version-id",
    "x-amzn-requestid",
}  # fmt: skip
# A row, an object, or what several of them are in: the service, the table, the partition.
Place = tuple[str, ...]


@dataclass(frozen=True)
class Made:
    """A call that was made."""

    operation: str
    answer: Any
    places: frozenset[Place]

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.operation in READS


@dataclass
class Calls:
    """The calls of one request, in their order."""

    settings: Settings
    made: list[Made] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)

    def and_note(self, call: Call, answer: AWSResponse) -> AWSResponse:
        """Notes a call that was made, and hands its answer on, whose body is not used up."""
        headers = {name: value for name, value in answer.headers.items() if name not in EACH_ANEW}
        told = answer.status_code, headers, answer.raw.getvalue()
        self.made.append(Made(call.operation, told, places_of(call, self.settings)))
        self.threads.add(threading.get_ident())
        return answer

    def unaffected(self, after: "Calls", touched: Iterable[Place]) -> int:
        """At how many of the first calls it makes no difference whether somebody comes before.

        These are the calls as they go if nobody comes; `after` are those after somebody has come
        before the first of them, who read or changed what they `touched`. The last of them has
        none after it. Calls that several threads make are in no order.
        """
        if len(self.threads | after.threads) > 1:
            return 0
        others, count = tuple(touched), 0
        for was, now in zip(self.made[:-1], after.made, strict=False):
            if was != now or not (was.reads or apart(was.places, others)):
                break
            count += 1
        return count

    def since(self, at: int) -> "Calls":
        """Those from there on."""
        return Calls(self.settings, self.made[at:], self.threads)


def apart(some: Iterable[Place], others: Iterable[Place]) -> bool:
    """Whether no place is another's too, nor within it."""
    return not any(one[: len(other)] == other[: len(one)] for one in some for other in others)


def places_of(call: Call, settings: Settings) -> frozenset[Place]:
    """What a call reads or changes: of a query the partition, of one of an index the table."""
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
    """The partition that a query looks into; none if it looks into an index."""
    names = body.get("ExpressionAttributeNames", {})
    for placeholder in [each for each in names if names[each] == table.partition]:
        found = re.match(rf"{placeholder} = (:\w+)", body.get("KeyConditionExpression", ""))
        if found and "IndexName" not in body:
            return [body["ExpressionAttributeValues"][found[1]]["S"]]
    return []
