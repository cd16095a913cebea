"""What tests of the API may ask for beside people: the rows and bytes that lie behind it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest

from function import base, contract
from function.aws.dynamodb import Item, decode, encode
from function.core.runtime import system_runtime
from tests.api.samples import World, a_world
from tests.books import balanced
from tests.client import Answer
from tests.conftest import Clock
from tests.ground import Ground


@dataclass(frozen=True)
class Behind:
    """The tables by noun, and the bucket: read and changed as nobody can through the API."""

    ground: Ground
    settings: contract.Settings
    db: Any

    def rows(self, noun: str) -> list[Item]:
        """All rows of a table."""
        pages = self.db.get_paginator("scan").paginate(TableName=getattr(self.settings, noun))
        return [decode(item) for page in pages for item in page["Items"]]

    def row(self, noun: str, **key: str) -> Item:
        """One row."""
        table = getattr(self.settings, noun)
        return decode(self.db.get_item(TableName=table, Key=encode(dict(key)))["Item"])

    def put(self, noun: str, row: Item) -> None:
        """Writes a row over whatever stands there."""
        self.db.put_item(TableName=getattr(self.settings, noun), Item=encode(row))

    def change(self, noun: str, key: dict[str, str], **values: Any) -> None:
        """Changes fields of one row."""
        self.put(noun, self.row(noun, **key) | values)

    def delete(self, noun: str, **key: str) -> None:
        """Deletes one row."""
        self.db.delete_item(TableName=getattr(self.settings, noun), Key=encode(dict(key)))

    def objects(self) -> dict[str, bytes]:
        """The bytes of each object."""
        return self.ground.objects(self.settings.bucket)

    def state(self) -> Any:
        """All that a refused request leaves as it was: all there is but counts of failures."""
        held = (self.ground.rows(getattr(self.settings, table.noun)) for table in contract.TABLES)
        rows = sorted(
            repr(row) for rows in held for row in rows if not {"failures", "tries"} & row.keys()
        )
        return rows, self.objects()


@pytest.fixture
def behind(ground: Ground, settings: contract.Settings, _session: boto3.Session) -> Behind:
    return Behind(ground, settings, _session.client("dynamodb"))


@pytest.fixture(autouse=True)
def _books(
    request: pytest.FixtureRequest, ground: Ground, settings: contract.Settings
) -> Iterator[None]:
    """Whatever a test does, what follows from the files agrees with them at its end.

    Not where the test writes odd rows of files itself.
    """
    yield
    if not request.node.get_closest_marker("odd_rows"):
        balanced(ground.rows(settings.files), ground.rows(settings.users))


_made: list[tuple[World, Callable[[], None]]] = []


@pytest.fixture
def world(ground: Ground) -> World:
    """Four people and what they have, made once in a process and brought back for each test."""
    if not _made:
        _made.append((a_world(), ground.snapshot()))
    world, restore = _made[0]
    restore()
    return world


@pytest.fixture
def rewire(
    ground: Ground, clock: Clock, _session: boto3.Session
) -> Callable[[contract.Settings], None]:
    """Has the handler go on with other settings."""

    def rewired(settings: contract.Settings) -> None:
        origins = replace(system_runtime(), now=clock, sleep=clock.sleep)
        base.use(base.Base(settings, _session, origins))

    return rewired


def reason_at(answer: Answer, at: str) -> str:
    """Why a field is refused."""
    reasons = {error["at"]: error["reason"] for error in answer.json()["errors"]}
    assert at in reasons, reasons
    return str(reasons[at])
