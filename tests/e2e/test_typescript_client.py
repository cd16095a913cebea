"""The types that `openapi-typescript` makes of `/openapi.json` carry the main job."""

from pathlib import Path

import pytest

from tests.e2e.blocks import program
from tests.e2e.node import MODULES, run
from tests.e2e.person import Person

pytestmark = pytest.mark.enable_socket

STRICT = ["--strict", "--exactOptionalPropertyTypes", "--target", "es2022", "--module", "nodenext"]


def test_the_program_of_the_document(url: str, tmp_path: Path) -> None:
    """Generated as a person does it, checked by the compiler, and run."""
    (tmp_path / "node_modules").symlink_to(MODULES)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "main_job.ts").write_text(program("ts", url))
    said = run("openapi-typescript", f"{url}/openapi.json", "-o", "schema.d.ts", folder=tmp_path)
    assert "warn" not in said.lower()
    run("tsc", *STRICT, "--noEmitOnError", "main_job.ts", folder=tmp_path)

    count, link = run("node", "main_job.js", folder=tmp_path).split()
    page = Person("", "").call("GET", link, headers={"accept": "application/json"}).json
    assert (count, [each["file_name"] for each in page["items"]]) == ("1", ["hello.txt"])


def test_the_compiler_sees_a_wrong_field(url: str, tmp_path: Path) -> None:
    """What the API would refuse does not compile."""
    (tmp_path / "node_modules").symlink_to(MODULES)
    wrong = program("ts", url).replace("items: [", "files: [")
    (tmp_path / "main_job.ts").write_text(wrong)
    run("openapi-typescript", f"{url}/openapi.json", "-o", "schema.d.ts", folder=tmp_path)
    with pytest.raises(AssertionError, match="'files' does not exist"):
        run("tsc", *STRICT, "--noEmit", "main_job.ts", folder=tmp_path)
