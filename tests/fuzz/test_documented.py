"""Every answer is one that the OpenAPI document describes, whatever the request.

Schemathesis makes requests from the document: valid ones, and ones that break it in one place.
Every other request names things that exist. `make fuzz` tries more of them.
"""

import contextlib
import copy
import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.core.failures import FailureGroup

from function.meta.openapi import document
from tests.conftest import Behind
from tests.fuzz.served import application
from tests.support.api_register import ROUTES, WRITES, Route
from tests.support.world import World

EXAMPLES = int(os.environ.get("EXAMPLES", "6"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ROUTES_OF_DOCUMENT = [route for route in ROUTES if route.path in document()["paths"]]
each_route = pytest.mark.parametrize("route", ROUTES_OF_DOCUMENT, ids=str)


@pytest.fixture(scope="module")
def schema() -> Any:
    """The document without what API Gateway answers itself, which would allow every status."""
    spec = copy.deepcopy(document())
    for path in spec["paths"].values():
        for operation in path.values():
            del operation["responses"]["default"]
    return schemathesis.openapi.from_dict(spec)


class Sender:
    """Sends cases of one route as one account; the account of AWS is restored after each write."""

    def __init__(self, world: World, behind: Behind, route: Route, who: str) -> None:
        self.token, self.path = getattr(world, who).token, world.path(route)
        self.fake_aws, self.restore = behind.fake_aws, behind.fake_aws.snapshot()

    def __call__(self, case: Case, *, exists: bool) -> None:
        if exists:
            case.path = self.path
        before = len(self.fake_aws.calls)
        headers = {"x-session-token": self.token}
        case.call_and_validate(headers=headers, checks=CHECKS, app=application)
        if WRITES & set(self.fake_aws.calls[before:]):
            self.restore()


@pytest.mark.slow
@each_route
@pytest.mark.parametrize("who", ["alice", "root"])
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_answers_are_documented(
    schema: Any, world: World, behind: Behind, route: Route, who: str, mode: GenerationMode
) -> None:
    """As a member and as the administrator, for valid requests and for broken ones."""
    cases = schema[route.path][route.method].as_strategy(generation_mode=mode)
    send = Sender(world, behind, route, who)

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        derandomize="EXAMPLES" not in os.environ,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, exists=st.booleans())
    def each(case: Case, exists: bool) -> None:
        send(case, exists=exists)

    with contextlib.suppress(Unsatisfiable):  # nothing of the request can be broken
        each()


@each_route
def test_the_answer_of_the_register_is_documented(
    schema: Any, world: World, behind: Behind, route: Route
) -> None:
    """The request that succeeds, with a body and a query of the register."""
    case = schema[route.path][route.method].Case(
        path_parameters={},
        query=dict(route.query),
        headers=dict(route.headers),
        media_type="application/json" if route.body is not None else None,
        **({"body": dict(route.body)} if route.body is not None else {}),
    )
    who = "root" if world.sender(route) is world.root else "alice"
    Sender(world, behind, route, who)(case, exists=True)


def test_an_undocumented_answer_is_found(world: World, behind: Behind) -> None:
    """The checks can fail."""
    spec = copy.deepcopy(document())
    spec["paths"]["/me"]["get"]["responses"] = {"204": {"description": "Nothing"}}
    route = next(each for each in ROUTES if str(each) == "GET /me")
    case = schemathesis.openapi.from_dict(spec)["/me"]["GET"].Case()
    with pytest.raises(FailureGroup):
        Sender(world, behind, route, "alice")(case, exists=True)
