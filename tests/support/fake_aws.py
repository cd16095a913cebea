"""The emulated AWS account: moto with the resources of `__main__.py`, behind a lock and a shim.

moto is not atomic under threads, so every call takes one lock. The shim refuses calls that AWS
refuses and moto accepts. Every call is noted, and a test may hook in before or after it.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from types import SimpleNamespace
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl, urlsplit

import boto3
from botocore import endpoint
from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from botocore.retries.quota import RetryQuota
from moto import mock_aws
from moto.backends import get_backend
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse
from moto.core.config import default_user_config

from local.deploy import Deployment, deploy
from tests.support.fast_moto import (
    ACCOUNT,
    REGION,
    at_once,
    copies,
    parsed_answer,
    rows_of,
    same,
    short_request,
    sooner,
)


class Session(boto3.Session):
    """A session with credentials for moto. It creates each client once, because that is slow."""

    def __init__(self) -> None:
        super().__init__("testing", "testing", region_name=REGION)
        self._made: dict[str, Any] = {}

    def client(self, service_name: str, **told: Any) -> Any:
        config = told.get("config")
        what = repr((service_name, told | {"config": config and config._user_provided_options}))
        if what not in self._made:
            self._made[what] = super().client(service_name, **told)
        return self._made[what]


@cache
def session() -> Session:
    """The one session of the process; it holds nothing but clients."""
    return Session()


@dataclass(frozen=True)
class Call:
    """One AWS call: its operation by the name of AWS, and its HTTP request."""

    operation: str
    request: Any


@dataclass
class Ground:
    """The emulated account. The hooks `before` and `after` run around each call, in its thread.

    If `before` returns an answer, the call has no effect. Either hook may raise.
    """

    deployed: Deployment
    calls: list[str] = field(default_factory=list)
    before: Callable[[Call], AWSResponse | None] = lambda _: None
    after: Callable[[Call, AWSResponse], AWSResponse] = lambda _, answer: answer
    tokens: dict[str, AWSResponse] = field(default_factory=dict)
    mails: list[dict[str, Any]] = field(default_factory=list)
    lock: Any = field(default_factory=threading.RLock)
    _long_way: Any = field(default_factory=threading.local)

    def reset(self) -> None:
        """Empties the tables, the bucket and the queues, and removes the hooks."""
        for table in get_backend("dynamodb")[ACCOUNT][REGION].tables.values():
            table.items.clear()
        for bucket in get_backend("s3")[ACCOUNT]["aws"].buckets.values():
            bucket.keys.clear()
            bucket.multiparts.clear()
        for queue in get_backend("sqs")[ACCOUNT][REGION].queues.values():
            queue._messages.clear()
            queue.pending_messages.clear()
        self.calls.clear()
        self.tokens.clear()
        self.mails.clear()
        self.undisturbed()

    def undisturbed(self) -> None:
        """Removes the hooks."""
        self.before = lambda _: None
        self.after = lambda _, answer: answer

    def snapshot(self) -> Callable[[], None]:
        """The content of the account, as a function that restores it and removes the hooks."""
        tables = get_backend("dynamodb")[ACCOUNT][REGION].tables
        items = {name: copies(table.items) for name, table in tables.items()}
        buckets = get_backend("s3")[ACCOUNT]["aws"].buckets
        objects = {
            name: {key: list(bucket.keys.getlist(key)) for key in bucket.keys}
            for name, bucket in buckets.items()
        }
        parts = [
            (bucket, each, {number: part.value for number, part in each.parts.items()})
            for bucket in buckets.values()
            for each in bucket.multiparts.values()
        ]

        def restore() -> None:
            self.reset()
            for name, held in items.items():
                tables[name].items.update(copies(held))
            for name, versions in objects.items():
                for key, each in versions.items():
                    dict.__setitem__(buckets[name].keys, key, list(each))
            for bucket, upload, sent in parts:
                bucket.multiparts[upload.id] = upload
                upload.parts, upload.partlist = {}, []
                for number, value in sent.items():
                    upload.set_part(number, value)

        return restore

    def rows_made(self, act: Callable[[], Any]) -> tuple[Any, Callable[[], None]]:
        """What an act gives, which changes no row that there is; and what makes its rows again."""
        tables = get_backend("dynamodb")[ACCOUNT][REGION].tables.values()
        before = {id(row): repr(row) for each in tables for row in rows_of(each.items.values())}
        made = act()
        rows = [(each, row) for each in tables for row in rows_of(each.items.values())]
        assert before == {id(row): repr(row) for _, row in rows if id(row) in before}
        new = [(table, same(row)) for table, row in rows if id(row) not in before]

        def again() -> None:
            for table, row in new:
                where = table.items[row.hash_key] if row.range_key else table.items
                where[row.range_key or row.hash_key] = same(row)

        return made, again

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table, with their numbers as text."""
        held = get_backend("dynamodb")[ACCOUNT][REGION].tables[table].items
        items = sorted(rows_of(held.values()), key=_key)
        return [{name: _plain(value) for name, value in item.attrs.items()} for item in items]

    def objects(self, bucket: str) -> dict[str, bytes]:
        """The bytes of the current version of each object that is not deleted."""
        keys = get_backend("s3")[ACCOUNT]["aws"].buckets[bucket].keys
        current = {key: keys[key] for key in keys}
        return {key: each.value for key, each in current.items() if hasattr(each, "value")}

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """Notes the calls in the block, in order; the list is complete at its end."""
        start = len(self.calls)
        counted: list[str] = []
        yield counted
        counted += self.calls[start:]

    def serve(self, stubber: Any, event_name: str, request: Any, original: Any) -> AWSResponse:
        """Answers one call as AWS would."""

        def moto() -> AWSResponse:
            return original(stubber, event_name, request)

        go_on = self._long_way.__dict__.pop("go_on", None)
        if go_on is not None:
            return go_on(moto)
        call = Call(event_name.rpartition(".")[2], request)
        self.calls.append(call.operation)
        answer = self.before(call) or self._apply(call, moto)
        return self.after(call, answer)

    def short_call(self, long: Any, client: Any, operation: str, told: dict[str, Any]) -> Any:
        """What the SDK returns of a call that does well, without its layers and those of HTTP.

        What does not do well goes on by `long`, the SDK's own way, from where it is: nobody steps
        in twice, and the SDK reads the error, tries again and raises what it raises.
        """
        request = short_request(client, operation, told)
        if request is None:
            return long(client, operation, told)
        call = Call(operation, request)
        self.calls.append(operation)
        try:
            answer = self.before(call) or self._apply(call, lambda: None)
            answer = answer and self.after(call, answer)
        except Exception as error:  # noqa: BLE001 - whoever steps in raises what they like
            self._long_way.go_on = partial(_fail, error)
        else:
            result = parsed_answer(client, operation, answer)
            if result is not None:
                return result
            if answer:
                self._long_way.go_on = lambda _: answer
            else:
                self._long_way.go_on = lambda moto: self.after(call, self._apply(call, moto))
        try:
            return long(client, operation, told)
        finally:
            self._long_way.__dict__.pop("go_on", None)

    def _apply(self, call: Call, moto: Callable[[], AWSResponse | None]) -> AWSResponse | None:
        """Applies a call; one with a ClientRequestToken that was applied answers as it did.

        None if it does not do well and moto, which has the words for that, was not there to answer.
        A mail is kept here: moto would first want its sender verified.
        """
        with self.lock:
            refused = refusal(call)
            if refused:
                return refused
            if call.operation == "SendEmail":
                self.mails.append(json.loads(call.request.body))
                return response(200, {"content-type": "application/json"}, b'{"MessageId": "1"}')
            if call.operation != "TransactWriteItems":
                return self._done(call, moto)
            token = json.loads(call.request.body)["ClientRequestToken"]
            if token not in self.tokens:
                answer = self._done(call, moto)
                if answer is None or answer.status_code != 200:
                    return answer
                self.tokens[token] = answer
            first = self.tokens[token]
            return response(200, first.headers, first.content)

    def _done(self, call: Call, moto: Callable[[], AWSResponse | None]) -> AWSResponse | None:
        body = at_once(call.operation, call.request)
        if body is None:
            return moto()
        return response(200, {"content-type": "application/x-amz-json-1.0"}, body)


