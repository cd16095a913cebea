"""Types of fields: user names, passwords, Base64, media types, numbers; names are in test_names."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from function.core.fields import (
    ContentType,
    Email,
    Password,
    Seconds,
    Username,
    canonical_base64,
)


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
    ("value", "good"),
    [("a/b", True), ('a/b; name="c, d"', True), ("a", False), ("a/b, c/d", False), (1, False),
     ("a/b; c=d; c=e", False), ("a/\ud800", False), ("a/b" + "c" * 200, False)],
)  # fmt: skip
def test_a_content_type_is_one_media_type(value: Any, good: bool) -> None:
    """`core.media_types` knows the grammar."""
    assert accepts(ContentType, value) is good


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
