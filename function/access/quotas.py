"""Whether there is room on an account, and when there is little left."""

from function.access.errors import QuotaExceeded
from function.tables.accounts import Account, Load, warning_threshold


def require_room(owner: Account, more: Load) -> None:
    """Whether an account has room for that much more. Raises QuotaExceeded."""
    limits = _limits(owner, more)
    full = [noun for noun, quota, used, grows in limits if grows > 0 and used + grows > quota]
    if full:
        raise QuotaExceeded(
            f"The owner's account has no room for so many {' and '.join(full)}. Versions and the "
            "trash count as well: DELETE /trash, or DELETE /file with permanent=true, makes room."
        )


def crossed_warning(owner: Account, more: Load) -> list[str]:
    """What an account crosses four fifths of its quota in with that much more: bytes, files."""
    limits = _limits(owner, more)
    return [
        noun
        for noun, quota, used, grows in limits
        if used < warning_threshold(quota) <= used + grows
    ]


def _limits(owner: Account, more: Load) -> list[tuple[str, int, int, int]]:
    """Each quota that there is, what is used of it, and what comes to that."""
    limits = (
        ("bytes", owner.quota, owner.bytes_used, more.bytes),
        ("files", owner.files_quota, owner.files_used, more.files),
    )
    return [(noun, quota, used, grows) for noun, quota, used, grows in limits if quota is not None]
