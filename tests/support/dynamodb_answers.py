"""DynamoDB calls without the SDK's serializer, HTTP and moto's web framework.

Each function returns None for a call or an answer that has to take the whole way. A call that
fails changes nothing, so that it can take the whole way afterwards, and get moto's error.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.validate import ParamValidator
from moto.backends import get_backend
from moto.core.models import botocore_stubber
from moto.dynamodb.responses import DynamoHandler

from tests.support.moto_rows import (
    ACCOUNT,
    BYTES_TYPES,
    ENCODER,
    REGION,
    key_texts,
    row_at,
    row_json,
    tables,
)

ENDPOINT = f"https://dynamodb.{REGION}.amazonaws.com"
MAX_ANSWER_BYTES = 16_000_000  # a little less than in moto
MAX_BATCH_KEYS = 100
MAX_VALID_CALLS = 20_000
HAS_BYTES = re.compile(rb'"BS?":')
METHODS = {
    "BatchGetItem": "batch_get_item",
    "DeleteItem": "delete_item",
    "GetItem": "get_item",
    "PutItem": "put_item",
    "Query": "query",
    "Scan": "scan",
    "TransactWriteItems": "transact_write_items",
    "UpdateItem": "update_item",
}

_validator = ParamValidator()
# Operations and parameters that the SDK has validated.
_valid: set[tuple[str, bytes]] = set()


@dataclass(frozen=True)
class Request:
    """The request of a DynamoDB call, with the parameters that its body encodes."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    parameters: Mapping[str, Any]


class Handler(DynamoHandler):
    """Moto's handler, with the backend looked up once."""

    dynamodb_backend: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.dynamodb_backend = get_backend("dynamodb")[ACCOUNT][REGION]


def encode_request(client: Any, operation: str, parameters: dict[str, Any]) -> Request | None:
    """The request of a DynamoDB call.

    None for another service or address, bytes, invalid parameters, and a transaction without a
    token, which the SDK would create.
    """
    model = client.meta.service_model
    if model.service_name != "dynamodb" or operation not in METHODS:
        return None
    if client.meta.endpoint_url != ENDPOINT or not botocore_stubber.enabled:
        return None
    if operation == "TransactWriteItems" and "ClientRequestToken" not in parameters:
        return None
    try:
        body = json.dumps(parameters).encode()
    except TypeError:
        return None
    if (operation, body) not in _valid:
        shape = model.operation_model(operation).input_shape
        if _validator.validate(parameters, shape).has_errors():
            return None
        if len(_valid) == MAX_VALID_CALLS:
            _valid.clear()
        _valid.add((operation, body))
    return Request(f"{ENDPOINT}/", body, {}, parameters)


def parse_answer(client: Any, operation: str, answer: AWSResponse | None) -> Any:
    """What the SDK returns for a successful answer without bytes."""
    if answer is None or answer.status_code != 200 or HAS_BYTES.search(answer.content):
        return None
    known = client.meta.service_model.operation_model(operation).output_shape.members
    result = {name: each for name, each in json.loads(answer.content).items() if name in known}
    metadata = {"HTTPStatusCode": 200, "HTTPHeaders": dict(answer.headers), "RetryAttempts": 0}
    return {**result, "ResponseMetadata": metadata}


def answer_directly(operation: str, request: Any) -> bytes | None:
    """The body of the answer to a call that succeeds, by moto's handler of the operation."""
    if operation not in METHODS or request.url != f"{ENDPOINT}/":
        return None
    encoded_here = isinstance(request, Request)
    if operation == "BatchGetItem" and encoded_here:
        answer = batch_get(request.parameters)
        if answer is not None:
            return answer
    body = json.loads(request.body)
    if not encoded_here and has_bytes(body):
        return None  # encoded as base64, which moto's web framework decodes
    handler = Handler()
    handler.body = handler.params = body
    handler.current_account, handler.region = ACCOUNT, REGION
    try:
        result = getattr(handler, METHODS[operation])().result
    except Exception:  # noqa: BLE001 - moto raises it again, and answers with the right error
        return None
    return ENCODER.encode(result).encode()


def batch_get(parameters: Mapping[str, Any]) -> bytes | None:
    """The body of the answer to BatchGetItem, for whole rows and keys that are texts."""
    requests = parameters["RequestItems"]
    count = sum(len(each["Keys"]) for each in requests.values())
    if parameters.keys() != {"RequestItems"} or count > MAX_BATCH_KEYS:
        return None
    found: dict[str, list[str]] = {}
    for name, request in requests.items():
        table = tables().get(name)
        if table is None or not request.keys() <= {"Keys", "ConsistentRead"}:
            return None
        keys = [key_texts(table, key) for key in request["Keys"]]
        if None in keys or len({*keys}) < len(keys):
            return None
        rows = [row_at(table, *key) for key in keys if key]
        found[name] = [row_json(row) for row in rows if row is not None]
    if sum(len(text) for texts in found.values() for text in texts) > MAX_ANSWER_BYTES:
        return None
    capacity = [
        {"CapacityUnits": len(request["Keys"]), "TableName": name}
        for name, request in requests.items()
    ]
    responses = ", ".join(
        f"{json.dumps(name)}: [{', '.join(texts)}]" for name, texts in found.items()
    )
    return (
        f'{{"ConsumedCapacity": {json.dumps(capacity)}, "Responses": {{{responses}}}, '
        '"UnprocessedKeys": {}}'
    ).encode()


def has_bytes(body: Any) -> bool:
    """Whether a request has a value of type bytes anywhere."""
    if isinstance(body, dict):
        return not BYTES_TYPES.isdisjoint(body) or any(map(has_bytes, body.values()))
    return isinstance(body, list) and any(map(has_bytes, body))
