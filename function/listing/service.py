"""Listing files: the caller's own first, then what others share with the caller.

A list is a stream of places, each a file or folder and where it stands in the stream; a page is the
first of them, and its cursor is the place of the last.
"""

from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace

from function.access.policy import Access
from function.base import Base
from function.core.cursors import seal, unseal
from function.core.limits import MOST_BYTES
from function.core.models import Caller
from function.files.models import FileObject, LinkedFile, file_object
from function.files.presigning import Presigner
from function.listing.models import Folder
from function.listing.own import OwnFiles
from function.listing.query import CursorPosition, ListQuery, position_at
from function.listing.shared import SharedFiles, Window
from function.tables.accounts import Account
from function.tables.files import FileRow
from function.tables.groups import MOST_OF_ONE

URL_BYTES = 2000
CALLS_AT_ONCE = MOST_OF_ONE + 12  # each of one's groups, own files, and what waits for them
Item = FileObject | LinkedFile | Folder


class ListingService:
    """Lists files."""

    def __init__(self, base: Base) -> None:
        self._access = base.one(Access)
        self._own = base.one(OwnFiles)
        self._shared = base.one(SharedFiles)
        self._presigner = base.one(Presigner)

    def page(self, caller: Caller, asked: ListQuery) -> tuple[list[Item], str | None]:
        """A page, and the cursor of the next one. Raises InvalidCursor, CursorExpired, Invalid."""
        found, cursor = self._page(caller, asked)
        return [self._item(caller, place, urls=asked.urls) for place in found], cursor

    def rows(self, caller: Caller, asked: ListQuery) -> tuple[list[FileRow], str | None]:
        """A page of the rows themselves. Raises InvalidCursor."""
        found, cursor = self._page(caller, asked)
        return [place.row for place in found if place.row], cursor

    def _item(self, caller: Caller, place: CursorPosition, *, urls: bool) -> Item:
        if place.folder:
            name, owner = place.folder.name, caller.username
            return Folder(key=f"{owner}/{name}", owner=owner, folder=name, files=place.folder.files)
        assert place.row, "a place without anything"
        file = file_object(place.row, place.permission)
        if not urls:
            return file
        return LinkedFile(**dict(file), url=self._presigner.download(place.row).url)

    def _page(self, caller: Caller, asked: ListQuery) -> tuple[list[CursorPosition], str | None]:
        account = self._access.authenticate(caller).account
        asked = asked.settled()
        last = position_at(unseal(asked.cursor, account.id, asked.list_id) or ["", ""])
        found: list[CursorPosition] = []
        weight = 0
        with ThreadPoolExecutor(CALLS_AT_ONCE) as aside:
            for place in self._places(account, asked, last, aside):
                something = place.row or place.folder
                if something and (len(found) == asked.limit or weight > MOST_BYTES):
                    return found, seal(last.position(), account.id, asked.list_id)
                last = place if place.shared or place.name else last
                if place.end:
                    return found, seal(last.position(), account.id, asked.list_id)
                if something:
                    found.append(place)
                    weight += weight_of(place.row) + URL_BYTES * asked.urls
        return found, None

    def _places(
        self, account: Account, asked: ListQuery, after: CursorPosition, aside: Executor
    ) -> Iterator[CursorPosition]:
        """The stream after a place; the next grants are read while the own files are."""
        window: Future[Window] | None = None
        begin = after if after.shared else CursorPosition()
        if asked.scope != "own":
            window = aside.submit(self._shared.window, account, begin, aside)
        if asked.scope != "shared" and not after.shared:
            yield from self._own.places(account, asked, after, aside)
        if window:
            for place in self._shared.places(account, asked, begin, window.result(), aside):
                wanted = place.row is None or asked.has(place.row)
                yield place if wanted else replace(place, row=None)


def weight_of(row: FileRow | None) -> int:
    """About how many bytes a file takes in an answer."""
    if row is None:
        return 500
    texts = [row.name, row.name, row.content_type, row.description or "", *row.tags]
    return 500 + sum(len(text.encode()) for text in texts)
