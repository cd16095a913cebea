"""How routes say what they answer: what may go wrong, nothing, a page of a list, a file's bytes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from aws_lambda_powertools.event_handler import Response

from function.errors import Invalid, InvalidName, Problem
from function.models import Conditional, Conditions, FileObject, Incoming
from function.routes.reasons import reason
from function.services.dispositions import disposition

JSON = "application/json"
PROBLEM = "application/problem+json"

Body = TypeVar("Body", bound=Conditional)

MOST_ERRORS, SHORT, LONG = 20, 100, 200


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


def next_page(cursor: str | None, sent: Incoming) -> dict[str, str | list[str]]:
    """Where a list goes on: `Link` (RFC 8288) and `x-next-cursor`; nothing on the last page."""
    if cursor is None:
        return {}
    query = urlencode({**sent.query, "cursor": cursor}, quote_via=quote)
    return {"link": f'<{sent.path}?{query}>; rel="next"', "x-next-cursor": cursor}


def listed(items: Sequence[Any], cursor: str | None, sent: Incoming) -> Response[Any]:
    """A page of a list."""
    return Response(200, JSON, list(items), next_page(cursor, sent))


def file_headers(file: FileObject) -> dict[str, str | list[str]]:
    """What goes with a file's bytes: nothing in it is ever run or kept by a browser."""
    return {
        "etag": f'"{file.etag}"',
        "accept-ranges": "bytes",
        "vary": "accept",
        "content-disposition": disposition(file.file_name, "attachment"),
        "x-content-type-options": "nosniff",
        "cache-control": "private, no-store",
    }
