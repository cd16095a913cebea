"""One's own files as a stream of places, in the order of names, of words or of folders.

A page takes a fixed number of calls, however many files there are: one that would have to read on
ends early instead. What stands on a shelf of terms is looked up by name, and dropped when it is
otherwise by then.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor

from function.records import Account
from function.services.asked import Asked
from function.services.places import Place
from function.services.sorting import MOST_LOOKED_AT, SortedFiles
from function.stores.files import Files
from function.stores.folders import Folders
from function.stores.terms import BETWEEN, KIND, LEVEL, TAG, WORD, Terms, cut, folded, named_words

FOLDER = "/"  # no name and no term begins so


class OwnFiles:
    """Finds an account's own files."""

    def __init__(self, files: Files, terms: Terms, folders: Folders, by_value: SortedFiles) -> None:
        """Lists by time or size are `by_value`."""
        self._files = files
        self._terms = terms
        self._folders = folders
        self._by_value = by_value

    def places(
        self, account: Account, asked: Asked, after: Place, aside: Executor
    ) -> Iterator[Place]:
        """The stream after a place."""
        if asked.folders and after.name[:1] in {"", FOLDER}:
            yield from self._by_folders(account, asked, after, aside)
        else:
            yield from self._files_of(account, asked, after)

    def _by_folders(
        self, account: Account, asked: Asked, after: Place, aside: Executor
    ) -> Iterator[Place]:
        """Folders, then the files beside them, which are read at the same time."""
        last, limit = after.name.removeprefix(FOLDER), asked.limit + 1
        beside = aside.submit(lambda: list(self._files_of(account, asked, Place())))
        found, more = self._folders.below(
            account.username, asked.prefix, after=last, limit=limit, falling=asked.falling
        )
        for each in found:
            yield Place("", FOLDER + each.key, folder=each if each.files else None)
        if more:
            yield Place(end=True)
        yield from beside.result()

    def _files_of(self, account: Account, asked: Asked, after: Place) -> Iterator[Place]:
        if asked.sort != "name":
            yield from self._by_value.places(account, asked, after)
        elif asked.words:
            yield from self._by_term(account, asked, after, WORD + cut(asked.words[0]), first_word)
        elif asked.tag is not None:
            begins = f"{TAG}{cut(folded(asked.tag))}{BETWEEN}{asked.prefix}"
            yield from self._by_term(account, asked, after, begins)
        elif asked.kind:
            begins = f"{KIND}{asked.kind}{BETWEEN}{asked.prefix}"
            yield from self._by_term(account, asked, after, begins)
        elif asked.folders:
            begins = f"{LEVEL}{asked.prefix}{BETWEEN}"
            yield from self._by_term(account, asked, after, begins)
        else:
            yield from self._by_name(account, asked, after)

    def _by_name(self, account: Account, asked: Asked, after: Place) -> Iterator[Place]:
        rows, more = self._files.next_of(
            account.username,
            prefix=asked.prefix,
            after=after.name,
            limit=asked.limit + 1,
            falling=asked.falling,
        )
        for row in rows:
            mine = row.owner_id == account.id
            yield Place("", row.name, row if mine else None, "own")
        if more:
            yield Place(end=True)

    def _by_term(
        self,
        account: Account,
        asked: Asked,
        after: Place,
        begins: str,
        counts: Callable[[Asked, str], bool] = lambda _, __: True,
    ) -> Iterator[Place]:
        """The files that have a term, and all else that is asked for."""
        by_name = asked.words and (len(asked.words) > 1 or asked.prefix)
        by_row = (asked.kind and (asked.words or asked.tag)) or (asked.words and asked.tag)
        keys, more = self._terms.of(
            account.username,
            begins,
            after=after.name,
            limit=MOST_LOOKED_AT if by_name or by_row else asked.limit + 1,
            falling=asked.falling,
        )
        fit = [key for key in keys if counts(asked, key) and asked.names(named(key))]
        if not by_row and len(fit) > asked.limit:
            fit, more = fit[: asked.limit + 1], True
            keys = keys[: keys.index(fit[-1]) + 1]
        rows, among = self._files.of(account, map(named, fit)), set(fit)
        for key in keys:
            row = rows.get(named(key)) if key in among else None
            yield Place("", key, row if row and asked.has(row) else None, "own")
        if more:
            yield Place(end=True)


def named(key: str) -> str:
    """The name of the file that a term is of."""
    term, _, name = key.partition(BETWEEN)
    return term.removeprefix(LEVEL) + name if term.startswith(LEVEL) else name


def first_word(asked: Asked, key: str) -> bool:
    """Whether it is the first word of the file's that the list comes by: each is listed once."""
    word, _, name = key.removeprefix(WORD).partition(BETWEEN)
    begun = (cut(each) for each in named_words(name) if each.startswith(asked.words[0]))
    first = max(begun, default=None) if asked.falling else min(begun, default=None)
    return word == first
