"""Expiry entries: one that outlives its upload would delete the bytes of a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import boto3
import pytest

from function.contract import Settings
from function.tables.uploads import finish_upload
from tests.conftest import Clock
from tests.crashes.crashes import Killed
from tests.support.client import Client
from tests.support.fake_aws import Call, FakeAws
from tests.support.transfers import complete, send, start, stored, sweep

DATA = bytes(range(45))


@pytest.fixture
def cut_off(
    alice: Client, clock: Clock, fake_aws: FakeAws, settings: Settings, _session: boto3.Session
) -> Any:
    """The objects that a sweep leaves of a file whose completion was killed after the commit.

    The upload's row is deleted before, as TTL deletes it some time after it has expired.
    """

    def run(size: int) -> list[bytes]:
        view = start(alice, "a", size)
        send(alice, view, DATA[:size])
        with killed_after(fake_aws, "TransactWriteItems"):
            complete(alice, view)
        assert alice.names() == ["alice/a"]
        clock.time += 8 * 24 * 3600
        key = {"partition": {"S": "alice/uploads"}, "name": {"S": view["upload_id"]}}
        _session.client("dynamodb").delete_item(TableName=settings.files, Key=key)
        sweep()
        return stored(fake_aws)

    return run


@contextmanager
def killed_after(fake_aws: FakeAws, operation: str) -> Iterator[None]:
    """Kills the process right after that AWS call."""

    def kill(call: Call, answer: Any) -> Any:
        if call.operation == operation:
            raise Killed
        return answer

    fake_aws.after = kill
    with pytest.raises(Killed):
        yield
    fake_aws.after = lambda _, answer: answer


@pytest.mark.parametrize("size", [15, 45])
def test_a_completed_upload_has_no_expiry_entry(cut_off: Any, size: int) -> None:
    """The commit that creates the file deletes the entry."""
    assert cut_off(size) == [DATA[:size]]


def test_an_entry_that_is_deleted_afterwards_costs_the_bytes(cut_off: Any) -> None:
    """With a wrong version the sweep deletes the bytes of the file."""
    with mock.patch(
        "function.uploads.completion.finish_upload", lambda *row: finish_upload(*row)[:-1]
    ):
        assert cut_off(15) == []
