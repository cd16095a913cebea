"""Comparison of entity tags (RFC 9110, section 8.8.3.2)."""

import pytest

from function.files.conditions import lists_tag


@pytest.mark.parametrize(
    ("field", "matches"),
    [('"a"', True), ("a", True), ('"b", W/"c", "a"', True), ('"b", "a"', True), ("*", True),
     ('"b"', False), ('"ab"', False), ("", False), ('W/"a"', False), ("W/a", False)],
)  # fmt: skip
def test_strong_comparison_matches_no_weak_tag(field: str, matches: bool) -> None:
    """A tag matches with or without quotes, alone or in a list."""
    assert lists_tag(field, "a", "c", weak=False) is matches


@pytest.mark.parametrize("field", ['"a"', 'W/"a"', "W/a", '"b", W/"a"', "*"])
def test_weak_comparison_takes_a_weak_tag_for_the_strong_one(field: str) -> None:
    """Another tag does not match, weak or not."""
    assert lists_tag(field, "a", "c", weak=True)
    assert not lists_tag('W/"b"', "a", "c", weak=True)
