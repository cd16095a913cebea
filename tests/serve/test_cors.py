"""CORS as API Gateway applies it."""

import pytest

from local.gateway.cors import Cors
from local.gateway.http1 import Request, Response

PAGE = "https://app.example.org"
CORS = Cors(
    allow_origins=[PAGE, "http://*"],
    allow_methods=["GET", "PUT"],
    allow_headers=["x-session-token"],
    expose_headers=["etag"],
    max_age=300,
    allow_credentials=True,
)


def ask(origin: str | None, method: str = "OPTIONS", *more: tuple[str, str]) -> Request:
    headers = [("origin", origin)] if origin else []
    return Request(method, "/file", (*headers, *more))


def test_the_gateway_answers_a_preflight() -> None:
    wanted = ("access-control-request-method", "PUT")
    response = CORS.answer_preflight(ask(PAGE, "OPTIONS", wanted))
    assert response
    assert response.status == 204
    assert dict(response.headers) == {
        "access-control-allow-origin": PAGE,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "etag",
        "access-control-allow-methods": "GET,PUT",
        "access-control-allow-headers": "x-session-token",
        "access-control-max-age": "300",
    }
    foreign = CORS.answer_preflight(ask("https://evil.example", "OPTIONS", wanted))
    assert foreign
    assert (foreign.status, foreign.headers) == (204, [])


@pytest.mark.parametrize(
    "request_",
    [ask(PAGE), ask(None), ask(PAGE, "GET", ("access-control-request-method", "PUT"))],
)
def test_any_other_request_goes_to_the_function(request_: Request) -> None:
    assert CORS.answer_preflight(request_) is None


def test_without_a_configuration_the_cors_headers_of_the_function_stay() -> None:
    response = Response(200, [("access-control-allow-origin", "*")])
    assert (
        Cors().answer_preflight(ask(PAGE, "OPTIONS", ("access-control-request-method", "GET")))
        is None
    )
    assert Cors().apply(ask(PAGE, "GET"), response) == response


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (PAGE, PAGE),
        (PAGE.upper(), PAGE.upper()),
        ("http://localhost:3000", "http://localhost:3000"),
        ("https://app.example.org.evil.example", None),
        ("https://evil.example", None),
        ("null", None),
        (None, None),
    ],
)
def test_the_configuration_replaces_the_functions_cors_headers(
    origin: str | None, allowed: str | None
) -> None:
    response = Response(200, [("Access-Control-Allow-Origin", "*"), ("etag", "x")])
    headers = dict(CORS.apply(ask(origin, "GET"), response).headers)
    assert headers.get("access-control-allow-origin") == allowed
    assert "Access-Control-Allow-Origin" not in headers
    assert headers["etag"] == "x"


def test_any_origin_can_be_allowed_and_then_never_with_credentials() -> None:
    cors = Cors(allow_origins=["*"], allow_credentials=True)
    headers = cors.apply(ask(PAGE, "GET"), Response(200)).headers
    assert headers == [("access-control-allow-origin", "*")]
