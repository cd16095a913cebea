"""Durable files: after a power cut, everything that was synced is on disk.

Imports the standard library only: it runs in the emulator's process.
"""

import errno
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Change = tuple[str, str, str, Any]  # table, partition key, sort key, and the row or None

_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS}


class Journal:
    """The rows that changed since the tables were last saved.

    A line holds the rows that one operation changed, with their new contents, None for a deleted
    row. Replaying a line twice, or onto newer tables, gives the same rows. Bytes after the last
    line break belong to an operation that was not answered.
    """

    def __init__(self, path: Path, default: Callable[[Any], Any] | None = None) -> None:
        """`default` is that of `json.dumps`."""
        self._path, self._default = path, default
        self._file = path.open("ab")
        self._pending: list[Change] = []

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def add(self, table: str, partition: str, sort: str, item: Any) -> None:
        """Add a changed row to the operation that `flush` writes."""
        self._pending.append((table, partition, sort, item))

    def flush(self) -> None:
        """Write the rows that were added, and sync them to disk. Raises OSError."""
        pending, self._pending = self._pending, []
        if pending:
            self._file.write(json.dumps(pending, default=self._default).encode() + b"\n")
            self._sync()

    def changes(self, object_hook: Callable[[Any], Any] | None = None) -> Iterator[Change]:
        """Every change in its order. `object_hook` is that of `json.loads`."""
        for line in self._path.read_bytes().split(b"\n")[:-1]:
            yield from json.loads(line, object_hook=object_hook)

    def clear(self) -> None:
        """Delete every change, once the tables are saved."""
        self._pending.clear()
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
    """Replace a file and sync it: after a power cut it is the old file or the new one, whole.

    Ends the process when the disk fails, and raises any other OSError. `text` is ignored: it is
    part of the function that this one replaces.
    """
    del text
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
        exit_if_disk_failed(error)
        raise


def exit_if_disk_failed(error: OSError) -> None:
    """End the process at once when the disk is full or broken, so that it answers no request."""
    if error.errno in _DISK_ERRORS:
        print(f"The disk refused to keep the data: {error}", file=sys.stderr, flush=True)
        os._exit(os.EX_IOERR)
