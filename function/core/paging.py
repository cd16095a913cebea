"""Pages of lists: where a page begins, how long it may be, and the cursor of the next page.

A route passes its query parameters to a service, and the service returns a page:

    paging = Paging(PageQuery(limit, cursor), account.id, "links")
    rows, last = self._links.list_links(account.username, after=paging.after, limit=paging.limit)
    return paging.page([link_view(row) for row in rows], last)
"""

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from function.core.cursors import decode_cursor, encode_cursor

Element = TypeVar("Element")


class PageQuery:
    """The query of one page: at most `limit` items, from `cursor` on; None begins the list."""

    def __init__(self, limit: int, cursor: str | None = None) -> None:
        self.limit = limit
        self.cursor = cursor


class Page(Generic[Element]):
    """Items of a list, and the cursor of the next page; None on the last page."""

    def __init__(self, items: Iterable[Element], cursor: str | None) -> None:
        self.items = list(items)
        self.cursor = cursor


class Paging:
    """Reads the cursor of a query and signs the cursor of the next page, for one list.

    A position is one or more strings that identify a row of the list, such as its key.
    """

    def __init__(self, query: PageQuery, key: str, list_name: str) -> None:
        """`key` signs the cursors and `list_name` names the list and its filters (`core.cursors`).

        Raises InvalidCursor.
        """
        self.limit = query.limit
        self.position = decode_cursor(query.cursor, key, list_name)
        self._key = key
        self._list_name = list_name

    @property
    def after(self) -> str:
        """The position after which the page begins, where it is one string; "" at the beginning."""
        return self.position[0] if self.position else ""

    def page(self, items: Iterable[Element], last: str | Sequence[str] | None) -> Page[Element]:
        """A page; `last` is the position of the last row that was read, or empty if none follow."""
        if not last:
            return Page(items, None)
        position = [last] if isinstance(last, str) else list(last)
        return Page(items, encode_cursor(position, self._key, self._list_name))
