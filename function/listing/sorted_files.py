"""The caller's own files by time of the last change or by size, as a stream that stays consistent.

A list in this order reads rows of the search index, whose keys begin with the time or the size. A
file that changes gets another key. Between two pages it may move from the keys that are still to
be read to those that have been read, and would be left out, or the other way, and would be listed
twice. A list therefore shows each file at its original key: the key that it had when the list
began. The index has only the current keys; the change rows (`tables/changes`) have the key of a
file before and after each change.

Each page reads, in this order:

1. the index rows after the position;
2. the changes since the list began. A file that has changed is taken out at its current key and put
   in at its original one, with its current name;
3. the files of these names.

The order matters. If a file moves while the index is read, its change row is read after that. If a
file changes between 2 and 3, its row does not have the key that it was found at, and no change row
explains why: then all three are read again, at most `MAX_READS` times.

The cursor carries the baseline: when the list began, and which changes happened before that. The
time alone does not tell: a commit becomes visible up to `LATE` seconds after the time in its change
row. So the changes are read from `LATE` seconds before the beginning, and the baseline names the
changes among them that were visible then. If they are too many for a cursor, the list shows the
files as of `LATE` seconds before its beginning.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from function.base import Base
from function.core.runtime import iso
from function.listing.errors import CursorExpired
from function.listing.query import ListQuery
from function.listing.stream import CursorPosition, StreamItem
from function.tables.accounts import Account
from function.tables.changes import LATE, ChangeRow, Changes, FileState
from function.tables.files import FileRow, Files
from function.tables.search_terms import MODIFIED, SEPARATOR, SIZE, SearchTerms, size_term

MAX_SCANNED = 1000  # index rows of a page, when some of the files that they name may not match
MAX_CHANGES = 1000  # since the list began; after more the list has to begin again
MAX_BASELINE = 100  # changes that a cursor can name
CHANGE_ID_LENGTH = 16
MAX_READS = 3

Baseline = tuple[str, ...]  # a time (ISO 8601), and the ids of the changes before the beginning


class MovedFile(NamedTuple):
    """A file that has changed since the list began.

    `name` is its current name, None when it is deleted. `left_keys` are all keys that it had and
    has left, the original one included.
    """

    original_key: str
    name: str | None
    left_keys: frozenset[str]


class SortedRead(NamedTuple):
    """What one page has read: current names by original keys, moved files by id, files by name.

    `end` is the last key that was read, if more follow.
    """

    names: Mapping[str, str]
    end: str | None
    moved: Mapping[str, MovedFile]
    files: Mapping[str, FileRow]


class SortedFiles:
    """Reads an account's own files by time or size."""

    def __init__(self, base: Base) -> None:
        self._files = Files(base.db)
        self._index = SearchTerms(base.db)
        self._changes = Changes(base.db)
        self._runtime = base.runtime
        self._keep_seconds = base.settings.keep_seconds

    def stream(
        self, account: Account, query: ListQuery, after: CursorPosition
    ) -> Iterator[StreamItem]:
        """The matching files after a position.

        Raises CursorExpired when changes since the beginning are deleted, or are too many.
        """
        baseline = after.baseline or self._new_baseline(account)
        if baseline[0] < iso(self._runtime.now() - self._keep_seconds):
            raise CursorExpired
        for _ in range(MAX_READS):
            read = self._read(account, query, after, baseline)
            if not any(_is_unexplained(key, read, query) for key in read.names):
                break
        for key in sorted(read.names, reverse=query.is_descending):
            row = _file_at(key, read, query)
            file = row if row and query.matches(row) else None
            yield StreamItem(CursorPosition(name=key, baseline=baseline), file, "own")
        if read.end:
            yield StreamItem(CursorPosition(name=read.end, baseline=baseline), ends_page=True)

    def _new_baseline(self, account: Account) -> Baseline:
        """The baseline of a list that begins now: of each file, the last change that is visible."""
        start = iso(self._runtime.now() - LATE)
        changes, more = self._changes.list_changes(account.username, after=start, limit=MAX_CHANGES)
        last = {change.file_id: _change_id(change) for change in changes}
        fits_cursor = len(last) <= MAX_BASELINE and not more
        return (start, *sorted(last.values())) if fits_cursor else (start,)

    def _read(
        self, account: Account, query: ListQuery, after: CursorPosition, baseline: Baseline
    ) -> SortedRead:
        compares_files = query.tag is not None or query.kind is not None
        filters = compares_files or query.q or query.prefix or query.folders
        keys, more = self._index.list_terms(
            account.username,
            _sort_prefix(query),
            after=after.name,
            limit=MAX_SCANNED if filters else query.limit + 1,
            descending=query.is_descending,
        )
        end = keys[-1] if more else None
        moved = self._moved_files(account, query, after, baseline)
        names = {key: key.partition(SEPARATOR)[2] for key in keys}
        # Of two files that had the same original key, one after the other, the first one is listed.
        for each in reversed(moved.values()):
            if each.name and _is_in_range(each.original_key, after.name, end, query):
                names[each.original_key] = each.name
        names = {key: name for key, name in names.items() if query.matches_name(name)}
        if not compares_files and len(names) > query.limit:
            page = sorted(names, reverse=query.is_descending)[: query.limit + 1]
            names, end = {key: names[key] for key in page}, page[-1]
        return SortedRead(names, end, moved, self._files.find_by_names(account, names.values()))

    def _moved_files(
        self, account: Account, query: ListQuery, after: CursorPosition, baseline: Baseline
    ) -> dict[str, MovedFile]:
        """The files that have changed since the list began, by id. Raises CursorExpired."""
        changes, more = self._changes.list_changes(
            account.username, after=baseline[0], limit=MAX_CHANGES
        )
        if more and after.baseline:
            raise CursorExpired
        if more:  # a first page shows the files as they are now; a second one cannot follow
            return {}
        own_changes = (change for change in changes if change.owner_id == account.id)
        return moved_files(own_changes, baseline, query)


