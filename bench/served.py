"""A served stack of its own, in a folder that is thrown away, and what can be seen of it outside.

Nothing is asked of the function's code: memory is what the system says of its processes, requests
are the lines of its log.
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

SAID = re.compile(r"Satchel is at (http://[\d.]+:\d+) \(large files go to and from port (\d+)\)")
# A request as the gateway logs it, and a call of the function that is none.
SEEN = re.compile(rb"^(?:[A-Z]+ /\S* \d{3} \d+ ms|(?:messages|schedule): .*)$", re.MULTILINE)
RUNS_HANDLER = re.compile(r" -m local\.(?:worker|event_sources) ")
EVERY_SECONDS = 0.2


@dataclass(frozen=True)
class Served:
    """Where it is, and the process that serves."""

    url: str
    storage: str
    folder: Path
    pid: int

    def administrator(self) -> tuple[str, str]:
        """Access key and secret of whom the store belongs to."""
        key, secret = (self.folder / "aws" / "administrator").read_text().split()
        return key, secret

    def seen(self) -> int:
        """How many times the function has been called so far, by whomever."""
        return len(SEEN.findall((self.folder / "log" / "function.log").read_bytes()))

    def resident(self) -> dict[int, int]:
        """The resident bytes of each process that runs the handler."""
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
    """On ports that are free, until the end of the context. Raises RuntimeError."""
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
                said = process.stdout.readline()
                where = SAID.match(said)
                if where is None:
                    raise RuntimeError(said or "The stack does not start.")
                storage = f"http://127.0.0.1:{where[2]}"
                yield Served(where[1], storage, Path(folder), process.pid)
            finally:
                process.terminate()


class Growth(threading.Thread):
    """Looks at the processes that run the handler again and again, as a context."""

    def __init__(self, stack: Served) -> None:
        super().__init__(daemon=True)
        self._stack = stack
        self._before = stack.resident()
        self._grown = dict.fromkeys(self._before, 0)
        self._ended = threading.Event()

    @property
    def largest(self) -> int:
        """The most bytes by which any of them was ever larger than at the beginning."""
        return max(self._grown.values())

    def look(self) -> None:
        """Compare, now. Raises KeyError when one of them is a new process."""
        for pid, now in self._stack.resident().items():
            self._grown[pid] = max(self._grown[pid], now - self._before[pid])

    def run(self) -> None:
        """Until the context ends."""
        while not self._ended.wait(EVERY_SECONDS):
            self.look()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()
        self.look()
