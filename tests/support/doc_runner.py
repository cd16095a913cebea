"""The documents' shell blocks, run as one person would paste them, and what they print.

Every block fenced as `sh` in a document is part of its walk-through; a `text` block right after
one is what it prints. What differs from run to run is masked.
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
    (r'"request_id":"[^"]*"', '"request_id":"<id>"'),
)


@dataclass(frozen=True)
class Step:
    """One block, and the text that the document says it prints."""

    program: str
    said: str


def steps(document: Path) -> list[Step]:
    """The blocks of a document in their order."""
    found = BLOCK.findall(document.read_text())
    assert found, f"{document.name} has no walk-through"
    return [Step(program, said) for program, said in found]


def masked(text: str) -> str:
    """Text without what no two runs have in common."""
    for pattern, mask in MASKS:
        text = re.sub(pattern, mask, text)
    return text.strip()


def walk(found: list[Step], url: str, folder: Path, suffix: str = "") -> list[str]:
    """What each block prints when they are pasted into one shell, one after the other.

    `suffix` makes the people's names new ones, on a server where theirs may be taken.
    """
    people = re.compile(r"\b(alice|bob|carol)\b")
    program = f"printf '{BETWEEN}'\n".join(step.program for step in found)
    program = people.sub(rf"\g<1>{suffix}", program).replace(SERVED, url)
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "no_proxy": "127.0.0.1"}
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
