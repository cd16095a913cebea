"""The front door: events in, answers out, and the one place where errors become problems."""

# ruff: noqa: E402 - looking for garbage while importing is a seventh of a cold start
import gc

gc.disable()

import json
import time
import traceback
from dataclasses import replace
from functools import cache, partial
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from function import deps, events, gate
from function.errors import (
    Internal,
    Invalid,
    Malformed,
    MethodNotAllowed,
    NoSuchRoute,
    Problem,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
)
from function.models import Incoming
from function.routes import (
    about,
    accounts,
    audit,
    companion,
    downloads,
    files,
    groups,
    inbox,
    invites,
    keys,
    life,
    links,
    lists,
    mfa,
    pages,
    requests,
    shares,
    uploads,
    users,
    visits,
)
from function.routes.answers import PROBLEM, invalid
from function.routes.openapi import needs_token, power_of, takes_body

logger = Logger(service="satchel")
app = APIGatewayHttpResolver(
    enable_validation=True,
    serializer=partial(json.dumps, separators=(",", ":"), ensure_ascii=False, allow_nan=False),
    response_validation_error_http_code=500,
    json_body_deserializer=gate.strict_json,
)
NOUNS = (
    accounts,
    keys,
    mfa,
    invites,
    users,
    audit,
    files,
    lists,
    uploads,
    downloads,
    life,
    shares,
    groups,
    links,
    visits,
    requests,
    inbox,
    companion,
    about,
)
for noun in NOUNS:
    app.include_router(noun.router)

# What is there now stays: no collection looks at it again.
gc.freeze()
gc.enable()

HEADERS = {
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
# Whoever has an address under them may use it, so no search engine shall have one.
NOT_INDEXED = {"x-robots-tag": "noindex"}
# Said of a request before anybody looked at who sent it.
UNREAD = (Malformed, Invalid, TooLarge, UnsupportedMediaType)


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def escape(error: Exception) -> None:
    """Lets every error out of the resolver, past the answers that it would make itself."""
    raise error


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers one request of the HTTP API (payload format 2.0), or takes an event."""
    if events.is_event(event):
        return events.take(event, context, logger)
    started = time.perf_counter()
    sent = gate.incoming(event)
    logger.set_correlation_id(sent.request_id)
    path = None
    try:
        route = find(sent.method, sent.path)
        path = route.path
        answer = admit(event, sent, route, context)
    except Exception as error:  # noqa: BLE001 - the last resort: whatever it is, it has an answer
        problem = problem_of(error)
        answer = pages.of_problem(problem, sent) or problem_answer(problem, sent.request_id)
    answer["headers"] = {
        **HEADERS,
        **(NOT_INDEXED if pages.is_public(sent.path) else {}),
        **{name.lower(): value for name, value in answer["headers"].items()},
        "x-request-id": sent.request_id,
    }
    if sent.method == "HEAD":
        answer.update(body="", isBase64Encoded=False)
    took = round((time.perf_counter() - started) * 1000, 1)
    logger.info("request", method=sent.method, path=path, status=answer["statusCode"], ms=took)
    return answer


@cache
def routes() -> tuple[dict[str, dict[str, Any]], list[Any]]:
    """The routes with a fixed path by path and method, and those with a part that varies."""
    fixed: dict[str, dict[str, Any]] = {}
    for route in app._static_routes:  # noqa: SLF001 - there is no public list of routes
        fixed.setdefault(route.path, {})[route.method] = route
    return fixed, app._dynamic_routes  # noqa: SLF001


def find(method: str, path: str) -> Any:
    """The route; `HEAD` is served where `GET` is. Raises NoSuchRoute, MethodNotAllowed."""
    fixed, varying = routes()
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


def admit(event: dict[str, Any], sent: Incoming, route: Any, context: Any) -> dict[str, Any]:
    """Makes a request plain and has its route answer it.

    Whoever is not signed in learns nothing else: before a request that needs a token is called bad,
    its session is proven.
    """
    caller = gate.caller_of(sent, power_of(route)) if needs_token(route) else None
    try:
        sent = replace(
            sent,
            query=gate.query_of(event, (field.alias for field in route.dependant.query_params)),
            body=gate.body_of(event, sent.headers, taken=takes_body(route)),
        )
        reads_json = bool(route.dependant.body_params)
        plain = {
            **event,
            "headers": {**sent.headers, "content-type": gate.JSON_TYPE},  # as the gate has seen to
            "queryStringParameters": sent.query,
            "body": (gate.json_text(sent.body, sent.headers) or "{}") if reads_json else None,
            "isBase64Encoded": False,
            "requestContext": {**event["requestContext"], "http": _method(event, route.method)},
        }
        visitor = caller or gate.visitor_of(sent)
        app.append_context(incoming=sent, caller=caller, visitor=visitor)
        return app.resolve(plain, context)
    except (RequestValidationError, *UNREAD) as error:
        if caller:
            deps.wiring().access.open(caller)
        raise error from None
    finally:
        app.clear_context()


def _method(event: dict[str, Any], method: str) -> dict[str, Any]:
    return {**event["requestContext"]["http"], "method": method}


def problem_of(error: Exception) -> Problem:
    """What is said of an error; what it was is logged, without the words that it came with.

    An unforeseen exception's message may hold what a person sent, so its place is logged instead.
    """
    if isinstance(error, Unavailable):
        cause = error.__cause__
        logger.warning("unavailable", cause=type(cause).__name__, operation=_operation(cause))
        return error
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return invalid(error.errors())
    frames = traceback.extract_tb(error.__traceback__)
    logger.error(
        "internal error",
        error=type(error).__name__,
        operation=_operation(error),
        frames=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-8:]],
    )
    return Internal()


def _operation(error: BaseException | None) -> str | None:
    """Which call of AWS failed and how, in AWS's own names."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return None
    return f"{getattr(error, 'operation_name', '')} {response.get('Error', {}).get('Code', '')}"


def problem_answer(problem: Problem, request_id: str) -> dict[str, Any]:
    """The answer for a problem (RFC 9457)."""
    body: dict[str, Any] = {
        "type": f"/problems/{problem.slug}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "request_id": request_id,
    }
    if problem.errors:
        body["errors"] = list(problem.errors)
    return {
        "statusCode": problem.status,
        "headers": {"content-type": PROBLEM, **problem.headers},
        "body": json.dumps(body, separators=(",", ":")),
        "isBase64Encoded": False,
    }
