"""Starts and stops the emulator. Imports the standard library only."""

import os
import socket
import subprocess
import time
import urllib.request
from types import TracebackType
from typing import Self

from local import ROOT
from local.emulator.state import ServeError, StateFolder

HOST = "127.0.0.1"
REGION = "eu-central-1"
INTERPRETER = ROOT / ".venv" / "emulator" / "bin" / "python"

_START_SECONDS = 60
_STOP_SECONDS = 60  # it saves all tables


def listen(port: int, *, fallback: int | None = None) -> socket.socket:
    """A listening socket on loopback, on port `fallback` when the first is taken.

    Port 0 is any free port. Raises ServeError.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        if fallback is not None:
            return listen(fallback)
        message = f"Port {port} of {HOST} cannot be used ({error.strerror}); choose one with PORT=."
        raise ServeError(message) from None
    listener.listen(128)
    return listener


class Emulator:
    """The running emulator, as a context that ends once its data is saved. Raises ServeError.

    It listens on loopback, verifies signatures and enforces policies.
    """

    def __init__(self, state: StateFolder, port: int) -> None:
        if not INTERPRETER.exists():
            message = (
                f"The emulator is not installed in {INTERPRETER.parent.parent}: run `make serve`."
            )
            raise ServeError(message)
        self._state, self._log = state, state.log("emulator")
        # Presigned URLs hold the port: they outlive a restart when it stays the same.
        self._listener = listen(port, fallback=0)
        self.port = int(self._listener.getsockname()[1])
        self.url = f"http://{HOST}:{self.port}"

    def __enter__(self) -> Self:
        # It writes to the log, and mails to the terminal.
        with (
            self._listener as listener,
            self._log.open("ab") as log,
            os.fdopen(os.dup(1), "wb") as terminal,
        ):
            descriptors = listener.fileno(), terminal.fileno()
            self.process = subprocess.Popen(
                [INTERPRETER, "-m", "local.emulator", *map(str, descriptors)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=self._environment(),
                cwd=ROOT,
                pass_fds=(*descriptors, self._state.lock),
                start_new_session=True,  # Ctrl-C reaches the parent alone
            )
        self._wait_until_ready()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()  # the journal has every change all the same
            self.process.wait()

    def _environment(self) -> dict[str, str]:
        access_key, secret_key = self._state.admin_keys()
        folder = self._state.folder
        return {
            "PATH": os.environ.get("PATH", ""),
            "TMPDIR": os.environ.get("TMPDIR", "/tmp"),  # noqa: S108
            "AWS_ACCESS_KEY_ID": access_key,
            "AWS_SECRET_ACCESS_KEY": secret_key,
            "AUTH": "true",
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_HOST": HOST,
            "MINISTACK_REGION": REGION,
            "PERSIST_STATE": "1",
            "STATE_DIR": str(folder / "tables"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(folder / "objects"),
            "LOG_LEVEL": "WARNING",
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            # ministack would remove containers of its own from a Docker that it finds.
            "DOCKER_HOST": "unix:///nowhere",
        }

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with opener.open(f"{self.url}/_ministack/health", timeout=_START_SECONDS):
                    return
            except OSError:
                time.sleep(0.05)
        self.process.kill()
        raise ServeError(f"The emulator did not start; {self._log} says why.")
