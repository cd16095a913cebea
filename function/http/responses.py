"""Why a field is refused, as people say it: the validation library speaks of what it is made of."""

import json
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from function.core.errors import Internal, Invalid, InvalidName, Problem, Unavailable
from function.core.fields import meaning
from function.core.models import Conditional, Conditions, HttpRequest

TEXT, WHOLE, BOOLEAN = "must be text", "must be a whole number", "must be true or false"
LIST, OBJECT = "must be a list", "must be an object"
TIME = "must be a time with its zone, such as 2026-09-21T14:13:20Z"
FEWER, MORE = "must have {max_length} or fewer {what}", "must have {min_length} or more {what}"
# By the library's kinds of errors, https://docs.pydantic.dev/latest/errors/validation_errors/
REASONS: Mapping[str, str] = {
    "missing": "must be there",
    "extra_forbidden": "unknown field",
    "string_type": TEXT,
    "string_unicode": "must be text that UTF-8 can carry",
    "string_too_long": FEWER,
    "string_too_short": MORE,
    "string_pattern_mismatch": "must be {words}",
    "literal_error": "must be {expected}",
    "int_type": WHOLE,
    "int_parsing": WHOLE,
    "int_parsing_size": WHOLE,
    "int_from_float": WHOLE,
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "bool_type": BOOLEAN,
    "bool_parsing": BOOLEAN,
    "list_type": LIST,
    "tuple_type": LIST,
    "too_long": FEWER,
    "too_short": MORE,
    "dict_type": OBJECT,
    "model_type": OBJECT,
    "model_attributes_type": OBJECT,
    "datetime_type": TIME,
    "datetime_parsing": TIME,
    "datetime_from_date_parsing": TIME,
    "datetime_object_invalid": TIME,
    "timezone_aware": TIME,
}
JSON = "application/json"
PROBLEM = "application/problem+json"
Body = TypeVar("Body", bound=Conditional)
MOST_ERRORS, SHORT, LONG = 20, 100, 200
logger = Logger(service="satchel")


def reason(error: Mapping[str, Any]) -> str:
    """The reason of an error of the library; what our own rules say is said as it is."""
    said = REASONS.get(error["type"])
    if said is None:
        return str(error["msg"]).removeprefix("Value error, ")
    about = error.get("ctx", {})
    items = about.get("field_type", "Value") != "Value"  # else it is text, or a secret one
    words = meaning(about["pattern"]) if "pattern" in about else ""
    return said.format(**about, what="items" if items else "characters", words=words)


def answers(done: Mapping[int, Any], *errors: type[Problem]) -> dict[int, Any]:
    """What a route may answer, for OpenAPI: models by status, then problems beside the general."""
    said: dict[int, Any] = {
        status: {"description": HTTPStatus(status).phrase, "content": {JSON: {"model": model}}}
        if model
        else {"description": HTTPStatus(status).phrase}
        for status, model in done.items()
    }
    texts: dict[int, list[str]] = {}
    for error in errors:
        texts.setdefault(error.status, []).append(f"{error.title} (`{error.slug}`)")
    schema = {"$ref": "#/components/schemas/Problem"}
    for status, words in texts.items():
        content = {PROBLEM: {"schema": schema}}
        said[status] = {"description": ", or: ".join(words), "content": content}
    return said


def invalid(errors: Iterable[Any]) -> Invalid:
    """The problem for fields that pydantic finds wrong; what was sent is not said again."""
    errors = list(errors)
    # A list of which an item is wrong is said to be short of it as well.
    within = {tuple(each["loc"][:-1]) for each in errors}
    errors = [e for e in errors if e["type"] != "too_short" or tuple(e["loc"]) not in within]
    said = [
        {"at": ".".join(str(step) for step in each["loc"])[:SHORT], "reason": reason(each)[:LONG]}
        for each in errors[:MOST_ERRORS]
    ]
    name = any(each["type"] == "invalid_name" for each in errors)
    return (InvalidName if name else Invalid)(errors=said)


def nothing() -> Response[None]:
    """204."""
    return Response(204)


def conditioned(body: Body, header: Conditions) -> Body:
    """A body with the conditions of the request's header. Raises Invalid for one said in both."""
    said = {name: value for name, value in asdict(header).items() if value}
    twice = [name for name in said if getattr(body, name)]
    if twice:
        reason = "the header says it as well; say it once"
        raise Invalid(errors=[{"at": f"body.{name}", "reason": reason} for name in twice])
    return body.model_copy(update=said)


def next_page(cursor: str | None, sent: HttpRequest) -> dict[str, str | list[str]]:
    """Where a list goes on: `Link` (RFC 8288) and `x-next-cursor`; nothing on the last page."""
    if cursor is None:
        return {}
    query = urlencode({**sent.query, "cursor": cursor}, quote_via=quote)
    return {"link": f'<{sent.path}?{query}>; rel="next"', "x-next-cursor": cursor}


def listed(items: Sequence[Any], cursor: str | None, sent: HttpRequest) -> Response[Any]:
    """A page of a list."""
    return Response(200, JSON, list(items), next_page(cursor, sent))


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
