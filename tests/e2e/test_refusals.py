"""What is refused on a served stack, by the function or by the store: nothing of it is visible.

An address that has expired is tried in `tests/test_addresses.py`, where the clock can be turned.
"""

import base64
import hashlib
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.person import Answered, Person
from tests.e2e.test_large_files import begin

pytestmark = pytest.mark.enable_socket

DATA = os.urandom(1_000)
PART = 8 << 20
LARGEST = 5 << 40
Headers = dict[str, str]


@pytest.fixture
def wire(tmp_path: Path) -> "Wire":
    return Wire(tmp_path)


class Wire:
    """curl, with addresses that somebody was given."""

    def __init__(self, folder: Path) -> None:
        self.sent, self.said = folder / "sent", folder / "said"

    def put(self, url: str, headers: Headers, body: bytes) -> tuple[int, str]:
        self.sent.write_bytes(body)
        return self.ask(url, headers, "-T", str(self.sent))

    def ask(self, url: str, headers: Headers, *how: str) -> tuple[int, str]:
        """The status, and S3's word for what is wrong."""
        said = [*how, *(f"-H{name}: {value}" for name, value in headers.items())]
        command = ["curl", "-gsS", "--noproxy", "*", "-o", str(self.said), "-w", "%{http_code}"]
        run = subprocess.run([*command, *said, url], check=True, capture_output=True, text=True)
        text = self.said.read_text(errors="replace") if self.said.exists() else ""
        self.said.unlink(missing_ok=True)
        code = re.search("<Code>(.*?)</Code>", text)
        return int(run.stdout), code[1] if code else text


def slug(answer: Answered) -> str:
    problem = answer.json
    assert problem["status"] == answer.status, problem
    return str(problem["type"].removeprefix("/problems/"))


def complete(person: Person, view: dict[str, Any]) -> Answered:
    return person.call("POST", f"/uploads/{view['upload_id']}/complete", {})


def assert_nothing_came(person: Person, view: dict[str, Any]) -> None:
    """No file, nothing arrived, nothing to complete; and the upload is still open."""
    assert person.files() == []
    at = person.call("GET", f"/uploads/{view['upload_id']}").json
    assert (at["arrived"], at["missing"]) == ([], [*range(1, view["total_parts"] + 1)])
    refused = complete(person, view)
    assert (refused.status, slug(refused)) == (409, "upload-incomplete")
    assert person.get(view["file_name"]).status == 404


def changed(url: str, name: str, value: str) -> str:
    """The address with another value of one parameter of it."""
    found, count = re.subn(rf"(?<=[?&]{name}=)[^&]*", value, url)
    assert count == 1
    assert found != url
    return found


def test_one_put_is_what_was_declared_or_nothing(alice: Person, wire: Wire) -> None:
    """Another size, type, checksum, name, life, or none of it signed: then the right one is in."""
    sha256 = hashlib.sha256(DATA)
    view = begin(alice, "a.txt", DATA, sha256=sha256.hexdigest())
    url, headers = view["put"]["url"], view["put"]["headers"]
    other = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    without = {name: {k: v for k, v in headers.items() if k != name} for name in headers}
    key = url.partition("?")[0]
    wrong: dict[str, tuple[str, Headers, bytes]] = {
        "longer": (url, headers, DATA + b"x"),
        "shorter": (url, headers, DATA[:-1]),
        "empty": (url, headers, b""),
        "type": (url, headers | {"content-type": "text/html"}, DATA),
        "no type": (url, without["content-type"] | {"content-type": ""}, DATA),
        "checksum": (url, headers | {"x-amz-checksum-sha256": other}, DATA),
        "no checksum": (url, without["x-amz-checksum-sha256"], DATA),
        "over another": (url, without["if-none-match"], DATA),
        "public": (url, headers | {"x-amz-acl": "public-read"}, DATA),
        "life": (changed(url, "X-Amz-Expires", "3000"), headers, DATA),
        "date": (changed(url, "X-Amz-Date", "20200101T000000Z"), headers, DATA),
        "key": (url.replace(key, f"{key}0"), headers, DATA),
        "nobody": (key, headers, DATA),
    }
    answers = {what: wire.put(*sent) for what, sent in wrong.items()}
    assert answers.pop("public")[0] in {400, 403}  # the bucket knows no lists of who may read
    assert {what: answer for what, answer in answers.items() if answer[0] != 403} == {}
    # Signed as declared, and yet other bytes.
    assert wire.put(url, headers, DATA[::-1]) == (400, "BadDigest")
    assert wire.ask(url, headers)[0] == 403  # nor is it good for reading
    assert_nothing_came(alice, view)
    assert wire.put(url, headers, DATA)[0] == 200
    assert complete(alice, view).status == 200
    assert alice.get("a.txt").body == DATA


