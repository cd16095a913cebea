"""Somebody who uses Satchel over HTTP, with nothing of its code."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlencode

# A proxy of the machine must not be asked for loopback.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
RAW = {"accept": "application/octet-stream"}


@dataclass(frozen=True)
class Answered:
    """An answer, read to its end."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def fine(self) -> bool:
        return 200 <= self.status < 300


@dataclass
class Person:
    """A name, and the token once there is one."""

    url: str
    name: str
    password: str = "seven quiet otters"
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def join(self) -> Self:
        assert self.register().status == 201
        self.token = self.call("POST", "/login", self.credentials).json["token"]
        return self

    @property
    def credentials(self) -> dict[str, str]:
        return {"username": self.name, "password": self.password}

    def register(self) -> Answered:
        return self.call("POST", "/register", self.credentials)

    def put(self, name: str, content: bytes, **query: str) -> Answered:
        return self.call("PUT", "/file", content, file_name=name, **query)

    def get(self, name: str, **query: str) -> Answered:
        return self.call("GET", "/file", headers=RAW, file_name=name, **query)

    def files(self) -> list[dict[str, Any]]:
        """Every page of the list."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.call("GET", "/files", limit="100", **cursor)
            assert page.status == 200
            found += page.json
            if "x-next-cursor" not in page.headers:
                return found
            cursor = {"cursor": page.headers["x-next-cursor"]}

    def call(
        self,
        method: str,
        path: str,
        body: bytes | dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        **query: str,
    ) -> Answered:
        """One request. Raises OSError when the connection breaks."""
        sent = {"content-type": "application/octet-stream", **(headers or {})}
        if isinstance(body, dict):
            body, sent["content-type"] = json.dumps(body).encode(), "application/json"
        if self.token:
            sent["x-session-token"] = self.token
        target = f"{self.url}{path}" + (f"?{urlencode(query)}" if query else "")
        request = urllib.request.Request(target, body, sent, method=method)
        try:
            with _opener.open(request, timeout=60) as answer:
                return Answered(answer.status, _lowered(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answered(error.code, _lowered(error.headers), error.read())


def _lowered(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