def moved_files(
    changes: Iterable[ChangeRow], baseline: Baseline, query: ListQuery
) -> dict[str, MovedFile]:
    """The files with changes after the baseline, by id. `changes` are in the order of time."""
    before = set(baseline[1:])
    by_file: dict[str, list[ChangeRow]] = {}
    for change in changes:
        by_file.setdefault(change.file_id, []).append(change)
        if _change_id(change) in before:  # and so were the changes of this file before it
            by_file[change.file_id] = []
    moved = {}
    for file_id, later in by_file.items():
        original = later[0].was or later[0].now if later else None
        if original:
            now = later[-1].now
            left_keys = frozenset(_sort_key(each.was, query) for each in later if each.was)
            name = now.name if now else None
            moved[file_id] = MovedFile(_sort_key(original, query), name, left_keys)
    return moved


def _change_id(change: ChangeRow) -> str:
    """What a baseline calls a change: the beginning of the random part of its key."""
    return change.key.rpartition("/")[2][:CHANGE_ID_LENGTH]


def _sort_prefix(query: ListQuery) -> str:
    return MODIFIED if query.sort == "modified" else SIZE


def _sort_key(file: FileState | FileRow, query: ListQuery) -> str:
    """The index key of a file in the order of the list."""
    value = file.modified if query.sort == "modified" else size_term(file.size)
    return _sort_prefix(query) + value + SEPARATOR + file.name


def _file_at(key: str, read: SortedRead, query: ListQuery) -> FileRow | None:
    """The file whose original key this is; None when it is deleted or has no such name now."""
    row = read.files.get(read.names[key])
    if row is None:
        return None
    moved = read.moved.get(row.id)
    original_key = moved.original_key if moved else _sort_key(row, query)
    return row if original_key == key else None


def _is_unexplained(key: str, read: SortedRead, query: ListQuery) -> bool:
    """Whether a key has no file, and no change that was read tells why."""
    if _file_at(key, read, query):
        return False
    name = read.names[key]
    row = read.files.get(name)
    moved = read.moved.values()
    if any(each.original_key == key and each.name == name for each in moved):
        return True  # the changes say that the file is there, under this name
    is_moved = row is not None and row.id in read.moved
    return not is_moved and not any(key in each.left_keys for each in moved)


def _is_in_range(key: str, after: str, end: str | None, query: ListQuery) -> bool:
    """Whether a key comes after `after` in the list's order, and not after `end`."""
    if query.is_descending:
        return (not after or key < after) and (end is None or key >= end)
    return key > after and (end is None or key <= end)
