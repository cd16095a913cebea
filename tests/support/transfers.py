"""Uploads as clients send them, with small parts."""

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
from tests.support.fake_aws import FakeAws, Session, session

PART, SINGLE, SMALLEST = 10, 20, 5  # bytes, where S3 has 8 MiB, 64 MiB and 5 MiB


def aws(service: str) -> Any:
    """A client of an AWS service for the test itself."""
    return session().client(service)


def use_small_parts(patch: pytest.MonkeyPatch) -> None:
    """Makes parts of 10 bytes for files of more than 20; S3 then refuses parts below 5 bytes."""
    patch.setattr(parts, "MIB", 1)
    patch.setattr(parts, "MIN_PART_BYTES", PART)
    patch.setattr(parts, "MAX_SINGLE_PUT_BYTES", SINGLE)
    patch.setattr(moto.s3.models, "S3_UPLOAD_PART_MIN_SIZE", SMALLEST)


def limit_listed_parts(count: int) -> None:
    """Limits a page of ListParts, which has a thousand parts, to this number."""
    bucket = base.current().bucket
    # Its own client, since others go on with the one that it has.
    bucket._client = Session().client("s3", config=bucket._client.meta.config)
    bucket._client.meta.events.register(
        "provide-client-params.s3.ListParts", lambda params, **_: params | {"MaxParts": count}
    )


def start(client: Client, name: str, size: int, **fields: Any) -> dict[str, Any]:
    """Starts an upload, which must be accepted."""
    answer = client.post("/uploads", file_name=name, size=size, **fields)
    assert answer.status == 201, answer.content
    return answer.json()


def put(upload: dict[str, Any], data: bytes) -> s3.Reply:
    """Sends a file by the presigned PUT."""
    order = upload["put"]
    return s3.send("PUT", order["url"], order["headers"], data)


def piece(upload: dict[str, Any], data: bytes, number: int) -> bytes:
    """The bytes of one part."""
    return data[(number - 1) * upload["part_size"] : number * upload["part_size"]]


def send_parts(
    client: Client, upload: dict[str, Any], data: bytes, numbers: Iterable[int] | None = None
) -> dict[int, str]:
    """Sends parts, all by default; the ETags that S3 answered, by part number."""
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
    """Sends all bytes of an upload, by one PUT or in parts."""
    if upload["method"] == "put":
        assert put(upload, data).status == 200
    else:
        send_parts(client, upload, data)


def complete(client: Client, upload: dict[str, Any], **fields: Any) -> Answer:
    return client.post(f"/uploads/{upload['upload_id']}/complete", **fields)


def upload(client: Client, name: str, data: bytes, **fields: Any) -> Answer:
    """Starts, sends and completes an upload."""
    begun = start(client, name, len(data), **fields)
    send(client, begun, data)
    return complete(client, begun)


def fetch(client: Client, name: str, **query: Any) -> bytes:
    """A file's bytes by the presigned URL."""
    answer = client.get("/download", file_name=name, **query)
    assert answer.status == 200, answer.content
    reply = s3.send("GET", answer.json()["url"])
    assert reply.status == 200, reply.code
    return reply.body


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def key_of(upload: dict[str, Any]) -> str:
    """The key of the object of an upload by one PUT."""
    return unquote(urlsplit(upload["put"]["url"]).path[1:])


def news(*keys: str) -> dict[str, Any]:
    """The SQS event for new objects with these keys."""
    records = [
        {
            "messageId": f"message-{number}",
            "body": json.dumps({"Records": [{"s3": {"object": {"key": quote_plus(key)}}}]}),
        }
        for number, key in enumerate(keys)
    ]
    return {"Records": records}


def notify(*keys: str) -> list[str]:
    """Invokes the function with that event; the ids of the messages that failed."""
    answer = app.lambda_handler(news(*keys), CONTEXT)
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def sweep() -> int:
    """Runs the sweep, and returns how many rows had expired."""
    expired: int = app.lambda_handler(contract.SWEEP_EVENT, CONTEXT)["expired"]
    return expired


def bucket(fake_aws: FakeAws) -> str:
    """The one bucket's name."""
    return fake_aws.deployed.environment["SATCHEL_BUCKET"]


def stored(fake_aws: FakeAws) -> list[bytes]:
    """The bytes of all objects that are not deleted."""
    return sorted(fake_aws.objects(bucket(fake_aws)).values())


def count_multipart_uploads(fake_aws: FakeAws) -> int:
    """The number of multipart uploads in S3 that are neither completed nor aborted."""
    return len(aws("s3").list_multipart_uploads(Bucket=bucket(fake_aws)).get("Uploads", []))


def set_quota(fake_aws: FakeAws, username: str, quota: int) -> None:
    """Sets the quota of an account in bytes."""
    aws("dynamodb").update_item(
        TableName=fake_aws.deployed.environment["SATCHEL_USERS"],
        Key={"username": {"S": username}},
        UpdateExpression="SET quota = :q",
        ExpressionAttributeValues={":q": {"N": str(quota)}},
    )


def bytes_used(fake_aws: FakeAws, username: str) -> int:
    """The bytes that an account uses."""
    rows = fake_aws.rows(fake_aws.deployed.environment["SATCHEL_USERS"])
    return next(int(row.get("bytes_used", 0)) for row in rows if row["username"] == username)
