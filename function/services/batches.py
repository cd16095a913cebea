"""Work on many, of which one that fails does not keep the others."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Batch:
    """How many were done, and why others were not."""

    done: int = 0
    failed: list[Exception] = field(default_factory=list)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Notes an error of what is done within, which is to be tried again another time."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - it must not keep the others
            self.failed.append(error)
