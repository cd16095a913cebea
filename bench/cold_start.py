"""What a cold start costs in CPU: imports and clients, in a fresh interpreter each time.

Satchel and the reference take turns, so that whatever else the machine does meets both alike; the
ratio is the median over the pairs.
"""

import os
import statistics
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

TIMED = "import time; begun = time.process_time()\n{}\nprint(time.process_time() - begun)"
BARE = "import bench.reference.plain_handler"
IMPORTS = "import function.app"
READY = "from function import app, base; base.current()"


@dataclass(frozen=True)
class Start:
    """CPU milliseconds of a start, and how many times the reference's that is."""

    milliseconds: float
    ratio: float


def cpu(program: str, environment: Mapping[str, str]) -> float:
    """CPU milliseconds of a program in an interpreter of its own."""
    command = [sys.executable, "-c", TIMED.format(program)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1]) * 1000


def starts(settings: Mapping[str, str], pairs: int) -> dict[str, Start]:
    """The reference, the imports alone, and imports with clients; each ran `pairs` times."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        **settings,
    }
    programs = {"bare": BARE, "imports": IMPORTS, "ready": READY}
    for program in programs.values():
        cpu(program, environment)  # whatever was not compiled yet is now
    taken: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(pairs):
        for name, program in programs.items():
            taken[name].append(cpu(program, environment))
    return {
        name: Start(
            statistics.median(each),
            statistics.median(a / b for a, b in zip(each, taken["bare"], strict=True)),
        )
        for name, each in taken.items()
    }
