"""Whether an answer is one that the OpenAPI document lists. Every answer to a test must be one."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from function.core.errors import Problem
from function.http import router
from function.meta.headers import COMMON
from function.meta.openapi import document

# Documented header fields that an answer of that status may lack.
OPTIONAL = {"link", "repr-digest", "x-next-cursor", "x-link-grant"}
ERROR = 400


@cache
def documented_answers(path: str, method: str) -> dict[str, dict[str, set[str]]]:
    """The media types and header fields of each status; empty for a route without documentation."""
    operations = document()["paths"].get(path, {})
    operation = operations.get(method.lower()) or operations.get("get", {})
    return {
        status: {
            "types": set(_resolved(response).get("content", {})),
            "headers": {name.lower() for name in _resolved(response).get("headers", {})},
        }
        for status, response in operation.get("responses", {}).items()
    }


def assert_documented(
    method: str, path: str, status: int, media_type: str, headers: Iterable[str]
) -> None:
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
    types = answers[str(status)]["types"]
    if media_type:
        kind = media_type.partition(";")[0]
        assert kind in types or "application/octet-stream" in types, f"{which}, not {types}"
    else:
        assert types != {"application/json"} or method == "HEAD", f"{which} without its body"

    listed, sent = answers[str(status)]["headers"], set(headers) - COMMON
    assert sent <= listed, f"{which} with {sent - listed}, which are documented nowhere"
    missing = listed - sent - OPTIONAL
    assert not missing or status >= ERROR, f"{which} without {missing}"


def _resolved(response: dict[str, Any]) -> dict[str, Any]:
    """A response, which may be a reference to one that several routes share."""
    if "$ref" not in response:
        return response
    name = response["$ref"].rpartition("/")[2]
    found: dict[str, Any] = document()["components"]["responses"][name]
    return found