def test_an_address_makes_one_object(alice: Person, wire: Wire) -> None:
    """A second PUT is refused, before the file is there and after."""
    view = begin(alice, "a.txt", DATA)
    url, headers = view["put"]["url"], view["put"]["headers"]
    assert wire.put(url, headers, DATA)[0] == 200
    assert wire.put(url, headers, DATA[::-1]) == (412, "PreconditionFailed")
    file = complete(alice, view).json
    assert wire.put(url, headers, DATA[::-1]) == (412, "PreconditionFailed")
    assert alice.files() == [file]
    assert alice.get("a.txt").body == DATA


def test_a_part_is_as_long_as_it_was_signed_for(alice: Person, wire: Wire) -> None:
    """And goes where it was signed for."""
    size = 64 * (1 << 20) + 5
    body = {"file_name": "a.bin", "size": size}
    view = alice.call("POST", "/uploads", body).json
    numbers = {"part_numbers": [1, 9]}
    at = f"/uploads/{view['upload_id']}"
    first, last = alice.call("POST", f"{at}/parts", numbers).json["parts"]
    assert (first["size"], last["size"]) == (PART, 5)
    url = last["url"]
    answers = [
        wire.put(url, {}, b"123456"),
        wire.put(url, {}, b"1234"),
        wire.put(changed(url, "partNumber", "8"), {}, b"12345"),
        wire.put(changed(url, "X-Amz-Expires", "3000"), {}, b"12345"),
        wire.put(first["url"], {}, b"12345"),
    ]
    assert {status for status, _ in answers} == {403}
    assert_nothing_came(alice, view)
    assert wire.put(url, {}, b"12345")[0] == 200
    hole = complete(alice, view)
    assert (hole.status, slug(hole)) == (409, "upload-incomplete")
    assert [each["at"] for each in hole.json["errors"]] == [f"part {n}" for n in range(1, 9)]
    assert alice.files() == []
    assert alice.call("DELETE", at).status == 204


@pytest.mark.parametrize("size", [65 << 20, LARGEST])
def test_only_parts_that_there_are_have_addresses(alice: Person, size: int) -> None:
    """Not 0, not 10,001, not the one after the last."""
    view = alice.call("POST", "/uploads", {"file_name": "a.bin", "size": size}).json
    path, total = f"/uploads/{view['upload_id']}/parts", view["total_parts"]
    for number in (0, -1, total + 1, 10_001):
        refused = alice.call("POST", path, {"part_numbers": [1, number]})
        assert (refused.status, slug(refused)) == (422, "invalid-request"), number
    assert alice.call("POST", path, {"part_numbers": [1, total]}).status == 200
    for number in (0, 10_001):
        named = {"parts": [{"part_number": number, "etag": "0" * 32}]}
        refused = alice.call("POST", path.replace("parts", "complete"), named)
        assert (refused.status, slug(refused)) == (422, "invalid-request"), number
    assert_nothing_came(alice, view)
    assert alice.call("DELETE", f"/uploads/{view['upload_id']}").status == 204


def test_more_than_there_may_be_is_not_begun(alice: Person) -> None:
    """5 TiB is the most, and there is no file of less than nothing."""
    for size, status, kind in ((LARGEST + 1, 413, "too-large"), (-1, 422, "invalid-request")):
        refused = alice.call("POST", "/uploads", {"file_name": "a.bin", "size": size})
        assert (refused.status, slug(refused)) == (status, kind)
    assert alice.call("GET", "/uploads").json == []


def test_anothers_upload_is_not_there(alice: Person, bob: Person, wire: Wire) -> None:
    """Whatever is tried with its id; and it is untouched."""
    view = begin(alice, "a.txt", DATA)
    path = f"/uploads/{view['upload_id']}"
    answers = [
        bob.call("GET", path),
        bob.call("POST", f"{path}/parts", {"part_numbers": [1]}),
        bob.call("POST", f"{path}/complete", {}),
        bob.call("DELETE", path),
    ]
    assert {(answer.status, slug(answer)) for answer in answers} == {(404, "no-such-upload")}
    assert wire.put(view["put"]["url"], view["put"]["headers"], DATA)[0] == 200
    assert complete(alice, view).status == 200
    assert bob.files() == []


def test_an_address_reads_one_object_as_it_was_signed(alice: Person, wire: Wire) -> None:
    """Not another file of the same owner, not as a page, not for longer, not unsigned."""
    alice.put("a.txt", b"this one")
    alice.put("b.txt", b"and no other")
    ours, other = (
        alice.call("GET", "/download", file_name=name).json["url"] for name in ("a.txt", "b.txt")
    )
    key = ours.partition("?")[0]
    tries = [
        ours.replace(key, other.partition("?")[0]),
        changed(ours, "response-content-type", "text/html"),
        changed(ours, "response-content-disposition", "inline"),
        changed(ours, "X-Amz-Expires", "3000"),
        key,
        key.rpartition("/")[0],
    ]
    assert {wire.ask(url, {})[0] for url in tries} == {403}
    assert wire.ask(ours, {}, "-X", "DELETE")[0] == 403
    assert wire.put(ours, {}, b"changed")[0] == 403
    assert wire.ask(ours, {}) == (200, "this one")
