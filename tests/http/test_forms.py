"""`PUT /file` with a multipart form, as pages, Postman and `curl -F` send it."""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.conftest import Behind
from tests.support.client import Answer, Client

Part = tuple[str, bytes]
END = b"\r\n--b0und--\r\n"


def form(*parts: Part) -> bytes:
    """A form; each part is its headers after `form-data; ` and its bytes."""
    text = b"".join(
        b"--b0und\r\ncontent-disposition: form-data; "
        + head.encode()
        + b"\r\n\r\n"
        + data
        + b"\r\n"
        for head, data in parts
    )
    return text + b"--b0und--\r\n"


def send(client: Client, body: bytes, kind: str = "", **query: Any) -> Answer:
    headers = {"content-type": kind or "multipart/form-data; boundary=b0und"}
    return client.send("PUT", "/file", query=query, body=body, headers=headers)


@settings(
    max_examples=10,
    phases=[Phase.generate],
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.binary() | st.sampled_from([b"\r\n", b"--b0und", b"\r\n--b0un", bytes(range(256))]))
def test_a_form_carries_any_bytes(alice: Client, data: bytes) -> None:
    """Also line breaks, zeros and the beginning of a boundary."""
    if b"\r\n--b0und" in b"\r\n" + data:
        data = data.replace(b"b0und", b"b_und")
    answer = send(alice, form(('name="file"; filename="a.bin"', data)))
    assert answer.status in {200, 201}, answer.content
    assert alice.read("a.bin").content == data


def test_the_part_has_its_own_name_and_type(alice: Client) -> None:
    """A browser sends them; a field of the form or of the query overrides the name."""
    head = 'name="file"; filename="résumé.txt"\r\ncontent-type: text/x-mine'
    file = send(alice, form((head, b"1"))).json()
    assert (file["file_name"], file["content_type"]) == ("résumé.txt", "text/x-mine")
    file = send(alice, form(('name="file_name"', b"in/b.txt"), (head, b"1"))).json()
    assert file["file_name"] == "in/b.txt"
    file = send(alice, form((head, b"1")), file_name="c.txt").json()
    assert file["file_name"] == "c.txt"


def test_fields_of_the_form_are_options(alice: Client, bob: Client) -> None:
    """The owner and the conflict rule may be fields of the form or of the query."""
    bob.post("/share", file_name="in/", username="alice", permission="write")
    fields: list[Part] = [
        ('name="file_name"', b"in/a"),
        ('name="username"', b"bob"),
        ('name="on_conflict"', b"fail"),
        ('name="file"; filename="x"', b"1"),
    ]
    assert send(alice, form(*fields)).json()["key"] == "bob/in/a"
    assert send(alice, form(*fields)).slug == "file-exists"
    file = ('name="file"; filename="x"', b"2")
    assert send(alice, form(file), file_name="in/a", username="bob").status == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (form(), ""),
        (form(('name="data"; filename="a"', b"1")), ""),
        (form(('name="file"; filename="a"', b"1"), ('name="file"; filename="b"', b"2")), ""),
        (form(('name="file_name"', b"a"), ('name="file_name"', b"b"), ('name="file"', b"1")), ""),
        (form(('name="file"; filename="a"', b"1"), ('name="role"', b"admin")), ""),
        (form(('name="file"', b"1")), ""),
        (form(('name="file"; filename="../a"', b"1")), ""),
        (form(('name="file"; filename="a/"', b"1")), ""),
        (form(('name="file"; filename="a"', b"1"), ('name="username"', b"\xff")), ""),
        (form(('name="file"; filename="a"', b"1"), ('name="on_conflict"', b"maybe")), ""),
        (form(("filename=a", b"1")), ""),
        (form(('name="file"; filename="a"', b"1")).removesuffix(END), ""),
        (form(('name="file"; filename="a"', b"1"))[:-6], ""),
        (b"", ""),
        (b"nothing of the kind", ""),
        (b"--b0und\r\n" * 20, ""),
        (form(('name="file"; filename="a"', b"1")), "multipart/form-data"),
        (form(('name="file"; filename="a"', b"1")), "multipart/form-data; boundary="),
        (form(('name="file"; filename="a"', b"1")), "multipart/form-data; boundary=other"),
        (form(('name="file"; filename="a"', b"1")), "multipart/form-data; boundary=" + "x" * 3000),
        (form(('name="file"; filename="a"', b"1")), "multipart/form-data; boundary=bé"),
        (form(('name="file"; filename="a"\r\nx' + "y" * 9000 + ": 1", b"1"))[:-9], ""),
    ],
)
def test_a_broken_form_stores_nothing(
    alice: Client, behind: Behind, body: bytes, kind: str
) -> None:
    """A form without its end, boundary or file, or with unknown fields, is refused."""
    answer = send(alice, body, kind)
    assert answer.status in {400, 422}, answer.content
    assert answer.slug in {"malformed-request", "invalid-request", "invalid-name"}
    assert behind.file_rows() == []
    assert behind.objects() == {}


def test_only_put_file_accepts_a_multipart_form(anyone: Client, alice: Client) -> None:
    """Other routes answer 415."""
    body = form(('name="username"', b"bob"), ('name="password"', b"correct horse battery"))
    headers = {"content-type": "multipart/form-data; boundary=b0und"}
    answer = anyone.send("POST", "/register", body=body, headers=headers)
    assert (answer.status, answer.slug) == (415, "unsupported-media-type")
    assert "application/json" in answer.json()["detail"]
