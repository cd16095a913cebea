"""The memory of the processes that `make serve` keeps for the handler.

Needs the process that serves: `--e2e-server PID`.
"""

import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.person import Person
from tests.e2e.test_killed_workers import workers

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]

THREADS, LOGINS, DOCUMENTS = 32, 400, 40
MOST = 100 * 1024  # KiB, of one worker


def test_logins_at_once_leave_no_memory_behind(alice: Person, server: int) -> None:
    """A hash of a password takes 19 MiB, which glibc would keep for each thread that made one.

    Each worker has made the OpenAPI document and the page of it before, the largest answers.
    """

    def log_in(_: int) -> int:
        return alice.call("POST", "/login", alice.credentials).status

    for path in ("/openapi.json", "/docs") * DOCUMENTS:
        assert alice.call("GET", path).status == 200
    with ThreadPoolExecutor(THREADS) as threads:
        assert set(threads.map(log_in, range(LOGINS))) == {200}
    pids = ",".join(map(str, workers(server)))
    table = subprocess.check_output(["ps", "-o", "rss=", "-p", pids], text=True)
    resident = [int(each) for each in table.split()]
    assert resident
    assert max(resident) < MOST, resident
