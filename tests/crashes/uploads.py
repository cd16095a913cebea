"""Uploads and requests that operations start from, made as a client does and remembered."""

from collections.abc import Callable, Iterable
from typing import Any

from moto.backends import get_backend

from tests.support import presigned as s3
from tests.support.client import Answer, Client
from tests.support.fake_aws import ACCOUNT
from tests.support.senders import Sender
from tests.support.transfers import send, send_parts, start

DATA = bytes(range(45))
# Uploads and requests that operations are about, by the names they are given here.
BEGUN: dict[str, dict[str, Any]] = {}


def begin(name: str, size: int, **fields: Any) -> Callable[[Client], Answer]:
    """Begins an upload and sends nothing of it."""
    return lambda client: client.post("/uploads", file_name=name, size=size, **fields)


def begun(
    what: str, name: str, size: int, parts: Iterable[int] | None = None, **fields: Any
) -> Callable[[Client], Answer]:
    """Begins an upload and sends all of it, or some parts, and remembers it as `what`."""

    def prepare(client: Client) -> Answer:
        view = BEGUN[what] = start(client, name, size, **fields)
        if parts:
            send_parts(client, view, DATA, parts)
        else:
            send(client, view, DATA[:size])
        return Answer(201, {}, b"")

    return prepare


def request(what: str, owner: Client, **fields: Any) -> Sender:
    """Makes a request for files and remembers it as `what`; somebody who has its address."""
    answer = owner.post("/requests", title=what, folder="work/", **fields)
    assert answer.status == 201, answer.content
    BEGUN[what] = answer.json()
    return Sender(answer.json()["url"])


def of(what: str, method: str, **fields: Any) -> Callable[[Client], Answer]:
    """Does something to the request that is remembered so."""
    return lambda client: client.send(
        method, f"/requests/{BEGUN[what]['id']}", json_=fields or None
    )


def requests_of(client: Client) -> list[Any]:
    """What somebody sees of their requests."""
    answer = client.get("/requests")
    assert answer.status == 200, answer.content
    volatile = {"id", "created", "expires_at"}
    seen = [
        {name: value for name, value in each.items() if name not in volatile}
        for each in answer.json()
    ]
    return sorted(seen, key=str)


def on(what: str, method: str, path: str, **fields: Any) -> Callable[[Client], Answer]:
    """Does something to the upload that is remembered so."""

    def act(client: Client) -> Answer:
        target = f"/uploads/{BEGUN[what]['upload_id']}{path}"
        return client.send(method, target, json_=fields if method == "POST" else None)

    return act


def gives_the_bytes(answer: Answer) -> None:
    """The address that was given works."""
    reply = s3.send("GET", answer.json()["url"])
    assert (reply.status, len(reply.body)) == (200, answer.json()["size"])


def seen_of(client: Client) -> list[Any]:
    """What somebody sees of their uploads in progress."""
    answer = client.get("/uploads")
    if answer.status == 403:
        return ["not theirs to begin"]
    assert answer.status == 200, answer.content
    told = []
    for view in answer.json():
        status = client.get(f"/uploads/{view['upload_id']}").json()
        told.append((status["file_name"], status["size"], status["arrived"], status["missing"]))
    return sorted(told)


def parts_of(bucket: str) -> list[tuple[str, list[tuple[int, str]]]]:
    """What S3 has of uploads in parts that are neither joined nor aborted."""
    held = get_backend("s3")[ACCOUNT]["aws"].buckets[bucket].multiparts.values()
    return [
        (each.key_name, sorted((number, part.etag) for number, part in each.parts.items()))
        for each in held
    ]
