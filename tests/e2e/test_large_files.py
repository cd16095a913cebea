"""Files that go straight to S3, with curl as people paste it, and names as people give them."""

import hashlib
import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.person import Person

pytestmark = pytest.mark.enable_socket

NAMES = [
    "plain.txt",
    "two words.txt",
    "it's.txt",
    'say "hi".txt',
    "50% #1?.txt",
    "a&b=c+d;$HOME`x`.txt",
    "[1-3]{a,b}*.txt",
    "résumé ñ 日本.txt",
    "-o.txt",
    "-",
    "~",
    "@file",
]
SECONDS = 10  # on one machine two are enough, when nobody else uses it


def shell(line: str, folder: Path, **variables: str) -> str:
    """What a line prints when somebody pastes it into a shell, in that folder."""
    # Only what the line needs: nothing of this machine's proxies, which know no loopback.
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **variables}
    run = subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, f"{line}\n{run.stdout}{run.stderr}"
    return run.stdout


def begin(person: Person, name: str, data: bytes, **fields: Any) -> dict[str, Any]:
    body = {"file_name": name, "size": len(data), **fields}
    answer = person.call("POST", "/uploads", body)
    assert answer.status == 201, answer.body
    begun: dict[str, Any] = answer.json
    return begun


def listed(person: Person, count: int) -> dict[str, Any]:
    """The files by name, once there are so many."""
    deadline = time.monotonic() + SECONDS
    while True:
        files = {file["file_name"]: file for file in person.files()}
        if len(files) >= count:
            return files
        assert time.monotonic() < deadline, f"{len(files)} of {count} files became one"
        time.sleep(0.1)


def local(name: str) -> str:
    """The file that a line of curl reads and writes."""
    return name.rpartition("/")[2]


def test_a_put_becomes_a_file_by_itself(alice: Person, tmp_path: Path) -> None:
    """The notification of S3 completes it; a later completion answers the same file."""
    data = os.urandom(100_000)
    digest = hashlib.sha256(data).hexdigest()
    (tmp_path / "résumé (1).bin").write_bytes(data)
    view = begin(
        alice,
        "in/résumé (1).bin",
        data,
        sha256=digest,
        content_type="application/x-thing",
        description="as said",
        tags=["one", "two"],
    )
    put, completes, _ = view["curl"].partition(" && ")
    assert completes
    shell(put, tmp_path)
    file = listed(alice, 1)["in/résumé (1).bin"]
    said = ("size", "sha256", "content_type", "description", "tags", "version")
    assert [file[key] for key in said] == [
        100_000,
        digest,
        "application/x-thing",
        "as said",
        ["one", "two"],
        1,
    ]
    for _ in range(2):
        late = alice.call("POST", f"/uploads/{view['upload_id']}/complete", {})
        assert (late.status, late.json) == (200, file)
    assert alice.get("in/résumé (1).bin").body == data
    assert alice.call("GET", "/uploads").json == []


def test_twenty_at_once_all_become_files(alice: Person, tmp_path: Path) -> None:
    def send(number: int) -> bytes:
        data = f"{number} ".encode() * 1_000
        (tmp_path / f"{number}.txt").write_bytes(data)
        made = shell(begin(alice, f"{number}.txt", data)["curl"], tmp_path, TOKEN=alice.token)
        assert json.loads(made)["file_name"] == f"{number}.txt"
        return data

    with ThreadPoolExecutor(20) as pool:
        sent = list(pool.map(send, range(20)))
    files = listed(alice, 20)
    assert {file["version"] for file in files.values()} == {1}
    for number in (0, 7, 19):
        assert alice.get(f"{number}.txt").body == sent[number]


@pytest.mark.parametrize("name", NAMES)
def test_lines_of_curl_work_with_any_name(alice: Person, tmp_path: Path, name: str) -> None:
    """What is pasted sends that file and no other, and fetches it again."""
    data = os.urandom(1_000)
    there, back = tmp_path / "there", tmp_path / "back"
    there.mkdir()
    back.mkdir()
    (there / local(name)).write_bytes(data)
    shell(begin(alice, f"d/{name}", data)["curl"], there, TOKEN=alice.token)
    found = alice.call("GET", "/download", file_name=f"d/{name}")
    assert found.status == 200, found.body
    shell(found.json["curl"], back)
    assert [(path.name, path.read_bytes()) for path in back.iterdir()] == [(local(name), data)]


def test_a_folder_comes_in_parallel_under_its_own_names(alice: Person, tmp_path: Path) -> None:
    """No archive and no server between: curl fetches each file, and none leaves the folder."""
    sent = {f"photos/{deep}{name}": os.urandom(100) for name in NAMES for deep in ("", "-x/ü y/")}
    for name, data in sent.items():
        assert alice.put(name, data).status == 201
    alice.put("elsewhere.txt", b"not asked for")
    who, where = f"x-session-token: {alice.token}", f"{alice.url}/download"
    asked = f'curl -fsS -H "{who}" "{where}?prefix=photos/&format=curl" | curl -Z -K -'
    shell(asked, tmp_path)
    files = (path for path in tmp_path.rglob("*") if path.is_file())
    assert {str(path.relative_to(tmp_path)): path.read_bytes() for path in files} == sent


@pytest.mark.slow
def test_the_line_for_a_file_in_parts_works_when_pasted(alice: Person, tmp_path: Path) -> None:
    """Above 64 MiB it goes in parts, whatever the file is called."""
    name = '-big it\'s "50%" #1? ü.bin'
    data = os.urandom((64 << 20) + 12_345)
    there, back = tmp_path / "there", tmp_path / "back"
    there.mkdir()
    back.mkdir()
    (there / name).write_bytes(data)
    view = begin(alice, f"d/{name}", data)
    assert (view["method"], view["total_parts"]) == ("multipart", 9)
    shell(view["curl"], there, TOKEN=alice.token)
    (file,) = alice.files()
    assert (file["file_name"], file["size"]) == (f"d/{name}", len(data))
    found = alice.call("GET", "/download", file_name=f"d/{name}").json
    shell(found["curl"], back)
    assert hashlib.sha256((back / name).read_bytes()).digest() == hashlib.sha256(data).digest()
