"""The Postman collection is made from the code, and has every route of the document."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from docs.postman import collection
from docs.postman.requests import Request
from function.meta.openapi import document

REQUESTS: list[Request] = [each for folder in collection.FOLDERS for each in folder.requests]
OPERATIONS: dict[str, Any] = {
    f"{method.upper()} {path}": operation
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
}


def items(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The requests of the collection as Postman sees them."""
    for each in value["item"]:
        yield from items(each) if "item" in each else [each]


def test_the_file_is_what_the_code_makes() -> None:
    assert collection.FILE.read_text() == collection.text(), "run `make reference`"


def test_every_route_has_a_request() -> None:
    """A new route takes a row in docs/postman."""
    assert {each.route for each in REQUESTS if "{{" not in each.route} == set(OPERATIONS)


def test_every_answer_is_documented() -> None:
    for request in REQUESTS:
        if operation := OPERATIONS.get(request.route):
            documented = set(map(int, operation["responses"].keys() - {"default"}))
            assert {*request.statuses} <= documented, request.name


def test_every_route_succeeds_unless_it_takes_a_secret_of_the_moment() -> None:
    """A small move leaves no job behind that could be shown."""
    succeeding = {each.route for each in REQUESTS if min(each.statuses) < 300}
    assert set(OPERATIONS) - succeeding == {"GET /jobs/{job_id}"}


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda each: each.name)
def test_a_request_needs_a_token_where_the_document_says_so(request_: Request) -> None:
    if operation := OPERATIONS.get(request_.route):
        needs_token = operation.get("security", document()["security"]) != []
        assert bool(request_.auth) is needs_token


def test_names_are_unique_and_no_variable_is_unknown() -> None:
    """A variable is given in the collection, or an earlier request has set it."""
    names = [each.name for each in REQUESTS]
    assert len(names) == len(set(names))
    known = set(collection.VARIABLES)
    for request, item in zip(REQUESTS, items(collection.collection()), strict=True):
        known |= {*re.findall(r'Variables\.set\(["\'](\w+)', "\n".join(request.prerequest))}
        assert set(re.findall(r"{{(\w+)}}", json.dumps(item["request"]))) <= known, request.name
        known |= {*request.keep}
