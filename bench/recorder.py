"""Records one usual request of each route, with the answers of AWS that moto gave to it.

`request_cost` plays the answers back, so its figures hold no cost of an emulator.
"""

import base64
import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import boto3
from botocore.awsrequest import AWSResponse

from function import base, contract
from function.core.runtime import system_runtime
from local.gateway.http1 import Request
from local.gateway.lambda_proxy import build_event
from tests.support.bulk_files import fill
from tests.support.client import PASSWORD, Answer, Client, join
from tests.support.fake_aws import REGION, Call, FakeAws, response
from tests.support.meter import Cost, Meter

DATA = bytes(range(256)) * 400  # 100 KiB
MIB = 1 << 20
HUNDRED = 100
RAW = {"accept": "application/octet-stream"}


@dataclass
class Recording:
    """A request, its status, its units, and the answers of AWS to it by `call_key`."""

    event: dict[str, Any]
    status: int = 0
    cost: Cost = field(default_factory=Cost)
    answers: dict[str, list[tuple[int, dict[str, str], bytes]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    @property
    def calls(self) -> int:
        """The number of calls of AWS that it made."""
        return sum(map(len, self.answers.values()))


def call_key(operation: str, body: Any) -> str:
    """The operation and table of a call of AWS, and the values of a query.

    It tells the calls of one request apart, in whatever order they are made.
    """
    try:
        sent = json.loads(body)
        within = sent.get("ExpressionAttributeValues", {}) if operation == "Query" else ""
        return f"{operation} {sent.get('TableName', '')} {within}"
    except (TypeError, ValueError):
        return operation


class Recorder:
    """Sends requests as the tests do, and keeps the answers of AWS."""

    def __init__(self, fake_aws: FakeAws) -> None:
        """Records on an emulated account."""
        self.fake_aws = fake_aws
        self.recordings: dict[str, Recording] = {}

    def record(self, label: str, who: Client, method: str, path: str, **sent: Any) -> Answer:
        """Sends a request and records it under a label. Raises RuntimeError when it is refused."""
        query, fields = sent.get("query", {}), sent.get("fields")
        body = sent.get("body", b"") if fields is None else json.dumps(fields).encode()
        kind = "application/octet-stream" if fields is None else "application/json"
        headers = {"content-type": kind, **sent.get("headers", {})}
        if who.token:
            headers["x-session-token"] = who.token
        target = f"{path}?{urlencode(query)}" if query else path
        event = build_event(Request(method, target, tuple(headers.items()), body), who.address, 443)
        recording = Recording(json.loads(json.dumps(event)))

        def keep(call: Call, answer: AWSResponse) -> AWSResponse:
            content = answer.content
            plain = {str(key): str(value) for key, value in answer.headers.items()}
            kept = recording.answers[call_key(call.operation, call.request.body)]
            kept.append((answer.status_code, plain, content))
            return response(answer.status_code, plain, content)

        meter = Meter(self.fake_aws, cost=recording.cost)
        self.fake_aws.before = meter.before
        self.fake_aws.after = lambda call, answer: keep(call, meter.after(call, answer))
        try:
            answered = who.send(method, path, query=query, body=body, headers=headers)
        finally:
            self.fake_aws.remove_hooks()
        if answered.status >= 400:  # noqa: PLR2004
            raise RuntimeError(f"{label}: {answered.status} {answered.text}")
        recording.status = answered.status
        self.recordings[label] = recording
        return answered


def record_routes(
    fake_aws: FakeAws, settings: contract.Settings, session: boto3.Session | None = None
) -> dict[str, Recording]:
    """Every route's recording by its label; the handler makes its clients from `session`."""
    session = session or boto3.Session("testing", "testing", region_name=REGION)
    base.use(base.Base(settings, session.client, system_runtime()))
    recorder = Recorder(fake_aws)
    try:
        _accounts(recorder)
        alice, bob = join("alice"), join("bob", "192.0.2.2")
        _files(recorder, alice)
        _life(recorder, alice)
        _shares(recorder, alice, bob)
        _lists(recorder, settings)
        _links(recorder, alice)
        _requests(recorder, alice)
        _uploads(recorder, alice, session.client("s3"), settings.bucket)
    finally:
        base.use(None)
    return recorder.recordings


def _accounts(recorder: Recorder) -> None:
    credentials = {"username": "carol", "password": PASSWORD}
    anyone, record = Client(), recorder.record
    record("GET /health", anyone, "GET", "/health")
    record("POST /register", anyone, "POST", "/register", fields=credentials)
    carol = Client(
        record("POST /login", anyone, "POST", "/login", fields=credentials).json()["token"]
    )
    record("GET /me", carol, "GET", "/me")
    key = {"name": "backup", "scopes": ["read"], "current_password": PASSWORD}
    record("POST /keys", carol, "POST", "/keys", fields=key)
    record("POST /logout", carol, "POST", "/logout")


def _files(recorder: Recorder, alice: Client) -> None:
    named, record = {"file_name": "a.bin"}, recorder.record
    encoded = {**named, "content": base64.b64encode(DATA).decode()}
    record("PUT /file, 100 KiB as JSON", alice, "PUT", "/file", fields=encoded)
    record("PUT /file, 100 KiB", alice, "PUT", "/file", query=named, body=DATA)
    record("PUT /file, 4 MiB", alice, "PUT", "/file", query=named, body=bytes(4 * MIB))
    alice.put("a.bin", DATA)
    record("GET /file, 100 KiB", alice, "GET", "/file", query=named, headers=RAW)
    record("GET /download", alice, "GET", "/download", query=named)
    move = {"file_name": "a.bin", "new_name": "moved.bin"}
    record("PATCH /file, another name", alice, "PATCH", "/file", fields=move)
    move = {"file_name": "moved.bin", "new_name": "in/moved.bin"}
    record("PATCH /file, into a folder", alice, "PATCH", "/file", fields=move)
    alice.put("a.bin", DATA)
    alice.put("gone.bin", b"")
    record("DELETE /file", alice, "DELETE", "/file", query={"file_name": "gone.bin"})


def _life(recorder: Recorder, alice: Client) -> None:
    record, gone = recorder.record, {"file_name": "gone.bin"}
    record("POST /restore, from the trash", alice, "POST", "/restore", fields=gone)
    alice.put("a.bin", b"")
    version = {"file_name": "a.bin", "version": 1}
    record("POST /restore, a version", alice, "POST", "/restore", fields=version)
    copy = {"file_name": "a.bin", "new_name": "copy.bin"}
    record("POST /copy", alice, "POST", "/copy", fields=copy)


def _shares(recorder: Recorder, alice: Client, bob: Client) -> None:
    record, grant = recorder.record, {"file_name": "a.bin", "username": "bob"}
    record("POST /share", alice, "POST", "/share", fields=grant)
    theirs = {"file_name": "a.bin", "username": "alice"}
    record("GET /file, 100 KiB of another", bob, "GET", "/file", query=theirs, headers=RAW)
    record("DELETE /share", alice, "DELETE", "/share", query=grant)
    for number in range(HUNDRED):
        alice.put(f"many/{number}", b"")
        alice.post("/share", file_name=f"many/{number}", username="bob")
    record("GET /files, 100 of one's own", alice, "GET", "/files", query={"prefix": "many/"})
    record("GET /files, 100 shared ones", bob, "GET", "/files")


def _lists(recorder: Recorder, settings: contract.Settings) -> None:
    """Of an account without changes in the last minute, which a list by time reads as well."""
    record, owner = recorder.record, join("erin", "192.0.2.3")
    fill(settings, "erin", (f"{number % 10}/photo {number}.jpg" for number in range(HUNDRED)))
    newest = {"sort": "modified", "order": "desc"}
    record("GET /files, 100 by `q=photo`", owner, "GET", "/files", query={"q": "photo"})
    record("GET /files, 100 by `sort=modified`", owner, "GET", "/files", query=newest)
    folders = {"folders": "true"}
    record("GET /files, 10 folders by `folders=true`", owner, "GET", "/files", query=folders)
    record("GET /changes, 100", owner, "GET", "/changes")


def _links(recorder: Recorder, alice: Client) -> None:
    record, anyone = recorder.record, Client()
    body = {"items": ["a.bin"], "max_downloads": HUNDRED}
    made = record("POST /links", alice, "POST", "/links", fields=body).json()
    path = "/s/" + made["url"].rpartition("/")[2]
    record("GET /s/{token}", anyone, "GET", path)
    record("POST /s/{token}/download", anyone, "POST", f"{path}/download", fields={})


def _requests(recorder: Recorder, alice: Client) -> None:
    record, body = recorder.record, {"title": "Plans", "folder": "in/", "max_files": HUNDRED}
    made = record("POST /requests", alice, "POST", "/requests", fields=body).json()
    at, anyone = urlsplit(made["url"]).path, Client()
    small = {"file_name": "b.bin", "size": len(DATA)}
    record("GET /r/{token}", anyone, "GET", at)
    record("POST /r/{token}/uploads, one PUT", anyone, "POST", f"{at}/uploads", fields=small)


def _uploads(recorder: Recorder, alice: Client, s3: Any, bucket: str) -> None:
    record = recorder.record
    small = {"file_name": "b.bin", "size": len(DATA)}
    begun = record("POST /uploads, one PUT", alice, "POST", "/uploads", fields=small).json()
    s3.put_object(Bucket=bucket, Key=object_key(begun["put"]["url"]), Body=DATA)
    at = f"/uploads/{begun['upload_id']}/complete"
    record("POST /uploads/{id}/complete, one PUT", alice, "POST", at, fields={})

    large = {"file_name": "c.bin", "size": 65 * MIB}
    begun = record("POST /uploads, 9 parts", alice, "POST", "/uploads", fields=large).json()
    numbers = {"part_numbers": list(range(1, begun["total_parts"] + 1))}
    at = f"/uploads/{begun['upload_id']}"
    signed = record("POST /uploads/{id}/parts, 9", alice, "POST", f"{at}/parts", fields=numbers)
    for part in signed.json()["parts"]:
        s3.upload_part(
            Bucket=bucket,
            Key=object_key(part["url"]),
            UploadId=parse_qs(urlsplit(part["url"]).query)["uploadId"][0],
            PartNumber=part["part_number"],
            Body=bytes(part["size"]),
        )
    record("GET /uploads/{id}", alice, "GET", at)
    record("POST /uploads/{id}/complete, 9 parts", alice, "POST", f"{at}/complete", fields={})
    begun = alice.post("/uploads", **large).json()
    record("DELETE /uploads/{id}", alice, "DELETE", f"/uploads/{begun['upload_id']}")


def object_key(url: str) -> str:
    """The object's key in a presigned URL."""
    return unquote(urlsplit(url).path).removeprefix("/")
