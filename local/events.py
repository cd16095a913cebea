"""What API Gateway (HTTP API, payload format 2.0) does to a request and to a function's result.

Pure functions between the wire and the handler: a request becomes an event, a result becomes an
answer, and the declared CORS configuration is applied. Sources: the developer guide's pages on
Lambda proxy integrations, CORS and quotas, and what was measured where they are silent.
Imports `wire` and the standard library.
"""

import base64
import binascii
import json
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from local.wire import BODILESS, Answer, Request

Event = dict[str, Any]

EVENT_LIMIT = 6 * 1024 * 1024  # bytes of JSON that Lambda takes
RESULT_LIMIT = EVENT_LIMIT + 100  # and gives back

# The gateway owns the connection; these never reach the function, nor come from it.
_HOP = {
    "connection", "expect", "keep-alive", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade",
}  # fmt: skip
_TEXT = {"application/json", "application/xml", "application/javascript"}
_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_LENGTH = re.compile(r"[0-9]{1,18}")
_STATUSES = range(200, 600)
_TOO_LARGE = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


@dataclass(frozen=True)
class Cors:
    """The API's CORS configuration. Without origins the gateway leaves CORS to the function."""

    allow_origins: Sequence[str] = ()
    allow_methods: Sequence[str] = ()
    allow_headers: Sequence[str] = ()
    expose_headers: Sequence[str] = ()
    max_age: int | None = None
    allow_credentials: bool = False

    def allowed(self, origin: str) -> str | None:
        """The Access-Control-Allow-Origin for an origin, if it has one."""
        if "*" in self.allow_origins:
            return "*"
        scheme = origin.partition("://")[0] + "://*"
        mine = {allowed.lower() for allowed in self.allow_origins}
        return origin if mine & {origin.lower(), scheme.lower()} else None


def event_of(request: Request, source_ip: str, port: int) -> Event:
    """The event that Lambda receives. What a client claims in X-Forwarded-For changes no fact."""
    target = re.sub(r"^https?://[^/?]*", "", request.target) or "/"
    path, _, query = target.partition("?")
    headers = _headers(request, source_ip, port)
    event: Event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": _decoded_path(path),
        "rawQueryString": query,
        "headers": headers,
        "requestContext": _context(request, headers, source_ip, _decoded_path(path)),
        "isBase64Encoded": False,
    }
    if cookies := [c.strip() for line in request.values("cookie") for c in line.split(";")]:
        event["cookies"] = [cookie for cookie in cookies if cookie]
    if query:
        event["queryStringParameters"] = _joined(parse_qsl(query, keep_blank_values=True))
    if request.body:
        event["body"], event["isBase64Encoded"] = _body(request)
    return event


