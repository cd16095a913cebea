"""The local gateway does to requests and results what API Gateway does (payload format 2.0)."""

import base64
import contextlib
import io
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.emulator import listen
from local.events import EVENT_LIMIT, RESULT_LIMIT, Cors, answer_of, event_of, preflight, with_cors
from local.gateway import Context, Gateway, invoke
from local.wire import BODY_LIMIT, HEAD_LIMIT, Answer, Refused, Request, answer_bytes, read_request

# --- golden events: a whole request on the left, the whole event on the right --------------------

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


def read(raw: bytes) -> Request:
    request = read_request(io.BytesIO(raw), lambda: None)
    assert request
    return request


@pytest.mark.parametrize(
    ("raw", "event"),
    [(LISTING, LISTING_EVENT), (LOGIN, LOGIN_EVENT), (UPLOAD, UPLOAD_EVENT)],
    ids=["listing", "login", "upload"],
)
def test_an_event_is_what_the_gateway_sends(
    raw: bytes, event: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 0.0)
    monkeypatch.setattr("secrets.token_bytes", bytes)
    monkeypatch.setattr("secrets.token_hex", lambda size: "00" * size)
    assert event_of(read(raw), "203.0.113.9", 8000) == event


# --- requests become events -----------------------------------------------------------------------


def sent(
    target: str = "/", *headers: tuple[str, str], body: bytes = b"", method: str = "POST"
) -> dict[str, Any]:
    request = Request(method, target, (("host", "h"), *headers), body)
    return event_of(request, "127.0.0.1", 8000)


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
    event = sent(target)
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == path


def test_what_was_not_sent_is_absent() -> None:
    absent = {"body", "cookies", "queryStringParameters", "pathParameters", "stageVariables"}
    assert not absent & sent().keys()
    assert "queryStringParameters" not in sent("/files?")


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), min_size=1))
def test_a_query_stays_as_sent_and_its_values_are_joined(pairs: list[tuple[str, str]]) -> None:
    clean = [
        (k.encode(errors="replace").decode(), v.encode(errors="replace").decode()) for k, v in pairs
    ]
    query = urlencode(clean)
    event = sent(f"/files?{query}")
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
def test_a_body_is_text_for_few_types_only(kind: str | None, is_text: bool) -> None:
    event = sent("/", *([("content-type", kind)] if kind is not None else []), body=b"{}")
    assert event["isBase64Encoded"] is not is_text
    assert event["body"] == ("{}" if is_text else "e30=")


def test_a_text_body_that_is_not_utf8_still_arrives_as_text() -> None:
    assert sent("/", ("content-type", "text/plain"), body=b"\xff")["body"] == "\ufffd"


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip", "true-client-ip"])
def test_nothing_that_a_client_sends_changes_who_it_is(header: str) -> None:
    event = sent("/", (header, "10.0.0.1"))
    assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"
    assert event["headers"]["x-forwarded-for"].endswith("127.0.0.1")


def test_headers_of_the_connection_stay_with_the_gateway() -> None:
    hop = ("connection", "keep-alive", "te", "trailer", "upgrade", "expect", "proxy-connection")
    event = sent("/", *((name, "x") for name in hop))
    assert not event["headers"].keys() & set(hop)


# --- results become answers -----------------------------------------------------------------------


def test_an_answer_carries_status_headers_cookies_and_body() -> None:
    answer = answer_of(
        {
            "statusCode": 201,
            "headers": {"Content-Type": "application/json", "X-Limit": 5, "X-Flag": True},
            "cookies": ["a=1; HttpOnly", "b=2"],
            "body": '{"é":1}',
            "isBase64Encoded": False,
        }
    )
    assert answer.status == 201
    assert answer.body == '{"é":1}'.encode()
    assert answer.headers == [
        ("content-type", "application/json"),
        ("x-limit", "5"),
        ("x-flag", "true"),
        ("set-cookie", "a=1; HttpOnly"),
        ("set-cookie", "b=2"),
    ]


