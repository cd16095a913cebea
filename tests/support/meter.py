"""What a request costs: calls of AWS, rows, DynamoDB's units, and calls of functions.

Units are those of DynamoDB's pricing: a strongly consistent read has one for each 4 KB of a row,
an eventually consistent one half of it, a Query for each 4 KB of all its rows. A write has one for
each KB of the larger of the row before and after, twice that in a transaction, and once more for
each index that has the row. A row that does not exist counts as a small one.
"""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from botocore.awsrequest import AWSResponse

import function
from tests.support.fake_aws import Call, FakeAws
from tests.support.moto_rows import row_at, row_bytes, tables

OURS = str(Path(function.__file__).parent)
READ_BYTES, WRITE_BYTES = 4096, 1024
SINGLE = {"PutItem", "UpdateItem", "DeleteItem"}


@dataclass
class Cost:
    """The cost of a request. `rows` are keys read and rows found, `steps` our functions' calls."""

    calls: int = 0
    rows: int = 0
    writes: int = 0
    read_units: float = 0
    write_units: int = 0
    steps: int = 0


@dataclass
class Meter:
    """Measures the calls of a block; it takes the hooks of the fake AWS."""

    fake_aws: FakeAws
    tick: Callable[[], object] = lambda: None
    cost: Cost = field(default_factory=Cost)
    _lock: Any = field(default_factory=threading.Lock)
    _before: Any = field(default_factory=threading.local)

    def before(self, call: Call) -> None:
        """Notes the sizes of the rows that a call will write."""
        self.tick()
        self._before.sizes = [_row_bytes(*each) for each in _writes(call)]

    def after(self, call: Call, answer: AWSResponse) -> AWSResponse:
        """Adds a call's units."""
        with self._lock:
            self.cost.calls += 1
            body = json.loads(answer.content) if _is_dynamodb(call) else {}
            self._add_reads(call, body)
            for (table, key, is_check), old in zip(_writes(call), self._before.sizes, strict=True):
                units = _units(max(old, _row_bytes(table, key, is_check)), WRITE_BYTES)
                indexes = 0 if is_check else len(tables()[table].global_indexes)
                self.cost.writes += 1
                self.cost.write_units += units * (1 if call.operation in SINGLE else 2)
                self.cost.write_units += units * indexes
        return answer

    def _add_reads(self, call: Call, answer: Any) -> None:
        if call.operation == "BatchGetItem":
            for table, asked in json.loads(call.request.body)["RequestItems"].items():
                found = answer.get("Responses", {}).get(table, [])
                self.cost.rows += len(asked["Keys"])
                sizes = [_item_bytes(each) for each in found]
                sizes += [0] * (len(asked["Keys"]) - len(found))
                self.cost.read_units += sum(_units(size, READ_BYTES) for size in sizes)
        elif call.operation in {"Query", "Scan"}:
            found = answer.get("Items", [])
            consistent = json.loads(call.request.body).get("ConsistentRead", False)
            units = _units(sum(map(_item_bytes, found)), READ_BYTES)
            self.cost.rows += len(found)
            self.cost.read_units += units if consistent else units / 2


@contextmanager
def measured(fake_aws: FakeAws, tick: Callable[[], object] = lambda: None) -> Iterator[Cost]:
    """The cost of the block, complete at its end. `tick` runs before each call."""
    meter, steps = Meter(fake_aws, tick), count()

    def profile(frame: Any, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(OURS):
            next(steps)

    fake_aws.before, fake_aws.after = meter.before, meter.after
    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        yield meter.cost
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        fake_aws.remove_hooks()
        meter.cost.steps = next(steps)


def _is_dynamodb(call: Call) -> bool:
    return "dynamodb" in call.request.url


def _writes(call: Call) -> list[tuple[str, Any, bool]]:
    """The table and the key of each write, and whether it only checks a condition."""
    if call.operation in SINGLE:
        body = json.loads(call.request.body)
        return [(body["TableName"], body.get("Key") or body["Item"], False)]
    if call.operation != "TransactWriteItems":
        return []
    written = json.loads(call.request.body)["TransactItems"]
    kinds = [(kind, each) for item in written for kind, each in item.items()]
    return [
        (each["TableName"], each.get("Key") or each["Item"], kind == "ConditionCheck")
        for kind, each in kinds
    ]


def _row_bytes(name: str, key: Any, _: bool) -> int:
    table = tables()[name]
    sort = key[table.range_key_attr]["S"] if table.range_key_attr else ""
    row = row_at(table, key[table.hash_key_attr]["S"], sort)
    return row_bytes(row) if row else 0


def _item_bytes(item: Any) -> int:
    return sum(
        len(name.encode()) + _value_bytes(*next(iter(value.items())))
        for name, value in item.items()
    )


def _value_bytes(kind: str, value: Any) -> int:
    """By "Item sizes and formats" of the Amazon DynamoDB Developer Guide."""
    match kind:
        case "S":
            return len(value.encode())
        case "N":
            return (len(value.strip("-")) + 1) // 2 + 1
        case "SS":
            return sum(len(each.encode()) for each in value)
        case "L":
            return 3 + sum(1 + _value_bytes(*next(iter(each.items()))) for each in value)
        case _:
            return 1


def _units(size: int, step: int) -> int:
    return max(1, -(-size // step))
