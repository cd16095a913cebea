"""File and folder names: which are accepted, in which form, and how they are numbered and cut."""

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from function.core.fields import FileName, FileOrFolder, Prefix
from function.core.names import (
    DECEPTIVE,
    NAME_BYTES,
    SEGMENT_BYTES,
    SUFFIX_BYTES,
    folders_of,
    numbered,
    without_deep_folders,
)
from tests.support.strategies import file_names


def accepts(kind: Any, value: Any) -> bool:
    """Whether a type of field accepts a value; any error but ValidationError is raised."""
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


@given(st.text(max_size=40))
def test_an_accepted_name_is_normal(name: str) -> None:
    """Any text is refused or becomes a name in NFC that is safe and accepted unchanged."""
    if not accepts(FileOrFolder, name):
        return
    normal = TypeAdapter(FileOrFolder).validate_python(name)
    assert TypeAdapter(FileOrFolder).validate_python(normal) == normal
    assert unicodedata.is_normalized("NFC", normal)
    assert not set(normal) & (DECEPTIVE | {"\\", "\0", "\n", "\r", "\x7f", "\x85"})
    assert len(normal.encode()) <= NAME_BYTES
    assert not {"", ".", ".."} & set(normal.removesuffix("/").split("/"))


@given(file_names())
def test_generated_names_are_accepted(name: str) -> None:
    """Otherwise the other properties would hold without an example."""
    assert accepts(FileName, name)


@pytest.mark.parametrize(
    "name",
    [
        "", "/", "/x", "x//y", ".", "..", "../x", "a/../b", "a/.", "./a", "a\\b", "a\0b", "a\rb",
        "a\nb", "a\tb", "\x7f", "\x85", "a\u202eb", "a\u2066b", "a\u2028b", "\ud800",
        "s" * 256, "é" * 128, "/".join(["s" * 180] * 5), "é/" * 300 + "x",
    ],
)  # fmt: skip
def test_unsafe_names_are_refused(name: str) -> None:
    """A name cannot leave its folder, break a header, deceive a reader or be too long."""
    assert not accepts(FileName, name)
    assert not accepts(FileOrFolder, name)


@pytest.mark.parametrize(
    "name",
    ["a", "...", ".bashrc", "a b", " a", "a.", "résumé (final) #1?.pdf", "a,b;c=d&e", "%2e%2e",
     '"', "s" * 255, "é" * 127, "/".join(["s" * 179] * 5), "日本語/ファイル"],
)  # fmt: skip
def test_other_names_are_accepted(name: str) -> None:
    """Names may have any other character, and use the last byte; a folder's ends with a slash."""
    assert accepts(FileName, name)
    assert accepts(FileOrFolder, name + "/") == (len(name.encode()) < NAME_BYTES)
    assert not accepts(FileName, name + "/")


def test_the_limits_count_bytes_of_the_normal_form() -> None:
    """Decomposed letters are measured as they are stored."""
    assert accepts(FileName, "e\u0301" * 127)
    assert len(("e\u0301" * 127).encode()) > SEGMENT_BYTES


def test_a_prefix_is_the_beginning_of_a_name() -> None:
    """It may end anywhere and be empty, and has no character that a name cannot have."""
    assert all(accepts(Prefix, prefix) for prefix in ("", "a/", "a/b", "p" * 900))
    assert not any(accepts(Prefix, prefix) for prefix in ("a\\", "\0", "p" * 901, "\ud800"))


@given(file_names(), st.integers(1, 999))
def test_a_numbered_name_is_another_name_in_the_same_folder(name: str, number: int) -> None:
    """It is accepted, contains the number, and differs for each number."""
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
def test_the_number_is_before_the_extension(name: str, other: str) -> None:
    """A name that would be too long loses whole characters before the number."""
    assert numbered(name, 2) == other


@given(file_names())
def test_the_folders_of_a_name_begin_it(name: str) -> None:
    """Each is a folder, and the next one is one segment longer."""
    folders = folders_of(name)
    assert len(folders) == name.count("/")
    for depth, folder in enumerate(folders, 1):
        assert name.startswith(folder)
        assert folder.endswith("/")
        assert folder.count("/") == depth


@given(st.lists(st.sampled_from(["s" * 200, "é" * 100, "f"]), min_size=1, max_size=9))
def test_without_deep_folders_a_numbered_name_is_accepted(segments: list[str]) -> None:
    """The name keeps its last segment and its outermost folders."""
    name = "/".join(segments)
    short = without_deep_folders(name)
    folder, _, last = short.rpartition("/")
    assert last == segments[-1]
    assert len(folder.encode()) < NAME_BYTES - SUFFIX_BYTES
    assert segments[: folder.count("/") + bool(folder)] == folder.split("/") * bool(folder)
    assert accepts(FileName, numbered(short, 999))
