"""Requests become events and results become responses as in API Gateway (payload format 2.0)."""

import base64
import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.gateway.http1 import Request
from local.gateway.lambda_proxy import RESULT_LIMIT, build_event, build_response
from tests.serve.raw_requests import connect, read

# --- whole requests and their events --------------------------------------------------------------

LISTING = (
    b"GET /files?prefix=ann%C3%A9e%2F&limit=2&limit=3&flag HTTP/1.1\r\n"
    b"Host: files.example.org:8000\r\n"
    b"User-Agent: curl/7.88.1\r\n"
    b"Accept: */*\r\n"
    b"X-Session-Token: alice.abc\r\n"
    b"X-Many: one\r\n"
    b"x-many: two\r\n"
    b"Cookie: theme=dark; lang=fr\r\n"
    b"Cookie: last=1\r\n"
    b"X-Forwarded-For: 10.9.8.7\r\n"
    b"X-Forwarded-Proto: gopher\r\n"
    b"\r\n"
)
LISTING_EVENT = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/files",
    "rawQueryString": "prefix=ann%C3%A9e%2F&limit=2&limit=3&flag",
    "cookies": ["theme=dark", "lang=fr", "last=1"],
    "headers": {
        "accept": "*/*",
        "host": "files.example.org:8000",
        "user-agent": "curl/7.88.1",
        "x-amzn-trace-id": "Root=1-00000000-000000000000000000000000",
        "x-forwarded-for": "10.9.8.7, 203.0.113.9",
        "x-forwarded-port": "8000",
        "x-forwarded-proto": "http",
        "x-many": "one,two",
        "x-session-token": "alice.abc",
    },
    "queryStringParameters": {"prefix": "année/", "limit": "2,3", "flag": ""},
    "requestContext": {
        "accountId": "000000000000",
        "apiId": "local",
        "domainName": "files.example.org",
        "domainPrefix": "local",
        "http": {
            "method": "GET",
            "path": "/files",
            "protocol": "HTTP/1.1",
            "sourceIp": "203.0.113.9",
            "userAgent": "curl/7.88.1",
        },
        "requestId": "AAAAAAAAAAAAAAA=",
        "routeKey": "$default",
        "stage": "$default",
        "time": "01/Jan/1970:00:00:00 +0000",
        "timeEpoch": 0,
    },
    "isBase64Encoded": False,
}

LOGIN = (
    b"POST /login HTTP/1.1\r\n"
    b"host: 127.0.0.1:8000\r\n"
    b"content-type: application/json\r\n"
    b"content-length: 22\r\n"
    b"connection: keep-alive\r\n"
    b"\r\n"
    b'{"username":"\xc3\xa9lodie"}'
)
LOGIN_EVENT = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/login",
    "rawQueryString": "",
    "headers": {
        "content-length": "22",
        "content-type": "application/json",
        "host": "127.0.0.1:8000",
        "x-amzn-trace-id": "Root=1-00000000-000000000000000000000000",
        "x-forwarded-for": "203.0.113.9",
        "x-forwarded-port": "8000",
        "x-forwarded-proto": "http",
    },
    "requestContext": {
        "accountId": "000000000000",
        "apiId": "local",
        "domainName": "127.0.0.1",
        "domainPrefix": "local",
        "http": {
            "method": "POST",
            "path": "/login",
            "protocol": "HTTP/1.1",
            "sourceIp": "203.0.113.9",
            "userAgent": "",
        },
        "requestId": "AAAAAAAAAAAAAAA=",
        "routeKey": "$default",
        "stage": "$default",
        "time": "01/Jan/1970:00:00:00 +0000",
        "timeEpoch": 0,
    },
    "body": '{"username":"élodie"}',
    "isBase64Encoded": False,
}

UPLOAD = (  # what `curl -T - ` sends
    b"PUT /file?file_name=r%C3%A9sum%C3%A9+(final)%20%231%3F.pdf HTTP/1.1\r\n"
    b"Host: 127.0.0.1:8000\r\n"
    b"Transfer-Encoding: chunked\r\n"
    b"Expect: 100-continue\r\n"
    b"\r\n"
    b"3\r\n%PD\r\n4;name=value\r\nF\x00\xff\n\r\n0\r\nTrailer: ignored\r\n\r\n"
)
UPLOAD_EVENT = {
    **LOGIN_EVENT,
    "rawPath": "/file",
    "rawQueryString": "file_name=r%C3%A9sum%C3%A9+(final)%20%231%3F.pdf",
    "queryStringParameters": {"file_name": "résumé (final) #1?.pdf"},
    "headers": {
        "content-length": "7",
        "host": "127.0.0.1:8000",
        "x-amzn-trace-id": "Root=1-00000000-000000000000000000000000",
        "x-forwarded-for": "203.0.113.9",
        "x-forwarded-port": "8000",
        "x-forwarded-proto": "http",
    },
    "requestContext": {
        **LOGIN_EVENT["requestContext"],
        "http": {**LOGIN_EVENT["requestContext"]["http"], "method": "PUT", "path": "/file"},
    },
    "body": base64.b64encode(b"%PDF\x00\xff\n").decode(),
    "isBase64Encoded": True,
}


