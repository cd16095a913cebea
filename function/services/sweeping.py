"""What falls due: uploads that nobody completed, with the bytes that had arrived."""

from collections.abc import Callable

from function.services.origins import Origins
from function.stores.multipart import Multipart
from function.stores.transfers import DAY, Due, Transfers

LOOK_BACK = 30  # days without a sweep that the next one makes good
AT_ONCE = 100
# An address signed at the last moment is good for minutes, and what is sent to it takes its time.
LATE = 3600


class Sweeping:
    """Removes what has expired. A sweep that ends early is gone on with by the next."""

    def __init__(self, transfers: Transfers, multipart: Multipart, origins: Origins) -> None:
        """Rows are in `transfers`, bytes are removed by `multipart`."""
        self._transfers = transfers
        self._multipart = multipart
        self._from = origins

    def sweep(self, in_time: Callable[[], bool]) -> int:
        """Removes expired uploads as long as it is `in_time`; how many. Raises Unavailable."""
        swept = 0
        now = int(self._from.now()) - LATE
        for day in range(now // DAY - LOOK_BACK, now // DAY + 1):
            while in_time():
                due = [each for each in self._transfers.due(day, AT_ONCE) if each.until <= now]
                for each in due:
                    self._remove(each)
                swept += len(due)
                if not due:
                    break
        return swept

    def _remove(self, due: Due) -> None:
        """The row first, so that nobody completes what is being removed; the list's line last.

        A line stands only for what was never completed: the commit that completes strikes it. What
        was given up has its line too, for bytes that came after.
        """
        if self._transfers.remove(due.username, due.upload_id):
            self._multipart.discard(due.object, due.multipart)
        self._transfers.strike(due.key)
