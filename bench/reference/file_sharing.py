"""File sharing in one Lambda, as tutorials write it: seven endpoints over boto3 resources.

Registers and logs in accounts, puts, gets, lists and shares files. It checks requests as Satchel
does and has none of its guarantees: no transactions, no versions, no record of changes, and a read
of DynamoDB for each fact. Tables and bucket are made when the module is imported.
"""

import base64
import hashlib
import json
import os
import re
import secrets
import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

import argon2
import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Query
from boto3.dynamodb.conditions import Key
from botocore.config import Config

from bench.reference.models import (
    Account,
    Credentials,
    File,
    FileName,
    Prefix,
    PutFile,
    Registration,
    Session,
    Share,
    ShareRequest,
    Username,
)

SMALL_FILE_BYTES = 4 * 1024 * 1024
SESSION_SECONDS, PASSWORD_MIN_LENGTH = 12 * 3600, 8

logger = Logger(service="file-sharing")
app = APIGatewayHttpResolver(enable_validation=True)
dynamodb = boto3.resource("dynamodb")
users = dynamodb.Table(os.environ["USERS"])
sessions = dynamodb.Table(os.environ["SESSIONS"])
files = dynamodb.Table(os.environ["FILES"])
shares = dynamodb.Table(os.environ["SHARES"])
s3 = boto3.resource(
    "s3", config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
)
bucket = s3.Bucket(os.environ["BUCKET"])
hasher = argon2.PasswordHasher(2, 19_456, parallelism=1)


class ApiError(Exception):
    """An error that the client is told about."""

    def __init__(self, status: HTTPStatus, slug: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.slug, self.detail = status, slug, detail


# --- who is calling, and what they may read -------------------------------------------------------


def iso(seconds: float) -> str:
    """A time in UTC with `Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")[:-6] + "Z"


def token_hash() -> str:
    """The hash of the caller's token. Raises ApiError."""
    headers = app.current_event.headers
    token = headers.get("x-session-token") or headers.get("authorization", "")
    token = token.removeprefix("Bearer ")
    if not re.fullmatch(r"[A-Za-z0-9_-]{43}", token):
        raise ApiError(HTTPStatus.UNAUTHORIZED, "not-signed-in", "Log in first.")
    return hashlib.sha256(token.encode()).hexdigest()


def caller() -> str:
    """The user name of whoever is calling. Raises ApiError."""
    found: Any = sessions.get_item(Key={"token_hash": token_hash()}, ConsistentRead=True)
    session = found.get("Item")
    if session is None or session["expires_at"] < time.time():
        raise ApiError(HTTPStatus.UNAUTHORIZED, "not-signed-in", "Log in first.")
    return str(session["username"])


def refuse_unknown(*known: str) -> None:
    """Raises ApiError when the query has another field."""
    for name in app.current_event.query_string_parameters:
        if name not in known:
            raise ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", f"{name} is unknown.")


def no_such_file() -> ApiError:
    """The error of a file that is not there, or not the caller's to read."""
    return ApiError(HTTPStatus.NOT_FOUND, "no-such-file", "No such file, or no access to it.")


def readable(name: str, username: str, owner: str) -> tuple[dict[str, Any], str]:
    """The row of a file and the caller's permission. Raises ApiError."""
    permission = "own"
    if owner != username:
        found: Any = shares.get_item(Key={"grantee": username, "file": f"{owner}/{name}"})
        share = found.get("Item")
        if share is None or share.get("expires_at", time.time() + 1) < time.time():
            raise no_such_file()
        permission = share["permission"]
    row: Any = files.get_item(Key={"owner": owner, "name": name}, ConsistentRead=True)
    if "Item" not in row:
        raise no_such_file()
    return row["Item"], permission


def replaced(name: str, username: str, owner: str) -> dict[str, Any]:
    """The row that the caller's file will replace, empty when there is none. Raises ApiError."""
    if owner == username:
        found: Any = files.get_item(Key={"owner": owner, "name": name}, ConsistentRead=True)
        return dict(found.get("Item", {}))
    row, permission = readable(name, username, owner)
    if permission != "write":
        raise ApiError(HTTPStatus.FORBIDDEN, "not-allowed", "You may only read this file.")
    return row


def view(row: dict[str, Any], permission: Any) -> File:
    """A file's row as the caller sees it."""
    return File(
        key=f"{row['owner']}/{row['name']}",
        file_name=row["name"],
        permission=permission,
        **{name: row[name] for name in File.model_fields.keys() & row.keys()},
    )


def problem(status: HTTPStatus, slug: str, detail: str, **more: Any) -> Response[Any]:
    """A problem (RFC 9457)."""
    request_id = app.current_event.request_context.request_id
    body = {"type": f"/problems/{slug}", "title": status.phrase, "status": status.value}
    body |= {"detail": detail, "request_id": request_id, **more}
    return Response(status.value, "application/problem+json", json.dumps(body))


@app.exception_handler(ApiError)  # type: ignore[untyped-decorator]
def answer_api_error(error: ApiError) -> Response[Any]:
    """Answers an error as the problem that it is."""
    return problem(error.status, error.slug, error.detail)


@app.exception_handler(RequestValidationError)  # type: ignore[untyped-decorator]
def answer_invalid(error: RequestValidationError) -> Response[Any]:
    """Answers 422 with the fields that are wrong."""
    wrong = [{"at": ".".join(map(str, e["loc"])), "reason": e["msg"]} for e in error.errors()]
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", "See errors.", errors=wrong)


# --- the seven endpoints --------------------------------------------------------------------------


@app.post("/register", status_code=201)
def register(body: Registration) -> Account:
    """Creates an account."""
    password = body.password.get_secret_value()
    if len(password) < PASSWORD_MIN_LENGTH:
        raise ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, "weak-password", "Use more characters.")
    row = {"username": body.username, "role": "member", "created": iso(time.time())}
    try:
        users.put_item(
            Item={**row, "password": hasher.hash(password), "email": body.email or ""},
            ConditionExpression="attribute_not_exists(username)",
        )
    except dynamodb.meta.client.exceptions.ConditionalCheckFailedException:
        raise ApiError(HTTPStatus.CONFLICT, "username-taken", "Choose another.") from None
    return Account(**row)


