"""Passwords: which are too weak, and equal work for known and unknown names."""

from types import SimpleNamespace
from typing import Any

import argon2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.auth.errors import WeakPassword
from function.auth.passwords import Passwords

SETTINGS = SimpleNamespace(hash_passes=1, hash_memory=8, password_min_length=8)
BASE: Any = SimpleNamespace(settings=SETTINGS)
passwords = Passwords(BASE)


@pytest.mark.parametrize(
    "password",
    ["", "short", "1234567", "password", "Password1!", "p@ssw0rd", "password12345678", "satchel1!",
     "SatchelSatchel", "12345678", "hgfedcba", "aaaaaaaa", "abababab", "alicealice", "Alice-2024!",
     "1234567890", "        "],
)  # fmt: skip
def test_weak_passwords_are_refused_with_a_reason(password: str) -> None:
    """Short, common, counting or repeated ones, and the account's own name."""
    with pytest.raises(WeakPassword) as refused:
        passwords.require_strong(password, "alice")
    assert refused.value.detail


@pytest.mark.parametrize(
    "password",
    ["correct horse battery staple", "🐎🔋📎🐎🔋📎🦄🌵", "a" * 1000 + "bc", "alice likes trains",
     "пароль верный", "q8#vL0zt"],
)  # fmt: skip
def test_long_or_unusual_passwords_are_accepted(password: str) -> None:
    """No classes of characters are required."""
    passwords.require_strong(password, "alice")


def test_the_reason_fits_the_password() -> None:
    """A password of digits alone is not called based on the user name."""
    with pytest.raises(WeakPassword, match="Digits"):
        passwords.require_strong("8402918374650192", "alice")
    with pytest.raises(WeakPassword, match="user name"):
        passwords.require_strong("alice@example1", "alice@example")


@given(st.text(min_size=8, max_size=30))
def test_any_text_is_accepted_or_weak(password: str) -> None:
    """No text raises another error than WeakPassword."""
    try:
        passwords.require_strong(password, "alice@example.org")
    except WeakPassword:
        return


class Counting(argon2.PasswordHasher):
    """Notes the cost of each hash that it is asked to compare with."""

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # noqa: A002
        text = hash if isinstance(hash, str) else hash.decode()
        self.__dict__.setdefault("costs", []).append(text.split("$")[3])
        return super().verify(hash, password)


def test_an_unknown_name_costs_the_same_hash() -> None:
    """It is verified against a hash with the same parameters, and never matches."""
    hasher = Counting(1, 8, parallelism=1)
    checked = Passwords(BASE)
    checked._hasher = hasher
    hashed = checked.hash("correct horse")
    assert checked.verify(hashed, "correct horse")
    assert not checked.verify(hashed, "wrong horse")
    assert not checked.verify(None, "correct horse")
    assert hasher.__dict__["costs"] == ["m=8,t=1,p=1"] * 3


def test_a_hash_with_other_parameters_needs_a_rehash() -> None:
    """Whether they are weaker or stronger."""
    weaker = argon2.PasswordHasher(1, 16, parallelism=1).hash("x")
    assert passwords.needs_rehash(weaker)
    assert not passwords.needs_rehash(passwords.hash("x"))
    assert not passwords.verify("no hash at all", "x")
