"""Cursors are sealed: for one account, one list, one position."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.core.cursors import decode_cursor, encode_cursor
from function.core.errors import InvalidCursor
from tests.support.strategies import file_names

ID = "0123456789abcdef0123456789abcdef"


@given(st.lists(file_names(), min_size=1, max_size=2))
def test_a_cursor_gives_its_position_back(position: list[str]) -> None:
    """What was sealed is unsealed, whatever the names."""
    assert decode_cursor(encode_cursor(position, ID, "files"), ID, "files") == position


@given(st.lists(file_names(), min_size=1, max_size=2), st.data())
def test_no_other_text_is_a_cursor(position: list[str], data: st.DataObject) -> None:
    """A cursor with any character changed, added or missing is refused."""
    cursor = encode_cursor(position, ID, "files")
    at = data.draw(st.integers(0, len(cursor) - 1))
    letter = data.draw(st.sampled_from("AQgw0_-9zé=+ \n").filter(lambda c: c != cursor[at]))
    forged = data.draw(
        st.sampled_from(
            [
                cursor[:at] + letter + cursor[at + 1 :],
                cursor[:at] + cursor[at + 1 :],
                cursor[:at] + letter + cursor[at:],
            ]
        )
    )
    if forged != cursor:
        with pytest.raises(InvalidCursor):
            decode_cursor(forged, ID, "files")


@pytest.mark.parametrize(("account", "of"), [("f" * 32, "files"), (ID, "others")])
def test_a_cursor_is_good_for_one_account_and_list(account: str, of: str) -> None:
    """Another's cursor, or another list's, is refused."""
    with pytest.raises(InvalidCursor):
        decode_cursor(encode_cursor(["a"], ID, "files"), account, of)


def test_the_longest_position_fits_a_request() -> None:
    """Names of 900 bytes, however they would be escaped, stay below the gateway's header limit."""
    for letter in ("é", '"', "日"):
        longest = letter * (900 // len(letter.encode()))
        assert len(encode_cursor(["a" * 64 + "/" + longest, longest], ID, "files")) < 4000
