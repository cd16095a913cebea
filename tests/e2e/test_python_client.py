"""A Python client that a generator makes from `/openapi.json` does the main job."""

import importlib
import os
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.blocks import program
from tests.e2e.person import Person

pytestmark = pytest.mark.enable_socket

PACKAGE = "satchel_client"  # the generator names it for the document's title
PART = 8 << 20
WORDS = b"Hello, friend.\n"


@dataclass(frozen=True)
class Generated:
    """The generated package, whose modules it finds by the ids of operations."""

    folder: Path
    url: str
    opened: ExitStack

    def model(self, name: str) -> Any:
        return getattr(importlib.import_module(f"{PACKAGE}.models"), name)

    def file(self, data: bytes, name: str | None = None) -> Any:
        types = importlib.import_module(f"{PACKAGE}.types")
        return types.File(payload=BytesIO(data), file_name=name)

    def client(self, token: str = "", **headers: str) -> Any:
        """A client as its own README shows it, with or without a token."""
        package = importlib.import_module(PACKAGE)
        options = {
            "base_url": self.url,
            "headers": headers,
            "raise_on_unexpected_status": True,
            "httpx_args": {"trust_env": False},  # no proxy for loopback
        }
        made = (
            package.AuthenticatedClient(token=token, **options)
            if token
            else package.Client(**options)
        )
        return self.opened.enter_context(made)

    def call(self, client: Any, operation: str, *path: str, **arguments: Any) -> Any:
        """The answer to an operation: its status, headers, bytes and parsed body."""
        (module,) = self.folder.glob(f"api/*/{operation}.py")
        name = f"{PACKAGE}.api.{module.parent.name}.{operation}"
        return importlib.import_module(name).sync_detailed(*path, client=client, **arguments)


@pytest.fixture(scope="module")
def api(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Generated]:
    """The package, generated as a person does it: without an error, and without a warning."""
    url = str(pytestconfig.getoption("--e2e")).rstrip("/")
    folder = tmp_path_factory.mktemp("generated") / "client"
    scripts = Path(sys.executable).parent
    run = subprocess.run(
        [scripts / "openapi-python-client", "generate", "--fail-on-warning", "--url",
         f"{url}/openapi.json", "--output-path", folder],
        env={"PATH": f"{scripts}:{os.environ['PATH']}", "NO_PROXY": "127.0.0.1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert "warning" not in (run.stdout + run.stderr).lower()
    with pytest.MonkeyPatch.context() as patch, ExitStack() as opened:
        patch.syspath_prepend(folder)
        yield Generated(folder / PACKAGE, url, opened)
        for name in [each for each in sys.modules if each.partition(".")[0] == PACKAGE]:
            del sys.modules[name]


@pytest.fixture
def join(api: Generated, newcomer: Callable[[str], Person]) -> Callable[[str], tuple[str, Any]]:
    """Registers somebody new and logs in; the name and the client that carries the token."""

    def joined(name: str) -> tuple[str, Any]:
        person, anybody = newcomer(name), api.client()
        body = api.model("Registration").from_dict(person.credentials)
        made = api.call(anybody, "register_account", body=body)
        assert (made.status_code, made.parsed.username) == (201, person.name)
        login = api.call(
            anybody, "log_in", body=api.model("Credentials").from_dict(person.credentials)
        )
        return person.name, api.client(login.parsed.token)

    return joined


def test_the_main_job(api: Generated, join: Callable[[str], tuple[str, Any]]) -> None:
    """Put, list, get, share, read as the other, a link, and a download by it."""
    alice, hers = join("alice")
    bob, his = join("bob")

    body = api.model("PutFile")(file_name="notes/hello.txt", content=b64encode(WORDS).decode())
    put = api.call(hers, "put_file", body=body)
    assert (put.status_code, put.parsed.key) == (201, f"{alice}/notes/hello.txt")
    raw = api.file(b"raw")
    again = api.call(hers, "put_file", body=raw, file_name="notes/hello.txt")
    assert (again.status_code, again.parsed.version, again.parsed.size) == (200, 2, 3)
    form = api.model("FileForm")(file=api.file(WORDS, "hello.txt"))
    sent = api.call(hers, "put_file", body=form)
    assert (sent.status_code, sent.parsed.file_name) == (201, "hello.txt")

    files = api.call(hers, "list_files", limit=10)
    assert [each.file_name for each in files.parsed] == ["hello.txt", "notes/hello.txt"]
    got = api.call(hers, "get_file", file_name="hello.txt")
    assert (b64decode(got.parsed), got.headers["x-file-size"]) == (WORDS, str(len(WORDS)))

    before = api.call(his, "get_file", file_name="hello.txt", username=alice)
    assert (before.status_code, before.parsed.type_) == (404, "/problems/no-such-file")
    grant = api.model("ShareRequest")(file_name="hello.txt", username=bob)
    assert api.call(hers, "share_file", body=grant).status_code == HTTPStatus.CREATED
    after = api.call(his, "get_file", file_name="hello.txt", username=alice)
    assert b64decode(after.parsed) == WORDS

    link = api.call(hers, "create_link", body=api.model("LinkRequest")(items=["hello.txt"])).parsed
    token = link.url.rpartition("/")[2]
    friend = api.client(accept="application/json")
    page = api.call(friend, "open_link", token)
    assert [each.file_name for each in page.parsed.items] == ["hello.txt"]
    wanted = api.model("LinkDownloadRequest")(file_name="hello.txt")
    download = api.call(friend, "download_by_link", token, body=wanted)
    assert httpx.get(download.parsed.url, trust_env=False).content == WORDS


def test_the_program_of_the_document(api: Generated, url: str) -> None:
    """A few lines of a person who has installed the package."""
    run = subprocess.run(
        [sys.executable, "-c", program("python", url)],
        env={"PYTHONPATH": str(api.folder.parent), "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    names, link = run.stdout.splitlines()
    assert (names, link.startswith(f"{url}/s/")) == ("['hello.txt']", True)


def test_an_upload_in_parts(api: Generated, join: Callable[[str], tuple[str, Any]]) -> None:
    """The bytes go to the addresses that S3 is to be sent them at."""
    _, hers = join("alice")
    data = os.urandom(8 * PART + 5)
    body = api.model("UploadRequest")(file_name="film.mkv", size=len(data))
    upload = api.call(hers, "start_upload", body=body).parsed
    assert (upload.method, upload.part_size, upload.total_parts) == ("multipart", PART, 9)

    wanted = api.model("PartsRequest")(part_numbers=list(range(1, upload.total_parts + 1)))
    signed = api.call(hers, "sign_parts", upload.upload_id, body=wanted).parsed.parts
    with httpx.Client(trust_env=False) as s3:
        for part in signed:
            at = (part.part_number - 1) * PART
            headers = part.headers.to_dict()
            answer = s3.put(part.url, content=data[at : at + part.size], headers=headers)
            assert answer.status_code == HTTPStatus.OK, answer.text
        done = api.call(hers, "complete_upload", upload.upload_id, body=api.model("Completion")())
        assert (done.parsed.file_name, done.parsed.size) == ("film.mkv", len(data))
        url = api.call(hers, "get_download", file_name="film.mkv").parsed.url
        assert s3.get(url).content == data
