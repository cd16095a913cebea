"""One's own files by the time of their last change, or by size, as a stream of places.

What is changed meanwhile stands elsewhere, so a list that takes several pages goes by where each
file stood when it began: its cursor says when that was, and the news what was otherwise then.
Commits become visible in another order than that of their times. So the news is read from a little
earlier on, and the cursor says as well which of that the list had seen when it began.

Each page reads the shelf, then the news, then the files, in that order: whatever was moved while
the shelf was read is in the news.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

from function.base import Base
from function.core.runtime import iso
from function.listing.errors import CursorExpired
from function.listing.query import CursorPosition, ListQuery
from function.tables.accounts import Account
from function.tables.changes import LATE, Change, Changes, FileState
from function.tables.files import FileRow, Files
from function.tables.folders import Folders
from function.tables.search_terms import (
    KIND,
    LEVEL,
    MODIFIED,
    SEPARATOR,
    SIZE,
    TAG,
    WORD,
    SearchTerms,
    cut_term,
    fold_text,
    named_words,
    size_term,
)

MOST_LOOKED_AT = 1000  # where what is found is compared
MOST_NEWS = 1000
MOST_SEEN = 100  # as many fit a cursor; beyond, a list stands as of a minute before it began
MARK = 16
MOST_LOOKS = 3
FOLDER = "/"  # no name and no term begins so


@dataclass(frozen=True)
class Moved:
    """A file that has changed since: where it stood when the list began, and its name now, if any.

    `left` are all the places that it has left.
    """

    stood: str
    name: str | None
    left: frozenset[str]


@dataclass(frozen=True)
class Look:
    """What may be among what is asked for: names by where they stand, what has moved, the files.

    After `end`, if there is one, more follows.
    """

    fit: Mapping[str, str]
    end: str | None
    moved: Mapping[str, Moved]
    rows: Mapping[str, FileRow]


class SortedFiles:
    """Finds an account's own files by time or size."""

    def __init__(self, base: Base) -> None:
        self._files = Files(base.db)
        self._terms = SearchTerms(base.db)
        self._changes = Changes(base.db)
        self._runtime = base.runtime
        self._keep_seconds = base.settings.keep_seconds

    def places(
        self, account: Account, asked: ListQuery, after: CursorPosition
    ) -> Iterator[CursorPosition]:
        """The stream after a place. Raises CursorExpired."""
        since = after.since or self._begun(account)
        if since[0] < iso(self._runtime.now() - self._keep_seconds):
            raise CursorExpired
        for _ in range(MOST_LOOKS):
            look = self._look(account, asked, after, since)
            if not any(_unexplained(key, look, asked) for key in look.fit):
                break  # else something came between the news and the files
        for key in sorted(look.fit, reverse=asked.falling):
            row = _standing(key, look, asked)
            yield CursorPosition(
                "", key, row if row and asked.has(row) else None, "own", since=since
            )
        if look.end:
            yield CursorPosition("", look.end, end=True, since=since)

    def _begun(self, account: Account) -> tuple[str, ...]:
        """What a new list remembers: from when the news is read, and the latest of each file."""
        start = iso(self._runtime.now() - LATE)
        news, more = self._changes.list_changes(account.username, after=start, limit=MOST_NEWS)
        seen = {change.file_id: mark(change) for change in news}
        return (start, *sorted(seen.values())) if len(seen) <= MOST_SEEN and not more else (start,)

    def _look(
        self, account: Account, asked: ListQuery, after: CursorPosition, since: tuple[str, ...]
    ) -> Look:
        by_row = asked.tag is not None or asked.kind is not None
        compared = by_row or asked.q or asked.prefix or asked.folders
        keys, more = self._terms.list_terms(
            account.username,
            MODIFIED if asked.sort == "modified" else SIZE,
            after=after.name,
            limit=MOST_LOOKED_AT if compared else asked.limit + 1,
            descending=asked.falling,
        )
        news, cut = self._changes.list_changes(account.username, after=since[0], limit=MOST_NEWS)
        if cut and after.since:
            raise CursorExpired
        news = [each for each in news if each.owner_id == account.id and not cut]
        end = keys[-1] if more else None
        moved = moves(news, since, asked)
        fit = {key: key.partition(SEPARATOR)[2] for key in keys}
        for each in reversed(moved.values()):  # of two that stood there, the one that was first
            if each.name and _between(each.stood, after.name, end, asked):
                fit[each.stood] = each.name
        fit = {key: name for key, name in fit.items() if asked.names(name)}
        if not by_row and len(fit) > asked.limit:
            some = sorted(fit, reverse=asked.falling)[: asked.limit + 1]
            fit, end = {key: fit[key] for key in some}, some[-1]
        return Look(fit, end, moved, self._files.find_by_names(account, fit.values()))


def moves(news: Iterable[Change], since: tuple[str, ...], asked: ListQuery) -> dict[str, Moved]:
    """The files that changed after the list had begun, by id."""
    seen, of = set(since[1:]), dict[str, list[Change]]()
    for change in news:
        of.setdefault(change.file_id, []).append(change)
        if mark(change) in seen:  # and so were those before it
            of[change.file_id] = []
    found = {}
    for file_id, changes in of.items():
        began = changes and (changes[0].was or changes[0].now)
        if began:
            now = changes[-1].now
            left = frozenset(standing(each.was, asked) for each in changes if each.was)
            found[file_id] = Moved(standing(began, asked), now.name if now else None, left)
    return found


def mark(change: Change) -> str:
    """What a cursor calls a change."""
    return change.key.rpartition("/")[2][:MARK]


