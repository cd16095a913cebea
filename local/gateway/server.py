"""The server of `make serve`: one thread a connection, one request at a time in the handler.

So a process works as one Lambda instance does.
"""

import contextlib
import json
import logging
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from email.utils import formatdate
from http import HTTPStatus
from io import BufferedReader
from socketserver import StreamRequestHandler, TCPServer, ThreadingMixIn
from typing import Any, cast

from function.contract import CONFIRMED_EVENT, DRY_RUN_EVENT, RECONCILE_EVENT, SWEEP_EVENT
from local.gateway.cors import Cors
from local.gateway.http1 import Connection, Request, RequestRefused, Response
from local.gateway.lambda_proxy import EVENT_LIMIT, build_event, build_response, error_response
from local.lambda_runtime import Context, Handler

IDLE_SECONDS = 60
# Run the schedules at once, or an operator's reconciliation. AWS has no such routes.
RUNS = {
    ("POST", "/_sweep"): (SWEEP_EVENT, RECONCILE_EVENT),
    ("POST", "/_reconcile"): (DRY_RUN_EVENT,),
    ("POST", "/_reconcile?confirmed"): (CONFIRMED_EVENT,),
}
_DRAIN_BYTES = 64 * 1024 * 1024
_DRAIN_SECONDS = 2

log = logging.getLogger(__name__)


def invoke(handler: Handler, request: Request, source_ip: str, port: int) -> Response:
    """The handler's response to a request. Never raises: an error of the handler is a 500."""
    event = build_event(request, source_ip, port)
    payload = json.dumps(event, ensure_ascii=False)
    if len(payload.encode()) > EVENT_LIMIT:
        response = error_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    else:
        try:
            response = build_response(handler(json.loads(payload), Context()), request.method)
        except Exception:
            log.exception("the handler failed")
            response = error_response(HTTPStatus.INTERNAL_SERVER_ERROR)
    request_id = ("apigw-requestid", event["requestContext"]["requestId"])
    return Response(response.status, [*response.headers, request_id], response.body)


def run_events(handler: Handler, events: Iterable[Mapping[str, str]]) -> Response:
    """Invoke the handler with these events now; the response holds the results together."""
    results: dict[str, Any] = {}
    try:
        for event in events:
            results |= handler(dict(event), Context())
    except Exception:
        log.exception("the handler failed")
        return error_response(HTTPStatus.INTERNAL_SERVER_ERROR)
    body = json.dumps(results) + "\n"
    return Response(HTTPStatus.OK, [("content-type", "application/json")], body.encode())


class Gateway(ThreadingMixIn, TCPServer):
    """Serves one handler on a listening socket, which other processes may share."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, listener: socket.socket, handler: Handler, cors: Cors | None = None) -> None:
        super().__init__(listener.getsockname()[:2], _ConnectionHandler, bind_and_activate=False)
        self.socket.close()
        # A connection wakes every process that shares the socket. Those that do not get it must
        # not block in `accept`.
        listener.setblocking(False)
        self.socket = listener
        self.handler, self.cors = handler, cors or Cors()
        # Powertools keeps the event of the request in a class attribute.
        self.handler_lock = threading.Lock()
        self._owed_lock = threading.Lock()
        self._owed = 0

    def get_request(self) -> tuple[socket.socket, Any]:
        """The next connection, accepted while the handler is free: an idle process gets it."""
        with self.handler_lock:
            return self.socket.accept()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Log a broken connection only for debugging: its client knows."""
        log.debug("a connection broke: %s", client_address)

    def finish(self, seconds: float) -> None:
        """Accept no more connections, and wait up to `seconds` for the responses that are owed."""
        self.shutdown()
        deadline = time.monotonic() + seconds
        while self._owed and time.monotonic() < deadline:
            time.sleep(0.01)

    @contextlib.contextmanager
    def owing(self) -> Iterator[None]:
        """A context in which a response to a received request is owed."""
        with self._owed_lock:
            self._owed += 1
        try:
            yield
        finally:
            with self._owed_lock:
                self._owed -= 1

    def respond(self, request: Request, source_ip: str) -> Response:
        """The response to a request, from the gateway or from the handler."""
        started = time.monotonic()
        response = self.cors.answer_preflight(request)
        if events := RUNS.get((request.method, request.target)):
            with self.handler_lock:
                response = run_events(self.handler, events)
        elif response is None:
            with self.handler_lock:
                port = int(self.server_address[1])
                response = invoke(self.handler, request, source_ip, port)
            response = self.cors.apply(request, response)
        path = request.target.partition("?")[0]  # the query holds names of files
        took = (time.monotonic() - started) * 1000
        log.info("%s %s %d %.0f ms", request.method, path, response.status, took)
        return response


class _ConnectionHandler(StreamRequestHandler):
    server: Gateway
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    rbufsize = 1 << 16

    def handle(self) -> None:
        connection = Connection(cast("BufferedReader", self.rfile), self.wfile.write)
        with contextlib.suppress(OSError):  # the client closed the connection, or was idle
            try:
                while self._serve(connection):
                    pass
            except RequestRefused as refused:
                response = error_response(refused.status)
                response.headers.append(("connection", "close"))
                connection.send(_dated(response))
                self._drain()

    def _serve(self, connection: Connection) -> bool:
        """Serve the next request; whether the client may send another."""
        request = connection.receive()
        if request is None:
            return False
        with self.server.owing():
            return connection.send(_dated(self.server.respond(request, self.client_address[0])))

    def _drain(self) -> None:
        """Read the rest of a refused request: a client that still sends would not see the response.

        Closing a socket with unread bytes resets the connection.
        """
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(_DRAIN_SECONDS)
        left = _DRAIN_BYTES
        while left > 0 and (data := self.connection.recv(1 << 16)):
            left -= len(data)


def _dated(response: Response) -> Response:
    headers = [*response.headers, ("date", formatdate(usegmt=True))]
    return Response(response.status, headers, response.body)