@pytest.mark.parametrize(
    ("raw", "event"),
    [(LISTING, LISTING_EVENT), (LOGIN, LOGIN_EVENT), (UPLOAD, UPLOAD_EVENT)],
    ids=["listing", "login", "upload"],
)
def test_an_event_is_the_one_that_api_gateway_sends(
    raw: bytes, event: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 0.0)
    monkeypatch.setattr("secrets.token_bytes", bytes)
    monkeypatch.setattr("secrets.token_hex", lambda size: "00" * size)
    assert build_event(read(raw), "203.0.113.9", 8000) == event


# --- requests to events --------------------------------------------------------------------------


def event_for(
    target: str = "/", *headers: tuple[str, str], body: bytes = b"", method: str = "POST"
) -> dict[str, Any]:
    request = Request(method, target, (("host", "h"), *headers), body)
    return build_event(request, "127.0.0.1", 8000)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/", "/"),
        ("/a%20b", "/a b"),
        ("/%C3%A9", "/é"),
        ("/a%2Fb", "/a/b"),
        ("/a%3Fb=c", "/a"),
        ("/a%252Fb", "/a%252Fb"),
        ("/a%C3%A9%25%C3%A9", "/aé%25é"),
        ("/%ff", "/\ufffd"),
        ("/%zz%4", "/%zz%4"),
        ("/files%0A", "/files\n"),
        ("/a+b", "/a+b"),
        ("//x/../y", "//x/../y"),
        ("http://elsewhere/a?b=c", "/a"),
        ("http://elsewhere", "/"),
    ],
)
def test_a_path_is_decoded_except_for_percent_signs_and_cut_at_a_decoded_question_mark(
    target: str, path: str
) -> None:
    event = event_for(target)
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == path


def test_a_part_that_was_not_sent_is_absent_from_the_event() -> None:
    absent = {"body", "cookies", "queryStringParameters", "pathParameters", "stageVariables"}
    assert not absent & event_for().keys()
    assert "queryStringParameters" not in event_for("/files?")


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(min_size=1), st.text()), min_size=1))
def test_the_raw_query_is_unchanged_and_repeated_values_are_joined(
    pairs: list[tuple[str, str]],
) -> None:
    clean = [
        (k.encode(errors="replace").decode(), v.encode(errors="replace").decode()) for k, v in pairs
    ]
    query = urlencode(clean)
    event = event_for(f"/files?{query}")
    assert event["rawQueryString"] == query
    for name, value in event["queryStringParameters"].items():
        assert value == ",".join(v for k, v in clean if k == name)


@pytest.mark.parametrize(
    ("kind", "is_text"),
    [
        ("text/plain", True),
        ("text/csv; charset=latin-1", True),
        ("application/json", True),
        ("APPLICATION/JSON; charset=UTF-8", True),
        ("application/xml", True),
        ("application/javascript", True),
        ("application/problem+json", False),
        ("application/jsonx", False),
        ("application/x-www-form-urlencoded", False),
        ("multipart/form-data; boundary=x", False),
        ("application/octet-stream", False),
        ("", False),
        (None, False),
    ],
)
def test_a_body_is_text_for_few_content_types_and_base64_otherwise(
    kind: str | None, is_text: bool
) -> None:
    event = event_for("/", *([("content-type", kind)] if kind is not None else []), body=b"{}")
    assert event["isBase64Encoded"] is not is_text
    assert event["body"] == ("{}" if is_text else "e30=")


def test_a_text_body_that_is_not_utf8_is_passed_as_text() -> None:
    assert event_for("/", ("content-type", "text/plain"), body=b"\xff")["body"] == "\ufffd"


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip", "true-client-ip"])
def test_no_header_changes_the_source_ip_of_a_client(header: str) -> None:
    event = event_for("/", (header, "10.0.0.1"))
    assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"
    assert event["headers"]["x-forwarded-for"].endswith("127.0.0.1")


