"""The browser's most used uploader, unchanged, in a real browser, from a page of another origin."""

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.e2e.person import Person

pytestmark = pytest.mark.enable_socket

HERE = Path(__file__).parent / "uppy"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
MIB = 1 << 20
PART = 5 * MIB  # what Uppy takes unless told otherwise
SECONDS = 300  # one that waits for ever is stopped; a fast machine needs a few
SMALL, LARGE = "two words & más.bin", "long #1 (50%) ü.bin"
LIST = re.compile(r"/s3/multipart/[^/]+")

Seen = dict[str, Any]
Drive = Callable[..., Seen]


@pytest.fixture
def origin(pytestconfig: pytest.Config) -> str:
    return str(pytestconfig.getoption("--uppy"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that does not stay: browsers and these files leave a lot behind."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as path:
        yield Path(path)


@pytest.fixture
def drive(origin: str, folder: Path) -> Drive:
    """Opens the page in a browser that nobody has used, and takes steps there."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert browser, "no Chromium was found: on Debian, apt install chromium"
    assert (HERE / "node_modules").exists(), f"npm install --no-package-lock in {HERE} comes first"

    def take(*steps: list[Any], files: Sequence[Path] = (), origin: str = origin) -> Seen:
        plan = {
            "origin": origin,
            "chromium": browser,
            "profile": tempfile.mkdtemp(prefix="profile-", dir=folder),
            "milliseconds": SECONDS * 1_000,
            "files": [str(file) for file in files],
            "steps": steps,
        }
        run = subprocess.run(
            ["node", HERE / "drive.mjs"],
            input=json.dumps(plan),
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS + 60,
        )
        assert run.returncode == 0, run.stderr
        seen: Seen = json.loads(run.stdout)
        return seen

    return take


def some_file(folder: Path, name: str, size: int) -> Path:
    path = folder / name
    path.write_bytes(os.urandom(size))
    return path


def sent(requests: list[Seen]) -> list[Seen]:
    """The PUTs among requests: what goes to S3."""
    return [request for request in requests if request["method"] == "PUT"]


def part_of(put: Seen) -> int:
    (number,) = parse_qs(urlsplit(put["url"]).query)["partNumber"]
    return int(number)


def listed(person: Person, name: str) -> Seen:
    """The file, once there is one."""
    deadline = time.monotonic() + 60
    while not (found := [file for file in person.files() if file["file_name"] == name]):
        assert time.monotonic() < deadline, f"{name} did not become a file"
        time.sleep(0.2)
    file: Seen = found[0]
    return file


def digest_there(person: Person, name: str) -> str:
    """The SHA-256 of what is downloaded."""
    told = person.call("GET", "/download", file_name=name)
    assert told.status == 200, told.body
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(told.json["url"], timeout=60) as answer:
        return hashlib.file_digest(answer, "sha256").hexdigest()


def digest_here(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_a_small_file_becomes_one_by_itself(alice: Person, drive: Drive, folder: Path) -> None:
    """One PUT, and nobody says that it is done."""
    path = some_file(folder, SMALL, 3 * MIB)
    seen = drive(["upload", alice.url, alice.token], files=[path])
    assert seen["errors"] == []
    (ended,) = seen["steps"]
    assert (len(ended["successful"]), ended["failed"]) == (1, [])
    assert [put["status"] for put in sent(seen["requests"])] == [200]
    asked = [urlsplit(each["url"]).path for each in seen["requests"] if "/s3/" in each["url"]]
    assert asked == ["/s3/params"]
    file = listed(alice, SMALL)
    assert (file["size"], file["version"]) == (3 * MIB, 1)
    assert digest_there(alice, SMALL) == digest_here(path)
    assert alice.call("GET", "/uploads").json == []


def test_a_large_file_goes_on_where_it_was_paused(
    alice: Person, drive: Drive, folder: Path
) -> None:
    """What has arrived by then is not sent again, and everything else is sent once."""
    path = some_file(folder, LARGE, 120 * MIB)
    seen = drive(["upload", alice.url, alice.token, 6], ["resume"], files=[path])
    assert seen["errors"] == []
    paused, ended = seen["steps"]
    assert paused == "paused"
    assert (len(ended["successful"]), ended["failed"]) == (1, [])

    requests = seen["requests"]
    (looked,) = (  # Uppy asks what there is when it goes on, and only then
        place
        for place, request in enumerate(requests)
        if request["method"] == "GET" and LIST.fullmatch(urlsplit(request["url"]).path)
    )
    there = {part["PartNumber"] for part in requests[looked]["json"]}
    before, after = sent(requests[:looked]), sent(requests[looked:])
    acknowledged = {part_of(put) for put in before if put["status"] == 200}
    assert len(acknowledged) >= 6
    assert acknowledged <= there <= {part_of(put) for put in before}
    assert {put["status"] for put in after} == {200}
    missing = set(range(1, 120 * MIB // PART + 1)) - there
    assert sorted(map(part_of, after)) == sorted(missing)
    assert len(missing) >= 6

    file = listed(alice, LARGE)
    assert (file["size"], file["version"]) == (120 * MIB, 1)
    assert digest_there(alice, LARGE) == digest_here(path)
    assert alice.call("GET", "/uploads").json == []


def test_what_is_cancelled_is_given_up(alice: Person, drive: Drive, folder: Path) -> None:
    path = folder / LARGE
    with path.open("wb") as file:
        file.truncate(101 * MIB)
    who = [alice.url, alice.token]
    seen = drive(["upload", *who, 2], ["cancel", *who], files=[path])
    assert seen["errors"] == []
    # Its answer may come after the browser was closed: the upload is gone before its parts are.
    assert [each["method"] for each in seen["requests"]].count("DELETE") == 1
    assert alice.call("GET", "/uploads").json == alice.files() == []


def test_a_page_of_another_origin_is_kept_out(alice: Person, drive: Drive) -> None:
    """By the API and by the bucket; the page that is allowed in can read an ETag of both."""
    assert alice.put("a.txt", b"hers").status == 201
    there = alice.call("GET", "/download", file_name="a.txt").json["url"]
    headers = {"x-session-token": alice.token}
    steps = ["look", f"{alice.url}/file?file_name=a.txt", {"headers": headers}], ["look", there, {}]
    ours = drive(*steps)
    assert [step["status"] for step in ours["steps"]] == [200, 200]
    assert all(step["etag"] for step in ours["steps"])
    with socket.create_server(("127.0.0.1", 0)) as free:
        another = f"http://127.0.0.1:{free.getsockname()[1]}"
    assert drive(*steps, origin=another)["steps"] == ["kept out", "kept out"]