def _fail(error: Exception, _: Any) -> AWSResponse:
    raise error


def _key(item: Any) -> tuple[str, str]:
    return item.hash_key.value, item.range_key.value if item.range_key else ""


def _plain(value: Any) -> Any:
    """An attribute without its type; what is in a set stands in order."""
    if value.type == "L":
        return [_plain(each) for each in value.value]
    if value.type == "SS":
        return sorted(value.value)
    return value.to_regular_json()["M"] if value.type == "M" else value.value


def response(status: int, headers: Any, body: bytes) -> AWSResponse:
    """An answer of AWS."""
    return AWSResponse("https://aws.test/", status, dict(headers), MockRawResponse(body))


def failure(call: Call, status: int, code: str) -> AWSResponse:
    """An error answer in the format of the called service."""
    if "dynamodb" in call.request.url:
        body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": code})
        return response(status, {"content-type": "application/x-amz-json-1.0"}, body.encode())
    xml = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>"
    return response(status, {"content-type": "application/xml"}, xml.encode())


LONGEST_TOKEN = 36  # characters
LONGEST_KEY = 2048  # bytes


def refusal(call: Call) -> AWSResponse | None:
    """What AWS refuses and moto does not: long keys and tokens, wrong checksums, parts that are
    gone.
    """
    headers = {name.lower(): value for name, value in call.request.headers.items()}
    if call.operation in {"PutObject", "GetObject"}:
        path = call.request.url.partition("?")[0].split("/", 3)[3]
        if len(path) > 1024:
            return failure(call, 400, "KeyTooLongError")
    if call.operation == "PutObject":
        said = _text(headers.get("x-amz-checksum-sha256"))
        if said and said != base64.b64encode(hashlib.sha256(sent_body(call)).digest()).decode():
            return failure(call, 400, "BadDigest")
    if call.operation == "CompleteMultipartUpload" and not _has_begun(call):
        return failure(call, 404, "NoSuchUpload")
    if (
        call.operation in {"BatchGetItem", "Query"}
        and len(call.request.body) > LONGEST_KEY
        and _has_long_key(json.loads(call.request.body))
    ):
        return failure(call, 400, "ValidationException")
    if call.operation == "TransactWriteItems":
        token = json.loads(call.request.body)["ClientRequestToken"]
        if not 1 <= len(token) <= LONGEST_TOKEN:
            return failure(call, 400, "ValidationException")
    return None


