"""The types that `openapi-typescript` makes of `/openapi.json` carry the main job."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.node import CLIENTS, MODULES, run
from tests.e2e.person import Person

pytestmark = pytest.mark.enable_socket

STRICT = ["--strict", "--exactOptionalPropertyTypes", "--target", "es2022", "--module", "nodenext"]


def test_the_main_job(url: str, newcomer: Callable[[str], Person], tmp_path: Path) -> None:
    """Generated as a person does it, checked by the compiler, and run."""
    (tmp_path / "node_modules").symlink_to(MODULES)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    program = tmp_path / "main_job.ts"
    program.write_text((CLIENTS / program.name).read_text())
    said = run("openapi-typescript", f"{url}/openapi.json", "-o", "schema.d.ts", folder=tmp_path)
    assert "warn" not in said.lower()
    run("tsc", *STRICT, "--noEmitOnError", program.name, folder=tmp_path)

    alice = newcomer("alice")
    done = json.loads(run("node", "main_job.js", url, alice.name, folder=tmp_path))
    assert done["key"] == f"{alice.name}/hello.txt"
    assert (done["files"], done["text"]) == (1, "SGVsbG8sIGZyaWVuZC4K")
    shown = Person("", "").call("GET", done["url"], headers={"accept": "application/json"})
    assert [each["file_name"] for each in shown.json["items"]] == ["hello.txt"]
