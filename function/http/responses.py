"""Successful answers of routes, and the answers that the OpenAPI document lists for a route.

`http.problems` answers errors.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from aws_lambda_powertools.event_handler import Response

from function.core.errors import Invalid, Problem
from function.core.media_types import JSON
from function.core.models import ConditionalRead, HttpRequest, IfMatch
from function.core.paging import Page
from function.http.problems import PROBLEM_TYPE

EXAMPLES, HEADERS = "#/components/examples/", "#/components/headers/"
Body = TypeVar("Body", bound=ConditionalRead)


def answers(
    models: Mapping[int, Any], *problems: type[Problem], headers: Iterable[str] = ()
) -> dict[int, Any]:
    """The answers of a route for the OpenAPI document, by status.

    `models` has the model of each successful answer, or None where it has no body. `problems` are
    those of this route; the document adds those that any route may answer. `headers` are the header
    fields of the successful answers, as `meta.headers` names them.
    """
    documented: dict[int, Any] = {
        status: {"description": HTTPStatus(status).phrase, "content": {JSON: {"model": model}}}
        if model
        else {"description": HTTPStatus(status).phrase}
        for status, model in models.items()
    }
    sent = {name: {"$ref": HEADERS + name} for name in headers}
    for answer in documented.values() if sent else ():
        answer["headers"] = sent
    by_status: dict[int, list[type[Problem]]] = {}
    for problem in problems:
        by_status.setdefault(problem.status, []).append(problem)
    documented |= {status: problem_response(*kinds) for status, kinds in by_status.items()}
    return documented


def problem_response(*problems: type[Problem]) -> dict[str, Any]:
    """The response of the document for problems that have one status."""
    texts = [f"{problem.title} (`{problem.slug}`)" for problem in problems]
    examples = {problem.slug: {"$ref": EXAMPLES + problem.slug} for problem in problems}
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}
    return {"description": ", or: ".join(texts), "content": {PROBLEM_TYPE: content}}


def no_content() -> Response[None]:
    """204 No Content."""
    return Response(204)


def list_answer(page: Page[Any], request: HttpRequest) -> Response[Any]:
    """A page of a list: its items as JSON, and the headers that lead to the next page."""
    return Response(200, JSON, page.items, next_page(page.cursor, request))


def next_page(cursor: str | None, request: HttpRequest) -> dict[str, str | list[str]]:
    """The headers `Link` (RFC 8288) and `x-next-cursor`; none on the last page (no cursor)."""
    if cursor is None:
        return {}
    query = urlencode({**request.query, "cursor": cursor}, quote_via=quote)
    return {"link": f'<{request.path}?{query}>; rel="next"', "x-next-cursor": cursor}


def with_conditions(body: Body, header: IfMatch) -> Body:
    """A body with the conditions of the header fields `If-Match` and `If-None-Match` in it.

    Raises Invalid where a condition is in both.
    """
    conditions = {name: value for name, value in asdict(header).items() if value}
    if twice := [name for name in conditions if getattr(body, name)]:
        reason = "is in the header too; send it once"
        raise Invalid(errors=[{"at": f"body.{name}", "reason": reason} for name in twice])
    return body.model_copy(update=conditions)