def _has_begun(call: Call) -> bool:
    """Whether S3 knows the multipart upload that a call names."""
    upload = dict(parse_qsl(urlsplit(call.request.url).query))["uploadId"]
    buckets = get_backend("s3")[ACCOUNT]["aws"].buckets.values()
    return any(upload in bucket.multiparts for bucket in buckets)


def sent_body(call: Call) -> bytes:
    """The body of a call, left as it was."""
    body = call.request.body
    if body is None or isinstance(body, bytes):
        return body or b""
    body.seek(0)
    data = body.read()
    body.seek(0)
    return data


def _has_long_key(body: Any) -> bool:
    """Whether any text of the request is longer than a partition key may be."""
    if isinstance(body, dict):
        if isinstance(body.get("S"), str) and len(body["S"].encode()) > LONGEST_KEY:
            return True
        return any(map(_has_long_key, body.values()))
    return isinstance(body, list) and any(map(_has_long_key, body))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""


@contextmanager
def stand() -> Iterator[Ground]:
    """Starts moto, creates what the dev stack declares, and answers through the shim.

    The SDK tries again at once, and as often as it is told to: its pauses take no time, and its
    quota of tries, which failures long past would have used up, has no end.
    """
    default_user_config["core"]["reset_boto3_session"] = False
    with mock_aws():
        ground = Ground(deploy(session(), "dev"))
        original = BotocoreStubber.__call__

        def called(stubber: Any, event_name: str, request: Any, **_: Any) -> AWSResponse | None:
            if not stubber.enabled:
                return None
            return ground.serve(stubber, event_name, request, original)

        long = BaseClient._make_api_call

        def made(client: Any, operation: str, told: dict[str, Any]) -> Any:
            return ground.short_call(long, client, operation, told)

        with (
            mock.patch.object(BotocoreStubber, "__call__", called),
            mock.patch.object(BaseClient, "_make_api_call", made),
            sooner(),
            mock.patch.object(endpoint, "time", SimpleNamespace(sleep=lambda _: None)),
            mock.patch.object(RetryQuota, "acquire", return_value=True),
        ):
            yield ground


@contextmanager
def empty() -> Iterator[boto3.Session]:
    """An account with nothing in it; the ground, if it stands, is put aside meanwhile."""
    with mock_aws(config={"core": {"reset_boto3_session": False}}):
        services = [get_backend(name) for name in ("dynamodb", "iam", "s3", "sqs", "sts")]
        held = [(each, dict(each)) for each in [*services, get_backend("s3").bucket_accounts]]
        for each, _ in held:
            each.clear()
        try:
            yield session()
        finally:
            for each, was in held:
                each.clear()
                each.update(was)
