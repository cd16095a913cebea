"""The folder that holds everything of a `make serve`: `aws/`, `tables/`, `objects/` and `log/`.

`aws/` has the credentials of its administrator, the AWS profile of the function, and the setup
token of Satchel's own administrator. Imports the
standard library only.
"""

import fcntl
import os
import secrets
import shutil
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_LOCK_SECONDS = 3
_FOLDERS = ("aws", "tables", "objects", "log")


class ServeError(Exception):
    """Something that the user can correct; the message is the one sentence that they read."""


class StateFolder:
    """The folder, as a context in which no other server can use it. Raises ServeError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in _FOLDERS:
                (self.folder / name).mkdir(mode=0o700, exist_ok=True)
            self.lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ServeError(f"{self.folder} cannot be used: {error.strerror}.") from None
        self._acquire_lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self.lock)

    def _acquire_lock(self) -> None:
        # The emulator inherits the lock. After a server was killed its emulator saves the data and
        # releases the lock soon.
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                return fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(self.lock)
                    message = f"{self.folder} is in use by another `make serve`; stop that first."
                    raise ServeError(message) from None
                time.sleep(0.1)

    def log(self, name: str) -> Path:
        """The log file of `emulator` or `function`."""
        return self.folder / "log" / f"{name}.log"

    def delete(self) -> None:
        """Delete the files that a server made, and the folder when nothing else is in it."""
        for name in _FOLDERS:
            shutil.rmtree(self.folder / name)
        (self.folder / "lock").unlink()
        if not any(self.folder.iterdir()):
            self.folder.rmdir()

    def admin_keys(self) -> tuple[str, str]:
        """Access key and secret key of the administrator: random, and the same at each start."""
        pair = f"AKIA{secrets.token_hex(8).upper()}\n{secrets.token_urlsafe(30)}\n"
        access_key, secret_key = self._kept("administrator", pair).split()
        return access_key, secret_key

    def setup_token(self) -> str:
        """The token with which Satchel's administrator registers: the same at each start."""
        return self._kept("setup-token", f"{secrets.token_urlsafe(32)}\n").strip()

    def _kept(self, name: str, fresh: str) -> str:
        """The text of a private file in `aws/`, which begins as `fresh`."""
        path = self.folder / "aws" / name
        if not path.exists():
            part = path.with_suffix(".tmp")
            part.touch(mode=0o600)
            part.write_text(fresh)
            part.replace(path)
        return path.read_text()
