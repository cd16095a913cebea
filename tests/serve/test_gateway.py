"""The gateway over sockets, and one request through the handler."""

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from function import contract
from local.emulator.process import listen
from local.gateway.http1 import Request, Response
from local.gateway.lambda_proxy import EVENT_LIMIT
from local.gateway.server import Gateway, invoke
from local.lambda_runtime import Context

GET = Request("GET", "/files", (("host", "h"),))
# As `curl -T -` sends it.
UPLOAD_HEAD = (
    b"PUT /file?file_name=a.pdf HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n"
    b"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
)
UPLOAD_BODY = b"3\r\n%PD\r\n4;name=value\r\nF\x00\xff\n\r\n0\r\nTrailer: ignored\r\n\r\n"


def test_an_error_of_the_handler_is_logged_and_a_500_without_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def handler(event: Any, context: Any) -> Any:
        raise KeyError("secret")

    response = invoke(handler, GET, "127.0.0.1", 8000)
    assert response.status == 500
    assert b"secret" not in response.body
    assert "KeyError" in caplog.text


def test_an_event_above_the_limit_of_lambda_is_a_413() -> None:
    seen: list[Any] = []

    def handler(event: Any, context: Any) -> Any:
        seen.append(event)

    def send(size: int) -> Response:
        headers = (("host", "h"), ("content-type", "text/plain"))
        return invoke(handler, Request("PUT", "/file", headers, b"x" * size), "127.0.0.1", 8000)

    assert send(EVENT_LIMIT - 2_000).status == 200
    response = send(EVENT_LIMIT)
    assert response.status == 413
    assert json.loads(response.body) == {"message": "Request Entity Too Large"}
    assert len(seen) == 1


def test_the_remaining_time_of_an_invocation_runs_out() -> None:
    context = Context()
    assert 27_000 < context.get_remaining_time_in_millis() <= 28_000
    assert Context(deadline=0.0).get_remaining_time_in_millis() == 0
    assert context.aws_request_id != Context().aws_request_id
    assert context.function_name in context.invoked_function_arn
    assert context.memory_limit_in_mb > 0


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
@pytest.mark.parametrize(
    ("target", "events"),
    [
        ("/_sweep", [contract.SWEEP_EVENT, contract.RECONCILE_EVENT]),
        ("/_reconcile", [contract.DRY_RUN_EVENT]),
        ("/_reconcile?confirmed", [contract.CONFIRMED_EVENT]),
    ],
)
def test_an_operator_runs_scheduled_work(target: str, events: list[dict[str, str]]) -> None:
    """By `make sweep` and `make reconcile`; the response has the results together."""
    seen: list[Any] = []

    def handler(event: Any, _: Any) -> Any:
        seen.append(event)
        return {str(len(seen)): event["satchel"]}

    head = f"POST {target} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n"
    with serving(handler) as client:
        client.sendall(head.encode())
        answer = receive(client, b"}")
    assert answer.startswith(b"HTTP/1.1 200")
    assert seen == events
    assert all(f'"{number}"'.encode() in answer for number in range(1, len(events) + 1))


@pytest.mark.enable_socket
def test_a_connection_serves_one_request_after_another() -> None:
    with serving(echo) as client:
        client.sendall(b"GET /one HTTP/1.1\r\nhost: h\r\n\r\nGET /two HTTP/1.1\r\nhost: h\r\n\r\n")
        answers = receive(client, b"/two|")
        assert answers.count(b"HTTP/1.1 200 OK") == 2
        assert re.search(rb"apigw-requestid: \S{15}=\r\n", answers)
        client.sendall(b"GET /three HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")
        assert receive(client).endswith(b"/three|")


@pytest.mark.enable_socket
def test_a_response_to_head_has_a_known_length_and_no_body() -> None:
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
def test_a_client_that_waits_gets_100_continue() -> None:
    with serving(echo) as client:
        client.sendall(UPLOAD_HEAD)
        assert receive(client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(UPLOAD_BODY)
        assert b"/file|JVBERgD/Cg==" in receive(client, b"==")


@pytest.mark.enable_socket
def test_a_client_that_sends_too_much_can_read_the_refusal() -> None:
    with serving(echo) as client:
        client.sendall(b"PUT /file HTTP/1.1\r\nhost: h\r\ncontent-length: 12000000\r\n\r\n")
        client.sendall(b"x" * 12_000_000)
        response = receive(client)
        assert response.startswith(b"HTTP/1.1 413 ")
        assert response.endswith(b'{"message":"Request Entity Too Large"}')


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
            b"transfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /admin HTTP/1.1\r\nhost: h\r\n\r\n"
        )
        response = receive(client)
        assert response.startswith(b"HTTP/1.1 400 ")
        assert response.count(b"HTTP/1.1") == 1
