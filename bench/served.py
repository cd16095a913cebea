"""Serves a stack of its own in a temporary folder, and observes it from outside.

Memory is read from the table of processes, and invocations are counted in the log, so the function
needs no code for it.
"""

import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from local import ROOT

ADDRESSES = re.compile(
    r"Satchel is at (http://[\d.]+:\d+) \(large files go to and from port (\d+)\)"
)
# The log's line of a request, and of an event.
INVOCATION = re.compile(rb"^(?:[A-Z]+ /\S* \d{3} \d+ ms|(?:messages|schedule): .*)$", re.MULTILINE)
RUNS_HANDLER = re.compile(r" -m local\.(?:worker|event_sources) ")
INTERVAL_SECONDS = 0.2


@dataclass(frozen=True)
class Served:
    """A served stack: the URLs of API and storage, its folder, and the process that serves it."""

    url: str
    storage: str
    folder: Path
    pid: int

    def administrator(self) -> tuple[str, str]:
        """The access key and secret of the owner of the storage."""
        key, secret = (self.folder / "aws" / "administrator").read_text().split()
        return key, secret

    def invocations(self) -> int:
        """The number of invocations of the function so far, by requests and events."""
        return len(INVOCATION.findall((self.folder / "log" / "function.log").read_bytes()))

    def resident_bytes(self) -> dict[int, int]:
        """The resident bytes of each process that runs the handler, by its id."""
        command = ["ps", "-A", "-o", "pid=,ppid=,rss=,args="]
        table = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        lines = (line.split(maxsplit=3) for line in table.splitlines())
        return {
            int(pid): int(kibibytes) * 1024
            for pid, parent, kibibytes, what in lines
            if int(parent) == self.pid and RUNS_HANDLER.search(what)
        }


@contextmanager
def served() -> Iterator[Served]:
    """A stack on free ports, until the context ends. Raises RuntimeError when it does not start."""
    with tempfile.TemporaryDirectory(prefix="satchel-bench-") as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.serve"],
            cwd=ROOT,
            env={**os.environ, "SATCHEL_STATE": folder, "PORT": "0"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with process:
            try:
                assert process.stdout
                line = process.stdout.readline()
                found = ADDRESSES.match(line)
                if found is None:
                    raise RuntimeError(line or "The stack did not start.")
                storage = f"http://127.0.0.1:{found[2]}"
                yield Served(found[1], storage, Path(folder), process.pid)
            finally:
                process.terminate()


class MemoryGrowth(threading.Thread):
    """Samples the memory of the processes that run the handler, as long as the context lasts."""

    def __init__(self, stack: Served) -> None:
        super().__init__(daemon=True)
        self._stack = stack
        self._before = stack.resident_bytes()
        self._grown = dict.fromkeys(self._before, 0)
        self._ended = threading.Event()

    @property
    def largest(self) -> int:
        """The bytes by which the process that grew most exceeded its first sample."""
        return max(self._grown.values())

    def sample(self) -> None:
        """Compare with the first sample. Raises KeyError when a process is new."""
        for pid, now in self._stack.resident_bytes().items():
            self._grown[pid] = max(self._grown[pid], now - self._before[pid])

    def run(self) -> None:
        """Sample until the context ends."""
        while not self._ended.wait(INTERVAL_SECONDS):
            self.sample()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()
        self.sample()
