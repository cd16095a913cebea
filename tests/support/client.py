"""The one way tests call the API: through `lambda_handler`, with events as gateways make them."""

import base64
import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from function import app, base
from local.gateway.http1 import Request
from local.gateway.lambda_proxy import build_event
from tests.support.documented import assert_documented

PASSWORD = "correct horse battery staple"
SETUP_TOKEN = "setup-token-of-the-administrator-0123456789"
CONTEXT: Any = SimpleNamespace(
    aws_request_id="lambda-request",
    function_name="satchel-test",
    memory_limit_in_mb=1024,
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:satchel-test",
    get_remaining_time_in_millis=lambda: 28_000,
)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    content: bytes
    cookies: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return self.content.decode()

    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def slug(self) -> str:
        """The slug of the problem; asserts that the answer is one (RFC 9457)."""
        assert self.headers["content-type"] == "application/problem+json", self.content[:200]
        problem = self.json()
        assert problem["status"] == self.status
        assert problem["request_id"] == self.headers["x-request-id"]
        assert {"type", "title", "detail"} <= problem.keys()
        return problem["type"].removeprefix("/problems/")


class Client:
    """A caller with or without a token."""

    def __init__(self, token: str | None = None, address: str = "192.0.2.1") -> None:
        self.token = token
        self.address = address

    def send(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, Any] | str | None = None,
        json_: Any = None,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        if self.token is not None:
            sent.setdefault("x-session-token", self.token)
        if json_ is not None:
            body = json.dumps(json_).encode()
            sent.setdefault("content-type", "application/json")
        text = query if isinstance(query, str) else urlencode(query or {})
        target = f"{path}?{text}" if text else path
        request = Request(method, target, list(sent.items()), body)
        event = through_json(build_event(request, self.address, 443))
        answer = answer_of(app.lambda_handler(event, CONTEXT))
        media_type = answer.headers["content-type"] if answer.content else ""
        names = [*answer.headers, *(["set-cookie"] if answer.cookies else [])]
        assert_documented(method.upper(), event["rawPath"], answer.status, media_type, names)
        return answer

    def get(self, path: str, **query: Any) -> Answer:
        return self.send("GET", path, query=query)

    def post(self, path: str, **fields: Any) -> Answer:
        return self.send("POST", path, json_=fields)

    def delete(self, path: str, **query: Any) -> Answer:
        return self.send("DELETE", path, query=query)

    def put(self, name: str, data: bytes = b"data", **fields: Any) -> Answer:
        """Puts a file as JSON."""
        content = base64.b64encode(data).decode()
        return self.send("PUT", "/file", json_={"file_name": name, "content": content, **fields})

    def read(self, name: str, **query: Any) -> Answer:
        """Gets a file's raw bytes."""
        accept = {"accept": "application/octet-stream"}
        return self.send("GET", "/file", query={"file_name": name, **query}, headers=accept)

    def names(self, **query: Any) -> list[str]:
        """The keys of the first page of files."""
        answer = self.get("/files", **query)
        assert answer.status == 200, answer.content
        return [file["key"] for file in answer.json()]


def through_json(told: dict[str, Any]) -> dict[str, Any]:
    """The event after a pass through JSON; the body, which is text, is copied as it is."""
    if not isinstance(told.get("body"), str):
        return json.loads(json.dumps(told))
    return {**json.loads(json.dumps({**told, "body": ""})), "body": told["body"]}


def answer_of(result: dict[str, Any]) -> Answer:
    """The handler's answer as HTTP; it must be JSON, and its header fields text."""
    result = through_json(result)
    assert all(isinstance(value, str) for value in result["headers"].values())
    assert not any("\r" in value or "\n" in value for value in result["headers"].values())
    body = result.get("body") or ""
    content = base64.b64decode(body) if result.get("isBase64Encoded") else body.encode()
    cookies = tuple(result.get("cookies", []))
    return Answer(result["statusCode"], result["headers"], content, cookies)


def join(username: str, address: str = "192.0.2.1") -> Client:
    """Registers an account and logs it in."""
    anyone = Client(address=address)
    named = username == base.current().settings.administrator
    proof = {"setup_token": SETUP_TOKEN} if named else {}
    answer = anyone.post("/register", username=username, password=PASSWORD, **proof)
    assert answer.status == 201, answer.content
    answer = anyone.post("/login", username=username, password=PASSWORD)
    assert answer.status == 200, answer.content
    return Client(answer.json()["token"], address)
