"""Whether an answer is one that the OpenAPI document lists. Every answer to a test must be one."""

from functools import cache
from typing import Any

from function.core.errors import Problem
from function.http import router
from function.meta.openapi import document


@cache
def documented_answers(path: str, method: str) -> dict[str, set[str]]:
    """The media types of each status of a route; empty for a route that is not documented."""
    operations = document()["paths"].get(path, {})
    operation = operations.get(method.lower()) or operations.get("get", {})
    return {
        status: set(_resolved(response).get("content", {}))
        for status, response in operation.get("responses", {}).items()
    }


def assert_documented(method: str, path: str, status: int, media_type: str) -> None:
    """Asserts that the document lists this answer of a route. `media_type` is "" without a body."""
    try:
        route = router.find(method, path)
    except Problem:
        return  # no route answers this request
    answers = documented_answers(route.openapi_path, method)
    if not answers:
        return
    which = f"{method} {route.openapi_path} answers {status} {media_type}"
    assert str(status) in answers, f"{which}, which is documented nowhere"
    types = answers[str(status)]
    if media_type:
        kind = media_type.partition(";")[0]
        assert kind in types or "application/octet-stream" in types, f"{which}, not {types}"
    else:
        assert types != {"application/json"} or method == "HEAD", f"{which} without its body"


def _resolved(response: dict[str, Any]) -> dict[str, Any]:
    """A response, which may be a reference to one that several routes share."""
    if "$ref" not in response:
        return response
    name = response["$ref"].rpartition("/")[2]
    found: dict[str, Any] = document()["components"]["responses"][name]
    return found
