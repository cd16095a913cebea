"""A file that goes in parts, each with a curl of its own."""

import hashlib
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.e2e.person import Person
from tests.e2e.test_large_files import shell

CURL = ["curl", "-fg", "--noproxy", "*", "-X", "PUT", "-H", "content-type:", "-o", os.devnull]
PART = 8 << 20
SECONDS = 60
# The first column of curl's progress: how much of the whole has gone.
PROGRESS = re.compile(r"[\r\n] *(\d+) 8192k")


def made(folder: Path) -> Path:
    """A file of nine parts, the last of which is short."""
    file = folder / "long.bin"
    file.write_bytes(os.urandom(8 * PART + 12_345))
    return file


def part_of(file: Path, number: int) -> bytes:
    with file.open("rb") as source:
        source.seek((number - 1) * PART)
        return source.read(PART)


def address(person: Person, upload_id: str, number: int) -> str:
    answer = person.call("POST", f"/uploads/{upload_id}/parts", {"part_numbers": [number]})
    assert answer.status == 200, answer.body
    (part,) = answer.json["parts"]
    return str(part["url"])


def send(person: Person, upload_id: str, file: Path, number: int) -> int:
    """One part with one curl; how many bytes curl says it has sent."""
    said = ["-sS", "-w", "%{size_upload}", "--data-binary", "@-"]
    url = address(person, upload_id, number)
    body = part_of(file, number)
    run = subprocess.run([*CURL, *said, url], input=body, capture_output=True, check=True)
    return int(run.stdout)


def die(person: Person, upload_id: str, file: Path, number: int) -> None:
    """Send a part slowly, and kill curl when some of it has gone and some has not."""
    part = file.with_name("part")
    part.write_bytes(part_of(file, number))
    said = file.with_name("progress")
    slowly = ["--limit-rate", "1M", "--data-binary", f"@{part}"]
    with said.open("wb") as progress:
        command = [*CURL, *slowly, address(person, upload_id, number)]
        curl = subprocess.Popen(command, stderr=progress)
    deadline = time.monotonic() + SECONDS
    while not any(0 < int(gone) < 100 for gone in PROGRESS.findall(said.read_text())):
        assert curl.poll() is None, said.read_text()
        assert time.monotonic() < deadline, said.read_text()
        time.sleep(0.05)
    curl.kill()
    assert curl.wait() < 0, "it ended by itself"


def status(person: Person, upload_id: str) -> dict[str, Any]:
    answer = person.call("GET", f"/uploads/{upload_id}")
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json
    return found


def go_on(person: Person, upload_id: str, file: Path) -> dict[int, int]:
    """Send what the status says is missing, and complete it; the bytes sent by part."""
    at = status(person, upload_id)
    assert (at["part_size"], at["size"]) == (PART, file.stat().st_size)
    sent = {number: send(person, upload_id, file, number) for number in at["missing"]}
    done = person.call("POST", f"/uploads/{upload_id}/complete", {})
    assert done.status == 200, done.body
    return sent


def digest(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def assert_same(person: Person, name: str, file: Path) -> None:
    """What is there under that name is that file."""
    back = file.with_name("back")
    back.mkdir()
    shell(person.call("GET", "/download", file_name=name).json["curl"], back)
    assert digest(back / name.rpartition("/")[2]) == digest(file)
