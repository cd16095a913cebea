"""What is written when a file comes, changes, moves or goes: its row, and all that follows it.

What it is found by, the counts of its folders and the news of it change in the same commit, for
every change of every file is made of these writes.
"""

from function.records import FileRow
from function.services.origins import Origins, iso
from function.stores.changes import changed
from function.stores.files import (
    TRASH,
    VERSIONS,
    keep,
    kept_name,
    put_new,
    remove,
    replace,
    trashed_name,
    trim,
)
from function.stores.folders import counted
from function.stores.rows import Write
from function.stores.terms import term_key, terms_of

Shift = tuple[FileRow | None, FileRow | None]


class Shelving:
    """Makes the writes."""

    def __init__(self, origins: Origins, keep_seconds: int) -> None:
        """What is replaced or deleted, and the news of it, is kept for `keep_seconds`."""
        self._from = origins
        self._keep_seconds = keep_seconds

    def shift(self, *shifts: Shift) -> list[Write]:
        """Files as they were read and as they are to be, None where there is none.

        The files' own rows come first, each with what it expects.
        """
        now = self._from.now()
        until, at = int(now) + self._keep_seconds, iso(now)
        news = [changed(old, new, at, self._from.new_id(), until) for old, new in shifts]
        return [
            *(write for old, new in shifts for write in _rows(old, new)),
            *(write for old, new in shifts for write in _terms(old, new)),
            *counted([old for old, _ in shifts if old], [new for _, new in shifts if new]),
            *news,
        ]

    def replaced(self, row: FileRow, most: int) -> list[Write]:
        """Keeps what is replaced as a version, and the `most` latest of them."""
        now = self._from.now()
        until = int(now) + self._keep_seconds
        return [*keep(row, VERSIONS, kept_name(row.id, row.version), until), *trim(row, most, now)]

    def deleted(self, row: FileRow, *, for_good: bool = False) -> list[Write]:
        """Puts a file in the trash; what was granted on it is for a place that is no more.

        When it is `for_good`, it falls due there at once.
        """
        now, nonce = self._from.now(), self._from.new_id()
        kept = row.model_copy(update={"place": nonce})
        name = trashed_name(row.name, now, nonce)
        until = int(now) + (0 if for_good else self._keep_seconds)
        return keep(kept, TRASH, name, until, iso(now))


def _rows(old: FileRow | None, new: FileRow | None) -> list[Write]:
    if old and new and old.name == new.name:
        return [replace(old, new)]
    return [*([remove(old)] if old else []), *([put_new(new)] if new else [])]


def _terms(old: FileRow | None, new: FileRow | None) -> list[Write]:
    was = {term_key(old.shelf, term) for term in terms_of(old)} if old else set()
    now = {term_key(new.shelf, term) for term in terms_of(new)} if new else set()
    gone = [Write("Delete", key) for key in sorted(was - now)]
    return gone + [Write("Put", key, item=key.item()) for key in sorted(now - was)]
