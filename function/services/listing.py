"""Listing files: the caller's own first, then what others share with the caller.

A list is a stream of places, each a file and where it stands in the stream; a page is the first of
them, and its cursor is the place of the last.
"""

import json
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor

from function.fields import Permission
from function.models import Caller, FileObject
from function.records import Account, FileRow
from function.services.access import Access
from function.services.cursors import seal, unseal
from function.services.shared import Asked, Place, SharedFiles, Window
from function.services.views import file_object
from function.stores.files import Files
from function.stores.groups import MOST_OF_ONE

# No answer outgrows what a Lambda gives; beyond, a page ends early, with a cursor.
MOST_BYTES = 4 * 1024 * 1024
CALLS_AT_ONCE = MOST_OF_ONE + 12  # each of one's groups, own files, and what waits for them


class Listing:
    """Lists files."""

    def __init__(self, access: Access, files: Files, shared: SharedFiles) -> None:
        """Own files are on their shelf in `files`, `shared` finds others'."""
        self._access = access
        self._files = files
        self._shared = shared

    def page(self, caller: Caller, asked: Asked) -> tuple[list[FileObject], str | None]:
        """A page, and the cursor of the next one. Raises InvalidCursor."""
        found, cursor = self._page(caller, asked)
        return [file_object(row, permission) for row, permission in found], cursor

    def rows(self, caller: Caller, asked: Asked) -> tuple[list[FileRow], str | None]:
        """A page of the rows themselves. Raises InvalidCursor."""
        found, cursor = self._page(caller, asked)
        return [row for row, _ in found], cursor

    def _page(
        self, caller: Caller, asked: Asked
    ) -> tuple[list[tuple[FileRow, Permission]], str | None]:
        account = self._access.open(caller).account
        shared, name, *above = unseal(asked.cursor, account.id, list_id(asked)) or ["", ""]
        last = Place(shared, name, past=frozenset(above))
        found: list[tuple[FileRow, Permission]] = []
        weight = 0
        with ThreadPoolExecutor(CALLS_AT_ONCE) as aside:
            for place in self._places(account, asked, last, aside):
                full = len(found) == asked.limit or weight > MOST_BYTES
                if (full and place.row) or (place.end and not place.shared):
                    return found, seal(last.position(), account.id, list_id(asked))
                last = place
                if place.end:
                    return found, seal(last.position(), account.id, list_id(asked))
                if place.row:
                    found.append((place.row, place.permission))
                    weight += weight_of(place.row)
        return found, None

    def _places(
        self, account: Account, asked: Asked, after: Place, aside: Executor
    ) -> Iterator[Place]:
        """The stream after a place; the next grants are read while the own files are."""
        window: Future[Window] | None = None
        begin = after if after.shared else Place()
        if asked.scope != "own":
            window = aside.submit(self._shared.window, account, begin, aside)
        if asked.scope != "shared" and not after.shared:
            yield from self._own(account, asked, after.name)
        if window:
            yield from self._shared.places(account, asked, begin, window.result(), aside)

    def _own(self, account: Account, asked: Asked, after: str) -> Iterator[Place]:
        more = True
        while more:
            rows, more = self._files.on_shelf(
                account.username, prefix=asked.prefix, after=after, limit=asked.limit + 1
            )
            mine = (row for row in rows if row.owner_id == account.id)
            yield from (Place("", row.name, row, "own") for row in mine)
            after = rows[-1].name if rows else after


def list_id(asked: Asked) -> str:
    """What makes it the same list; the size of a page does not."""
    return json.dumps(["files", asked.prefix, asked.scope, asked.owner])


def weight_of(row: FileRow) -> int:
    """About how many bytes a file takes in an answer."""
    texts = [row.name, row.name, row.content_type, row.description or "", *row.tags]
    return 500 + sum(len(text.encode()) for text in texts)
