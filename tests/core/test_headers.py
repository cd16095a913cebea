"""Byte ranges against a naive reading of RFC 9110."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.core.errors import RangeNotSatisfiable
from function.core.headers import span_of

small = st.integers(0, 12)


def naive(first: int | None, last: int | None, size: int) -> list[int]:
    """The bytes that a range names, found by looking at each."""
    if first is None:
        return list(range(size))[-last:] if last else []
    return [at for at in range(size) if at >= first and (last is None or at <= last)]


@given(st.none() | small, st.none() | small, small)
def test_a_range_names_the_bytes_that_it_says(
    first: int | None, last: int | None, size: int
) -> None:
    """A range is those bytes, or the whole when it makes no sense, or refused when it has none."""
    words = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    senseless = (first is None and last is None) or (
        first is not None and last is not None and last < first
    )
    try:
        span = span_of(words, size)
    except RangeNotSatisfiable:
        assert not naive(first, last, size)
        assert not senseless or (first or 0) >= size
        return
    if span is None:
        assert senseless
    else:
        assert list(range(span[0], span[1] + 1)) == naive(first, last, size) != []


@given(st.text(max_size=30) | st.from_regex(r"bytes ?= ?[0-9, -]{0,12}", fullmatch=True), small)
def test_any_text_is_a_range_or_ignored(words: str, size: int) -> None:
    """Nothing in the header is a fault of ours, and no range leaves the file."""
    try:
        span = span_of(words, size)
    except RangeNotSatisfiable:
        return
    assert span is None or 0 <= span[0] <= span[1] < size


@pytest.mark.parametrize("words", ["bytes=0-1,3-4", "bytes=-", "chars=0-1", "0-1", "bytes=٣-٤"])
def test_what_cannot_be_served_is_ignored(words: str) -> None:
    """Several ranges, other units and other digits give the whole file."""
    assert span_of(words, 10) is None
