"""The API as a WSGI application, through the same events and responses as `make serve`."""

from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

from function import app
from local.gateway.http1 import Request
from local.gateway.lambda_proxy import build_event, build_response
from tests.support.client import CONTEXT, through_json

_requests = count()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answers one request. Each comes from another address: the throttle of one would refuse it."""
    number = next(_requests)
    method, length = environ["REQUEST_METHOD"], int(environ.get("CONTENT_LENGTH") or 0)
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_") or name in {"CONTENT_TYPE", "CONTENT_LENGTH"}
    }
    request = Request(
        method, environ["REQUEST_URI"], tuple(headers.items()), environ["wsgi.input"].read(length)
    )
    event = build_event(request, f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", 443)
    response = build_response(app.lambda_handler(through_json(event), CONTEXT), method)
    start_response(f"{response.status} ", response.headers)
    return [response.body]
