"""The processes that run the handler: started as Lambda would, and started again when they die.

What it starts are `worker`s, and one process of `arrivals`.
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

from local.arrivals import Errands
from local.emulator import ROOT, Trouble
from local.gateway.cors import Cors

HANDLER = "function.app.lambda_handler"

_STOP_SECONDS = 30


class Crew:
    """Some workers on one listening socket, and one that runs errands if there are any.

    A context that ends when they have answered.
    """

    def __init__(
        self,
        listener: socket.socket,
        environment: Mapping[str, str],
        log: Path,
        *,
        cors: Cors | None = None,
        errands: Errands | None = None,
        handler: str = HANDLER,
        size: int = 4,
    ) -> None:
        self.log = log
        self._listener = listener
        said = json.dumps(asdict(cors or Cors()))
        self._commands = [["local.worker", str(listener.fileno()), handler, said]] * size
        if errands:
            self._commands += [["local.arrivals", handler, json.dumps(asdict(errands))]]
        # Nothing of the person's own environment: a key of their real account would win over the
        # role, and a proxy would be asked for loopback.
        self._environment = {
            "PATH": os.environ.get("PATH", ""),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONUNBUFFERED": "1",
            **environment,
        }
        self._workers: list[subprocess.Popen[bytes]] = []

    @property
    def pids(self) -> list[int]:
        """The processes now at work."""
        return [worker.pid for worker in self._workers]

    def __enter__(self) -> Self:
        self._workers = [self._start(command) for command in self._commands]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.close()
        for worker in self._workers:
            assert worker.stdin
            worker.stdin.close()
        for worker in self._workers:
            try:
                worker.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()

    def tend(self) -> None:
        """Replace workers that died. Raises Trouble when one ended by itself: so would the next."""
        for place, worker in enumerate(self._workers):
            status = worker.poll()
            if status is None:
                continue
            assert worker.stdin
            worker.stdin.close()
            if status > 0:
                raise Trouble(f"The function does not start; {self.log} says why.")
            self._workers[place] = self._start(self._commands[place])

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
                start_new_session=True,  # Ctrl-C is the parent's to hear
            )
