"""Writing to disk so that a power cut takes nothing that was acknowledged.

Imports the standard library only: it runs in the emulator's virtual environment.
"""

import errno
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Change = tuple[str, str, str, Any]  # table, partition key, sort key, the row or None

_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS}


class Journal:
    """The rows changed since the tables were last saved whole.

    A line holds the rows of one operation with their new contents, None for a deleted one. So
    replaying a line twice, or onto newer tables, ends in the same rows; and what follows the last
    line end belongs to an operation that was never answered.
    """

    def __init__(self, path: Path, plain: Callable[[Any], Any] | None = None) -> None:
        self._path, self._plain = path, plain
        self._file = path.open("ab")
        self._noted: list[Change] = []

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def note(self, table: str, partition: str, sort: str, item: Any) -> None:
        """Remember a changed row until `flush`."""
        self._noted.append((table, partition, sort, item))

    def flush(self) -> None:
        """Write what was noted, and wait until the disk has it."""
        noted, self._noted = self._noted, []
        if noted:
            self._file.write(json.dumps(noted, default=self._plain).encode() + b"\n")
            self._sync()

    def changes(self, restored: Callable[[Any], Any] | None = None) -> Iterator[Change]:
        """Every change in its order."""
        for line in self._path.read_bytes().split(b"\n")[:-1]:
            yield from json.loads(line, object_hook=restored)

    def restart(self) -> None:
        """Forget everything: the tables were just saved whole."""
        self._noted.clear()
        self._file.truncate(0)
        self._sync()

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return os.fstat(self._file.fileno()).st_size

    def _sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())


def write_durably(path: str, data: bytes | str, *, text: bool = False) -> None:
    """Replace a file: after a power cut it is the old one or the new one, and whole."""
    del text  # the type says it
    part = f"{path}.tmp"
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
        Path(part).replace(path)
        folder = os.open(Path(path).parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
    except OSError as error:
        refuse(error)
        raise


def refuse(error: OSError) -> None:
    """End the process at once when the disk fails: nothing of it may be acknowledged."""
    if error.errno in _DISK:
        print(f"The disk refused to keep the data: {error}", file=sys.stderr, flush=True)
        os._exit(os.EX_IOERR)
