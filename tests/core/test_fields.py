"""The rules of fields: names, user names, passwords as fields, Base64, media types."""

import base64
import time
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from function.core.fields import (
    Email,
    FileName,
    FileOrFolder,
    Password,
    Prefix,
    Seconds,
    Username,
    canonical_base64,
    is_media_type,
)
from function.core.names import DECEPTIVE, NAME_BYTES, SEGMENT_BYTES
from tests.support.strategies import file_names


def accepts(kind: Any, value: Any) -> bool:
    """Whether a field of that kind takes the value; nothing but a validation error refuses it."""
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


@given(st.text(max_size=40))
def test_a_name_is_normal_once_accepted(name: str) -> None:
    """Any text is refused, or becomes a name that is in NFC, safe, and accepted as it is."""
    if not accepts(FileOrFolder, name):
        return
    normal = TypeAdapter(FileOrFolder).validate_python(name)
    assert TypeAdapter(FileOrFolder).validate_python(normal) == normal
    assert unicodedata.is_normalized("NFC", normal)
    assert not set(normal) & (DECEPTIVE | {"\\", "\0", "\n", "\r", "\x7f", "\x85"})
    assert len(normal.encode()) <= NAME_BYTES
    assert not {"", ".", ".."} & set(normal.removesuffix("/").split("/"))


@given(file_names())
def test_made_names_are_accepted(name: str) -> None:
    """What the other properties call a name is one; else they would pass without a case."""
    assert accepts(FileName, name)


@pytest.mark.parametrize(
    "name",
    [
        "", "/", "/x", "x//y", ".", "..", "../x", "a/../b", "a/.", "./a", "a\\b", "a\0b", "a\rb",
        "a\nb", "a\tb", "\x7f", "\x85", "a\u202eb", "a\u2066b", "a\u2028b", "\ud800",
        "s" * 256, "é" * 128, "/".join(["s" * 180] * 5), "é/" * 300 + "x",
    ],
)  # fmt: skip
def test_bad_names_are_refused(name: str) -> None:
    """What could leave its folder, break a header or deceive a reader is no name."""
    assert not accepts(FileName, name)
    assert not accepts(FileOrFolder, name)


@pytest.mark.parametrize(
    "name",
    ["a", "...", ".bashrc", "a b", " a", "a.", "résumé (final) #1?.pdf", "a,b;c=d&e", "%2e%2e",
     '"', "s" * 255, "é" * 127, "/".join(["s" * 179] * 5), "日本語/ファイル"],
)  # fmt: skip
def test_plain_names_are_accepted(name: str) -> None:
    """What people call their files is a name, up to the last byte."""
    assert accepts(FileName, name)
    assert accepts(FileOrFolder, name + "/") == (len(name.encode()) < NAME_BYTES)
    assert not accepts(FileName, name + "/")


def test_the_limits_count_bytes_of_the_normal_form() -> None:
    """Decomposed letters are measured as they will be stored."""
    assert accepts(FileName, "e\u0301" * 127)
    assert len(("e\u0301" * 127).encode()) > SEGMENT_BYTES


def test_a_prefix_is_a_beginning_of_names() -> None:
    """It may end anywhere, and be empty, but holds nothing that no name holds."""
    assert all(accepts(Prefix, prefix) for prefix in ("", "a/", "a/b", "p" * 900))
    assert not any(accepts(Prefix, prefix) for prefix in ("a\\", "\0", "p" * 901, "\ud800"))


@pytest.mark.parametrize("name", ["Alice", "ALICE", "aLiCe"])
def test_user_names_are_folded(name: str) -> None:
    """`Alice` and `alice` are one account."""
    assert TypeAdapter(Username).validate_python(name) == "alice"


@pytest.mark.parametrize(
    "name",
    ["", "ab", "a" * 65, "a" * 3000, "a/b", "a b", "alice\n", "\u212aelvin", "\u017fam", "älice",
     "user:bob", "al\0ice", "ali\ud800ce", 123, None, ["alice"]],
)  # fmt: skip
def test_other_user_names_are_refused(name: Any) -> None:
    """Nothing but the small alphabet, and no other letter becomes one of it."""
    assert not accepts(Username, name)


@given(st.binary(max_size=60))
def test_base64_gives_the_bytes_back(data: bytes) -> None:
    """What a client encodes is what is stored."""
    assert canonical_base64(base64.b64encode(data).decode()) == data


@given(st.text("ABYZabyz0189+/=-_ \né", max_size=12))
def test_only_canonical_base64_is_decoded(text: str) -> None:
    """A text that is accepted is the one that its bytes encode to: nothing was dropped."""
    try:
        data = canonical_base64(text)
    except ValueError:
        return
    assert base64.b64encode(data).decode() == text


@pytest.mark.parametrize(
    "text", ["!!!!", "abc", "é", "YQ", "YR==", "YQ=", "YQ==\n", " YQ==", "Y-_=", "====", 7, None]
)
def test_lenient_base64_is_refused(text: Any) -> None:
    """What Python's decoder would let pass, losing bytes, is no Base64 here."""
    with pytest.raises(ValueError):
        canonical_base64(text)


@pytest.mark.parametrize(
    "text", ["a/b", "text/html; charset=utf-8", 'x/y;a="b c";d=e', "a/b ; c=d"]
)
def test_media_types_are_known(text: str) -> None:
    """What may be said of a file's type is kept as it is."""
    assert is_media_type(text)


@pytest.mark.parametrize("text", ["", "a", "a/", "a/b;", "a/b\r\nx: y", "a/é", "a/b; c", "a/" * 99])
def test_other_media_types_are_not(text: str) -> None:
    """A value that could break a header is not given back."""
    assert not is_media_type(text)


@pytest.mark.parametrize(
    "text", ["a/b" + ";a=b " * 39 + "\x7f", "a/b;" + "a= b ; " * 27 + "é", "a/b;a=" + " " * 190]
)
def test_no_media_type_takes_long_to_refuse(text: str) -> None:
    """A header of two hundred characters cannot keep a machine busy."""
    started = time.perf_counter()
    assert not is_media_type(text)
    assert time.perf_counter() - started < 0.1


@pytest.mark.parametrize(
    ("value", "good"),
    [(1, True), (315_360_000, True), (0, False), (-1, False), (10**12, False), (1.5, False),
     (60.0, False), (True, False), ("60", False), ("tomorrow", False), (10**30, False)],
)  # fmt: skip
def test_seconds_are_whole_and_bounded(value: Any, good: bool) -> None:
    """A time to live is a whole number of seconds, from one to ten years."""
    assert accepts(Seconds, value) is good


@pytest.mark.parametrize(
    ("value", "good"),
    [("a" * 1024, True), ("a" * 1025, False), ("\ud800" + "a" * 20, False), ("🐎" * 1024, True)],
)
def test_a_password_is_text_of_bounded_length(value: str, good: bool) -> None:
    """The length counts code points; what UTF-8 cannot carry cannot be hashed."""
    assert accepts(Password, value) is good


def test_an_address_holds_no_line_break() -> None:
    """An e-mail address cannot write a header."""
    assert accepts(Email, "alice@example.org")
    assert not any(accepts(Email, bad) for bad in ("a@b\nc", "a", "@b", "a@", "a@b@c", "\ud800@b"))