def test_a_base64_body_is_sent_as_bytes() -> None:
    result = {"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}
    assert answer_of(result).body == b"\x00\xff"


def test_headers_that_would_lie_about_the_body_are_dropped() -> None:
    hostile = {"Content-Length": "99", "Transfer-Encoding": "chunked", "Connection": "close"}
    for method, status in (("GET", 200), ("GET", 204), ("HEAD", 204), ("HEAD", 304)):
        assert answer_of({"statusCode": status, "headers": hostile}, method).headers == []


@pytest.mark.parametrize(
    ("said", "kept"),
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
def test_a_head_keeps_the_length_that_the_function_gives(
    said: dict[str, Any], kept: list[str]
) -> None:
    answer = answer_of({"statusCode": 200, "headers": said, "body": ""}, "HEAD")
    assert answer.headers == [("content-length", each) for each in kept]
    written = answer_bytes(answer, "HEAD", keep_alive=True)
    assert re.findall(rb"content-length: (.*)\r\n", written) == [each.encode() for each in kept]


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
    answer = answer_of(result)
    assert (answer.status, answer.body.decode()) == (200, body)
    assert answer.headers == [("content-type", "application/json")]


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
def test_a_result_that_is_no_answer_is_a_500(result: Any) -> None:
    answer = answer_of(result)
    assert answer.status == 500
    assert json.loads(answer.body) == {"message": "Internal Server Error"}


def test_a_handler_that_raises_is_a_500_and_says_nothing_of_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def handler(event: Any, context: Any) -> Any:
        raise KeyError("secret")

    answer = invoke(handler, read(LISTING), "127.0.0.1", 8000)
    assert answer.status == 500
    assert b"secret" not in answer.body
    assert "KeyError" in caplog.text


def test_a_result_may_be_as_large_as_lambda_allows() -> None:
    def result(size: int) -> dict[str, Any]:
        empty = len(json.dumps({"statusCode": 200, "body": ""}))
        return {"statusCode": 200, "body": "é" * ((size - empty) // 2) + "x" * ((size - empty) % 2)}

    assert answer_of(result(RESULT_LIMIT)).status == 200
    assert answer_of(result(RESULT_LIMIT + 1)).status == 500


def test_an_event_may_be_as_large_as_lambda_allows() -> None:
    seen: list[Any] = []

    def handler(event: Any, context: Any) -> Any:
        seen.append(event)

    def send(size: int) -> Answer:
        headers = (("host", "h"), ("content-type", "text/plain"))
        return invoke(handler, Request("PUT", "/file", headers, b"x" * size), "127.0.0.1", 8000)

    assert send(EVENT_LIMIT - 2_000).status == 200
    answer = send(EVENT_LIMIT)
    assert answer.status == 413
    assert json.loads(answer.body) == {"message": "Request Entity Too Large"}
    assert len(seen) == 1


def test_a_handler_gets_a_context_whose_time_runs_out() -> None:
    context = Context()
    assert 27_000 < context.get_remaining_time_in_millis() <= 28_000
    assert Context(deadline=0.0).get_remaining_time_in_millis() == 0
    assert context.aws_request_id != Context().aws_request_id
    assert context.function_name in context.invoked_function_arn
    assert context.memory_limit_in_mb > 0


# --- CORS -----------------------------------------------------------------------------------------

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


def test_a_preflight_is_the_gateways_to_answer() -> None:
    wanted = ("access-control-request-method", "PUT")
    answer = preflight(ask(PAGE, "OPTIONS", wanted), CORS)
    assert answer
    assert answer.status == 204
    assert dict(answer.headers) == {
        "access-control-allow-origin": PAGE,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "etag",
        "access-control-allow-methods": "GET,PUT",
        "access-control-allow-headers": "x-session-token",
        "access-control-max-age": "300",
    }
    foreign = preflight(ask("https://evil.example", "OPTIONS", wanted), CORS)
    assert foreign
    assert (foreign.status, foreign.headers) == (204, [])


@pytest.mark.parametrize(
    "request_",
    [ask(PAGE), ask(None), ask(PAGE, "GET", ("access-control-request-method", "PUT"))],
)
def test_what_is_no_preflight_goes_to_the_function(request_: Request) -> None:
    assert preflight(request_, CORS) is None


def test_without_a_configuration_cors_is_the_functions() -> None:
    answer = Answer(200, [("access-control-allow-origin", "*")])
    assert preflight(ask(PAGE, "OPTIONS", ("access-control-request-method", "GET")), Cors()) is None
    assert with_cors(ask(PAGE, "GET"), answer, Cors()) == answer


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
    answer = Answer(200, [("Access-Control-Allow-Origin", "*"), ("etag", "x")])
    headers = dict(with_cors(ask(origin, "GET"), answer, CORS).headers)
    assert headers.get("access-control-allow-origin") == allowed
    assert "Access-Control-Allow-Origin" not in headers
    assert headers["etag"] == "x"


def test_any_origin_may_be_allowed_and_then_never_with_credentials() -> None:
    cors = Cors(allow_origins=["*"], allow_credentials=True)
    headers = with_cors(ask(PAGE, "GET"), Answer(200), cors).headers
    assert headers == [("access-control-allow-origin", "*")]


# --- the wire -------------------------------------------------------------------------------------

SMUGGLED = b"0\r\n\r\nGET /admin HTTP/1.1\r\nhost: h\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"content-length: 4\r\ntransfer-encoding: chunked", 400),
        (b"transfer-encoding: xchunked", 501),
        (b"transfer-encoding: chunked, identity", 501),
        (b"transfer-encoding: chunked\r\ntransfer-encoding: chunked", 501),
        (b"transfer-encoding:\x0bchunked", 400),
        (b"transfer-encoding : chunked", 400),
        (b"content-length: 4\r\ncontent-length: 5", 400),
        (b"content-length: 4\r\ncontent-length: 4", 400),
        (b"content-length: 4, 4", 400),
        (b"content-length: +4", 400),
        (b"content-length: -1", 400),
        (b"content-length: 0x4", 400),
        (b"content-length: \xd9\xa4", 400),
        (b"content-length: 9999999999999999999999", 400),
        (b"x: y\r\n folded", 400),
        (b"no colon", 400),
        (b"x: a\nb: c", 400),
        (b"x: a\rb: c", 400),
        (b"x: a\x00", 400),
        (b"host: two", 400),
        (b"expect: a-miracle", 417),
        (b"content-length: 10485761", 413),
    ],
)
def test_a_request_that_two_readers_could_read_differently_is_refused(
    head: bytes, status: int
) -> None:
    raw = b"POST / HTTP/1.1\r\nhost: h\r\n" + head + b"\r\n\r\n" + SMUGGLED
    with pytest.raises(Refused) as refused:
        read(raw)
    assert refused.value.status == status


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\n\r\n",  # no host
        b"GET /\r\n\r\n",  # HTTP/0.9
        b"GET  / HTTP/1.1\r\nhost: h\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nhost: h\r\n\r\n",
        b"GET / HTTP/2.0\r\nhost: h\r\n\r\n",
        b"G\x00T / HTTP/1.1\r\nhost: h\r\n\r\n",
        b"GET / HTTP/1.1\nhost: h\n\n",
        b"GET / HTTP/1.1\r\nhost: h\r\n",  # cut short
        b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nabc",
        b"POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_a_malformed_request_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused) as refused:
        read(raw)
    assert refused.value.status == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize(
    "chunks",
    [b"4\nabcd\r\n0\r\n\r\n", b"-1\r\n", b"g\r\n", b"4\r\nabcdX\r\n0\r\n\r\n", b"4\r\nab", b"\r\n"],
)
def test_a_malformed_chunk_is_refused(chunks: bytes) -> None:
    with pytest.raises(Refused):
        read(b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n" + chunks)


def test_chunks_may_not_add_up_to_more_than_a_body_may_have() -> None:
    chunk = b"500000\r\n" + b"x" * 0x500000 + b"\r\n"
    head = b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n"
    assert len(read(head + chunk * 2 + b"0\r\n\r\n").body) == BODY_LIMIT
    with pytest.raises(Refused) as refused:
        read(head + chunk * 2 + b"1\r\nx\r\n0\r\n\r\n")
    assert refused.value.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def test_the_head_may_be_as_large_as_the_gateway_allows() -> None:
    start = b"GET / HTTP/1.1\r\nhost: h\r\nx-session-token: "
    room = HEAD_LIMIT - len(start) - 4
    assert read(start + b"x" * room + b"\r\n\r\n").headers[1][1] == "x" * room
    for raw in (start + b"x" * (room + 1) + b"\r\n\r\n", b"GET /" + b"x" * 20_000):
        with pytest.raises(Refused) as refused:
            read(raw)
        assert refused.value.status == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE


@given(st.binary(max_size=300))
def test_no_bytes_upset_the_reader(raw: bytes) -> None:
    for start in (b"", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nhost: h\r\n"):
        with contextlib.suppress(Refused):
            read_request(io.BytesIO(start + raw), lambda: None)


def test_head_and_bodiless_statuses_are_written_without_a_body() -> None:
    full = Answer(200, [("x", "y")], b"body")
    assert answer_bytes(full, "GET", keep_alive=True) == (
        b"HTTP/1.1 200 OK\r\nx: y\r\ncontent-length: 4\r\nconnection: keep-alive\r\n\r\nbody"
    )
    head = answer_bytes(full, "HEAD", keep_alive=False)
    assert head.endswith(b"content-length: 4\r\nconnection: close\r\n\r\n")
    for status in (204, 304):
        written = answer_bytes(Answer(status, [], b"body"), "GET", keep_alive=True)
        assert written.endswith(b"\r\n\r\n")
        assert b"content-length" not in written


# --- through a socket -----------------------------------------------------------------------------


@contextmanager
def serving(handler: Callable[[Any, Any], Any]) -> Iterator[socket.socket]:
    gateway = Gateway(listen(0), handler)
    thread = threading.Thread(target=gateway.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        with socket.create_connection(gateway.server_address[:2], timeout=10) as client:
            yield client
    finally:
        gateway.shutdown()
        thread.join()
        gateway.server_close()


def receive(client: socket.socket, until: bytes = b"") -> bytes:
    received = b""
    while not until or until not in received:
        data = client.recv(1 << 16)
        if not data:
            break
        received += data
    return received


def echo(event: Any, context: Any) -> Any:
    return {"statusCode": 200, "body": event["rawPath"] + "|" + event.get("body", "")}


@pytest.mark.enable_socket
def test_requests_follow_each_other_on_one_connection() -> None:
    with serving(echo) as client:
        client.sendall(b"GET /one HTTP/1.1\r\nhost: h\r\n\r\nGET /two HTTP/1.1\r\nhost: h\r\n\r\n")
        answers = receive(client, b"/two|")
        assert answers.count(b"HTTP/1.1 200 OK") == 2
        assert re.search(rb"apigw-requestid: \S{15}=\r\n", answers)
        client.sendall(b"GET /three HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")
        assert receive(client).endswith(b"/three|")


@pytest.mark.enable_socket
def test_a_head_says_how_long_it_would_be_and_sends_nothing() -> None:
    def handler(event: Any, context: Any) -> Any:
        known = event["rawPath"] == "/known"
        return {"statusCode": 200, "headers": {"content-length": "5497558138880"} if known else {}}

    with serving(handler) as client:
        client.sendall(
            b"HEAD /known HTTP/1.1\r\nhost: h\r\n\r\nHEAD /unknown HTTP/1.1\r\nhost: h\r\n\r\n"
            b"GET /unknown HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"
        )
        known, unknown, got, rest = receive(client).split(b"\r\n\r\n")
    assert re.findall(rb"content-length: (\d+)", known) == [b"5497558138880"]
    assert b"content-length" not in unknown
    assert re.findall(rb"content-length: (.*)\r\n", got) == [b"0"]
    assert rest == b""


@pytest.mark.enable_socket
def test_a_client_that_waits_is_told_to_go_on() -> None:
    head, body = UPLOAD.split(b"\r\n\r\n", 1)
    with serving(echo) as client:
        client.sendall(head + b"\r\n\r\n")
        assert receive(client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        assert b"/file|JVBERgD/Cg==" in receive(client, b"==")


@pytest.mark.enable_socket
def test_a_client_that_sends_too_much_can_still_read_why() -> None:
    with serving(echo) as client:
        client.sendall(b"PUT /file HTTP/1.1\r\nhost: h\r\ncontent-length: 12000000\r\n\r\n")
        client.sendall(b"x" * 12_000_000)
        answer = receive(client)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert answer.endswith(b'{"message": "Request Entity Too Large"}')


@pytest.mark.enable_socket
def test_the_handler_sees_one_request_at_a_time() -> None:
    inside, most = 0, 0

    def handler(event: Any, context: Any) -> Any:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        threading.Event().wait(0.02)
        inside -= 1
        return {"statusCode": 204}

    with serving(handler) as first:
        others = [socket.create_connection(first.getpeername(), timeout=10) for _ in range(7)]
        for client in (first, *others):
            client.sendall(b"GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")
        assert all(receive(client).startswith(b"HTTP/1.1 204") for client in (first, *others))
        for client in others:
            client.close()
    assert most == 1


@pytest.mark.enable_socket
def test_a_refused_request_ends_the_connection() -> None:
    with serving(echo) as client:
        client.sendall(
            b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\n"
            b"transfer-encoding: chunked\r\n\r\n" + SMUGGLED
        )
        answer = receive(client)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert answer.count(b"HTTP/1.1") == 1
