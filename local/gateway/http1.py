"""HTTP/1.1 on one connection, over h11: requests in, responses out.

h11 parses and frames. `Connection` is stricter where two readers of the same bytes could disagree
about where a request ends (RFC 9112, sections 2.2, 5.2, 6.3 and 11.2). Every line of the head and
the last line of a chunked body end in CRLF. No header is folded. At most one header gives the
length of the body.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from io import BufferedReader

import h11

HEAD_LIMIT = 10_240  # bytes of request line and headers
BODY_LIMIT = 10 * 1024 * 1024
BODILESS = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}

_LINE = re.compile(rb"[^\x00-\x20\x7f][^\x00-\x08\x0a-\x1f\x7f]*\r\n")
_FRAMING = re.compile(rb"(content-length|transfer-encoding):(.*)", re.IGNORECASE)
_NON_ASCII = re.compile(rb"[\x80-\xff]")
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class RequestRefused(Exception):
    """The request breaks HTTP or a limit. The connection closes after a response with `status`."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


@dataclass(frozen=True)
class Request:
    """A request as it was sent. Header names are lower-cased, in their order, repeats included."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    protocol: str = "HTTP/1.1"

    def values(self, name: str) -> list[str]:
        """The value of each header of this name."""
        return [value for key, value in self.headers if key == name]


@dataclass(frozen=True)
class Response:
    """A response before it is framed: `Connection.send` adds its length.

    A content-length among the headers stands for a body that is not sent, in response to a HEAD.
    """

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


class Connection:
    """The server's side of one connection: `receive` and `send` in turn."""

    def __init__(self, reader: BufferedReader, write: Callable[[bytes], object]) -> None:
        """`write` sends bytes to the client."""
        self._reader, self._write = reader, write
        self._restart()

    def receive(self) -> Request | None:
        """The next request, or None when the client has closed the connection.

        Sends `100 Continue` to a client that waits for it. Raises RequestRefused.
        """
        self._restart()
        head = self._read_head()
        if not head:
            return None
        try:
            self._h11.receive_data(head)
            event = self._h11.next_event()
            assert isinstance(event, h11.Request)
            request = _checked(event)
            self._method = request.method
            chunked = bool(request.values("transfer-encoding"))
            return replace(request, body=self._read_body(chunked=chunked))
        except h11.RemoteProtocolError as error:
            raise RequestRefused(HTTPStatus(error.error_status_hint)) from None

    def send(self, response: Response) -> bool:
        """Send a response; whether the client may send another request on this connection."""
        status, body = response.status, response.body
        headers = [(name.encode(), value.encode()) for name, value in response.headers]
        given = any(name == b"content-length" for name, _ in headers)
        unknown = self._method == "HEAD" and not body  # h11 then says `Transfer-Encoding: chunked`
        if status not in BODILESS and not given and not unknown:
            headers.append((b"content-length", b"%d" % len(body)))
        phrase = _PHRASES.get(status, "").encode()
        sent = self._h11.send(h11.Response(status_code=status, headers=headers, reason=phrase))
        if status not in BODILESS and self._method != "HEAD":
            sent += self._h11.send(h11.Data(data=body))
        sent += self._h11.send(h11.EndOfMessage())
        self._write(sent)
        return self._h11.our_state is self._h11.their_state is h11.DONE

    def _restart(self) -> None:
        # One h11 connection a request. The reader keeps the bytes of a pipelined request, so that
        # `_read_head` sees them before h11 does.
        self._h11, self._method = h11.Connection(h11.SERVER), ""

    def _read_head(self) -> bytes:
        """Request line and headers, or nothing when the client has closed the connection."""
        lines: list[bytes] = []
        left = HEAD_LIMIT
        while True:
            line = self._reader.readline(left + 1)
            left -= len(line)
            if left < 0:
                raise RequestRefused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            if not line and not lines:
                return b""
            if line != b"\r\n":
                if not _LINE.fullmatch(line):
                    raise RequestRefused(HTTPStatus.BAD_REQUEST)
                lines.append(line)
            elif lines:  # empty lines before the request line are skipped (RFC 9112, section 2.2)
                break
        _check_framing(lines)
        # curl sends `é` in a URL as it is. h11 takes ASCII only, as RFC 9112 does.
        method, space, target = lines[0].partition(b" ")
        target = _NON_ASCII.sub(lambda byte: b"%%%02X" % byte[0][0], target)
        return b"".join([method, space, target, *lines[1:], b"\r\n"])

    def _read_body(self, *, chunked: bool) -> bytes:
        body, data, end = bytearray(), b"", b""
        while not isinstance(event := self._h11.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Data):
                body += event.data
                if len(body) > BODY_LIMIT:
                    raise RequestRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
                continue
            if self._h11.they_are_waiting_for_100_continue:
                proceed = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
                self._write(self._h11.send(proceed))
            end = (end + self._reader.read(len(data)))[-4:]
            data = self._reader.peek()
            self._h11.receive_data(data)
        unread, _ = self._h11.trailing_data  # the beginning of the next request
        end = (end + self._reader.read(len(data) - len(unread)))[-4:]
        if chunked and end != b"\r\n\r\n":  # h11 ends trailers at a bare LF too
            raise RequestRefused(HTTPStatus.BAD_REQUEST)
        return bytes(body)


def _check_framing(lines: list[bytes]) -> None:
    """Raise RequestRefused when more than one value gives the length; h11 merges equal ones."""
    fields = [match for match in map(_FRAMING.match, lines) if match]
    lengths = [match[2] for match in fields if match[1].lower() == b"content-length"]
    if lengths and (len(fields) > 1 or b"," in lengths[0]):
        raise RequestRefused(HTTPStatus.BAD_REQUEST)


def _checked(event: h11.Request) -> Request:
    """The request of an event of h11. Raises RequestRefused for what h11 lets through."""
    request = Request(
        event.method.decode(),
        event.target.decode(),
        tuple((name.decode(), value.decode("utf-8", "replace")) for name, value in event.headers),
        protocol=f"HTTP/{event.http_version.decode()}",
    )
    chunked_1_0 = request.protocol == "HTTP/1.0" and request.values("transfer-encoding")
    if request.protocol not in {"HTTP/1.0", "HTTP/1.1"} or chunked_1_0:
        raise RequestRefused(HTTPStatus.BAD_REQUEST)
    if any(int(length) > BODY_LIMIT for length in request.values("content-length")):
        raise RequestRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    if any(value.lower() != "100-continue" for value in request.values("expect")):
        raise RequestRefused(HTTPStatus.EXPECTATION_FAILED)
    return request
