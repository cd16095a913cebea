"""Requests as bytes, and the gateway's reading of them."""

import io

from local.gateway.http1 import Connection, Request


def connect(raw: bytes) -> tuple[Connection, io.BytesIO]:
    """A connection whose client sends these bytes and no more, and what it is sent."""
    sent = io.BytesIO()
    return Connection(io.BufferedReader(io.BytesIO(raw)), sent.write), sent


def read(raw: bytes) -> Request:
    """The first request of these bytes. Raises RequestRefused."""
    request = connect(raw)[0].receive()
    assert request
    return request
