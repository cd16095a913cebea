"""API Gateway's Lambda proxy integration, payload format 2.0: request to event, result to response.

Sources: API Gateway Developer Guide, AWS Lambda proxy integrations for HTTP APIs and quotas, and
measurements where the guide is silent. Pure functions.
"""

import base64
import json
import re
import secrets
import time
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from local.gateway.http1 import BODILESS, Request, Response
from local.lambda_runtime import Event

EVENT_LIMIT = 6 * 1024 * 1024  # bytes of JSON that Lambda accepts
RESULT_LIMIT = EVENT_LIMIT + 100  # bytes of JSON that Lambda returns

# Headers of the connection, which belong to the gateway (RFC 9110, section 7.6.1).
_HOP_BY_HOP = {
    "connection", "expect", "keep-alive", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade",
}  # fmt: skip
_TEXT_TYPES = {"application/json", "application/xml", "application/javascript"}
_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_LENGTH = re.compile(r"[0-9]{1,18}")
_STATUSES = range(200, 600)
_TOO_LARGE = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def build_event(request: Request, source_ip: str, port: int) -> Event:
    """The event of a request. `source_ip` is the peer's, whatever X-Forwarded-For claims."""
    target = re.sub(r"^https?://[^/?]*", "", request.target) or "/"
    path, _, query = target.partition("?")
    headers = _event_headers(request, source_ip, port)
    event: Event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": _decode_path(path),
        "rawQueryString": query,
        "headers": headers,
        "requestContext": _request_context(request, headers, source_ip, _decode_path(path)),
        "isBase64Encoded": False,
    }
    if cookies := [c.strip() for line in request.values("cookie") for c in line.split(";")]:
        event["cookies"] = [cookie for cookie in cookies if cookie]
    if query:
        event["queryStringParameters"] = _join(parse_qsl(query, keep_blank_values=True))
    if request.body:
        event["body"], event["isBase64Encoded"] = _encode_body(request)
    return event


def _request_context(
    request: Request, headers: Mapping[str, str], source_ip: str, path: str
) -> Event:
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


def _event_headers(request: Request, source_ip: str, port: int) -> dict[str, str]:
    omitted = _HOP_BY_HOP | {"cookie"}
    headers = _join((name, value) for name, value in request.headers if name not in omitted)
    if request.body:
        headers["content-length"] = str(len(request.body))
    claimed = headers.get("x-forwarded-for")
    headers["x-forwarded-for"] = f"{claimed}, {source_ip}" if claimed else source_ip
    headers["x-forwarded-proto"], headers["x-forwarded-port"] = "http", str(port)
    root = f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    headers.setdefault("x-amzn-trace-id", root)
    return dict(sorted(headers.items()))


def _join(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """One value a name; repeated values are joined with a comma."""
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _decode_path(path: str) -> str:
    """The path with every escape decoded but `%25`, up to a decoded `?`."""

    def decode(escapes: re.Match[str]) -> str:
        runs = re.split("(%25)", escapes[0])
        decoded = (
            bytes.fromhex(run.replace("%", "")).decode("utf-8", "replace") for run in runs[::2]
        )
        return "%25".join(decoded)

    return _ESCAPES.sub(decode, path).partition("?")[0]


def _encode_body(request: Request) -> tuple[str, bool]:
    """The body, and whether it is Base64: API Gateway passes only a few types as text."""
    content_type = ",".join(request.values("content-type")).partition(";")[0].strip().lower()
    if content_type.startswith("text/") or content_type in _TEXT_TYPES:
        return request.body.decode("utf-8", "replace"), False
    return base64.b64encode(request.body).decode(), True


def build_response(result: Any, method: str = "GET") -> Response:
    """The response for the result of a function, or a 500 for a result that describes none.

    A result without `statusCode` is the body of a 200. In response to a HEAD the function's
    content-length stays: it is the length of a body that is not sent.
    """
    try:
        text = json.dumps(result, ensure_ascii=False)
        if len(text.encode()) > RESULT_LIMIT:
            return error_response(HTTPStatus.INTERNAL_SERVER_ERROR)
        if not isinstance(result, dict) or "statusCode" not in result:
            body = result if isinstance(result, str) else text
            return Response(HTTPStatus.OK, [("content-type", "application/json")], body.encode())
        return _described_response(result, method)
    except (AttributeError, TypeError, ValueError, RecursionError):
        return error_response(HTTPStatus.INTERNAL_SERVER_ERROR)


def error_response(status: HTTPStatus) -> Response:
    """A response that the gateway itself gives, in API Gateway's words."""
    # Python 3.13 renamed the phrase of 413; API Gateway did not.
    message = "Request Entity Too Large" if status == _TOO_LARGE else status.phrase
    body = json.dumps({"message": message}, separators=(",", ":"))
    return Response(status, [("content-type", "application/json")], body.encode())


def _described_response(result: Mapping[str, Any], method: str) -> Response:
    """Raises AttributeError, TypeError or ValueError for a malformed part."""
    status = int(result["statusCode"])
    if isinstance(result["statusCode"], bool | float):
        raise TypeError
    body = result.get("body") or ""
    if status not in _STATUSES or not isinstance(body, str):
        raise ValueError
    is_base64 = result.get("isBase64Encoded")
    data = base64.b64decode(body, validate=True) if is_base64 else body.encode()
    given = [
        (str(name).lower(), _header_value(value))
        for name, value in (result.get("headers") or {}).items()
    ]
    if not all(_HEADER_NAME.fullmatch(name) for name, _ in given):
        raise ValueError
    headers = [pair for pair in given if pair[0] not in _HOP_BY_HOP | {"content-length"}]
    if method == "HEAD" and status not in BODILESS:
        lengths = [p for p in given if p[0] == "content-length" and _LENGTH.fullmatch(p[1])]
        headers += lengths[:1]
    if "content-type" not in dict(headers) and data:
        headers.append(("content-type", "text/plain; charset=utf-8"))
    headers += [("set-cookie", _header_value(cookie)) for cookie in result.get("cookies") or ()]
    return Response(status, headers, data)


def _header_value(value: Any) -> str:
    """Raises ValueError for a control character: a line break could add headers."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if _CONTROLS.search(text):
        raise ValueError
    return text.strip(" \t")