@app.post("/login")
def login(body: Credentials) -> Session:
    """Creates a session."""
    found: Any = users.get_item(Key={"username": body.username})
    try:
        hashed = found["Item"]["password"] if "Item" in found else hasher.hash("nobody")
        hasher.verify(hashed, body.password.get_secret_value())
    except argon2.exceptions.VerificationError:
        detail = "Wrong user name or password."
        raise ApiError(HTTPStatus.UNAUTHORIZED, "wrong-credentials", detail) from None
    token, expires_at = secrets.token_urlsafe(32), int(time.time()) + SESSION_SECONDS
    row = {"token_hash": hashlib.sha256(token.encode()).hexdigest(), "username": body.username}
    sessions.put_item(Item={**row, "expires_at": expires_at})
    return Session(token=token, expires_at=iso(expires_at))


@app.post("/logout", status_code=204)
def logout() -> None:
    """Deletes the caller's session."""
    caller()
    sessions.delete_item(Key={"token_hash": token_hash()})


@app.put("/file")
def put_file(body: PutFile) -> Response[File]:
    """Stores a file of up to 4 MiB."""
    username = caller()
    owner, name = body.username or username, body.file_name
    if len(body.content) > SMALL_FILE_BYTES:
        raise ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", "At most 4 MiB.")
    old = replaced(name, username, owner)
    if old and body.on_conflict == "fail":
        raise ApiError(HTTPStatus.CONFLICT, "file-exists", "A file has this name.")
    if old and body.on_conflict == "rename":
        old, name = {}, f"{secrets.token_hex(4)} {name}"
    key = f"{owner}/{secrets.token_hex(16)}"
    content_type = body.content_type or "application/octet-stream"
    stored = bucket.put_object(Key=key, Body=body.content, ContentType=content_type)
    row = {
        "owner": owner,
        "name": name,
        "object": key,
        "size": len(body.content),
        "modified": iso(time.time()),
        "created": old.get("created") or iso(time.time()),
        "content_type": content_type,
        "sha256": hashlib.sha256(body.content).hexdigest(),
        "etag": stored.e_tag.strip('"'),
        "version": int(old.get("version", 0)) + 1,
    }
    files.put_item(Item=row)
    file = view(row, "own" if owner == username else "write")
    return Response(200 if old else 201, "application/json", file, {"etag": stored.e_tag})


