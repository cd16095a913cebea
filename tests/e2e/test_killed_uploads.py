"""Handler processes are killed between the parts of an upload, and nobody notices.

Needs the process that serves: `--e2e-server PID`.
"""

import os
import signal
from pathlib import Path

import pytest

from tests.e2e.parts import assert_same, go_on, made, send, status
from tests.e2e.person import Person
from tests.e2e.test_killed_workers import workers
from tests.e2e.test_large_files import begin

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]


def test_an_upload_is_in_no_process(alice: Person, server: int, tmp_path: Path) -> None:
    """All of them die again and again: no request fails, and no part is asked for twice."""
    file = made(tmp_path)
    upload_id = begin(alice, "long.bin", file.read_bytes())["upload_id"]
    for number in (2, 9, 4):
        send(alice, upload_id, file, number)
        before = workers(server)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        assert len(before) >= 1
    assert status(alice, upload_id)["missing"] == [1, 3, 5, 6, 7, 8]
    assert [*go_on(alice, upload_id, file)] == [1, 3, 5, 6, 7, 8]
    assert_same(alice, "long.bin", file)
    assert not set(before) & set(workers(server))
