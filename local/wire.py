"""HTTP/1.1 on the wire: one request read from a stream, one answer as bytes.

Strict on purpose. Where two readers of the same bytes could disagree about where a request ends
(RFC 9112, sections 6 and 11.2), it is refused, so nothing can be smuggled past the gateway.
Imports the standard library only.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import BinaryIO

HEAD_LIMIT = 10_240  # bytes of request line and headers
BODY_LIMIT = 10 * 1024 * 1024

_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\xff]+) (HTTP/1\.[01])")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n")
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
BODILESS = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}


class Refused(Exception):
    """The request breaks HTTP or a limit of the gateway; the connection ends with this status."""

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
        """Every value sent under a header's name."""
        return [value for key, value in self.headers if key == name]

    @property
    def keep_alive(self) -> bool:
        """Whether the client may send another request on this connection."""
        asked = ",".join(self.values("connection")).lower()
        return self.protocol == "HTTP/1.1" and "close" not in asked


@dataclass(frozen=True)
class Answer:
    """An answer to be written. Lengths and the connection's fate are decided when it is."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


def read_request(stream: BinaryIO, proceed: Callable[[], None]) -> Request | None:
    """The next request of a connection, or None when the client has closed it.

    `proceed` is called when the client waits to be told that it may send the body.
    Raises Refused.
    """
    head = _read_head(stream)
    if head is None:
        return None
    method, target, protocol, headers = head
    request = Request(method, target, headers, protocol=protocol)
    if protocol == "HTTP/1.1" and len(request.values("host")) != 1:
        raise Refused(HTTPStatus.BAD_REQUEST)
    length = _body_length(request)
    if length is not None and length > BODY_LIMIT:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    if expected := request.values("expect"):
        if [value.lower() for value in expected] != ["100-continue"]:
            raise Refused(HTTPStatus.EXPECTATION_FAILED)
        proceed()
    body = _read_chunks(stream) if length is None else _read_exactly(stream, length)
    return Request(method, target, headers, body, protocol)


def answer_bytes(answer: Answer, method: str, *, keep_alive: bool) -> bytes:
    """An answer as it travels: HEAD, 204 and 304 carry no body. Header values go out as UTF-8.

    A content-length among the headers is the function's own, to a HEAD, and stays; of a HEAD with
    neither that nor a body nobody knows the length.
    """
    lines = [f"HTTP/1.1 {answer.status} {_PHRASES.get(answer.status, '')}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    said = any(name == "content-length" for name, _ in answer.headers)
    unknown = method == "HEAD" and not answer.body
    if answer.status not in BODILESS and not said and not unknown:
        lines.append(f"content-length: {len(answer.body)}")
    lines.append(f"connection: {'keep-alive' if keep_alive else 'close'}")
    head = "\r\n".join([*lines, "", ""]).encode()
    return head if method == "HEAD" or answer.status in BODILESS else head + answer.body


def _read_head(
    stream: BinaryIO,
) -> tuple[str, str, str, tuple[tuple[str, str], ...]] | None:
    """Request line and headers, every line ended by CRLF and none folded."""
    left = HEAD_LIMIT
    lines: list[bytes] = []
    while True:
        line = stream.readline(left + 1)
        if not line and not lines:
            return None
        left -= len(line)
        if left < 0:
            raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        if not line.endswith(b"\r\n"):
            raise Refused(HTTPStatus.BAD_REQUEST)
        if line != b"\r\n":
            lines.append(line[:-2])
        elif lines:  # empty lines before the request line are skipped (RFC 9112, 2.2)
            break
    start = _LINE.fullmatch(lines[0])
    matches = [_FIELD.fullmatch(line) for line in lines[1:]]
    fields = [match for match in matches if match]
    if not start or len(fields) != len(matches):
        raise Refused(HTTPStatus.BAD_REQUEST)
    headers = tuple(
        (name.decode().lower(), _text(value))
        for name, value in (match.groups() for match in fields)
    )
    return start[1].decode(), _text(start[2]), start[3].decode(), headers


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _body_length(request: Request) -> int | None:
    """How long the body is; None when it is chunked."""
    codings, lengths = request.values("transfer-encoding"), request.values("content-length")
    if codings:
        if lengths or request.protocol == "HTTP/1.0":
            raise Refused(HTTPStatus.BAD_REQUEST)
        if [coding.lower() for coding in codings] != ["chunked"]:
            raise Refused(HTTPStatus.NOT_IMPLEMENTED)
        return None
    if not lengths:
        return 0
    if len(lengths) > 1 or not re.fullmatch("[0-9]{1,18}", lengths[0]):
        raise Refused(HTTPStatus.BAD_REQUEST)
    return int(lengths[0])


def _read_exactly(stream: BinaryIO, length: int) -> bytes:
    body = stream.read(length) if length else b""
    if len(body) != length:  # the client went away in the middle
        raise Refused(HTTPStatus.BAD_REQUEST)
    return body


def _read_chunks(stream: BinaryIO) -> bytes:
    body = bytearray()
    while True:
        match = _CHUNK.fullmatch(stream.readline(HEAD_LIMIT))
        if not match:
            raise Refused(HTTPStatus.BAD_REQUEST)
        size = int(match[1], 16)
        if len(body) + size > BODY_LIMIT:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if not size:
            _skip_trailers(stream)
            return bytes(body)
        body += _read_exactly(stream, size)
        if _read_exactly(stream, 2) != b"\r\n":
            raise Refused(HTTPStatus.BAD_REQUEST)


def _skip_trailers(stream: BinaryIO) -> None:
    left = HEAD_LIMIT
    while (line := stream.readline(left + 1)) != b"\r\n":
        left -= len(line)
        if left < 0 or not line.endswith(b"\r\n"):
            raise Refused(HTTPStatus.BAD_REQUEST)
