"""The main job, whole: with curl as a person would, and with a second account looking on."""

import base64
import hashlib
import os
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.e2e.person import Person

pytestmark = pytest.mark.enable_socket

NAME = "año/résumé (final) #1?.pdf"
HIDDEN = {403, 404}


def curl(*arguments: str) -> str:
    """What curl prints."""
    command = ["curl", "-sS", "--noproxy", "*", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_three_mebibytes_with_an_awkward_name_arrive_whole(
    alice: Person, bob: Person, tmp_path: Path
) -> None:
    original, copy = tmp_path / "original", tmp_path / "copy"
    original.write_bytes(os.urandom(3 << 20))
    target = f"{alice.url}/file?file_name={quote(NAME, safe='')}"
    mine, theirs = (f"x-session-token: {person.token}" for person in (alice, bob))
    raw = "accept: application/octet-stream"
    status = "\n%{http_code}"

    assert curl("-T", str(original), "-H", mine, "-w", status, target).endswith("\n201")
    (listed,) = alice.files()
    assert listed["key"] == f"{alice.name}/{NAME}"
    assert listed["size"] == 3 << 20
    assert listed["sha256"] == hashlib.sha256(original.read_bytes()).hexdigest()

    curl("-o", str(copy), "-H", mine, "-H", raw, target)
    subprocess.run(["cmp", original, copy], check=True)

    theirs_target = f"{target}&username={alice.name}"
    assert curl("-o", str(copy), "-w", status, "-H", theirs, theirs_target).endswith("404")
    share = {"file_name": NAME, "username": bob.name}
    assert alice.call("POST", "/share", share).status == 201
    curl("-o", str(copy), "-H", theirs, "-H", raw, theirs_target)
    subprocess.run(["cmp", original, copy], check=True)

    assert curl("-X", "POST", "-w", status, "-H", mine, f"{alice.url}/logout").endswith("204")
    assert curl("-X", "POST", "-w", status, "-H", theirs, f"{alice.url}/logout").endswith("204")
    assert alice.call("GET", "/files").status == bob.call("GET", "/files").status == 401


def test_a_stranger_learns_nothing_and_a_reader_cannot_write(alice: Person, bob: Person) -> None:
    assert alice.put(NAME, b"hers").status == 201
    assert bob.files() == []
    assert bob.get(NAME, username=alice.name).status == 404
    assert bob.put(NAME, b"his", username=alice.name).status == 404
    assert not bob.call("DELETE", "/file", file_name=NAME, username=alice.name).fine
    there = bob.get(NAME, username=alice.name).json
    nowhere = bob.get("never there", username=alice.name).json
    assert {**there, "request_id": ""} == {**nowhere, "request_id": ""}

    assert alice.call("POST", "/share", {"file_name": NAME, "username": bob.name}).status == 201
    assert bob.get(NAME, username=alice.name).body == b"hers"
    assert [(f["key"], f["permission"]) for f in bob.files()] == [(f"{alice.name}/{NAME}", "read")]
    assert bob.put(NAME, b"his", username=alice.name).status in HIDDEN
    assert not bob.call("DELETE", "/file", file_name=NAME, username=alice.name).fine
    assert alice.get(NAME).body == b"hers"


def test_a_share_ends_when_it_was_said_to(alice: Person, bob: Person) -> None:
    alice.put("a.txt", b"for a moment")
    share = {"file_name": "a.txt", "username": bob.name, "expires_in": 2}
    assert alice.call("POST", "/share", share).status == 201
    assert bob.get("a.txt", username=alice.name).status == 200
    time.sleep(2.1)
    assert bob.get("a.txt", username=alice.name).status == 404
    assert bob.files() == []


def test_base64_and_forms_carry_the_same_bytes(alice: Person, tmp_path: Path) -> None:
    content = os.urandom(1000)
    body = {"file_name": "json.bin", "content": base64.b64encode(content).decode()}
    assert alice.call("PUT", "/file", body).status == 201
    assert base64.b64decode(alice.call("GET", "/file", file_name="json.bin").body) == content

    sent = tmp_path / "form.bin"
    sent.write_bytes(content)
    form = ["-X", "PUT", "-F", f"file=@{sent}", "-H", f"x-session-token: {alice.token}"]
    curl(*form, f"{alice.url}/file?file_name=form.bin")
    assert alice.get("form.bin").body == content
