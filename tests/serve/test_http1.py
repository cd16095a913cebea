"""HTTP/1.1 on the wire: limits, refusals, bodies, and what closes a connection."""

import contextlib
from http import HTTPStatus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.gateway.http1 import BODY_LIMIT, HEAD_LIMIT, RequestRefused, Response
from tests.serve.raw_requests import connect, read

GET = b"GET / HTTP/1.1\r\nhost: h\r\n\r\n"
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
    with pytest.raises(RequestRefused) as refused:
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
        b"G\xffT / HTTP/1.1\r\nhost: h\r\n\r\n",
        b"GET / HTTP/1.1\nhost: h\n\n",
        b"GET / HTTP/1.1\r\nhost: h\r\n",  # cut short
        b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nabc",
        b"POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_a_malformed_request_is_refused(raw: bytes) -> None:
    with pytest.raises(RequestRefused) as refused:
        read(raw)
    assert refused.value.status == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize(
    "chunks",
    [
        b"4\nabcd\r\n0\r\n\r\n",
        b"-1\r\n",
        b"g\r\n",
        b"4\r\nabcdX\r\n0\r\n\r\n",
        b"4\r\nab",
        b"\r\n",
        b"0\r\n\n",
        b"0\r\nt: v\n\r\n",
    ],
)
def test_a_malformed_chunk_is_refused(chunks: bytes) -> None:
    with pytest.raises(RequestRefused):
        read(b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n" + chunks)


def test_chunks_above_the_limit_of_a_body_are_refused() -> None:
    chunk = b"500000\r\n" + b"x" * 0x500000 + b"\r\n"
    head = b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n"
    assert len(read(head + chunk * 2 + b"0\r\n\r\n").body) == BODY_LIMIT
    with pytest.raises(RequestRefused) as refused:
        read(head + chunk * 2 + b"1\r\nx\r\n0\r\n\r\n")
    assert refused.value.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def test_a_request_line_and_headers_above_the_limit_are_refused() -> None:
    start = b"GET / HTTP/1.1\r\nhost: h\r\nx-session-token: "
    room = HEAD_LIMIT - len(start) - 4
    assert read(start + b"x" * room + b"\r\n\r\n").headers[1][1] == "x" * room
    for raw in (start + b"x" * (room + 1) + b"\r\n\r\n", b"GET /" + b"x" * 20_000):
        with pytest.raises(RequestRefused) as refused:
            read(raw)
        assert refused.value.status == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    for start in (b"", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nhost: h\r\n"):
        with contextlib.suppress(RequestRefused):
            connect(start + raw)[0].receive()


def test_non_ascii_bytes_of_a_url_are_percent_encoded() -> None:
    """curl sends them as they are typed."""
    request = read("GET /é?file_name=naïve HTTP/1.1\r\nhost: h\r\nx: é\r\n\r\n".encode())
    assert request.target == "/%C3%A9?file_name=na%C3%AFve"
    assert request.values("x") == ["é"]


def test_requests_of_one_connection_are_read_one_by_one() -> None:
    """However their bytes arrive: here all at once, with empty lines before the second."""
    chunked = b"POST /1 HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n"
    sized = b"POST /2 HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\nabc"
    large = b"POST /3 HTTP/1.1\r\nhost: h\r\ncontent-length: 300000\r\n\r\n" + b"x" * 300_000
    raw = chunked + b"2\r\nab\r\n0\r\nt: v\r\n\r\n" + b"\r\n\r\n" + sized + large + GET
    client, _ = connect(raw)
    requests = []
    while request := client.receive():
        assert client.send(Response(200))
        requests.append((request.target, request.body))
    assert requests == [("/1", b"ab"), ("/2", b"abc"), ("/3", b"x" * 300_000), ("/", b"")]


@pytest.mark.parametrize(
    ("raw", "stays_open"),
    [
        (GET, True),
        (b"GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nhost: h\r\nconnection: x, Close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n", False),
    ],
)
def test_a_connection_closes_when_the_client_asks_or_speaks_http_1_0(
    raw: bytes, stays_open: bool
) -> None:
    client, sent = connect(raw)
    client.receive()
    assert client.send(Response(200)) is stays_open
    assert (b"\r\nconnection: close\r\n" in sent.getvalue().lower()) is not stays_open


def test_a_refusal_closes_the_connection() -> None:
    client, sent = connect(b"GET /\r\n\r\n" + GET)
    with pytest.raises(RequestRefused):
        client.receive()
    assert not client.send(Response(400, [("connection", "close")]))
    assert sent.getvalue().startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_only_a_client_that_waits_gets_100_continue() -> None:
    """A client that has sent the body does not wait, nor does one of HTTP/1.0."""
    head = b"PUT / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n"
    client, sent = connect(head)
    with pytest.raises(RequestRefused):  # it closes the connection in place of a body
        client.receive()
    assert sent.getvalue() == b"HTTP/1.1 100 Continue\r\n\r\n"
    client, sent = connect(head.replace(b"1.1", b"1.0"))
    with pytest.raises(RequestRefused):
        client.receive()
    assert sent.getvalue() == b""


def sent_in_response_to(raw: bytes, response: Response) -> bytes:
    client, sent = connect(raw)
    client.receive()
    client.send(response)
    return sent.getvalue()


def test_a_response_to_head_and_a_bodiless_status_are_sent_without_a_body() -> None:
    full = Response(200, [("x", "y")], b"body")
    assert sent_in_response_to(GET, full) == (
        b"HTTP/1.1 200 OK\r\nx: y\r\ncontent-length: 4\r\n\r\nbody"
    )
    head = sent_in_response_to(b"HEAD / HTTP/1.0\r\n\r\n", full).lower()
    assert head.endswith(b"content-length: 4\r\nconnection: close\r\n\r\n")
    for status in (204, 304):
        written = sent_in_response_to(GET, Response(status, [], b"body"))
        assert written.endswith(b"\r\n\r\n")
        assert b"content-length" not in written


def test_a_header_of_a_response_is_sent_as_utf8() -> None:
    written = sent_in_response_to(GET, Response(299, [("x", "é")]))
    assert written.startswith("HTTP/1.1 299 \r\nx: é\r\n".encode())
