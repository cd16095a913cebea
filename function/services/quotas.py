"""Whether there is room on an account, and when there is little left."""

from function.errors import QuotaExceeded
from function.records import Account, Load
from function.stores.accounts import mark


def enough(owner: Account, more: Load) -> None:
    """Whether an account has room for that much more. Raises QuotaExceeded."""
    if any(grows > 0 and used + grows > quota for quota, used, grows in _limits(owner, more)):
        raise QuotaExceeded


def nearly_full(owner: Account, more: Load) -> bool:
    """Whether an account crosses four fifths of a quota with that much more."""
    return any(used < mark(quota) <= used + grows for quota, used, grows in _limits(owner, more))


def _limits(owner: Account, more: Load) -> list[tuple[int, int, int]]:
    """Each quota that there is, what is used of it, and what comes to that."""
    limits = (
        (owner.quota, owner.bytes_used, more.bytes),
        (owner.files_quota, owner.files_used, more.files),
    )
    return [(quota, used, grows) for quota, used, grows in limits if quota is not None]
