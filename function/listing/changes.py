"""The changes feed: what has changed among an account's files, for clients that keep a copy.

Change rows are read in the order of their times. A commit becomes visible up to `LATE` seconds
after its time, so a client that goes on from the last row could miss one that appears before it.
Therefore, when all rows are read, the cursor goes back to `LATE` seconds before the time at which
this reading began. No change is missed; a recent one is sent more than once, which does no harm,
because each name is sent with its present state.
"""

import json
from collections.abc import Iterable

from function.access.policy import Access
from function.base import Base
from function.core.cursors import decode_cursor, encode_cursor
from function.core.errors import Invalid
from function.core.models import Caller
from function.core.runtime import iso
from function.files.models import file_object
from function.listing.errors import CursorExpired
from function.listing.models import Changed
from function.tables.accounts import Account
from function.tables.changes import LATE, ChangeRow, Changes
from function.tables.files import Files


class ChangesFeed:
    """Reads what has changed."""

    def __init__(self, base: Base) -> None:
        self._access = base.one(Access)
        self._changes = Changes(base.db)
        self._files = Files(base.db)
        self._runtime = base.runtime
        self._keep_seconds = base.settings.keep_seconds

    def current_cursor(self, caller: Caller, prefix: str, cursor: str | None) -> str:
        """A cursor for the changes from now on. Raises Invalid if the request has one already."""
        account = self._access.authenticate(caller).account
        if cursor is not None:
            raise Invalid("Give start or cursor, not both.")
        return encode_cursor([self._settled_time(), ""], account.id, _list_id(prefix))

    def list_changes(
        self, caller: Caller, prefix: str, limit: int, cursor: str | None
    ) -> tuple[list[Changed], str, bool]:
        """The next changes, the cursor after them, and whether more follow at once.

        A cursor has the key of the last change that was read and, until all are read, the time to
        go back to after the last one. Raises InvalidCursor, CursorExpired.
        """
        account = self._access.authenticate(caller).account
        after, restart = decode_cursor(cursor, account.id, _list_id(prefix)) or ["", ""]
        oldest_kept = iso(self._runtime.now() - self._keep_seconds)
        if after and min(after, restart or after) < oldest_kept:
            raise CursorExpired
        restart = restart or self._settled_time()
        changes, more = self._changes.list_changes(account.username, after=after, limit=limit)
        page = _limit_names(changes, limit)
        more = more or len(page) < len(changes)
        position = [page[-1].key, restart] if more else [restart, ""]
        found = self._present_state(account, prefix, page)
        return found, encode_cursor(position, account.id, _list_id(prefix)), more

    def _settled_time(self) -> str:
        """The time before which all changes are visible by now."""
        return iso(self._runtime.now() - LATE)

    def _present_state(
        self, account: Account, prefix: str, changes: Iterable[ChangeRow]
    ) -> list[Changed]:
        """Each changed name once, with its file as it is now, in the order of its last change."""
        previous: dict[str, str | None] = {}
        for change in changes:
            if change.owner_id == account.id:
                for name, was in _names(change).items():
                    previous.pop(name, None)
                    previous[name] = was
        previous = {name: was for name, was in previous.items() if name.startswith(prefix)}
        files = self._files.find_by_names(account, previous)
        return [
            Changed(
                file_name=name,
                gone=name not in files,
                was=was if name in files and was and was.startswith(prefix) else None,
                file=file_object(files[name], "own") if name in files else None,
            )
            for name, was in previous.items()
        ]


def _names(change: ChangeRow) -> dict[str, str | None]:
    """The names that a change concerns, each with the file's previous name, if it was renamed.

    The new name comes before the old one, so that a client can move its copy before it deletes it.
    """
    was = change.was.name if change.was else None
    renamed = was if was != change.name else None
    return {change.name: renamed, **({renamed: None} if renamed else {})}


def _limit_names(changes: list[ChangeRow], limit: int) -> list[ChangeRow]:
    """The first changes that concern at most `limit` names together, but at least one change."""
    names: set[str] = set()
    for index, change in enumerate(changes):
        names |= _names(change).keys()
        if index and len(names) > limit:
            return changes[:index]
    return changes


def _list_id(prefix: str) -> str:
    return json.dumps(["changes", prefix])
