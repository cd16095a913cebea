"""Uploads and file requests that operations use, created as a client creates them."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from moto.backends import get_backend

from tests.crashes.known import Known, Send, View
from tests.support import presigned as s3
from tests.support.client import Answer, Client
from tests.support.fake_aws import ACCOUNT
from tests.support.transfers import send, send_parts, start

DATA = bytes(range(45))


def start_upload(name: str, size: int, **fields: Any) -> Send:
    """Starts an upload and sends no bytes."""
    return lambda client, _known: client.post("/uploads", file_name=name, size=size, **fields)


def set_up_upload(
    client: Client,
    known: Known,
    what: str,
    parts: Iterable[int] | None = None,
    **fields: Any,
) -> None:
    """Starts an upload, sends its bytes or some parts, and notes it as `what`."""
    view = known.uploads[what] = start(client, **fields)
    if parts:
        send_parts(client, view, DATA, parts)
    else:
        send(client, view, DATA[: fields["size"]])
    known.ids = replace(known.ids, upload_id=view["upload_id"])


def create_request(owner: Client, title: str, **fields: Any) -> View:
    """Creates a file request."""
    answer = owner.post("/requests", title=title, folder="work/", **fields)
    assert answer.status == 201, answer.content
    view: View = answer.json()
    return view


def change_request(what: str, **fields: Any) -> Send:
    """The owner changes a file request."""
    return lambda client, known: client.send(
        "PATCH", f"/requests/{known.requests[what]['id']}", json_=fields
    )


def requests_of(client: Client) -> list[Any]:
    """The view of an owner's file requests."""
    answer = client.get("/requests")
    assert answer.status == 200, answer.content
    volatile = {"id", "created", "expires_at"}
    seen = [
        {name: value for name, value in each.items() if name not in volatile}
        for each in answer.json()
    ]
    return sorted(seen, key=str)


def act_on_upload(what: str, method: str, path: str = "", **fields: Any) -> Send:
    """Sends a request about an upload."""

    def act(client: Client, known: Known) -> Answer:
        target = f"/uploads/{known.uploads[what]['upload_id']}{path}"
        return client.send(method, target, json_=fields if method == "POST" else None)

    return act


def assert_downloads(answer: Answer) -> None:
    """The URL in the answer downloads the bytes."""
    reply = s3.send("GET", answer.json()["url"])
    assert (reply.status, len(reply.body)) == (200, answer.json()["size"])


def uploads_of(client: Client) -> list[Any]:
    """The view of an owner's uploads in progress."""
    answer = client.get("/uploads")
    if answer.status == 403:
        return ["not allowed"]
    assert answer.status == 200, answer.content
    seen = []
    for view in answer.json():
        status = client.get(f"/uploads/{view['upload_id']}").json()
        seen.append((status["file_name"], status["size"], status["arrived"], status["missing"]))
    return sorted(seen)


def parts_of(bucket: str) -> list[tuple[str, list[tuple[int, str]]]]:
    """The multipart uploads of S3 that are neither completed nor aborted, with their parts."""
    held = get_backend("s3")[ACCOUNT]["aws"].buckets[bucket].multiparts.values()
    return [
        (each.key_name, sorted((number, part.etag) for number, part in each.parts.items()))
        for each in held
    ]
