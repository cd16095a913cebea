"""The emulator on one machine: its files, its credentials, its start and its stop.

Everything lives in one state folder: `aws/` (credentials of this folder's administrator and the
function's profile), `tables/`, `objects/` and `log/`. Always on loopback, always checking
signatures and policies. Imports the standard library; what it starts is `emulator_main`.
"""

import fcntl
import os
import secrets
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"
REGION = "eu-central-1"
ROOT = Path(__file__).parent.parent
INTERPRETER = ROOT / ".venv" / "emulator" / "bin" / "python"

_START_SECONDS = 60
_STOP_SECONDS = 60  # tables are saved whole on the way out
_LOCK_SECONDS = 3
_OURS = ("aws", "tables", "objects", "log")


class Trouble(Exception):
    """Something a person can put right; the message is the one sentence they read."""


class State:
    """The folder that holds everything, as a context in which no other server may use it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in _OURS:
                (self.folder / name).mkdir(mode=0o700, exist_ok=True)
            self.lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise Trouble(f"{self.folder} cannot be used: {error.strerror}.") from None
        self._take_lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self.lock)

    def _take_lock(self) -> None:
        # The emulator inherits the lock, so a server that was killed frees it when its data is
        # safe: wait for that a little.
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                return fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(self.lock)
                    message = f"{self.folder} is in use by another `make serve`; stop that first."
                    raise Trouble(message) from None
                time.sleep(0.1)

    def forget(self) -> None:
        """Remove what a server made here, and nothing else that may be in the folder."""
        for name in _OURS:
            shutil.rmtree(self.folder / name)
        (self.folder / "lock").unlink()
        if not any(self.folder.iterdir()):
            self.folder.rmdir()

    def administrator(self) -> tuple[str, str]:
        """Access key and secret of this folder's administrator, made at random once."""
        path = self.folder / "aws" / "administrator"
        if not path.exists():
            pair = f"AKIA{secrets.token_hex(8).upper()}\n{secrets.token_urlsafe(30)}\n"
            part = path.with_suffix(".tmp")
            part.touch(mode=0o600)
            part.write_text(pair)
            part.replace(path)
        key, secret = path.read_text().split()
        return key, secret


def listen(port: int, *, instead: int | None = None) -> socket.socket:
    """A listening socket on loopback, on another port `instead` when the first is taken.

    Raises Trouble.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        if instead is not None:
            return listen(instead)
        message = f"Port {port} of {HOST} cannot be had ({error.strerror}); choose one with PORT=."
        raise Trouble(message) from None
    listener.listen(128)
    return listener


class Emulator:
    """The running emulator, as a context that ends with its data saved."""

    def __init__(self, state: State, port: int) -> None:
        if not INTERPRETER.exists():
            message = (
                f"The emulator is not installed in {INTERPRETER.parent.parent}: run `make serve`."
            )
            raise Trouble(message)
        self._state = state
        self._log = state.folder / "log" / "emulator.log"
        # Addresses that clients were given should outlive a restart, so a fixed port comes first.
        self._listener = listen(port, instead=0)
        self.port = int(self._listener.getsockname()[1])
        self.url = f"http://{HOST}:{self.port}"

    def __enter__(self) -> Self:
        # What it writes goes to the log, but for mails, which a person shall see.
        with (
            self._listener as listener,
            self._log.open("ab") as log,
            os.fdopen(os.dup(1), "wb") as terminal,
        ):
            self.process = subprocess.Popen(
                [
                    INTERPRETER,
                    "-m",
                    "local.emulator_main",
                    str(listener.fileno()),
                    str(terminal.fileno()),
                ],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=self._environment(),
                cwd=ROOT,
                pass_fds=(listener.fileno(), terminal.fileno(), self._state.lock),
                start_new_session=True,  # Ctrl-C is the parent's to hear
            )
        self._wait(f"{self.url}/_ministack/health")
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
            self.process.kill()  # rows and objects are safe in the journal all the same
            self.process.wait()

    def _environment(self) -> dict[str, str]:
        key, secret = self._state.administrator()
        folder = self._state.folder
        return {
            "PATH": os.environ.get("PATH", ""),
            "TMPDIR": os.environ.get("TMPDIR", "/tmp"),  # noqa: S108
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
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
            # It would tidy up containers of its own if it found a Docker.
            "DOCKER_HOST": "unix:///nowhere",
        }

    def _wait(self, url: str) -> None:
        deadline = time.monotonic() + _START_SECONDS
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with opener.open(url, timeout=_START_SECONDS):
                    return
            except OSError:
                time.sleep(0.05)
        self.process.kill()
        raise Trouble(f"The emulator did not start; {self._log} says why.")
