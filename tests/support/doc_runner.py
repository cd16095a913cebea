"""Pastes the shell blocks of documents into a shell and compares their output.

Every block fenced as `sh` in a document is part of its walk-through. A `text` block right after it
is its output. Ids and times are masked.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from local import ROOT

BLOCK = re.compile(r"^```sh\n(.*?)^```\n(?:^```text\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)
BETWEEN = "\x1e"
SERVED = "http://127.0.0.1:8000"
MASKS = (
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>"),
    (r"\b([0-9a-f]{64}|[0-9a-f]{32})\b", "<hex>"),
    (r"http://[\w.:]+/s/[\w-]{43}", "<link>"),
    (r'"request_id":"[^"]*"', '"request_id":"<id>"'),
)
# Interactive, as for a person: zsh then has no comments, and bash and zsh expand `!`.
SHELLS = {
    "bash": ["bash", "--norc", "-i"],
    "dash": ["dash", "-i"],
    "fish": ["fish", "-i"],
    "zsh": ["zsh", "-f", "-i"],
}
NO_COMMAND = re.compile(
    "^.*(?:not found|[Uu]nknown command|no matches|syntax error).*$", re.MULTILINE
)


@dataclass(frozen=True)
class Step:
    """One block, and its output in the document."""

    program: str
    said: str


def steps(document: Path) -> list[Step]:
    """The blocks of a document in their order."""
    found = BLOCK.findall(document.read_text())
    assert found, f"{document.name} has no walk-through"
    return [Step(program, said) for program, said in found]


def walk_throughs() -> list[Path]:
    """The documents that have a walk-through, the README first."""
    documents = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return [path for path in documents if BLOCK.search(path.read_text())]


def masked(text: str) -> str:
    """Text with ids and times masked, which differ in each run."""
    for pattern, mask in MASKS:
        text = re.sub(pattern, mask, text)
    return text.strip()


def paste(program: str, shell: str, folder: Path, state: str = "") -> str:
    """What a program prints, pasted into an interactive shell. `state` is that of a `make serve`.

    Skips the test where the shell is missing; `.ci/run` installs all.
    """
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
        "no_proxy": "127.0.0.1",
    }
    environment |= {"SATCHEL_STATE": state} if state else {}
    run = subprocess.run(
        SHELLS[shell],
        input=program,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=environment,
        timeout=120,
        start_new_session=True,  # the terminal is not its own
    )
    assert not NO_COMMAND.search(run.stderr), run.stderr
    return run.stdout


def walk(found: list[Step], url: str, folder: Path, shell: str, state: str = "") -> list[str]:
    """The output of each block, when one shell runs all in order."""
    program = "printf '\\036'\n".join(step.program for step in found)
    text = paste(program.replace(SERVED, url), shell, folder, state)
    printed = text.split(BETWEEN)
    assert len(printed) == len(found), text
    return [masked(each) for each in printed]
