"""The processes that run the handler, started with the environment of the function.

They are several workers and one process of the event sources. One that was killed is started again.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

from local import ROOT
from local.emulator.state import ServeError
from local.event_sources import EventSourceConfig
from local.gateway.cors import Cors

HANDLER = "function.app.lambda_handler"

_STOP_SECONDS = 30


class WorkerPool:
    """Workers on one listening socket, as a context that ends when they have answered."""

    def __init__(
        self,
        listener: socket.socket,
        environment: Mapping[str, str],
        log: Path,
        *,
        cors: Cors | None = None,
        sources: EventSourceConfig | None = None,
        handler: str = HANDLER,
        size: int = 4,
    ) -> None:
        """Without `sources` no process polls a queue."""
        self.log = log
        self._listener = listener
        cors_json = json.dumps(asdict(cors or Cors()))
        self._commands = [["local.worker", str(listener.fileno()), handler, cors_json]] * size
        if sources:
            self._commands += [["local.event_sources", handler, json.dumps(asdict(sources))]]
        # Without the user's environment: their AWS credentials would win over the role, and a proxy
        # would get the requests to loopback.
        self._environment = {
            "PATH": os.environ.get("PATH", ""),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONUNBUFFERED": "1",
            # glibc would keep the 19 MiB of each Argon2id hash for the thread that computed it.
            "MALLOC_MMAP_THRESHOLD_": "1048576",
            **environment,
        }
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self._processes = [self._start(command) for command in self._commands]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.close()
        for process in self._processes:
            assert process.stdin
            process.stdin.close()
        for process in self._processes:
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def restart_killed(self) -> None:
        """Start the killed processes again.

        Raises ServeError when a process ended by itself: another would end for the same reason.
        """
        for number, process in enumerate(self._processes):
            status = process.poll()
            if status is None:
                continue
            assert process.stdin
            process.stdin.close()
            if status > 0:
                raise ServeError(f"The function does not start; {self.log} says why.")
            self._processes[number] = self._start(self._commands[number])

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=self._environment,
                cwd=ROOT,
                pass_fds=[self._listener.fileno()],
                start_new_session=True,  # Ctrl-C reaches the parent alone
            )
