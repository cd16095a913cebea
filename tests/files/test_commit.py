"""Names for namesakes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from function.core.fields import FileName
from function.core.names import numbered
from tests.support.strategies import file_names


@given(file_names(), st.integers(1, 999))
def test_a_numbered_name_is_another_name_in_the_same_folder(name: str, number: int) -> None:
    """It is a name, differs, carries the number, and stands beside its namesake."""
    other = numbered(name, number)
    assert TypeAdapter(FileName).validate_python(other) == other != name
    assert other.rpartition("/")[0] == name.rpartition("/")[0]
    assert f" ({number})" in other
    assert other != numbered(name, number + 1)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("b.txt", "b (2).txt"),
        ("a.d/b", "a.d/b (2)"),
        ("a/.bashrc", "a/.bashrc (2)"),
        ("a.tar.gz", "a.tar (2).gz"),
        ("a." + "x" * 30, "a." + "x" * 30 + " (2)"),
        ("s" * 251 + ".txt", "s" * 247 + " (2).txt"),
        ("é" * 127, "é" * 125 + " (2)"),
    ],
)
def test_the_number_stands_before_the_extension(name: str, other: str) -> None:
    """And the stem gives way where the name would be too long, by whole characters."""
    assert numbered(name, 2) == other
