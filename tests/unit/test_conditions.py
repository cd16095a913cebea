"""What a condition names."""

import pytest

from function.services.conditions import names


@pytest.mark.parametrize(
    ("header", "named"),
    [('"a"', True), ("a", True), ('W/"a"', True), ('"b", "a"', True), ("*", True), ('"b"', False),
     ('"ab"', False), ("", False)],
)  # fmt: skip
def test_a_list_of_etags_names_one(header: str, named: bool) -> None:
    """Quoted or not, weak or strong, alone or in a list."""
    assert names(header, "a", "c") is named
