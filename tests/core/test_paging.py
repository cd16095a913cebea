"""Pages of lists: each row is on one page, and a cursor belongs to one list of one account."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.core.errors import InvalidCursor
from function.core.paging import Page, PageQuery, Paging


def list_rows(rows: list[str], query: PageQuery, key: str = "id", name: str = "rows") -> Page[str]:
    """A page of sorted rows, as a service makes it."""
    paging = Paging(query, key, name)
    following = [row for row in rows if row > paging.after]
    items = following[: paging.limit]
    return paging.page(items, items[-1] if len(following) > len(items) else None)


@given(rows=st.sets(st.text("abc/é", min_size=1)), limit=st.integers(1, 5))
def test_the_pages_of_a_list_have_each_row_once(rows: set[str], limit: int) -> None:
    """In their order, no page is longer than the limit, and the last page has no cursor."""
    expected, found, cursor = sorted(rows), [], None
    for _ in range(len(rows) + 1):
        page = list_rows(expected, PageQuery(limit, cursor))
        assert len(page.items) <= limit
        found += page.items
        cursor = page.cursor
        if cursor is None:
            break
    assert (found, cursor) == (expected, None)


def test_a_position_has_one_string_or_more() -> None:
    """A cursor gives back the position with which it was made."""
    query = PageQuery(1)
    assert (Paging(query, "id", "a").position, Paging(query, "id", "a").after) == (None, "")
    for last, position in (("x", ["x"]), (("x", "y"), ["x", "y"])):
        page = Paging(query, "id", "a").page([1], last)
        paging = Paging(PageQuery(2, page.cursor), "id", "a")
        assert (paging.position, paging.after, paging.limit) == (position, "x", 2)


@pytest.mark.parametrize("last", [None, "", []])
def test_without_a_position_the_page_is_the_last(last: str | list[str] | None) -> None:
    """A list that has no row to go on from has ended."""
    page = Paging(PageQuery(10), "id", "a").page(iter("ab"), last)
    assert (page.items, page.cursor) == (["a", "b"], None)


@pytest.mark.parametrize(("key", "name"), [("other", "rows"), ("id", "others")])
def test_a_cursor_is_of_one_list_of_one_account(key: str, name: str) -> None:
    """Another account or another list refuses it."""
    cursor = list_rows(["a", "b"], PageQuery(1)).cursor
    assert cursor
    assert list_rows(["a", "b"], PageQuery(1, cursor)).items == ["b"]
    with pytest.raises(InvalidCursor):
        list_rows(["a", "b"], PageQuery(1, cursor), key, name)