def test_headers_of_the_connection_do_not_reach_the_function() -> None:
    hop = ("connection", "keep-alive", "te", "trailer", "upgrade", "expect", "proxy-connection")
    event = event_for("/", *((name, "x") for name in hop))
    assert not event["headers"].keys() & set(hop)


# --- results to responses ------------------------------------------------------------------------


def test_a_response_has_the_status_headers_cookies_and_body_of_the_result() -> None:
    response = build_response(
        {
            "statusCode": 201,
            "headers": {
                "Content-Type": "application/json",
                "X-Limit": 5,
                "X-Flag": True,
                "X-Padded": " a b\t",
            },
            "cookies": ["a=1; HttpOnly", "b=2"],
            "body": '{"é":1}',
            "isBase64Encoded": False,
        }
    )
    assert response.status == 201
    assert response.body == '{"é":1}'.encode()
    assert response.headers == [
        ("content-type", "application/json"),
        ("x-limit", "5"),
        ("x-flag", "true"),
        ("x-padded", "a b"),
        ("set-cookie", "a=1; HttpOnly"),
        ("set-cookie", "b=2"),
    ]


def test_a_base64_body_is_decoded() -> None:
    result = {"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}
    assert build_response(result).body == b"\x00\xff"


def test_headers_that_would_contradict_the_body_are_dropped() -> None:
    hostile = {"Content-Length": "99", "Transfer-Encoding": "chunked", "Connection": "close"}
    for method, status in (("GET", 200), ("GET", 204), ("HEAD", 204), ("HEAD", 304)):
        assert build_response({"statusCode": status, "headers": hostile}, method).headers == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"Content-Length": "99"}, ["99"]),
        ({"content-length": 99}, ["99"]),
        ({"Content-Length": "1", "content-length": "2"}, ["1"]),
        ({"content-length": "0"}, ["0"]),
        ({"content-length": "many"}, []),
        ({"content-length": "-1"}, []),
        ({}, []),
    ],
)
def test_a_response_to_head_keeps_the_content_length_of_the_function(
    given: dict[str, Any], kept: list[str]
) -> None:
    response = build_response({"statusCode": 200, "headers": given, "body": ""}, "HEAD")
    assert response.headers == [("content-length", each) for each in kept]
    client, sent = connect(b"HEAD / HTTP/1.1\r\nhost: h\r\n\r\n")
    client.receive()
    client.send(response)
    lengths = re.findall(rb"content-length: (.*)\r\n", sent.getvalue())
    assert lengths == [each.encode() for each in kept]


@pytest.mark.parametrize(
    ("result", "body"),
    [
        ({"hello": "é"}, '{"hello": "é"}'),
        ("hello", "hello"),
        ([1], "[1]"),
        (None, "null"),
        (7, "7"),
    ],
)
def test_a_result_without_a_status_is_a_200_with_the_result(result: Any, body: str) -> None:
    response = build_response(result)
    assert (response.status, response.body.decode()) == (200, body)
    assert response.headers == [("content-type", "application/json")]


@pytest.mark.parametrize(
    "result",
    [
        {"statusCode": "many"},
        {"statusCode": None},
        {"statusCode": 0},
        {"statusCode": 100},
        {"statusCode": 600},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "body": "!", "isBase64Encoded": True},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "headers": {"a b": "c"}},
        {"statusCode": 200, "headers": {"a": "b\r\nset-cookie: c"}},
        {"statusCode": 200, "cookies": ["a\r\nb: c"]},
        {"statusCode": 200, "cookies": 5},
        {"statusCode": 200, "body": "\ud800"},
        {"statusCode": 200, "body": b"bytes"},
        {1, 2},
        object(),
    ],
)
def test_a_malformed_result_is_a_500(result: Any) -> None:
    response = build_response(result)
    assert response.status == 500
    assert json.loads(response.body) == {"message": "Internal Server Error"}


def test_a_result_above_the_limit_of_lambda_is_a_500() -> None:
    def result(size: int) -> dict[str, Any]:
        empty = len(json.dumps({"statusCode": 200, "body": ""}))
        return {"statusCode": 200, "body": "é" * ((size - empty) // 2) + "x" * ((size - empty) % 2)}

    assert build_response(result(RESULT_LIMIT)).status == 200
    assert build_response(result(RESULT_LIMIT + 1)).status == 500
