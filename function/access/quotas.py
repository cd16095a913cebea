"""Quotas: room for an upload in the owner's account, and the mark at which to warn."""

from function.access.errors import QuotaExceeded
from function.tables.accounts import Account
from function.tables.usage import StorageAmount, warning_threshold


def require_room(owner: Account, more: StorageAmount) -> None:
    """Raises QuotaExceeded where an account has no room for `more` bytes and files."""
    full = [
        noun
        for noun, quota, used, added in _limits(owner, more)
        if added > 0 and used + added > quota
    ]
    if full:
        raise QuotaExceeded(
            f"The owner's account has no room for this many {' and '.join(full)}. Versions and "
            "the trash count too: make room with DELETE /trash, or with DELETE /file and "
            "permanent=true."
        )


def crossed_warning(owner: Account, more: StorageAmount) -> list[str]:
    """The quotas, `bytes` or `files`, of which `more` crosses the warning threshold (4/5)."""
    return [
        noun
        for noun, quota, used, added in _limits(owner, more)
        if used < warning_threshold(quota) <= used + added
    ]


def _limits(owner: Account, more: StorageAmount) -> list[tuple[str, int, int, int]]:
    """Each limited quota as (noun, quota, used, added)."""
    limits = (
        ("bytes", owner.quota, owner.bytes_used, more.bytes),
        ("files", owner.files_quota, owner.files_used, more.files),
    )
    return [(noun, quota, used, added) for noun, quota, used, added in limits if quota is not None]
