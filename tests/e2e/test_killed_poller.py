"""Whoever reads the queue is killed again and again: every file that was sent becomes one.

Needs the process that serves: `--e2e-server PID`.
"""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.person import Person
from tests.e2e.test_large_files import begin, shell

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]

FILES, KILLS = 30, 4
# What it had in hand comes again half a minute later.
SECONDS = 90


def pollers(server: int) -> list[int]:
    """The processes of the server that read the queue."""
    command = ["ps", "-A", "-o", "pid=,ppid=,args="]
    table = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = (line.split(maxsplit=2) for line in table.splitlines())
    return [
        int(pid)
        for pid, parent, what in lines
        if int(parent) == server and "local.event_sources" in what
    ]


def test_no_arrival_is_lost(alice: Person, server: int, tmp_path: Path) -> None:
    killed = 0
    for number in range(FILES):
        (tmp_path / f"{number}.txt").write_bytes(f"{number}".encode())
        line = begin(alice, f"{number}.txt", f"{number}".encode())["curl"]
        shell(line.partition(" && ")[0], tmp_path)  # the PUT alone
        if killed < KILLS and number % 5 == 4:
            for pid in pollers(server):
                os.kill(pid, signal.SIGKILL)
                killed += 1
    assert killed >= KILLS - 1, "it was hardly ever there to be killed"
    deadline = time.monotonic() + SECONDS
    while len(files := alice.files()) < FILES:
        assert time.monotonic() < deadline, f"{len(files)} of {FILES}"
        time.sleep(0.5)
    assert {file["version"] for file in files} == {1}
    assert all(alice.get(f"{number}.txt").body == f"{number}".encode() for number in range(FILES))
