"""A client of presigned URLs. moto does not verify signatures, so they are verified here.

As strict as S3 or stricter: SigV4 over exactly the headers that were signed, for at most five
minutes, by the real clock. What passes is applied to moto, by boto3. Sources: the S3 API reference,
"Authenticating requests: using query parameters", and the Amazon S3 User Guide.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from botocore.exceptions import ClientError

from tests.support.crc64 import base64_crc64nvme
from tests.support.fake_aws import REGION, checksum_algorithm, multipart_upload, session

KEY_ID, SECRET = "testing", "testing"
LONGEST = 300
ALGORITHM = "AWS4-HMAC-SHA256"
OVERRIDES = {
    "response-content-disposition": "ResponseContentDisposition",
    "response-content-type": "ResponseContentType",
    "response-cache-control": "ResponseCacheControl",
    "response-content-encoding": "ResponseContentEncoding",
}


@dataclass(frozen=True)
class Reply:
    """An answer of S3; `code` is that of the error, or empty."""

    status: int
    code: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Refused(Exception):
    """S3 refuses the request."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.reply = Reply(status, code)


@dataclass(frozen=True)
class Asked:
    """A request as it arrives; header names are lower case."""

    method: str
    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def bucket(self) -> str:
        return self.host.partition(".")[0]

    @property
    def key(self) -> str:
        return unquote(self.path[1:])

    @property
    def signed_headers(self) -> list[str]:
        return self.query.get("X-Amz-SignedHeaders", "").split(";")


def send(
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    *,
    later: float = 0,
) -> Reply:
    """Sends a request as an HTTP client does, `later` seconds after now."""
    try:
        asked = _asked(method, url, headers or {}, body)
        _verify(asked, datetime.now(UTC) + timedelta(seconds=later))
        return _apply(asked)
    except Refused as refused:
        return refused.reply
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return Reply(status, error.response["Error"]["Code"])


def signed_headers(url: str) -> set[str]:
    """The header fields that the URL signs."""
    return set(dict(parse_qsl(urlsplit(url).query))["X-Amz-SignedHeaders"].split(";"))


def _asked(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Asked:
    """The request as HTTP: a client adds the host and the content length."""
    parts = urlsplit(url)
    assert parts.scheme == "https", url
    pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs), "a parameter is repeated"
    sent = {name.lower(): value.strip() for name, value in headers.items()}
    sent["host"] = parts.netloc
    if method == "PUT":
        sent.setdefault("content-length", str(len(body)))
    return Asked(method, parts.netloc, parts.path, dict(pairs), sent, body)


def _verify(asked: Asked, now: datetime) -> None:
    query = asked.query
    if query.get("X-Amz-Algorithm") != ALGORITHM or "X-Amz-Signature" not in query:
        raise Refused(403, "AccessDenied")
    life = query.get("X-Amz-Expires", "")
    if not life.isdecimal() or not 0 < int(life) <= LONGEST:
        raise Refused(400, "AuthorizationQueryParametersError")
    since = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if now > since + timedelta(seconds=int(life)) or since > now + timedelta(minutes=15):
        raise Refused(403, "AccessDenied")
    scope = f"{since:%Y%m%d}/{REGION}/s3/aws4_request"
    if query["X-Amz-Credential"] != f"{KEY_ID}/{scope}":
        raise Refused(403, "InvalidAccessKeyId")
    if asked.host != f"{asked.bucket}.s3.{REGION}.amazonaws.com":
        raise Refused(403, "SignatureDoesNotMatch")
    signed = asked.signed_headers
    unsigned = {name for name in asked.headers if name.startswith("x-amz-")} - {*signed}
    if "host" not in signed or unsigned or not {*signed} <= asked.headers.keys():
        raise Refused(403, "AccessDenied")
    if not hmac.compare_digest(query["X-Amz-Signature"], _signature(asked, scope)):
        raise Refused(403, "SignatureDoesNotMatch")
    if asked.method == "PUT" and asked.headers["content-length"] != str(len(asked.body)):
        raise Refused(400, "IncompleteBody")


def _signature(asked: Asked, scope: str) -> str:
    """SigV4 of the request, of which the payload is not signed."""
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in asked.query.items()
        if name != "X-Amz-Signature"
    )
    canonical = [
        asked.method,
        quote(unquote(asked.path), safe="/-_.~"),
        "&".join(f"{name}={value}" for name, value in pairs),
        *(f"{name}:{asked.headers[name]}" for name in asked.signed_headers),
        "",
        ";".join(asked.signed_headers),
        "UNSIGNED-PAYLOAD",
    ]
    digest = hashlib.sha256("\n".join(canonical).encode()).hexdigest()
    text = "\n".join([ALGORITHM, asked.query["X-Amz-Date"], scope, digest])
    key = f"AWS4{SECRET}".encode()
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def _client() -> Any:
    return session().client("s3")


def _apply(asked: Asked) -> Reply:
    where = {"Bucket": asked.bucket, "Key": asked.key}
    if asked.method == "GET":
        return _get(asked, where)
    if asked.method != "PUT":
        raise Refused(405, "MethodNotAllowed")
    extra = _checksum(asked)
    if "uploadId" in asked.query:
        upload = multipart_upload(asked.query["uploadId"])
        if upload and (checksum_algorithm(upload) == "SHA256") is not bool(extra):
            raise Refused(400, "InvalidRequest")  # "Checksum Type mismatch occurred"
        part = {"UploadId": asked.query["uploadId"], "PartNumber": int(asked.query["partNumber"])}
        answer = _client().upload_part(**where, **part, Body=asked.body, **extra)
        return Reply(200, headers={"etag": answer["ETag"]})
    if "content-type" in asked.headers:
        extra["ContentType"] = asked.headers["content-type"]
    if "content-encoding" in asked.headers:  # S3 stores it, signed or not
        extra["ContentEncoding"] = asked.headers["content-encoding"]
    if "if-none-match" in asked.headers:
        extra["IfNoneMatch"] = asked.headers["if-none-match"]
    answer = _client().put_object(**where, Body=asked.body, **extra)
    return Reply(200, headers={"etag": answer["ETag"]})


def _checksum(asked: Asked) -> dict[str, Any]:
    """Compares the bytes with their checksums; the parameters by which moto keeps a SHA-256."""
    checksum = asked.headers.get("x-amz-checksum-sha256")
    if checksum and checksum != base64.b64encode(hashlib.sha256(asked.body).digest()).decode():
        raise Refused(400, "BadDigest")
    whole = asked.headers.get("x-amz-checksum-crc64nvme")
    if whole and whole != base64_crc64nvme(asked.body):
        raise Refused(400, "BadDigest")
    # moto keeps a checksum only when it is told its algorithm as well.
    return {"ChecksumSHA256": checksum, "ChecksumAlgorithm": "SHA256"} if checksum else {}


def _get(asked: Asked, where: dict[str, str]) -> Reply:
    said = {OVERRIDES[name]: value for name, value in asked.query.items() if name in OVERRIDES}
    answer = _client().get_object(**where, **said)
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    return Reply(200, headers=headers, body=answer["Body"].read())
