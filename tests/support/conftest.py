"""Two tables for the tests of the patches, and moto without the patches."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.fake_aws import empty_account
from tests.support.moto_patches import REGISTER
from tests.support.moto_rows import tables

FULL = {
    "text": {"S": "old"},
    "number": {"N": "1"},
    "set": {"SS": ["a", "b"]},
    "list": {"L": [{"S": "x"}, {"L": [{"N": "1"}]}]},
    "map": {"M": {"in": {"M": {"deep": {"S": "y"}}}}},
}
GONE = {"gone": {"S": "soon"}}
BY_TEXT_INDEX = {
    "IndexName": "by text",
    "KeySchema": [{"AttributeName": "text", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}
REFUSED = {"ConditionExpression": "attribute_exists(nothing)"}


def key(of: str, at: str) -> dict[str, Any]:
    return {"of": {"S": of}, "at": {"S": at}}


def on(table: str, **parameters: Any) -> dict[str, Any]:
    return {"TableName": table, **parameters}


@pytest.fixture
def db(_fake_aws: Any) -> Iterator[Any]:
    """A table with a sort key, one without, and rows with values of each type that moto nests."""
    with empty_account() as session:
        db = session.client("dynamodb")
        for name, parts in (("pairs", ["of", "at"]), ("single", ["of"])):
            kinds = zip(parts, ["HASH", "RANGE"], strict=False)
            db.create_table(
                TableName=name,
                KeySchema=[{"AttributeName": part, "KeyType": kind} for part, kind in kinds],
                AttributeDefinitions=[
                    {"AttributeName": part, "AttributeType": "S"} for part in [*parts, "text"]
                ],
                GlobalSecondaryIndexes=[BY_TEXT_INDEX],
                BillingMode="PAY_PER_REQUEST",
            )
        for of, at in ("a1", "a2", "a3", "b1", "c1"):
            db.put_item(TableName="pairs", Item=key(of, at) | FULL | GONE)
        for of in ("a", "b"):
            db.put_item(TableName="single", Item={"of": {"S": of}} | FULL | GONE)
        yield db


def held() -> str:
    """The content of all tables, in the order in which they hold it."""
    return repr({name: list(table.items.items()) for name, table in tables().items()})


@contextmanager
def moto_alone() -> Iterator[None]:
    """Undoes the patches of moto, but for the answers of the fake AWS."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name, patch in REGISTER.patches.items():
            if patch.adds:
                monkeypatch.delattr(patch.owner, patch.name)
            elif name != "serve_calls":
                monkeypatch.setattr(patch.owner, patch.name, patch.original)
        yield
