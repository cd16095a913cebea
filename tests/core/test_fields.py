"""Types of fields: user names, passwords, Base64, media types, numbers; names are in test_names."""

import base64
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from function.core.fields import Email, Password, Seconds, Username, canonical_base64, is_media_type


def accepts(kind: Any, value: Any) -> bool:
    """Whether a type of field accepts a value; any error but ValidationError is raised."""
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("name", ["Alice", "ALICE", "aLiCe"])
def test_user_names_are_folded(name: str) -> None:
    """`Alice` and `alice` are the same account."""
    assert TypeAdapter(Username).validate_python(name) == "alice"


@pytest.mark.parametrize(
    "name",
    ["", "ab", "a" * 65, "a" * 3000, "a/b", "a b", "alice\n", "\u212aelvin", "\u017fam", "älice",
     "user:bob", "al\0ice", "ali\ud800ce", 123, None, ["alice"]],
)  # fmt: skip
def test_other_user_names_are_refused(name: Any) -> None:
    """Other characters are refused, also those whose lower case is an allowed letter."""
    assert not accepts(Username, name)


@given(st.binary(max_size=60))
def test_base64_is_decoded(data: bytes) -> None:
    """The bytes are those that the client encoded."""
    assert canonical_base64(base64.b64encode(data).decode()) == data


@given(st.text("ABYZabyz0189+/=-_ \né", max_size=12))
def test_only_canonical_base64_is_decoded(text: str) -> None:
    """Accepted text is the encoding of its bytes, so no character was ignored."""
    try:
        data = canonical_base64(text)
    except ValueError:
        return
    assert base64.b64encode(data).decode() == text


@pytest.mark.parametrize(
    "text", ["!!!!", "abc", "é", "YQ", "YR==", "YQ=", "YQ==\n", " YQ==", "Y-_=", "====", 7, None]
)
def test_lenient_base64_is_refused(text: Any) -> None:
    """Text that Python's decoder would accept in part is refused."""
    with pytest.raises(ValueError):
        canonical_base64(text)


@pytest.mark.parametrize(
    "text", ["a/b", "text/html; charset=utf-8", 'x/y;a="b c";d=e', "a/b ; c=d"]
)
def test_media_types_are_accepted(text: str) -> None:
    """With and without parameters."""
    assert is_media_type(text)


@pytest.mark.parametrize("text", ["", "a", "a/", "a/b;", "a/b\r\nx: y", "a/é", "a/b; c", "a/" * 99])
def test_other_media_types_are_refused(text: str) -> None:
    """A type that could break a header is not stored."""
    assert not is_media_type(text)


@pytest.mark.parametrize(
    "text", ["a/b" + ";a=b " * 39 + "\x7f", "a/b;" + "a= b ; " * 27 + "é", "a/b;a=" + " " * 190]
)
def test_no_media_type_takes_long_to_refuse(text: str) -> None:
    """The regular expression does not backtrack exponentially."""
    started = time.perf_counter()
    assert not is_media_type(text)
    assert time.perf_counter() - started < 0.1


@pytest.mark.parametrize(
    ("value", "good"),
    [(1, True), (315_360_000, True), (0, False), (-1, False), (10**12, False), (1.5, False),
     (60.0, False), (True, False), ("60", False), ("tomorrow", False), (10**30, False)],
)  # fmt: skip
def test_seconds_are_whole_and_bounded(value: Any, good: bool) -> None:
    """A time to live is a whole number of seconds, at least one and at most ten years."""
    assert accepts(Seconds, value) is good


@pytest.mark.parametrize(
    ("value", "good"),
    [("a" * 1024, True), ("a" * 1025, False), ("\ud800" + "a" * 20, False), ("🐎" * 1024, True)],
)
def test_a_password_is_text_of_bounded_length(value: str, good: bool) -> None:
    """The length is in code points; a lone surrogate is refused, as it cannot be hashed."""
    assert accepts(Password, value) is good


def test_an_address_holds_no_line_break() -> None:
    """Otherwise it could add header fields to a mail."""
    assert accepts(Email, "alice@example.org")
    assert not any(accepts(Email, bad) for bad in ("a@b\nc", "a", "@b", "a@", "a@b@c", "\ud800@b"))
