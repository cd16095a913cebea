"""Runs the shell blocks of documents and compares their output.

Every block fenced as `sh` in a document is part of its walk-through. A `text` block right after it
is its output. Ids and times are masked.
"""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"^```sh\n(.*?)^```\n(?:^```text\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)
BETWEEN = "\x1e"
SERVED = "http://127.0.0.1:8000"
MASKS = (
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>"),
    (r"\b([0-9a-f]{64}|[0-9a-f]{32})\b", "<hex>"),
    (r"http://[\w.:]+/s/[\w-]{43}", "<link>"),
    (r'"request_id":"[^"]*"', '"request_id":"<id>"'),
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


def masked(text: str) -> str:
    """Text with ids and times masked, which differ in each run."""
    for pattern, mask in MASKS:
        text = re.sub(pattern, mask, text)
    return text.strip()


def walk(found: list[Step], url: str, folder: Path, suffix: str = "", state: str = "") -> list[str]:
    """The output of each block, when one shell runs all in order.

    `suffix` is added to user names, for a server where they may be used already. `state` is the
    folder of a `make serve`.
    """
    people = re.compile(r"\b(alice|bob|carol)\b")
    program = f"printf '{BETWEEN}'\n".join(step.program for step in found)
    program = people.sub(rf"\g<1>{suffix}", program).replace(SERVED, url)
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "no_proxy": "127.0.0.1"}
    environment |= {"SATCHEL_STATE": state} if state else {}
    run = subprocess.run(
        ["bash"],
        input=program,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=environment,
        timeout=120,
    )
    printed = run.stdout.split(BETWEEN)
    assert len(printed) == len(found), run.stdout + run.stderr
    return [masked(text.replace(suffix, "") if suffix else text) for text in printed]
