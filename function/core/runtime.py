"""Where time and randomness come from, and times as the API writes them."""

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
    """`now` is epoch seconds, `sleep` takes seconds.

    `new_id` is 128 random bits and never repeats, `new_secret` 256 in 43 url-safe characters.
    """

    now: Callable[[], float]
    new_id: Callable[[], str]
    new_secret: Callable[[], str]
    sleep: Callable[[float], None]

    def attempts(self) -> Iterator[int]:
        """Tries at a commit that others may be in the way of; after the last, ChangedMeanwhile.

        The pauses have full jitter, so that those who collided do not collide again.
        """
        for attempt in range(ATTEMPTS):
            if attempt:
                self.sleep(random.uniform(0, min(PAUSE * 2**attempt, LONGEST)))  # noqa: S311
            yield attempt
        raise ChangedMeanwhile

    def within(self, seconds: float) -> Callable[[], bool]:
        """Tells whether so much time has not passed yet since it was made."""
        until = self.now() + seconds
        return lambda: self.now() < until


def iso(seconds: float) -> str:
    """Epoch seconds as ISO 8601 in UTC with milliseconds and `Z`, which sorts as time does."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


@dataclass
class BatchResult:
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


def system_runtime() -> Runtime:
    """The real clock and the system's randomness."""
    return Runtime(
        now=time.time,
        new_id=lambda: secrets.token_hex(16),
        new_secret=lambda: secrets.token_urlsafe(32),
        sleep=time.sleep,
    )
