"""The clock, randomness and pauses of a process; times as the API writes them."""

import random
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from function.core.errors import ChangedMeanwhile

ATTEMPTS = 12  # with the pauses between them about three seconds
PAUSE, LONGEST = 0.02, 0.6


@dataclass(frozen=True)
class Runtime:
    """The clock and the randomness that services use; tests pass their own.

    `now` returns epoch seconds and `sleep` takes seconds. `new_id` returns 128 random bits as 32
    hexadecimal digits; `new_secret` returns 256 random bits as 43 URL-safe characters.
    """

    now: Callable[[], float]
    new_id: Callable[[], str]
    new_secret: Callable[[], str]
    sleep: Callable[[float], None]

    def attempts(self) -> Iterator[int]:
        """Yields the number of each attempt at a commit; raises ChangedMeanwhile after the last.

        It pauses between attempts with full jitter, so that two requests that collided do not
        collide again.
        """
        for attempt in range(ATTEMPTS):
            if attempt:
                self.sleep(random.uniform(0, min(PAUSE * 2**attempt, LONGEST)))  # noqa: S311
            yield attempt
        raise ChangedMeanwhile

    def within(self, seconds: float) -> Callable[[], bool]:
        """A function that returns whether less than `seconds` have passed since now."""
        until = self.now() + seconds
        return lambda: self.now() < until


def iso(seconds: float) -> str:
    """Epoch seconds as ISO 8601 in UTC with milliseconds and `Z`, which sorts as time does."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


@dataclass
class BatchResult:
    """The outcome of a batch: how many items were done, and the errors of the others."""

    done: int = 0
    failed: list[Exception] = field(default_factory=list)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Collects an error of the block, so that one item does not stop the others."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the other items go on
            self.failed.append(error)


def system_runtime() -> Runtime:
    """The real clock and the system's randomness."""
    return Runtime(
        now=time.time,
        new_id=lambda: secrets.token_hex(16),
        new_secret=lambda: secrets.token_urlsafe(32),
        sleep=time.sleep,
    )
