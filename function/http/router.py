"""Which route answers a request, and the resolver of Powertools that runs it.

The routers of a package are imported at the first request whose path begins with its segment: a
cold start pays for one package, not for all. The resolver validates before any dependency runs, so
the request is checked here first (`http.request`).
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache, partial
from importlib import import_module
from threading import Lock
from typing import Any, get_args

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
from function.core.models import Caller, HttpRequest
from function.core.roles import Power
from function.http import request as http_request
from function.http.dependencies import HeaderFields, RequestWithBody, SignedIn

POWERS = get_args(Power)
# Errors of a request whose caller has not been authenticated yet.
UNREAD = (Malformed, Invalid, TooLarge, UnsupportedMediaType)

resolver = APIGatewayHttpResolver(
    enable_validation=True,
    serializer=partial(json.dumps, separators=(",", ":"), ensure_ascii=False, allow_nan=False),
    response_validation_error_http_code=500,
    json_body_deserializer=http_request.strict_json,
)
_packages: dict[str, tuple[str, ...]] = {}
_included: set[str] = set()
_including = Lock()


def register(packages: Mapping[str, tuple[str, ...]]) -> None:
    """Says which modules have the routes below each first segment of a path."""
    _packages.update(packages)


def segment_of(path: str) -> str:
    """The first segment of a path, without slashes; "" of the root."""
    return path[1:].partition("/")[0]


def include(segments: Iterable[str]) -> None:
    """Imports the modules of these segments and adds their routers to the resolver, each once."""
    for module in (each for segment in segments for each in _packages.get(segment, ())):
        if module in _included:
            continue
        with _including:
            if module not in _included:
                resolver.include_router(import_module(f"function.{module}").router)
                _routes.cache_clear()
                _included.add(module)


def all_routes() -> list[Any]:
    """Every route, in the order of the registered segments: documents list them so."""
    include(_packages)
    order = list(_packages)
    fixed, varying = _routes()
    routes = [route for methods in fixed.values() for route in methods.values()] + varying
    return sorted(routes, key=lambda route: order.index(segment_of(route.openapi_path)))


@cache
def _routes() -> tuple[dict[str, dict[str, Any]], list[Any]]:
    """The routes with a fixed path, by path and method, and those whose path has a parameter."""
    fixed: dict[str, dict[str, Any]] = {}
    for route in resolver._static_routes:  # noqa: SLF001 - Powertools has no public list of routes
        fixed.setdefault(route.path, {})[route.method] = route
    return fixed, resolver._dynamic_routes  # noqa: SLF001


def find(method: str, path: str) -> Any:
    """The route of a method and path; `HEAD` is served where `GET` is.

    Raises NoSuchRoute, MethodNotAllowed.
    """
    include([segment_of(path)])
    fixed, varying = _routes()
    found = fixed.get(path, {})
    for route in [] if found else varying:
        if route.rule.fullmatch(path):
            found = {route.method: route, **found}  # the first that matches, as in the resolver
    if not found:
        raise NoSuchRoute
    route = found.get(method) or (found.get("GET") if method == "HEAD" else None)
    if route is None:
        allowed = sorted({*found, "HEAD"} if "GET" in found else found)
        raise MethodNotAllowed(
            f"Here you can {', '.join(allowed)}.", headers={"allow": ", ".join(allowed)}
        )
    return route


def answer(
    event: dict[str, Any],
    sent: HttpRequest,
    route: Any,
    context: Any,
    authenticate: Callable[[Caller], Any],
) -> dict[str, Any]:
    """Checks a request, and has its route answer it.

    A caller who is not signed in learns nothing else: `authenticate` runs before a request that
    needs a token is refused for its form.
    """
    caller = http_request.caller_of(sent, power_of(route)) if needs_token(route) else None
    try:
        sent = replace(
            sent,
            query=http_request.query_of(
                event, (field.alias for field in route.dependant.query_params)
            ),
            body=http_request.body_of(event, sent.headers, taken=takes_body(route)),
        )
        known = caller or http_request.visitor_of(sent)
        resolver.append_context(request=sent, caller=known)
        return resolver.resolve(_checked(event, sent, route), context)
    except (RequestValidationError, *UNREAD) as error:
        if caller:
            authenticate(caller)
        raise error from None
    finally:
        resolver.clear_context()


def _checked(event: dict[str, Any], sent: HttpRequest, route: Any) -> dict[str, Any]:
    """The event as the resolver gets it: query and body checked, a JSON body or none."""
    text = None
    if route.dependant.body_params:
        text = http_request.json_text(sent.body, sent.headers) or "{}"
    http = {**event["requestContext"]["http"], "method": route.method}
    return {
        **event,
        "headers": {**sent.headers, "content-type": http_request.JSON_TYPE},
        "queryStringParameters": sent.query,
        "body": text,
        "isBase64Encoded": False,
        "requestContext": {**event["requestContext"], "http": http},
    }


@resolver.exception_handler(Exception)  # type: ignore[untyped-decorator]
def escape(error: Exception) -> None:
    """Raises every error out of the resolver, which would otherwise answer some by itself."""
    raise error


def needs_token(route: Any) -> bool:
    """Whether a route needs a caller."""
    return bool(_callers(route))


def power_of(route: Any) -> Power | None:
    """The power (`core.roles`) that a route requires of its caller."""
    named = [each for caller in _callers(route) for each in get_args(caller) if each in POWERS]
    power: Power | None = named[0] if named else None
    return power


def takes_body(route: Any) -> bool:
    """Whether a route reads a body: as JSON by a model, or by itself."""
    return bool(route.dependant.body_params) or RequestWithBody in _annotations(route)


def header_fields(route: Any) -> set[str]:
    """The header fields that a route reads."""
    asked = [each for annotation in _annotations(route) for each in get_args(annotation)[1:]]
    return {
        name for each in asked if isinstance(each, HeaderFields) for name in each.names.values()
    }


def _callers(route: Any) -> list[Any]:
    """The annotations by which a route's signature names its caller."""
    kinds = get_args(SignedIn)[:2]
    return [each for each in _annotations(route) if get_args(each)[:2] == kinds]


def _annotations(route: Any) -> list[Any]:
    """The annotations of a route's parameters."""
    return list(getattr(route.func, "__annotations__", {}).values())