def _context(request: Request, headers: Mapping[str, str], source_ip: str, path: str) -> Event:
    now = time.time()
    return {
        "accountId": "000000000000",
        "apiId": "local",
        "domainName": re.sub(r":\d*$", "", headers.get("host", "")),
        "domainPrefix": "local",
        "http": {
            "method": request.method,
            "path": path,
            "protocol": request.protocol,
            "sourceIp": source_ip,
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": base64.b64encode(secrets.token_bytes(11)).decode(),
        "routeKey": "$default",
        "stage": "$default",
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
        "timeEpoch": int(now * 1000),
    }


def answer_of(result: Any, method: str = "GET") -> Answer:
    """The answer that a function's result stands for; 500 when it stands for none.

    To a HEAD the function's own content-length is kept: it tells of the bytes that are not sent.
    """
    try:
        text = json.dumps(result, ensure_ascii=False)
        if len(text.encode()) > RESULT_LIMIT:
            return failure(HTTPStatus.INTERNAL_SERVER_ERROR)
    except (TypeError, ValueError, RecursionError):  # not JSON; lone surrogates are a ValueError
        return failure(HTTPStatus.INTERNAL_SERVER_ERROR)
    if not isinstance(result, dict) or "statusCode" not in result:
        body = result if isinstance(result, str) else text
        return Answer(HTTPStatus.OK, [("content-type", "application/json")], body.encode())
    try:
        return _answer(result, method)
    except (AttributeError, TypeError, ValueError):
        return failure(HTTPStatus.INTERNAL_SERVER_ERROR)


def failure(status: HTTPStatus) -> Answer:
    """An answer of the gateway's own, in the gateway's own words."""
    # Python 3.13 renamed this one; the gateway did not.
    words = "Request Entity Too Large" if status == _TOO_LARGE else status.phrase
    body = json.dumps({"message": words})
    return Answer(status, [("content-type", "application/json")], body.encode())


def preflight(request: Request, cors: Cors) -> Answer | None:
    """The gateway's own answer to a CORS preflight; the function never sees one."""
    asked = request.values("origin") and request.values("access-control-request-method")
    if request.method != "OPTIONS" or not asked or not cors.allow_origins:
        return None
    origin = cors.allowed(request.values("origin")[0])
    if origin is None:
        return Answer(HTTPStatus.NO_CONTENT)
    headers = _cors_headers(cors, origin)
    for name, values in (("methods", cors.allow_methods), ("headers", cors.allow_headers)):
        if values:
            headers.append((f"access-control-allow-{name}", ",".join(values)))
    if cors.max_age is not None:
        headers.append(("access-control-max-age", str(cors.max_age)))
    return Answer(HTTPStatus.NO_CONTENT, headers)


def with_cors(request: Request, answer: Answer, cors: Cors) -> Answer:
    """The answer with the configured CORS headers in place of the function's."""
    if not cors.allow_origins:
        return answer
    kept = [pair for pair in answer.headers if not pair[0].lower().startswith("access-control-")]
    origin = cors.allowed(request.values("origin")[0]) if request.values("origin") else None
    added = _cors_headers(cors, origin) if origin else []
    return Answer(answer.status, kept + added, answer.body)


def _cors_headers(cors: Cors, origin: str) -> list[tuple[str, str]]:
    headers = [("access-control-allow-origin", origin)]
    if cors.allow_credentials and origin != "*":
        headers.append(("access-control-allow-credentials", "true"))
    if cors.expose_headers:
        headers.append(("access-control-expose-headers", ",".join(cors.expose_headers)))
    return headers


def _headers(request: Request, source_ip: str, port: int) -> dict[str, str]:
    headers = _joined(
        (name, value) for name, value in request.headers if name not in _HOP and name != "cookie"
    )
    if request.body:
        headers["content-length"] = str(len(request.body))
    claimed = headers.get("x-forwarded-for")
    headers["x-forwarded-for"] = f"{claimed}, {source_ip}" if claimed else source_ip
    headers["x-forwarded-proto"], headers["x-forwarded-port"] = "http", str(port)
    root = f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    headers.setdefault("x-amzn-trace-id", root)
    return dict(sorted(headers.items()))


def _joined(pairs: Any) -> dict[str, str]:
    """One value a name, repeats joined with a comma."""
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _decoded_path(path: str) -> str:
    """Every escape but %25 is decoded, and what follows a decoded `?` is gone."""

    def decoded(match: re.Match[str]) -> str:
        runs = re.split("(%25)", match[0])
        plain = (
            bytes.fromhex(run.replace("%", "")).decode("utf-8", "replace") for run in runs[::2]
        )
        return "%25".join(plain)

    return _ESCAPES.sub(decoded, path).partition("?")[0]


def _body(request: Request) -> tuple[str, bool]:
    """The body and whether it is Base64: text only for the few types that count as text."""
    kind = ",".join(request.values("content-type")).partition(";")[0].strip().lower()
    if kind.startswith("text/") or kind in _TEXT:
        return request.body.decode("utf-8", "replace"), False
    return base64.b64encode(request.body).decode(), True


def _answer(result: Mapping[str, Any], method: str) -> Answer:
    """Raises AttributeError, TypeError or ValueError when a part is not what it should be."""
    status = int(result["statusCode"])
    body = result.get("body") or ""
    if status not in _STATUSES or not isinstance(body, str):
        raise ValueError
    data = _unbase64(body) if result.get("isBase64Encoded") else body.encode()
    sent = [
        (str(name).lower(), _value(value)) for name, value in (result.get("headers") or {}).items()
    ]
    if not all(_HEADER_NAME.fullmatch(name) for name, _ in sent):
        raise ValueError
    headers = [pair for pair in sent if pair[0] not in _HOP | {"content-length"}]
    if method == "HEAD" and status not in BODILESS:
        lengths = [p for p in sent if p[0] == "content-length" and _LENGTH.fullmatch(p[1])]
        headers += lengths[:1]
    if "content-type" not in dict(headers) and data:
        headers.append(("content-type", "text/plain;charset=UTF-8"))
    headers += [("set-cookie", _value(cookie)) for cookie in result.get("cookies") or ()]
    return Answer(status, headers, data)


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError from error


def _value(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if _FORBIDDEN.search(text):  # a line break here would let a value write headers of its own
        raise ValueError
    return text
