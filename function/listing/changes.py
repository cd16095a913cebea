"""What has changed among an account's files, for whoever keeps a copy of them.

Commits become visible in another order than that of their times. So whoever has heard everything
begins next time a little before the time at which this hearing began: what came late is never
missed, and what is told twice is told as it is now.
"""

import json
from collections.abc import Iterable

from function.access.policy import Access
from function.base import Base
from function.core.cursors import seal, unseal
from function.core.errors import Invalid
from function.core.models import Caller
from function.core.runtime import iso
from function.files.models import file_object
from function.listing.errors import CursorExpired
from function.listing.models import Changed
from function.tables.accounts import Account
from function.tables.changes import LATE, Change, Changes
from function.tables.files import Files


class ChangesFeed:
    """Tells what has changed."""

    def __init__(self, base: Base) -> None:
        self._access = base.one(Access)
        self._changes = Changes(base.db)
        self._files = Files(base.db)
        self._runtime = base.runtime
        self._keep_seconds = base.settings.keep_seconds

    def begin(self, caller: Caller, prefix: str, cursor: str | None) -> str:
        """A cursor for what changes from now on. Raises Invalid where there is one already."""
        account = self._access.authenticate(caller).account
        if cursor is not None:
            raise Invalid("Give start or cursor, not both.")
        return seal([self._recent(), ""], account.id, _list_id(prefix))

    def page(
        self, caller: Caller, prefix: str, limit: int, cursor: str | None
    ) -> tuple[list[Changed], str, bool]:
        """The next changes, the cursor for those after them, and whether there are some by now.

        A cursor says after which change to go on, and where to begin when all have been told.

        Raises InvalidCursor, CursorExpired.
        """
        account = self._access.authenticate(caller).account
        after, again = unseal(cursor, account.id, _list_id(prefix)) or ["", ""]
        kept = iso(self._runtime.now() - self._keep_seconds)
        if after and min(after, again or after) < kept:
            raise CursorExpired
        again = again or self._recent()
        found, more = self._changes.list_changes(account.username, after=after, limit=limit)
        some = _fitting(found, limit)
        more = more or len(some) < len(found)
        following = [some[-1].key, again] if more else [again, ""]
        told = self._told(account, prefix, some)
        return told, seal(following, account.id, _list_id(prefix)), more

    def _recent(self) -> str:
        """A time before which there is nothing that is not visible yet."""
        return iso(self._runtime.now() - LATE)

    def _told(self, account: Account, prefix: str, changes: Iterable[Change]) -> list[Changed]:
        """Each name once, as it is now, in the order of its last change."""
        last: dict[str, str | None] = {}
        for change in changes:
            if change.owner_id == account.id:
                for name, was in _names(change).items():
                    last.pop(name, None)
                    last[name] = was
        last = {name: was for name, was in last.items() if name.startswith(prefix)}
        now = self._files.find_by_names(account, last)
        return [
            Changed(
                file_name=name,
                gone=name not in now,
                was=was if name in now and was and was.startswith(prefix) else None,
                file=file_object(now[name], "own") if name in now else None,
            )
            for name, was in last.items()
        ]


def _names(change: Change) -> dict[str, str | None]:
    """The names that a change is about, where it went to before where it was."""
    was = change.was.name if change.was else None
    moved = was if was != change.name else None
    return {change.name: moved, **({moved: None} if moved else {})}


def _fitting(changes: list[Change], limit: int) -> list[Change]:
    """As many of the first changes as have no more names than may be told; one at least."""
    names: set[str] = set()
    for at, change in enumerate(changes):
        names |= _names(change).keys()
        if at and len(names) > limit:
            return changes[:at]
    return changes


def _list_id(prefix: str) -> str:
    return json.dumps(["changes", prefix])
