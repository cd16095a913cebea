"""What a deployed HTTP API was seen to do, and the gateway does too.

AWS publishes requests and responses recorded from deployed APIs with its own emulator: the
repository aws/aws-lambda-dotnet, `Tools/LambdaTestTool-v2`, test cases `HttpContextTestCases`,
`ApiGatewayResponseTestCases` and `InvokeResponseExtensionsTests`. These are the facts that they
show for payload format 2.0, on requests and results of our own.
"""

from typing import Any

import pytest

from local.gateway.lambda_proxy import build_event, build_response
from tests.serve.raw_requests import read

ERROR = (500, [("content-type", "application/json")], b'{"message":"Internal Server Error"}')


def event_of(line: str, *headers: str, body: bytes = b"") -> dict[str, Any]:
    """The event of a request as its bytes are sent."""
    head = "\r\n".join([f"{line} HTTP/1.1", "host: h", *headers, "", ""])
    return build_event(read(head.encode() + body), "203.0.113.9", 443)


# --- requests to events ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/files/annual%20report/second%20half", "/files/annual report/second half"),
        ("/files/%E2%82%AC%20prices/%F0%9F%93%8E", "/files/€ prices/📎"),
        ("/files/**%20draft", "/files/** draft"),
    ],
)
def test_a_path_is_decoded_in_both_places(target: str, path: str) -> None:
    event = event_of(f"GET {target}")
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == path


def test_a_query_is_raw_once_and_decoded_and_joined_once() -> None:
    query = "q=two%20words&tag=C%2B%2B%20code&tag=.txt%20files&page=2"
    event = event_of(f"GET /files?{query}")
    assert event["rawQueryString"] == query
    assert event["queryStringParameters"] == {
        "q": "two words",
        "tag": "C++ code,.txt files",
        "page": "2",
    }


def test_names_of_header_fields_are_in_lower_case_and_values_unchanged() -> None:
    event = event_of("GET /", "Accept: text/html, application/json", "X-Some-Thing: One")
    assert event["headers"]["accept"] == "text/html, application/json"
    assert event["headers"]["x-some-thing"] == "One"


def test_cookies_are_a_list_and_no_header_field() -> None:
    event = event_of("GET /", "Cookie: first=1; second=two")
    assert event["cookies"] == ["first=1", "second=two"]
    assert "cookie" not in event["headers"]


def test_bytes_are_base64() -> None:
    headers = ("content-type: application/octet-stream", "content-length: 4")
    event = event_of("PUT /file", *headers, body=b"\x00\x01\xfe\xff")
    assert (event["body"], event["isBase64Encoded"]) == ("AAH+/w==", True)
    assert event["headers"]["content-length"] == "4"


def test_an_empty_body_is_absent_and_its_header_fields_are_not() -> None:
    event = event_of("POST /logout", "content-type: text/plain", "content-length: 0")
    assert ("body" in event, event["isBase64Encoded"]) == (False, False)
    assert event["headers"]["content-length"] == "0"
    assert event["headers"]["content-type"] == "text/plain"


def test_an_event_names_version_protocol_and_client() -> None:
    event = event_of("DELETE /file", "user-agent: curl/8")
    http = event["requestContext"]["http"]
    assert event["version"] == "2.0"
    assert (http["method"], http["protocol"], http["userAgent"]) == ("DELETE", "HTTP/1.1", "curl/8")
    assert event_of("GET /")["requestContext"]["http"]["userAgent"] == ""


# --- results to responses -------------------------------------------------------------------------


def test_a_body_without_a_type_is_plain_text_in_utf8() -> None:
    for result in (
        {"statusCode": 201, "body": '{"made":true}'},
        {"statusCode": 200, "body": "4oKs", "isBase64Encoded": True},
    ):
        assert build_response(result).headers == [("content-type", "text/plain; charset=utf-8")]


def test_the_function_chooses_type_and_status() -> None:
    headers = {"Content-Type": "application/xml", "Note": "one,two"}
    response = build_response({"statusCode": 202, "headers": headers, "body": "<a/>"})
    assert (response.status, response.body) == (202, b"<a/>")
    assert response.headers == [("content-type", "application/xml"), ("note", "one,two")]


@pytest.mark.parametrize("status", [0, 200.5, 200.0, True, "", "200.5", None])
def test_a_status_that_is_no_whole_number_is_an_error(status: Any) -> None:
    response = build_response({"statusCode": status, "body": "unseen"})
    assert (response.status, response.headers, response.body) == ERROR


@pytest.mark.parametrize(
    ("result", "body"),
    [
        ({"name": "a", "size": 1}, '{"name": "a", "size": 1}'),
        ([1, 2], "[1, 2]"),
        (True, "true"),
        (42, "42"),
        ("plain words", "plain words"),
        ('with "quotes"', 'with "quotes"'),
        ("", ""),
        ('{"broken":', '{"broken":'),
    ],
)
def test_a_result_without_a_status_is_the_body(result: Any, body: str) -> None:
    response = build_response(result)
    assert (response.status, response.body.decode()) == (200, body)
    assert response.headers == [("content-type", "application/json")]
