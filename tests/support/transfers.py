"""Large files as their clients send them, with parts small enough for a test."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote_plus, unquote, urlsplit

import moto.s3.models
import pytest

from function import app, base, contract
from function.uploads import parts
from tests.support import presigned as s3
from tests.support.client import CONTEXT, Answer, Client
from tests.support.fake_aws import Ground, Session, session

PART, SINGLE, SMALLEST = 10, 20, 5  # bytes, where S3 has 8 MiB, 64 MiB and 5 MiB


def aws(service: str) -> Any:
    """A client that goes past the function."""
    return session().client(service)


def small(patch: pytest.MonkeyPatch) -> None:
    """Cuts files of more than 20 bytes into parts of 10, and has S3 refuse those below 5."""
    patch.setattr(parts, "MIB", 1)
    patch.setattr(parts, "MIN_PART_BYTES", PART)
    patch.setattr(parts, "MAX_SINGLE_PUT_BYTES", SINGLE)
    patch.setattr(moto.s3.models, "S3_UPLOAD_PART_MIN_SIZE", SMALLEST)


def list_parts_in_pages_of(count: int) -> None:
    """Has S3 list this many parts at once, as it lists a thousand."""
    bucket = base.current().bucket
    # Its own client, since others go on with the one that it has.
    bucket._client = Session().client("s3", config=bucket._client.meta.config)
    bucket._client.meta.events.register(
        "provide-client-params.s3.ListParts", lambda params, **_: params | {"MaxParts": count}
    )


def start(client: Client, name: str, size: int, **fields: Any) -> dict[str, Any]:
    """Begins an upload that must be let in."""
    answer = client.post("/uploads", file_name=name, size=size, **fields)
    assert answer.status == 201, answer.content
    return answer.json()


def put(upload: dict[str, Any], data: bytes) -> s3.Reply:
    """Sends a file in one PUT, as it was ordered."""
    order = upload["put"]
    return s3.send("PUT", order["url"], order["headers"], data)


def piece(upload: dict[str, Any], data: bytes, number: int) -> bytes:
    """The bytes of one part."""
    return data[(number - 1) * upload["part_size"] : number * upload["part_size"]]


def send_parts(
    client: Client, upload: dict[str, Any], data: bytes, numbers: Iterable[int] | None = None
) -> dict[int, str]:
    """Sends parts, all of them by default; their ETags as S3 answered them."""
    wanted = list(numbers or range(1, upload["total_parts"] + 1))
    path = f"/uploads/{upload['upload_id']}/parts"
    signed: list[dict[str, Any]] = []
    for at in range(0, len(wanted), 100):
        answer = client.post(path, part_numbers=wanted[at : at + 100])
        assert answer.status == 200, answer.content
        signed += answer.json()["parts"]
    etags = {}
    for part in signed:
        number = part["part_number"]
        reply = s3.send("PUT", part["url"], body=piece(upload, data, number))
        assert reply.status == 200, reply.code
        etags[number] = reply.headers["etag"]
    return etags


def send(client: Client, upload: dict[str, Any], data: bytes) -> None:
    """Sends all bytes of an upload, whichever way it goes."""
    if upload["method"] == "put":
        assert put(upload, data).status == 200
    else:
        send_parts(client, upload, data)


def complete(client: Client, upload: dict[str, Any], **fields: Any) -> Answer:
    return client.post(f"/uploads/{upload['upload_id']}/complete", **fields)


def upload(client: Client, name: str, data: bytes, **fields: Any) -> Answer:
    """The whole way: begin, send, complete."""
    begun = start(client, name, len(data), **fields)
    send(client, begun, data)
    return complete(client, begun)


def fetch(client: Client, name: str, **query: Any) -> bytes:
    """A file's bytes by the address that is given for them."""
    answer = client.get("/download", file_name=name, **query)
    assert answer.status == 200, answer.content
    reply = s3.send("GET", answer.json()["url"])
    assert reply.status == 200, reply.code
    return reply.body


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def key_of(upload: dict[str, Any]) -> str:
    """The object that an upload by one PUT makes."""
    return unquote(urlsplit(upload["put"]["url"]).path[1:])


def news(*keys: str) -> dict[str, Any]:
    """The event that the queue brings when the bucket has these new objects."""
    records = [
        {
            "messageId": f"message-{number}",
            "body": json.dumps({"Records": [{"s3": {"object": {"key": quote_plus(key)}}}]}),
        }
        for number, key in enumerate(keys)
    ]
    return {"Records": records}


def tell(*keys: str) -> list[str]:
    """Brings the news; which messages were given back."""
    answer = app.lambda_handler(news(*keys), CONTEXT)
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def sweep() -> int:
    """Runs the hourly sweep, and returns how many rows had expired."""
    expired: int = app.lambda_handler(contract.SWEEP_EVENT, CONTEXT)["expired"]
    return expired


def bucket(ground: Ground) -> str:
    """The one bucket's name."""
    return ground.deployed.environment["SATCHEL_BUCKET"]


def stored(ground: Ground) -> list[bytes]:
    """The bytes of all objects that are not deleted."""
    return sorted(ground.objects(bucket(ground)).values())


def begun(ground: Ground) -> int:
    """How many multipart uploads S3 has that are neither joined nor aborted."""
    return len(aws("s3").list_multipart_uploads(Bucket=bucket(ground)).get("Uploads", []))


def set_quota(ground: Ground, username: str, quota: int) -> None:
    """Gives an account a quota in bytes, as an administrator will be able to."""
    aws("dynamodb").update_item(
        TableName=ground.deployed.environment["SATCHEL_USERS"],
        Key={"username": {"S": username}},
        UpdateExpression="SET quota = :q",
        ExpressionAttributeValues={":q": {"N": str(quota)}},
    )


def bytes_used(ground: Ground, username: str) -> int:
    """What an account is charged for."""
    rows = ground.rows(ground.deployed.environment["SATCHEL_USERS"])
    return next(int(row.get("bytes_used", 0)) for row in rows if row["username"] == username)
