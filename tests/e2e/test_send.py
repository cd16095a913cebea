"""Files that are sent with one line of curl, and fetched by somebody without an account."""

import os
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.e2e.person import Person
from tests.e2e.test_large_files import NAMES

pytestmark = pytest.mark.enable_socket

PART = 8 << 20
# As the `sh` of Debian, of macOS before and after 10.15, and of Alpine.
SHELLS = [
    each
    for each in ("dash", "bash --posix", "zsh --emulate sh", "busybox sh")
    if shutil.which(each.partition(" ")[0])
]
LINE = 'curl -fsSH "$ME" "$API/send/{path}?size=$(wc -c <{file})" | {shell}'


def run(
    person: Person, line: str, folder: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    """A line that somebody pastes who has set `$API` and `$ME`."""
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env=environment(person) | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def environment(person: Person) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "no_proxy": "*",
        "API": person.url,
        "ME": f"x-session-token: {person.token}",
    }


def sent(person: Person, folder: Path, shell: str, path: str, file: str) -> str:
    """The address of a link to a file that the script has sent."""
    line = LINE.format(path=path, file=shlex.quote(f"./{file}"), shell=shell)
    done = run(person, line, folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def fetched(address: str, folder: Path) -> bytes:
    """What somebody gets who has the address alone."""
    copy = folder / "fetched"
    command = ["curl", "-fsSL", "--noproxy", "*", "-d", "", "-o", copy]
    subprocess.run([*command, f"{address.strip()}/download"], check=True)
    return copy.read_bytes()


def parts_sent(said: str) -> int:
    return said.count(" is sent.\n")


def test_a_file_is_sent_in_one_line(alice: Person, tmp_path: Path) -> None:
    """The same file sent to two people is two files: what the first gets stays as it is."""
    line = 'curl -sT report.pdf -H "$ME" $API/send/'
    report = tmp_path / "report.pdf"
    addresses = []
    for text in ("to the first", "to the second"):
        report.write_text(text)
        done = run(alice, line, tmp_path)
        assert done.stdout.startswith(f"{alice.url}/s/")
        assert done.stdout.endswith("\n")
        addresses.append(done.stdout)
    assert fetched(addresses[0], tmp_path) == b"to the first"
    assert fetched(addresses[1], tmp_path) == b"to the second"
    below = run(alice, f"{line}holiday/", tmp_path).stdout
    assert fetched(below, tmp_path) == b"to the second"
    assert {each["file_name"] for each in alice.files()} == {
        "report.pdf",
        "report (1).pdf",
        "holiday/report.pdf",
    }


def test_standard_input_is_sent(alice: Person, tmp_path: Path) -> None:
    line = 'echo "from a pipe" | curl -sT - -H "$ME" $API/send/notes.txt'
    assert fetched(run(alice, line, tmp_path).stdout, tmp_path) == b"from a pipe\n"


@pytest.mark.parametrize("name", [each for each in NAMES if "?" not in each and each != "-"])
def test_names_arrive_as_curl_adds_them(alice: Person, tmp_path: Path, name: str) -> None:
    """But one with a question mark, which is cut there. `-g` is for curl's own patterns."""
    (tmp_path / name).write_bytes(b"bytes")
    line = f'curl -gsT {shlex.quote(f"./{name}")} -H "$ME" $API/send/'
    assert fetched(run(alice, line, tmp_path).stdout, tmp_path) == b"bytes"
    assert [each["file_name"] for each in alice.files()] == [name]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", ["plain.txt", *NAMES])
def test_the_script_sends_any_name(alice: Person, tmp_path: Path, shell: str, name: str) -> None:
    """Quotes, dollar signs and hyphens are a part of the name."""
    (tmp_path / name).write_bytes(b"bytes")
    path = f"?file_name={quote(name)}" if "?" in name else quote(name)
    line = f'curl -fsSH "$ME" "$API/send/{path}" | {shell}'
    done = run(alice, line, tmp_path)
    assert done.returncode == 0, done.stderr
    assert fetched(done.stdout, tmp_path) == b"bytes"
    assert [each["file_name"] for each in alice.files()] == [name]


@pytest.mark.parametrize("shell", SHELLS)
def test_an_upload_that_breaks_off_goes_on(alice: Person, tmp_path: Path, shell: str) -> None:
    """Parts that have arrived are not sent again; a part that changed since then is."""
    film = tmp_path / "film.mkv"
    data = bytearray(os.urandom(30 << 20))
    film.write_bytes(data)
    path = stub(tmp_path, 'test "$puts" -gt 2', "kill $PPID")
    line = LINE.format(path="film.mkv", file="film.mkv", shell=shell)
    broken = run(alice, line, tmp_path, PATH=path)
    assert broken.returncode != 0
    assert broken.stdout == ""
    (upload,) = alice.call("GET", "/uploads").json
    arrived = alice.call("GET", f"/uploads/{upload['upload_id']}").json["arrived"]
    assert 0 < len(arrived) < 4
    data[(arrived[0] - 1) * PART] ^= 1
    film.write_bytes(data)
    again = run(alice, line, tmp_path)
    assert again.returncode == 0, again.stderr
    assert parts_sent(again.stderr) == 4 - len(arrived) + 1
    assert fetched(again.stdout, tmp_path) == bytes(data)
    assert [each["file_name"] for each in alice.files()] == ["film.mkv"]
    assert alice.call("GET", "/uploads").json == []


def test_a_part_is_sent_again_when_its_connection_breaks(alice: Person, tmp_path: Path) -> None:
    """In the same run, to an address that is signed anew."""
    (tmp_path / "film.mkv").write_bytes(data := os.urandom(PART + 5))
    path = stub(tmp_path, 'test "$puts" -eq 1', "exit 28")
    done = run(alice, 'curl -fsSH "$ME" "$API/send/film.mkv" | sh', tmp_path, PATH=path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "puts").read_text().count("put") == 3
    assert fetched(done.stdout, tmp_path) == data


def stub(folder: Path, breaks: str, after: str) -> str:
    """A PATH with a curl that counts its PUTs, and stops in the middle of those that `breaks`."""
    (folder / "bin").mkdir()
    curl, real = folder / "bin" / "curl", shutil.which("curl")
    curl.write_text(f"""#!/bin/sh
case "$*" in
*" -T "*) echo put >>"{folder}/puts"; puts=$(wc -l <"{folder}/puts")
  if {breaks}; then {real} --limit-rate 1M -m 1 "$@"; {after}; exit 28; fi ;;
esac
exec {real} "$@"
""")
    curl.chmod(0o755)
    return f"{curl.parent}:{os.environ['PATH']}"


def test_two_files_of_one_name_and_size_are_not_mixed(alice: Person, tmp_path: Path) -> None:
    """Two people with one account send at the same time, and go on with one upload."""
    folders, whole = [], []
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "film.mkv").write_bytes(os.urandom(2 * PART + 5))
        folders.append(folder)
        whole.append((folder / "film.mkv").read_bytes())
    begin = {"file_name": "film.mkv", "size": 2 * PART + 5, "method": "multipart"}
    assert alice.call("POST", "/uploads", {**begin, "on_conflict": "rename"}).status == 201
    line = LINE.format(path="film.mkv", file="film.mkv", shell="sh")
    both = [
        subprocess.Popen(
            ["bash", "-c", line],
            cwd=folder,
            env=environment(alice),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for folder in folders
    ]
    for each in both:
        each.communicate()
    for file in alice.files():
        assert alice.call("GET", "/download", file_name=file["file_name"]).status == 200
        assert alice_bytes(alice, file["file_name"], tmp_path) in whole


def alice_bytes(alice: Person, name: str, folder: Path) -> bytes:
    url = alice.call("GET", "/download", file_name=name).json["url"]
    copy = folder / "copy"
    subprocess.run(["curl", "-fsS", "--noproxy", "*", "-o", copy, url], check=True)
    return copy.read_bytes()


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_refuses_clearly(alice: Person, tmp_path: Path, shell: str) -> None:
    """Nothing is sent, nothing is printed on the standard output, and the status is not 0."""
    (tmp_path / "a.txt").write_bytes(b"12345")
    get = 'curl -fsSH "$ME" "$API/send/a.txt'
    old = tmp_path / "bin"
    old.mkdir()
    curl = old / "curl"
    curl.write_text("#!/bin/sh\necho 'option --fail-with-body: is unknown' >&2; exit 2\n")
    curl.chmod(0o755)
    for line, reason in (
        (f'{get}?size=4" | {shell}', "a.txt has 5 bytes and not 4."),
        (f'{get}" | {shell} -s b.txt', "There is no file b.txt to read."),
        (f'{get}" >s; PATH={old}:$PATH {shell} s', "This needs curl 7.76 or later."),
        (f'{get}" >s; head -c 3000 s | {shell}', ""),
        (f'{get}?alias=ab" | {shell}; exit 1', "422"),
    ):
        done = run(alice, line, tmp_path)
        assert done.returncode != 0, line
        assert done.stdout == ""
        assert reason in done.stderr
    assert alice.files() == []
    assert alice.call("GET", "/uploads").json == []


def test_no_process_shows_a_secret(alice: Person, tmp_path: Path) -> None:
    """The token and the password are in no argument; their files are private, and go."""
    (tmp_path / "a.bin").write_bytes(os.urandom(3 * PART))
    private = tmp_path / "private"
    private.mkdir()
    (tmp_path / "password").write_text("x-link-password: under the plane tree\n")
    line = 'curl -fsS -H @me -H @password "$API/send/a.bin" | sh'
    (tmp_path / "me").write_text(f"x-session-token: {alice.token}\n")
    process = subprocess.Popen(
        ["bash", "-c", line],
        cwd=tmp_path,
        env=environment(alice) | {"TMPDIR": str(private), "ME": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    seen, modes = set(), set()
    while process.poll() is None:
        listed = subprocess.run(["ps", "-eww", "-o", "args"], capture_output=True, check=True)
        seen.update(listed.stdout.decode(errors="replace").splitlines())
        for path in private.rglob("*"):
            try:
                modes.add(path.stat().st_mode & 0o077)
            except OSError:
                continue
        time.sleep(0.02)
    output, said = process.communicate()
    assert process.returncode == 0, said
    assert any("--fail-with-body" in each for each in seen)
    assert not [each for each in seen if alice.token in each or "plane tree" in each]
    assert modes == {0}
    assert list(private.iterdir()) == []
    assert alice.call("GET", output.strip().removeprefix(alice.url)).status == 401


def test_an_interrupted_script_leaves_nothing_behind(alice: Person, tmp_path: Path) -> None:
    """Neither its files nor its children."""
    (tmp_path / "a.bin").write_bytes(os.urandom(4 * PART))
    private = tmp_path / "private"
    private.mkdir()
    process = subprocess.Popen(
        ["bash", "-c", 'curl -fsSH "$ME" "$API/send/a.bin" | sh'],
        cwd=tmp_path,
        env=environment(alice) | {"TMPDIR": str(private)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    deadline = time.monotonic() + 20
    while not list(private.rglob("*.part")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGTERM)
    process.communicate()
    deadline = time.monotonic() + 10
    while list(private.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list(private.iterdir()) == []
