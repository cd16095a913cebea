"""The media type of a file, whichever way it came in: one type, no list that browsers read."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Behind
from tests.support import presigned as s3
from tests.support.client import Answer, Client
from tests.support.links import make
from tests.support.senders import ask
from tests.support.transfers import complete, key_of, notify, put, start

PLAIN = "application/octet-stream"
Way = Callable[[Client, str], Answer]


def put_json(alice: Client, said: str) -> Answer:
    return alice.put("photo", content_type=said)


def put_raw(alice: Client, said: str) -> Answer:
    return alice.send(
        "PUT", "/file", query={"file_name": "photo"}, body=b"x", headers={"content-type": said}
    )


def put_query(alice: Client, said: str) -> Answer:
    query = {"file_name": "photo", "content_type": said}
    return alice.send("PUT", "/file", query=query, body=b"x")


def put_form(alice: Client, said: str) -> Answer:
    return _form(alice, f'name="file"; filename="photo"\r\ncontent-type: {said}\r\n\r\nx')


def put_form_field(alice: Client, said: str) -> Answer:
    return _form(
        alice,
        f'name="content_type"\r\n\r\n{said}',
        'name="file"; filename="photo"\r\n\r\nx',
    )


def _form(alice: Client, *parts: str) -> Answer:
    parts = tuple(f"--b\r\ncontent-disposition: form-data; {each}\r\n" for each in parts)
    headers = {"content-type": "multipart/form-data; boundary=b"}
    body = ("".join(parts) + "--b--\r\n").encode()
    return alice.send("PUT", "/file", body=body, headers=headers)


def post_upload(alice: Client, said: str) -> Answer:
    answer = alice.post("/uploads", file_name="photo", size=1, content_type=said)
    if answer.status != 201:
        return answer
    put(answer.json(), b"x")
    return complete(alice, answer.json())


def companion_put(alice: Client, said: str) -> Answer:
    answer = alice.send("GET", "/s3/params", query={"filename": "photo", "type": said})
    order = {"put": answer.json()}
    put(order, b"x")
    assert notify(key_of(order)) == []
    return answer


def companion_parts(alice: Client, said: str) -> Answer:
    upload = alice.post("/s3/multipart", filename="photo", type=said).json()
    path = f"/s3/multipart/{upload['uploadId']}"
    url = alice.get(f"{path}/1").json()["url"]
    parts = [{"PartNumber": 1, "ETag": s3.send("PUT", url, body=b"x").headers["etag"]}]
    return alice.post(f"{path}/complete", parts=parts)


def by_request(alice: Client, said: str) -> Answer:
    _, sender = ask(alice)
    answer = sender.post("/uploads", file_name="photo", size=1, content_type=said)
    if answer.status != 201:
        return answer
    put(answer.json(), b"x")
    return complete(sender, answer.json())


FIELDS = [put_json, put_query, put_form_field, post_upload, by_request]
# A program sets these without asking its user, so a wrong one counts as none.
HEADERS = [put_raw, put_form, companion_put, companion_parts]
LISTS = ["image/png;a=b,text/html", "image/png, text/html", "image/png; charset=x; charset=y"]


def stored(alice: Client) -> dict[str, Any]:
    (file,) = alice.get("/files").json()
    return dict(file)


@pytest.mark.parametrize("way", FIELDS + HEADERS)
@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Image/PNG", "image/png"),
        ('image/png; a="b,text/html"', "image/png"),
        ('text/plain;format=flowed; Charset="UTF-8"', "text/plain; charset=utf-8"),
    ],
)
def test_one_type_is_stored(alice: Client, way: Way, said: str, kept: str) -> None:
    """In lower case, without parameters but the charset."""
    assert way(alice, said).status in {200, 201}
    assert stored(alice)["content_type"] == kept


@pytest.mark.parametrize("way", FIELDS)
@pytest.mark.parametrize("said", [*LISTS, "image/png\r\nx: y", "image/pñg", "a/" + "b" * 300, ""])
def test_a_field_of_another_form_is_refused(alice: Client, way: Way, said: str) -> None:
    """422, and nothing is stored."""
    answer = way(alice, said)
    assert answer.status in {400, 422}, answer.text
    assert answer.slug in {"invalid-request", "malformed-request"}
    assert alice.get("/files").json() == alice.get("/uploads").json() == []


@pytest.mark.parametrize("way", HEADERS)
@pytest.mark.parametrize("said", [*LISTS, "image/png; a", "a/" + "b" * 300])
def test_a_header_of_another_form_counts_as_none(alice: Client, way: Way, said: str) -> None:
    """The name of the file gives its type."""
    assert way(alice, said).status in {200, 201}
    assert stored(alice)["content_type"] == PLAIN


@pytest.mark.parametrize("said", [LISTS[0], LISTS[2], "IMAGE/png;a= x ,text/html"])
def test_a_row_of_an_older_release_is_cleaned(alice: Client, behind: Behind, said: str) -> None:
    """Wherever it is read: lists, addresses, links, versions, the trash, copies, bytes."""
    alice.put("a.png", b"old")
    alice.put("a.png", b"new")
    for row in behind.rows("files"):
        if "content_type" in row:
            behind.put("files", row | {"content_type": said})
    assert stored(alice)["content_type"] == "image/png"
    assert alice.read("a.png").headers["content-type"] == "image/png"
    link = make(alice, "a.png")
    assert link.open().json()["items"][0]["content_type"] == "image/png"
    for signed in (
        alice.get("/download", file_name="a.png", inline="true"),
        alice.get("/download", file_name="a.png", inline="true", version="1"),
        link.download("a.png", inline=True),
    ):
        assert s3.send("GET", signed.json()["url"]).headers["content-type"] == "image/png"
    copied = alice.post("/copy", file_name="a.png", new_name="b").json()
    assert copied["content_type"] == PLAIN  # what the new name says
    alice.delete("/file", file_name="a.png")
    assert [each["content_type"] for each in alice.get("/trash").json()] == ["image/png"]


def test_an_upload_of_an_older_release_is_cleaned(alice: Client, behind: Behind) -> None:
    """It was begun before, and is completed after the release."""
    begun = start(alice, "photo", 1, content_type="image/png")
    put(begun, b"x")
    for row in behind.rows("files"):
        if "content_type" in row:
            behind.put("files", row | {"content_type": LISTS[0]})
    assert complete(alice, begun).json()["content_type"] == "image/png"
