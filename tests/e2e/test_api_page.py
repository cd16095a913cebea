"""The document as a server answers it: linters accept it, and its page does the main job."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from uuid import uuid4

import pytest

from tests.e2e.node import CLIENTS, run
from tests.e2e.test_uppy import BROWSERS, HERE

pytestmark = pytest.mark.enable_socket

SECONDS = 120


@pytest.fixture
def document(url: str, tmp_path: Path) -> Path:
    """The document of the server, in a file."""
    file = tmp_path / "openapi.json"
    with urlopen(f"{url}/openapi.json") as answer:
        file.write_bytes(answer.read())
    return file


def test_redocly_has_nothing_to_say(document: Path) -> None:
    """With its recommended rules there is no error and no warning."""
    printed = run("redocly", "lint", "--extends=recommended", "--format=json", document)
    totals = json.loads(printed[printed.index("{") : printed.rindex("}") + 1])["totals"]
    assert totals == {"errors": 0, "warnings": 0, "ignored": 0}


def test_spectral_has_nothing_to_say(document: Path) -> None:
    """With its rules for OpenAPI, down to hints."""
    rules = f"--ruleset={CLIENTS / 'spectral.yaml'}"
    assert "No results" in run("spectral", "lint", "--fail-severity=hint", rules, document)


def test_a_person_does_the_main_job_on_the_page(url: str) -> None:
    """Registers, logs in, authorizes and puts a file, with the examples; the browser agrees."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert browser, "no Chromium was found: on Debian, apt install chromium"
    name = f"page-{uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        done = subprocess.run(
            ["node", HERE / "docs.mjs", browser, profile, url, name],
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    assert seen["statuses"] == [201, 200, 201]
    assert seen["file"]["key"] == f"{name}/hello.txt"
    assert (seen["title"], seen["link"]) == ("Satchel API", "/openapi.json")
    assert seen["complaints"] == []
