"""The front door on one machine: HTTP connections in, Lambda events to the handler, answers out.

A thread a connection and one request at a time into the handler, as one Lambda instance does.
Imports `wire`, `events` and `function.contract`; the handler is given.
"""

import contextlib
import json
import logging
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from socketserver import StreamRequestHandler, TCPServer, ThreadingMixIn
from typing import Any, BinaryIO, cast

from function.contract import RECONCILE, SWEEP
from local.events import (
    EVENT_LIMIT,
    Cors,
    Event,
    answer_of,
    event_of,
    failure,
    preflight,
    with_cors,
)
from local.wire import Answer, Refused, Request, answer_bytes, read_request

TIMEOUT_SECONDS = 28  # of the function; the gateway's own is 30
IDLE_SECONDS = 60
BY_HAND = ("POST", "/_sweep")
_DRAIN_BYTES = 64 * 1024 * 1024

Handler = Callable[[Event, "Context"], Any]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Context:
    """What Lambda tells a function about its own invocation."""

    function_name: str = "satchel-local"
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 1024
    log_group_name: str = "/aws/lambda/satchel-local"
    log_stream_name: str = "local"
    invoked_function_arn: str = "arn:aws:lambda:local:000000000000:function:satchel-local"
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    deadline: float = field(default_factory=lambda: time.monotonic() + TIMEOUT_SECONDS)

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda would stop the function."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


def invoke(handler: Handler, request: Request, source_ip: str, port: int) -> Answer:
    """One request through the handler. Never raises: a function that fails is a 500."""
    event = event_of(request, source_ip, port)
    payload = json.dumps(event, ensure_ascii=False)
    if len(payload.encode()) > EVENT_LIMIT:
        answer = failure(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    else:
        try:
            answer = answer_of(handler(json.loads(payload), Context()), request.method)
        except Exception:
            log.exception("the handler failed")
            answer = failure(HTTPStatus.INTERNAL_SERVER_ERROR)
    sent = ("apigw-requestid", event["requestContext"]["requestId"])
    return Answer(answer.status, [*answer.headers, sent], answer.body)


def done_by_hand(handler: Handler) -> Answer:
    """What the schedules have done, done now: there is no such path where Satchel is deployed."""
    try:
        done = [handler(dict(event), Context()) for event in (SWEEP, RECONCILE)]
    except Exception:
        log.exception("the handler failed")
        return failure(HTTPStatus.INTERNAL_SERVER_ERROR)
    body = json.dumps(done[0] | done[1]) + "\n"
    return Answer(HTTPStatus.OK, [("content-type", "application/json")], body.encode())


class Gateway(ThreadingMixIn, TCPServer):
    """Serves one handler on a listening socket, which other processes may share."""

    daemon_threads = True
    # A client that leaves in the middle is its own business.
    block_on_close = False

    def __init__(self, listener: socket.socket, handler: Handler, cors: Cors | None = None) -> None:
        super().__init__(listener.getsockname()[:2], _Connection, bind_and_activate=False)
        self.socket.close()
        # Of several processes woken by one connection only one gets it; the others must not wait.
        listener.setblocking(False)
        self.socket = listener
        self.handler, self.cors = handler, cors or Cors()
        # One request at a time: Powertools keeps the event of the request in a class attribute.
        self.turn = threading.Lock()
        self.count = threading.Lock()
        self.owed = 0  # answers to requests that have been read

    def get_request(self) -> tuple[socket.socket, Any]:
        """The next connection, taken only when the handler is free: an idle process goes first."""
        with self.turn:
            connection, address = self.socket.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """A connection that broke is no news to anyone but its client."""
        log.debug("a connection ended early: %s", client_address)

    def finish(self, seconds: float) -> None:
        """Take no more connections, and wait that long for the answers that are owed."""
        self.shutdown()
        deadline = time.monotonic() + seconds
        while self.owed and time.monotonic() < deadline:
            time.sleep(0.01)

    def answer(self, request: Request, source_ip: str) -> Answer:
        """The gateway's whole work on one request."""
        started = time.monotonic()
        answer = preflight(request, self.cors)
        if (request.method, request.target) == BY_HAND:
            with self.turn:
                answer = done_by_hand(self.handler)
        elif answer is None:
            with self.turn:
                port = int(self.server_address[1])
                answer = invoke(self.handler, request, source_ip, port)
            answer = with_cors(request, answer, self.cors)
        # The path alone: a query holds names of files.
        path = request.target.partition("?")[0]
        took = (time.monotonic() - started) * 1000
        log.info("%s %s %d %.0f ms", request.method, path, answer.status, took)
        return answer


class _Connection(StreamRequestHandler):
    server: Gateway
    timeout = IDLE_SECONDS

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # the client is gone or says nothing for a minute
            try:
                while self._next():
                    pass
            except Refused as refused:
                self._send(failure(refused.status), "", keep_alive=False)
                self._drain()

    def _next(self) -> bool:
        request = read_request(cast("BinaryIO", self.rfile), self._proceed)
        if request is None:
            return False
        with self._owing():
            answer = self.server.answer(request, self.client_address[0])
            self._send(answer, request.method, keep_alive=request.keep_alive)
        return request.keep_alive

    @contextlib.contextmanager
    def _owing(self) -> Iterator[None]:
        with self.server.count:
            self.server.owed += 1
        try:
            yield
        finally:
            with self.server.count:
                self.server.owed -= 1

    def _proceed(self) -> None:
        self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _send(self, answer: Answer, method: str, *, keep_alive: bool) -> None:
        dated = Answer(
            answer.status, [*answer.headers, ("date", formatdate(usegmt=True))], answer.body
        )
        self.wfile.write(answer_bytes(dated, method, keep_alive=keep_alive))

    def _drain(self) -> None:
        """Let a client that is still sending finish, or it would never read why it was refused."""
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(2)
        left = _DRAIN_BYTES
        while left > 0 and (data := self.connection.recv(1 << 16)):
            left -= len(data)
