"""The emulated AWS account: moto with the resources of `__main__.py`, behind a lock and a shim.

moto is not atomic under threads, so every call takes one lock. The shim refuses calls that AWS
refuses and moto accepts. Every call is noted, and a test may hook in before or after it.
"""

import base64
import hashlib
import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl, urlsplit

import boto3
from botocore.awsrequest import AWSResponse
from moto import mock_aws
from moto.backends import get_backend
from moto.core.botocore_stubber import MockRawResponse
from moto.core.config import default_user_config

from function import app
from local.deploy import Deployment, deploy
from local.record import record_resources
from tests.support.botocore_patches import patched_botocore
from tests.support.crc64 import base64_crc64nvme
from tests.support.dynamodb_answers import answer_directly, encode_request, parse_answer
from tests.support.moto_patches import patched_moto
from tests.support.moto_rows import (
    ACCOUNT,
    MAX_KEY_BYTES,
    REGION,
    copy_row,
    copy_rows,
    rows_of,
    tables,
)
from tests.support.permissions import Role

MAX_TOKEN_LENGTH = 36
DENIED = "AccessDeniedException"


class Session(boto3.Session):
    """A session with credentials for moto. It creates each client once, because that is slow."""

    def __init__(self) -> None:
        super().__init__("testing", "testing", region_name=REGION)
        self._clients: dict[str, Any] = {}

    def client(self, service_name: str, **options: Any) -> Any:
        config = options.get("config")
        key = repr((service_name, options | {"config": config and vars(config)}))
        if key not in self._clients:
            self._clients[key] = super().client(service_name, **options)
        return self._clients[key]


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
class FakeAws:
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
    role: Role = field(init=False)
    # What `serve` answers to the next request of a thread, for a call that already counts.
    _resumed: Any = field(default_factory=threading.local)

    def __post_init__(self) -> None:
        with_mail = record_resources("dev", {"mailFrom": "satchel@example.org"})
        self.role = Role(with_mail)

    def as_function(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        """A handler whose calls need the permissions of the function's role."""

        def handle(*arguments: Any) -> Any:
            with self.role.acting():
                return handler(*arguments)

        return handle

    def reset(self) -> None:
        """Empties the tables, the bucket and the queues, and removes the hooks."""
        for table in tables().values():
            table.items.clear()
        for bucket in get_backend("s3")[ACCOUNT]["aws"].buckets.values():
            bucket.keys.clear()
            bucket.multiparts.clear()
        sqs = get_backend("sqs")[ACCOUNT][REGION]
        for queue in sqs.queues:
            sqs.purge_queue(queue)
        self.calls.clear()
        self.tokens.clear()
        self.mails.clear()
        self.remove_hooks()

    def remove_hooks(self) -> None:
        """Removes the hooks."""
        self.before = lambda _: None
        self.after = lambda _, answer: answer

    def snapshot(self) -> Callable[[], None]:
        """The content of the account, as a function that restores it and removes the hooks."""
        items = {name: copy_rows(table.items) for name, table in tables().items()}
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
                tables()[name].items.update(copy_rows(held))
            for name, versions in objects.items():
                for key, each in versions.items():
                    dict.__setitem__(buckets[name].keys, key, list(each))
            for bucket, upload, sent in parts:
                bucket.multiparts[upload.id] = upload
                upload.parts, upload.partlist = {}, []
                for number, value in sent.items():
                    upload.set_part(number, value)

        return restore

    @contextmanager
    def rows_restored(self) -> Iterator[None]:
        """Restores the rows that the block changes, and forgets the commits that it made."""
        items = {name: copy_rows(table.items) for name, table in tables().items()}
        committed = dict(self.tokens)
        yield
        for name, table in tables().items():
            table.items.clear()
            table.items.update(items[name])
        self.tokens.clear()
        self.tokens.update(committed)

    def record_rows(self, act: Callable[[], Any]) -> tuple[Any, Callable[[], None]]:
        """The result of `act`, and a function that creates the rows again that `act` created.

        `act` may create rows, and must not change or delete one.
        """

        def listed() -> list[tuple[Any, Any]]:
            return [
                (each, row) for each in tables().values() for row in rows_of(each.items.values())
            ]

        before = {id(row): repr(row) for _, row in listed()}
        result = act()
        assert before == {id(row): repr(row) for _, row in listed() if id(row) in before}
        new = [(table, copy_row(row)) for table, row in listed() if id(row) not in before]

        def create() -> None:
            for table, row in new:
                partition = table.items[row.hash_key] if row.range_key else table.items
                partition[row.range_key or row.hash_key] = copy_row(row)

        return result, create

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table, with their numbers as text."""
        items = sorted(rows_of(tables()[table].items.values()), key=_key)
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

    def serve(
        self, event_name: str, request: Any, moto: Callable[[], AWSResponse | None]
    ) -> AWSResponse | None:
        """Answers one HTTP request of the SDK as AWS would."""
        resume = vars(self._resumed).pop("resume", None)
        if resume is not None:
            return resume(moto)
        call = Call(event_name.rpartition(".")[2], request)
        self.calls.append(call.operation)
        answer = self._before(call) or self._apply(call, moto)
        return self._after(call, answer)

    def _before(self, call: Call) -> AWSResponse | None:
        """The answer of the hook `before`, whose own calls need no permission."""
        with self.role.pausing():
            return self.before(call)

    def _after(self, call: Call, answer: AWSResponse) -> AWSResponse:
        """The answer of the hook `after`, whose own calls need no permission."""
        with self.role.pausing():
            return self.after(call, answer)

    def call(
        self, client: Any, operation: str, parameters: dict[str, Any], sdk: Callable[[], Any]
    ) -> Any:
        """What a method of a client returns; without the layers of the SDK and HTTP if it succeeds.

        If the call fails or has an answer that only the SDK reads, `sdk` resumes it: the hooks run
        once, and the SDK parses the error, retries and raises.
        """
        request = encode_request(client, operation, parameters)
        if request is None:
            return sdk()
        call = Call(operation, request)
        self.calls.append(operation)
        try:
            answer = self._before(call) or self._apply(call, lambda: None)
            answer = answer and self._after(call, answer)
        except Exception as error:  # noqa: BLE001 - a hook raises any error
            self._resumed.resume = partial(_fail, error)
        else:
            result = parse_answer(client, operation, answer)
            if result is not None:
                return result
            if answer:
                self._resumed.resume = lambda _: answer
            else:
                self._resumed.resume = lambda moto: self._after(call, self._apply(call, moto))
        try:
            return sdk()
        finally:
            vars(self._resumed).pop("resume", None)

    def _apply(self, call: Call, moto: Callable[[], AWSResponse | None]) -> AWSResponse | None:
        """Applies a call. A ClientRequestToken that was applied before gets the same answer again.

        None if the call fails and `moto` returns None. Mails are kept in `mails`, because moto
        requires a verified sender.
        """
        with self.lock:
            refused = refusal(call)
            if refused:
                return refused
            if self.role.refuses(call.operation, call.request.url, call.request.body):
                return failure(call, 400 if "dynamodb" in call.request.url else 403, DENIED)
            if call.operation == "SendEmail":
                self.mails.append(json.loads(call.request.body))
                return response(200, {"content-type": "application/json"}, b'{"MessageId": "1"}')
            if call.operation != "TransactWriteItems":
                return self._answer(call, moto)
            token = json.loads(call.request.body)["ClientRequestToken"]
            if token not in self.tokens:
                answer = self._answer(call, moto)
                if answer is None or answer.status_code != 200:
                    return answer
                self.tokens[token] = answer
            first = self.tokens[token]
            return response(200, first.headers, first.content)

    def _answer(self, call: Call, moto: Callable[[], AWSResponse | None]) -> AWSResponse | None:
        body = answer_directly(call.operation, call.request)
        if call.operation == "ListParts":
            return with_part_hashes(call, moto())
        if body is None:
            return moto()
        return response(200, {"content-type": "application/x-amz-json-1.0"}, body)


def _fail(error: Exception, _: Any) -> AWSResponse:
    raise error


def _key(item: Any) -> tuple[str, str]:
    return item.hash_key.value, item.range_key.value if item.range_key else ""


def _plain(value: Any) -> Any:
    """An attribute without its type. A set becomes a sorted list."""
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


def refusal(call: Call) -> AWSResponse | None:
    """The error of AWS for a long key or token, a wrong checksum, or a missing multipart upload."""
    headers = {name.lower(): value for name, value in call.request.headers.items()}
    if call.operation in {"PutObject", "GetObject"}:
        path = call.request.url.partition("?")[0].split("/", 3)[3]
        if len(path) > 1024:
            return failure(call, 400, "KeyTooLongError")
    if call.operation == "PutObject":
        declared = _text(headers.get("x-amz-checksum-sha256"))
        if (
            declared
            and declared != base64.b64encode(hashlib.sha256(sent_body(call)).digest()).decode()
        ):
            return failure(call, 400, "BadDigest")
    if call.operation == "CompleteMultipartUpload":
        upload = multipart_upload(_query(call)["uploadId"])
        code = wrong_completion(upload, headers, call.request.body) if upload else "NoSuchUpload"
        if code:
            return failure(call, 400 if upload else 404, code)
    if (
        call.operation in {"BatchGetItem", "Query"}
        and len(call.request.body) > MAX_KEY_BYTES
        and _has_long_key(json.loads(call.request.body))
    ):
        return failure(call, 400, "ValidationException")
    if call.operation == "TransactWriteItems":
        token = json.loads(call.request.body)["ClientRequestToken"]
        if not 1 <= len(token) <= MAX_TOKEN_LENGTH:
            return failure(call, 400, "ValidationException")
    return None


def _query(call: Call) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(call.request.url).query))


def multipart_upload(upload_id: str) -> Any:
    """moto's multipart upload of this id; None where it has none."""
    buckets = get_backend("s3")[ACCOUNT]["aws"].buckets.values()
    found = (bucket.multiparts.get(upload_id) for bucket in buckets)
    return next((each for each in found if each), None)


def checksum_algorithm(upload: Any) -> str:
    """The algorithm that a multipart upload was created for, "" for none."""
    return str(upload.metadata.get("x-amz-checksum-algorithm") or "")


def wrong_completion(upload: Any, headers: dict[str, Any], body: bytes | str) -> str:
    """The code of the error for parts or an object with other checksums than those given.

    moto verifies none, and computes a CRC32 where it should compute a CRC-64/NVME.
    """
    text = _text(body)
    if checksum_algorithm(upload) == "SHA256":
        for part in re.findall(r"<Part>.*?</Part>", text, re.DOTALL):
            number = int(re.findall(r"<PartNumber>(\d+)<", part)[0])
            given = re.findall(r"<ChecksumSHA256>([^<]+)<", part)
            if not given:
                return "InvalidRequest"
            if given != [part_hash(upload, number)]:
                return "InvalidPart"
    whole = _text(headers.get("x-amz-checksum-crc64nvme"))
    if whole and checksum_algorithm(upload) == "CRC64NVME":
        joined = b"".join(upload.parts[number].value for number in sorted(upload.parts))
        return "" if whole == base64_crc64nvme(joined) else "BadDigest"
    return ""


def part_hash(upload: Any, number: int) -> str:
    """The SHA-256 of a part, as S3 writes it."""
    value = upload.parts[number].value if number in upload.parts else b""
    return base64.b64encode(hashlib.sha256(value).digest()).decode()


def with_part_hashes(call: Call, answer: AWSResponse | None) -> AWSResponse | None:
    """A list of parts with the SHA-256 of each, which moto does not keep."""
    upload = multipart_upload(_query(call)["uploadId"])
    if answer is None or upload is None or checksum_algorithm(upload) != "SHA256":
        return answer

    def add(match: re.Match[str]) -> str:
        return f"{match[0]}<ChecksumSHA256>{part_hash(upload, int(match[1]))}</ChecksumSHA256>"

    body = re.sub(r"<PartNumber>(\d+)</PartNumber>", add, answer.content.decode())
    return response(answer.status_code, answer.headers, body.encode())


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
        if isinstance(body.get("S"), str) and len(body["S"].encode()) > MAX_KEY_BYTES:
            return True
        return any(map(_has_long_key, body.values()))
    return isinstance(body, list) and any(map(_has_long_key, body))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""


@contextmanager
def running_fake_aws() -> Iterator[FakeAws]:
    """Starts moto, creates the resources of the dev stack, and answers AWS calls by `FakeAws`."""
    default_user_config["core"]["reset_boto3_session"] = False
    often = {"MOTO_SQS_ENFORCE_STRICT_QUEUE_PURGE_BEHAVIOUR": "false"}  # not once in 60 seconds
    with mock.patch.dict(os.environ, often), mock_aws():
        fake_aws = FakeAws(deploy(session(), "dev"))
        handler = mock.patch.object(app, "lambda_handler", fake_aws.as_function(app.lambda_handler))
        with handler, patched_moto(fake_aws.serve), patched_botocore(fake_aws.call):
            yield fake_aws


@contextmanager
def empty_account() -> Iterator[boto3.Session]:
    """An account without resources. Those of a running `FakeAws` are restored afterwards."""
    with mock_aws(config={"core": {"reset_boto3_session": False}}):
        services = [get_backend(name) for name in ("dynamodb", "iam", "s3", "sqs", "sts")]
        saved = [(each, dict(each)) for each in [*services, get_backend("s3").bucket_accounts]]
        for each, _ in saved:
            each.clear()
        try:
            yield session()
        finally:
            for each, content in saved:
                each.clear()
                each.update(content)
