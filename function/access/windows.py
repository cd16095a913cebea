"""Limits on how often something happens for one subject, such as an address, in a window of time.

The counts end with their window. `tables.windows` has their rows and their writes.
"""

from function.aws.rows import Rows
from function.core.errors import SlowDown
from function.core.runtime import Runtime
from function.tables.windows import COUNT, Counter, left_in, window_key


class Window:
    """A limit on one kind of event: at most `limit` for a subject in each window of `seconds`."""

    def __init__(self, runtime: Runtime, kind: str, *, limit: int, seconds: int) -> None:
        """`kind` is the first part of the rows' keys; windows of one kind share their rows."""
        self._runtime = runtime
        self._kind = kind
        self._limit = limit
        self._seconds = seconds

    def counter(self, subject: str, name: str = COUNT) -> Counter:
        """The counter of a subject in the present window; `name` tells several in one row apart.

        To read it, read its key; `increment` and `require_left` of `tables.windows` write it.
        """
        window = self._window()
        expires_at = (window + 1) * self._seconds
        return Counter(window_key(f"{self._kind}:{subject}", window), name, self._limit, expires_at)

    def check(self, rows: Rows, counter: Counter, hint: str = "") -> None:
        """Raises SlowDown with the hint if the count, as it was read, has reached its limit."""
        if left_in(rows, counter) <= 0:
            raise self.slow_down(hint)

    def slow_down(self, hint: str = "") -> SlowDown:
        """The problem of a reached limit: `Retry-After` is the seconds until the next window."""
        expires_at = (self._window() + 1) * self._seconds
        return SlowDown(int(expires_at - self._runtime.now()) + 1, hint)

    def _window(self) -> int:
        return int(self._runtime.now() // self._seconds)