def standing(file: FileState | FileRow, asked: ListQuery) -> str:
    """Where a file stands on the shelf that the list comes by."""
    by = MODIFIED + file.modified if asked.sort == "modified" else SIZE + size_term(file.size)
    return by + SEPARATOR + file.name


def _standing(key: str, look: Look, asked: ListQuery) -> FileRow | None:
    """The file that the list has at a place: the one that stood there when it began."""
    row = look.rows.get(look.fit[key])
    if row is None:
        return None
    moved = look.moved.get(row.id)
    return row if (moved.stood if moved else standing(row, asked)) == key else None


def _unexplained(key: str, look: Look, asked: ListQuery) -> bool:
    """Whether a place was to have a file and has none, and the news does not say why."""
    if _standing(key, look, asked):
        return False
    row = look.rows.get(look.fit[key])
    if any(each.stood == key and each.name == look.fit[key] for each in look.moved.values()):
        return True
    known = (row and row.id in look.moved) or any(key in each.left for each in look.moved.values())
    return not known


def _between(stood: str, after: str, end: str | None, asked: ListQuery) -> bool:
    """Whether a place comes after one, and not after the end of what was read."""
    if asked.falling:
        return (not after or stood < after) and (end is None or stood >= end)
    return stood > after and (end is None or stood <= end)


class OwnFiles:
    """Finds an account's own files."""

    def __init__(self, base: Base) -> None:
        self._files = Files(base.db)
        self._terms = SearchTerms(base.db)
        self._folders = Folders(base.db)
        self._by_value = base.one(SortedFiles)

    def places(
        self, account: Account, asked: ListQuery, after: CursorPosition, aside: Executor
    ) -> Iterator[CursorPosition]:
        """The stream after a place."""
        if asked.folders and after.name[:1] in {"", FOLDER}:
            yield from self._by_folders(account, asked, after, aside)
        else:
            yield from self._files_of(account, asked, after)

    def _by_folders(
        self, account: Account, asked: ListQuery, after: CursorPosition, aside: Executor
    ) -> Iterator[CursorPosition]:
        """Folders, then the files beside them, which are read at the same time."""
        last, limit = after.name.removeprefix(FOLDER), asked.limit + 1
        beside = aside.submit(lambda: list(self._files_of(account, asked, CursorPosition())))
        found, more = self._folders.list_subfolders(
            account.username, asked.prefix, after=last, limit=limit, descending=asked.falling
        )
        for each in found:
            yield CursorPosition("", FOLDER + each.key, folder=each if each.files else None)
        if more:
            yield CursorPosition(end=True)
        yield from beside.result()

    def _files_of(
        self, account: Account, asked: ListQuery, after: CursorPosition
    ) -> Iterator[CursorPosition]:
        if asked.sort != "name":
            yield from self._by_value.places(account, asked, after)
        elif asked.words:
            yield from self._by_term(
                account, asked, after, WORD + cut_term(asked.words[0]), first_word
            )
        elif asked.tag is not None:
            begins = f"{TAG}{cut_term(fold_text(asked.tag))}{SEPARATOR}{asked.prefix}"
            yield from self._by_term(account, asked, after, begins)
        elif asked.kind:
            begins = f"{KIND}{asked.kind}{SEPARATOR}{asked.prefix}"
            yield from self._by_term(account, asked, after, begins)
        elif asked.folders:
            begins = f"{LEVEL}{asked.prefix}{SEPARATOR}"
            yield from self._by_term(account, asked, after, begins)
        else:
            yield from self._by_name(account, asked, after)

    def _by_name(
        self, account: Account, asked: ListQuery, after: CursorPosition
    ) -> Iterator[CursorPosition]:
        rows, more = self._files.list_files(
            account.username,
            prefix=asked.prefix,
            after=after.name,
            limit=asked.limit + 1,
            descending=asked.falling,
            single_call=True,
        )
        for row in rows:
            mine = row.owner_id == account.id
            yield CursorPosition("", row.name, row if mine else None, "own")
        if more:
            yield CursorPosition(end=True)

    def _by_term(
        self,
        account: Account,
        asked: ListQuery,
        after: CursorPosition,
        begins: str,
        counts: Callable[[ListQuery, str], bool] = lambda _, __: True,
    ) -> Iterator[CursorPosition]:
        """The files that have a term, and all else that is asked for."""
        by_name = asked.words and (len(asked.words) > 1 or asked.prefix)
        by_row = (asked.kind and (asked.words or asked.tag)) or (asked.words and asked.tag)
        keys, more = self._terms.list_terms(
            account.username,
            begins,
            after=after.name,
            limit=MOST_LOOKED_AT if by_name or by_row else asked.limit + 1,
            descending=asked.falling,
        )
        fit = [key for key in keys if counts(asked, key) and asked.names(named(key))]
        if not by_row and len(fit) > asked.limit:
            fit, more = fit[: asked.limit + 1], True
            keys = keys[: keys.index(fit[-1]) + 1]
        rows, among = self._files.find_by_names(account, map(named, fit)), set(fit)
        for key in keys:
            row = rows.get(named(key)) if key in among else None
            yield CursorPosition("", key, row if row and asked.has(row) else None, "own")
        if more:
            yield CursorPosition(end=True)


def named(key: str) -> str:
    """The name of the file that a term is of."""
    term, _, name = key.partition(SEPARATOR)
    return term.removeprefix(LEVEL) + name if term.startswith(LEVEL) else name


def first_word(asked: ListQuery, key: str) -> bool:
    """Whether it is the first word of the file's that the list comes by: each is listed once."""
    word, _, name = key.removeprefix(WORD).partition(SEPARATOR)
    begun = (cut_term(each) for each in named_words(name) if each.startswith(asked.words[0]))
    first = max(begun, default=None) if asked.falling else min(begun, default=None)
    return word == first
