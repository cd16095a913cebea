"""`newman`, Postman's own runner, runs the collection and what Postman makes of the document."""

import json
from pathlib import Path
from typing import Any

import pytest

from docs.postman import collection
from tests.e2e.node import run

pytestmark = pytest.mark.enable_socket

# As docs/administration.md has it: who comes first on a server decides it.
ADMIN_PASSWORD = "nine loud herons"


def newman(file: Path, folder: Path, **variables: str) -> dict[str, Any]:
    """The result of a run without a failure: its table is printed."""
    report = folder / "report.json"
    given = [f"--env-var={name}={value}" for name, value in variables.items()]
    options = ["--reporters=cli,json", f"--reporter-json-export={report}", "--color=off"]
    run("newman", "run", file, *options, *given)
    found: dict[str, Any] = json.loads(report.read_text())["run"]
    assert found["failures"] == []
    return found


@pytest.mark.parametrize("time", ["first", "again"])
def test_the_collection_runs_whole(url: str, state: str, tmp_path: Path, time: str) -> None:
    """From top to bottom, and again on the same server, as the administrator too."""
    if not state:
        pytest.skip("it reads the setup token: --e2e-state")
    secrets = {
        "setup_token": (Path(state) / "aws" / "setup-token").read_text().strip(),
        "admin_password": ADMIN_PASSWORD,
    }
    stats = newman(collection.FILE, tmp_path, base_url=url, **secrets)["stats"]
    assert stats["requests"]["total"] == sum(len(each.requests) for each in collection.FOLDERS)
    assert stats["assertions"]["total"] > stats["requests"]["total"], time


def test_without_an_administrator_his_folder_is_skipped(url: str, tmp_path: Path) -> None:
    """As it runs for a person who imports it and presses Run."""
    stats = newman(collection.FILE, tmp_path, base_url=url)["stats"]
    skipped = {each.name: len(each.requests) for each in collection.FOLDERS}["Administration"]
    assert stats["requests"]["total"] + skipped == sum(
        len(each.requests) for each in collection.FOLDERS
    )
