"""Handler processes are killed in the middle of uploads: what was answered stays, nothing is half.

Needs the process that serves: `--e2e-server PID`.
"""

import os
import random
import re
import signal
import subprocess
import time
from http.client import HTTPException
from threading import Event, Thread

import pytest

from tests.e2e.person import Person

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]

UPLOADERS = 6
SECONDS = 90


class Uploader(Thread):
    """Uploads new names, and one name again and again, and remembers what it was told."""

    def __init__(self, person: Person, number: int, stop: Event) -> None:
        super().__init__()
        self.person, self.number, self.stop = person, number, stop
        self.tried: dict[str, list[bytes]] = {}
        self.kept: dict[str, int] = {}  # how many were tried when the last one was acknowledged
        self.acknowledged = self.broken = 0

    def run(self) -> None:
        count = 0
        while not self.stop.is_set():
            count += 1
            name = f"{self.number}/{count if count % 2 else 'again'}"
            tries = self.tried.setdefault(name, [])
            tries.append(os.urandom(random.randrange(1, 300_000)))
            try:
                answer = self.person.put(name, tries[-1])
            except (OSError, HTTPException):
                self.broken += 1
                continue
            if answer.fine:
                self.acknowledged += 1
                self.kept[name] = len(tries)
            else:
                assert answer.status in {409, 503}, answer  # a clear no


def workers(server: int) -> list[int]:
    """The handler processes of a `make serve`."""
    table = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,args="], check=True, capture_output=True, text=True
    ).stdout
    return [
        int(pid) for pid in re.findall(rf"^ *(\d+) +{server} .*local\.worker", table, re.MULTILINE)
    ]


def test_every_acknowledged_upload_is_there_and_none_is_half(alice: Person, server: int) -> None:
    stop = Event()
    uploaders = [Uploader(alice, number, stop) for number in range(UPLOADERS)]
    for uploader in uploaders:
        uploader.start()
    kills, end = 0, time.monotonic() + SECONDS

    def enough() -> bool:
        broken, acknowledged = (
            sum(getattr(each, what) for each in uploaders) for what in ("broken", "acknowledged")
        )
        return kills >= 10 and broken >= 5 and acknowledged >= 30

    while not enough():
        assert time.monotonic() < end, "too few uploads were hit, or too few went through"
        time.sleep(random.uniform(0.1, 0.7))
        if found := workers(server):
            os.kill(random.choice(found), signal.SIGKILL)
            kills += 1
    stop.set()
    for uploader in uploaders:
        uploader.join()
    listed = {file["file_name"]: file for file in alice.files()}
    for uploader in uploaders:
        for name, tries in uploader.tried.items():
            last = uploader.kept.get(name, 0)
            if last == 0 and name not in listed:
                continue  # never acknowledged, and not there: nothing happened
            # The last acknowledged one, or a later one whose answer was lost on its way.
            content = alice.get(name).body
            assert content in tries[max(0, last - 1) :], name
            assert listed[name]["size"] == len(content)
    deadline = time.monotonic() + 2  # the crew is whole again
    while len(workers(server)) < 4:
        assert time.monotonic() < deadline
        time.sleep(0.05)