@app.get("/file")
def get_file(
    file_name: Annotated[FileName, Query()], username: Annotated[Username | None, Query()] = None
) -> Response[str]:
    """Answers a file's content as Base64, or as it is where the client accepts bytes."""
    refuse_unknown("file_name", "username")
    reader = caller()
    row, _ = readable(file_name, reader, username or reader)
    if row["size"] > SMALL_FILE_BYTES:
        raise ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", "At most 4 MiB.")
    headers = {"etag": f'"{row["etag"]}"'}
    if app.current_event.headers.get("if-none-match") == headers["etag"]:
        return Response(304, None, "", headers)
    data = bucket.Object(row["object"]).get()["Body"].read()
    raw = app.current_event.headers.get("accept") == "application/octet-stream"
    content_type = row["content_type"] if raw else "text/plain"
    answer = Response(200, content_type, base64.b64encode(data).decode(), headers)
    answer.base64_encoded = raw
    return answer


@app.get("/files")
def list_files(
    prefix: Annotated[Prefix, Query()] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[FileName | None, Query()] = None,
    scope: Annotated[Literal["all", "own", "shared"], Query()] = "all",
) -> Response[list[File]]:
    """Lists one's own files, then those shared with the caller; the cursor is of one's own."""
    refuse_unknown("prefix", "limit", "cursor", "scope")
    username = caller()
    listed: list[File] = []
    headers: dict[str, str | list[str]] = {}
    if scope != "shared":
        condition: Any = Key("owner").eq(username)
        condition = condition & Key("name").begins_with(prefix) if prefix else condition
        start: dict[str, Any] = {}
        if cursor:
            start = {"ExclusiveStartKey": {"owner": username, "name": cursor}}
        found: Any = files.query(KeyConditionExpression=condition, Limit=limit, **start)
        listed += [view(row, "own") for row in found["Items"]]
        if "LastEvaluatedKey" in found:
            headers["x-next-cursor"] = found["LastEvaluatedKey"]["name"]
    if scope != "own" and not headers:
        given: Any = shares.query(KeyConditionExpression=Key("grantee").eq(username))
        for share in given["Items"][: limit - len(listed)]:
            owner, _, name = share["file"].partition("/")
            row, permission = readable(name, username, owner)
            listed.append(view(row, permission))
    return Response(200, "application/json", listed, headers)


@app.post("/share")
def share_file(body: ShareRequest) -> Response[Share]:
    """Shares a file with an account."""
    username = caller()
    if body.username == username:
        detail = "A file is not shared with its owner."
        raise ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", detail)
    readable(body.file_name, username, username)
    if "Item" not in users.get_item(Key={"username": body.username}):
        raise ApiError(HTTPStatus.NOT_FOUND, "no-such-user", "No such user.")
    expires_at = int(time.time()) + body.expires_in if body.expires_in else None
    row = {"grantee": body.username, "file": f"{username}/{body.file_name}"}
    row |= {"permission": body.permission, "created": iso(time.time())}
    stored: Any = shares.put_item(
        Item={**row, **({"expires_at": expires_at} if expires_at else {})}, ReturnValues="ALL_OLD"
    )
    share = Share(
        key=row["file"],
        owner=username,
        file_name=body.file_name,
        username=body.username,
        permission=body.permission,
        created=row["created"],
        expires_at=iso(expires_at) if expires_at else None,
    )
    return Response(200 if "Attributes" in stored else 201, "application/json", share)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers one request, and logs it."""
    answer: dict[str, Any] = app.resolve(event, context)
    logger.info("request", status=answer["statusCode"])
    return answer
