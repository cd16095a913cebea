"""Finds the route of a request and runs it with Powertools' resolver.

The first segment of the path names the modules whose routers have the route. They are imported at
the first request for the segment, so a cold start loads one package instead of all.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from importlib import import_module
from threading import Lock
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from function.core.errors import (
    Invalid,
    Malformed,
    MethodNotAllowed,
    NoSuchRoute,
    TooLarge,
    UnsupportedMediaType,
)
from function.core.media_types import JSON
from function.core.models import Caller, HttpRequest
from function.http.dependencies import (
    max_body_bytes,
    may_lack_factor,
    needs_token,
    powers_of,
    takes_body,
    takes_rest_of_path,
)
from function.http.locations import location_of
from function.http.request import (
    json_text,
    parse_body,
    parse_caller,
    parse_optional_caller,
    parse_query,
    strict_json,
)

# The errors of a request that may be raised before its caller is authenticated.
CREATED = 201
PARSE_ERRORS = (RequestValidationError, Malformed, Invalid, TooLarge, UnsupportedMediaType)

resolver = APIGatewayHttpResolver(
    enable_validation=True,
    serializer=partial(json.dumps, separators=(",", ":"), ensure_ascii=False, allow_nan=False),
    response_validation_error_http_code=500,
    json_body_deserializer=strict_json,
)
_modules: dict[str, tuple[str, ...]] = {}
_included: set[str] = set()
_including = Lock()
# The included routes without path parameters, by path and method. They are only ever added.
_static: dict[str, dict[str, Any]] = {}


def register(modules: Mapping[str, tuple[str, ...]]) -> None:
    """Sets the modules that have the routes below each first segment of a path.

    A module's name is that below `function`; it has its `Router` as `router`. Documents list the
    routes in the order of the segments.
    """
    _modules.update(modules)


def find(method: str, path: str) -> Any:
    """The route for a method and a path; GET's for HEAD.

    Raises NoSuchRoute, MethodNotAllowed.
    """
    _include([_segment(path)])
    by_method = _static.get(path, {})
    for route in [] if by_method else _dynamic():
        if route.rule.fullmatch(path):
            by_method = {route.method: route, **by_method}  # the first that matches, as Powertools
    if not by_method:
        raise NoSuchRoute
    route = by_method.get(method) or (by_method.get("GET") if method == "HEAD" else None)
    if route is None:
        allowed = ", ".join(sorted({*by_method, "HEAD"} if "GET" in by_method else by_method))
        raise MethodNotAllowed(f"This path allows {allowed}.", headers={"allow": allowed})
    return route


def all_routes() -> list[Any]:
    """Every route, in the order of the registered segments. Imports all of them."""
    _include(_modules)
    order = list(_modules)
    routes = [route for by_method in _static.values() for route in by_method.values()]
    return sorted(routes + _dynamic(), key=lambda route: order.index(_segment(route.openapi_path)))


def answer(
    event: dict[str, Any],
    request: HttpRequest,
    route: Any,
    context: Any,
    authenticate: Callable[[Caller], Any],
) -> dict[str, Any]:
    """The Lambda response of a route to a request (`request` is the event's, parsed).

    A client without a valid token must not learn more than that: where the request is malformed,
    `authenticate` proves the caller before the error is raised, and raises NotSignedIn instead.
    """
    caller = _caller_of(request, route) if needs_token(route) else None
    try:
        query = (field.alias for field in route.dependant.query_params)
        request = replace(
            request,
            query=parse_query(event, query),
            body=parse_body(
                event,
                request.headers,
                takes_body=takes_body(route),
                max_bytes=max_body_bytes(route),
            ),
        )
        resolver.append_context(request=request, caller=caller or parse_optional_caller(request))
        result = resolver.resolve(_parsed_event(event, request, route), context)
        return _with_location(result, route, request.path)
    except PARSE_ERRORS as error:
        if caller:
            authenticate(caller)
        raise error from None
    finally:
        resolver.clear_context()


@resolver.exception_handler(Exception)  # type: ignore[untyped-decorator]
def escape(error: Exception) -> None:
    """Raises every error out of the resolver, which would otherwise answer some itself."""
    raise error


def _caller_of(request: HttpRequest, route: Any) -> Caller:
    """The caller of a route that needs a token. Raises NotSignedIn."""
    power, beyond, *_ = [*powers_of(route), None, None]
    caller = parse_caller(request, power)
    return replace(caller, beyond=beyond, may_lack_factor=may_lack_factor(route))


def _parsed_event(event: dict[str, Any], request: HttpRequest, route: Any) -> dict[str, Any]:
    """The event for the resolver: the parsed query, and a body where a model parses it."""
    text = None
    if route.dependant.body_params:
        text = json_text(request.body, request.headers) or "{}"
    http = {**event["requestContext"]["http"], "method": route.method}
    return {
        **event,
        "headers": {**request.headers, "content-type": JSON},
        "queryStringParameters": request.query,
        "body": text,
        "isBase64Encoded": False,
        "requestContext": {**event["requestContext"], "http": http},
    }


def _with_location(result: dict[str, Any], route: Any, path: str) -> dict[str, Any]:
    """The Lambda response with `Location`, where something was created."""
    if result["statusCode"] == CREATED and "location" not in result["headers"]:
        name = f"{route.method} {route.openapi_path}"
        result["headers"]["location"] = location_of(name, path, result["body"])
    return result


def _segment(path: str) -> str:
    """The first segment of a path, without slashes; "" for the root."""
    return path[1:].partition("/")[0]


def _include(segments: Iterable[str]) -> None:
    """Imports the modules of the segments and includes their routers, each once.

    A module is in `_included` once `_static` has its routes: without the lock a request reads only
    routes of modules that it has found there.
    """
    for module in (each for segment in segments for each in _modules.get(segment, ())):
        if module in _included:
            continue
        with _including:
            if module not in _included:
                resolver.include_router(import_module(f"function.{module}").router)
                for route in filter(takes_rest_of_path, _dynamic()):
                    route.rule = _rule_for_rest(route.path)
                for route in resolver._static_routes:  # noqa: SLF001 - no public list of routes
                    _static.setdefault(route.path, {})[route.method] = route
                _included.add(module)


def _rule_for_rest(path: str) -> re.Pattern[str]:
    """The pattern of a path whose one parameter is all that follows, even nothing."""
    before, _, parameter = path.rstrip(">").rpartition("<")
    return re.compile(f"{re.escape(before)}(?P<{parameter}>.*)", re.DOTALL)


def _dynamic() -> list[Any]:
    """The included routes with path parameters."""
    return resolver._dynamic_routes  # noqa: SLF001 - Powertools has no public list of routes
