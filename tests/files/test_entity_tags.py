"""What a condition names."""

import pytest

from function.files.conditions import names


@pytest.mark.parametrize(
    ("header", "named"),
    [('"a"', True), ("a", True), ('"b", W/"c", "a"', True), ('"b", "a"', True), ("*", True),
     ('"b"', False), ('"ab"', False), ("", False), ('W/"a"', False), ("W/a", False)],
)  # fmt: skip
def test_a_list_of_etags_names_one(header: str, named: bool) -> None:
    """Quoted or not, alone or in a list; a weak one names nothing."""
    assert names(header, "a", "c") is named


@pytest.mark.parametrize("header", ['"a"', 'W/"a"', "W/a", '"b", W/"a"', "*"])
def test_weakly_a_weak_tag_is_as_good_as_its_strong_one(header: str) -> None:
    """For whom something that is as good is enough."""
    assert names(header, "a", "c", weakly=True)
    assert not names('W/"b"', "a", "c", weakly=True)
