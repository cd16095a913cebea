"""Direct calls return the current rows, and run hooks as calls through the SDK do."""

from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.support import fake_aws as fake_aws_module
from tests.support.conftest import FULL, REFUSED, held, key, moto_alone, on
from tests.support.fake_aws import Call, FakeAws, failure
from tests.support.moto_rows import copy_rows, row_at, tables


@pytest.mark.parametrize(
    ("item", "update", "names"),
    [
        (key("a", "1"), "SET #name = :value", {"#name": "text"}),
        (key("a", "1"), "SET #name = :value", {"#name": "another {}"}),
        (key("a", "1") | FULL, "SET #map.#in.deep = :value", {"#map": "map", "#in": "in"}),
        (key("a", "1") | FULL, "SET #list[0] = :value", {"#list": "list"}),
    ],
)
def test_a_changed_row_is_encoded_again(
    db: Any, item: dict[str, Any], update: str, names: dict[str, str]
) -> None:
    """The cached JSON and size of a row are computed again when a value changes."""
    db.put_item(TableName="pairs", Item=item)
    answers: list[Any] = []
    for number in range(4):
        db.update_item(
            TableName="pairs",
            Key=key("a", "1"),
            UpdateExpression=update,
            ExpressionAttributeNames={token: name.format(number) for token, name in names.items()},
            ExpressionAttributeValues={":value": {"S": "x" * number}},
        )
        row = row_at(tables()["pairs"], "a", "1")
        size = sum(len(name.encode()) + value.size() for name, value in row.attrs.items())
        assert row.size() == size
        batch = db.batch_get_item(RequestItems={"pairs": {"Keys": [key("a", "1")]}})
        found = db.get_item(TableName="pairs", Key=key("a", "1"))["Item"]
        assert batch["Responses"]["pairs"] == [found]
        assert found not in answers
        answers.append(found)


def outcome(act: Callable[[], Any]) -> Any:
    """What a call returns or raises, without request ids."""
    try:
        answer = act()
    except ClientError as error:
        answer = {"raised": type(error).__name__, **error.response}
    except Exception as error:  # noqa: BLE001 - the two are compared
        return type(error).__name__, str(error)
    metadata = answer.pop("ResponseMetadata")
    return metadata["HTTPStatusCode"], metadata["RetryAttempts"], answer


def raise_error(error: Exception) -> Any:
    raise error


HOOKS: list[tuple[str, Callable[[Call], Any]]] = [
    ("before", lambda call: failure(call, 400, "ResourceNotFoundException")),
    ("before", lambda call: failure(call, 503, "ServiceUnavailable")),
    ("before", lambda call: raise_error(ConnectionClosedError(endpoint_url=call.request.url))),
    ("before", lambda _: raise_error(KeyError("of a test"))),
    ("after", lambda call: failure(call, 503, "ServiceUnavailable")),
    ("after", lambda call: raise_error(ConnectionClosedError(endpoint_url=call.request.url))),
]


@pytest.mark.parametrize("once", [True, False])
@pytest.mark.parametrize("hook", range(len(HOOKS)))
@pytest.mark.parametrize("refused", [False, True])
def test_a_hook_runs_in_a_direct_call_as_in_any(
    fake_aws: FakeAws, db: Any, hook: int, once: bool, refused: bool
) -> None:
    """The SDK retries as often, raises the same error, and the hook runs for each try."""
    when, act = HOOKS[hook]
    parameters = on("pairs", Item=key("a", "9"), **(REFUSED if refused else {}))

    def call() -> Any:
        tries: list[str] = []

        def interfere(call: Call, answer: AWSResponse | None = None) -> Any:
            tries.append(call.operation)
            return act(call) if len(tries) == 1 or not once else answer

        fake_aws.remove_hooks()
        setattr(fake_aws, when, interfere)
        with fake_aws.counted() as calls:
            result = outcome(lambda: db.put_item(**parameters))
        fake_aws.remove_hooks()
        return result, calls, tries, held()

    begun = {name: copy_rows(table.items) for name, table in tables().items()}
    ours = call()
    for name, rows in begun.items():
        tables()[name].items.clear()
        tables()[name].items.update(rows)
    with moto_alone(), mock.patch.object(fake_aws_module, "encode_request", return_value=None):
        assert call() == ours
