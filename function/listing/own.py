"""The stream of the caller's own files: by name, by a search index, by folder, or sorted.

A list by name reads the files themselves. A search reads rows of the search index
(`tables/search_terms`), whose keys begin with the word, tag or kind and end with the file's name,
and then the files that they name. So a request costs as much as the files that it finds. If a
query combines several conditions, the index answers one of them; the others are compared with the
name or with the file, and a page reads at most `MAX_SCANNED` index rows.

In these orders a file's key changes only with its name, its tags or its type. So a list has each
file whose key stays the same, and has it once, whatever else changes between its pages. The order
by time or size is different: `sorted_files` explains it.
"""

from collections.abc import Iterator
from concurrent.futures import Executor

from function.base import Base
from function.listing.query import ListQuery
from function.listing.sorted_files import MAX_SCANNED, SortedFiles
from function.listing.stream import CursorPosition, StreamItem
from function.tables.accounts import Account
from function.tables.files import Files
from function.tables.folders import Folders
from function.tables.search_terms import (
    KIND,
    LEVEL,
    SEPARATOR,
    TAG,
    WORD,
    SearchTerms,
    cut_term,
    fold_text,
    named_words,
)

FOLDER = "/"  # begins the positions of folders; no file name and no index key begins with it


class OwnFiles:
    """Reads an account's own files."""

    def __init__(self, base: Base) -> None:
        self._files = Files(base.db)
        self._index = SearchTerms(base.db)
        self._folders = Folders(base.db)
        self._sorted = base.one(SortedFiles)

    def stream(
        self, account: Account, query: ListQuery, after: CursorPosition, executor: Executor
    ) -> Iterator[StreamItem]:
        """The matching files after a position. Raises CursorExpired."""
        if query.folders and after.name[:1] in {"", FOLDER}:
            yield from self._folders_and_files(account, query, after, executor)
        else:
            yield from self._stream_files(account, query, after)

    def _folders_and_files(
        self, account: Account, query: ListQuery, after: CursorPosition, executor: Executor
    ) -> Iterator[StreamItem]:
        """The folders of one level, then its files, which are read at the same time."""
        files = executor.submit(lambda: list(self._stream_files(account, query, CursorPosition())))
        folders, more = self._folders.list_subfolders(
            account.username,
            query.prefix,
            after=after.name.removeprefix(FOLDER),
            limit=query.limit + 1,
            descending=query.is_descending,
        )
        for folder in folders:
            position = CursorPosition(name=FOLDER + folder.key)
            yield StreamItem(position, folder=folder if folder.files else None)
        if more:
            yield StreamItem(ends_page=True)
        yield from files.result()

    def _stream_files(
        self, account: Account, query: ListQuery, after: CursorPosition
    ) -> Iterator[StreamItem]:
        if query.sort != "name":
            return self._sorted.stream(account, query, after)
        if index_prefix := _index_prefix(query):
            return self._by_index(account, query, after, index_prefix)
        return self._by_name(account, query, after)

    def _by_name(
        self, account: Account, query: ListQuery, after: CursorPosition
    ) -> Iterator[StreamItem]:
        rows, more = self._files.list_files(
            account.username,
            prefix=query.prefix,
            after=after.name,
            limit=query.limit + 1,
            descending=query.is_descending,
            single_call=True,
        )
        for row in rows:
            # A row of an earlier account of this username is passed over until it is deleted.
            is_own = row.owner_id == account.id
            yield StreamItem(CursorPosition(name=row.name), row if is_own else None, "own")
        if more:
            yield StreamItem(ends_page=True)

    def _by_index(
        self, account: Account, query: ListQuery, after: CursorPosition, index_prefix: str
    ) -> Iterator[StreamItem]:
        """The files whose index rows begin with a prefix and that match the rest of the query."""
        compares_names = query.words and (len(query.words) > 1 or query.prefix)
        compares_files = (query.kind and (query.words or query.tag)) or (query.words and query.tag)
        keys, more = self._index.list_terms(
            account.username,
            index_prefix,
            after=after.name,
            limit=MAX_SCANNED if compares_names or compares_files else query.limit + 1,
            descending=query.is_descending,
        )
        matching = [key for key in keys if _matches_index_key(query, key)]
        if not compares_files and len(matching) > query.limit:
            # Each of them is listed, if its row exists: one more than a page is enough.
            matching, more = matching[: query.limit + 1], True
            keys = keys[: keys.index(matching[-1]) + 1]
        rows, read = self._files.find_by_names(account, map(_file_name, matching)), set(matching)
        for key in keys:
            row = rows.get(_file_name(key)) if key in read else None
            file = row if row and query.matches(row) else None
            yield StreamItem(CursorPosition(name=key), file, "own")
        if more:
            yield StreamItem(ends_page=True)


def _index_prefix(query: ListQuery) -> str | None:
    """The beginning of the index keys that a query by name reads; None without a condition."""
    if query.words:
        return WORD + cut_term(query.words[0])
    if query.tag is not None:
        return f"{TAG}{cut_term(fold_text(query.tag))}{SEPARATOR}{query.prefix}"
    if query.kind:
        return f"{KIND}{query.kind}{SEPARATOR}{query.prefix}"
    if query.folders:
        return f"{LEVEL}{query.prefix}{SEPARATOR}"
    return None


def _file_name(key: str) -> str:
    """The file's name in an index key; a level's key has it in two pieces, folder and last name."""
    term, _, name = key.partition(SEPARATOR)
    return term.removeprefix(LEVEL) + name if term.startswith(LEVEL) else name


def _matches_index_key(query: ListQuery, key: str) -> bool:
    """Whether the file of an index key matches by its name, and is to be listed at this key.

    A file is found at each of its words that begins with the searched one; it is listed at the
    first of them in the list's order, so once.
    """
    name = _file_name(key)
    if query.words:
        found = [cut_term(each) for each in named_words(name) if each.startswith(query.words[0])]
        first = max(found, default=None) if query.is_descending else min(found, default=None)
        if key.removeprefix(WORD).partition(SEPARATOR)[0] != first:
            return False
    return query.matches_name(name)
