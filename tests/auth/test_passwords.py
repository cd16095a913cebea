"""Passwords: which are too weak, and equal work for known and unknown names."""

import unicodedata
from contextlib import suppress
from functools import partial
from types import SimpleNamespace
from typing import Any

import argon2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from zxcvbn import frequency_lists, matching

from function.auth.errors import WeakPassword
from function.auth.passwords import JUDGED_LENGTH, Passwords

SETTINGS = SimpleNamespace(hash_passes=1, hash_memory=8, password_min_length=8)
BASE: Any = SimpleNamespace(settings=SETTINGS)
passwords = Passwords(BASE)


@pytest.mark.parametrize(
    "password",
    ["", "short", "1234567", "password", "Password1!", "p@ssw0rd", "password12345678", "satchel1!",
     "SatchelSatchel", "12345678", "hgfedcba", "aaaaaaaa", "abababab", "alicealice", "Alice-2024!",
     "1234567890", "        ", "Passw0rd2024!", "Summer2026!", "qwertyuiop123", "iloveyou2",
     "4lice-1", "ecila-1", "liddell1865", "a.liddell1", "wonderland.example", "q8#vL0zt",
     "\uff30\uff21\uff33\uff33\uff37\uff2f\uff32\uff24", "a" * 1000 + "bc", "🐎🔋📎🐎🔋📎"],
)  # fmt: skip
def test_weak_passwords_are_refused_with_a_reason(password: str) -> None:
    """Short, common, counting or repeated ones, and the account's own names."""
    with pytest.raises(WeakPassword) as refused:
        passwords.require_strong(password, "alice", "a.liddell@wonderland.example")
    assert refused.value.detail.endswith(".")


@pytest.mark.parametrize(
    "password",
    ["correct horse battery staple", "🐎🔋📎🦄🌵🍄🎩🐇🫖", "alice likes trains", "пароль верный",
     "402918374650192384756102938475", "q8#vL0zt7", "x" * 30 + " seven quiet otters"],
)  # fmt: skip
def test_long_or_unusual_passwords_are_accepted(password: str) -> None:
    """No classes of characters are required."""
    passwords.require_strong(password, "alice", None)


def test_the_commonest_passwords_are_refused() -> None:
    """Whatever their characters, for links too; a digit or a sign at the end is no help."""
    listed = frequency_lists.FREQUENCY_LISTS["passwords"]
    common = [each for each in listed if len(each) >= 8][:3000]
    common += [each + end for each in common[:100] for end in "1!"]
    taken = list[str]()
    for password in common:
        with suppress(WeakPassword):
            passwords.require_uncommon(password)
            taken.append(password)
    assert taken == []
    for password in common[::10]:
        with pytest.raises(WeakPassword):
            passwords.require_strong(password, "alice")


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("password", "This is a top-10 common password. Add another word or two."),
        ("kjihgfedcba", "Sequences like"),
        ("q8#vL0zt", "Add another word or two."),
        ("alicealice", "Repeats like"),
        ("Alice-2024!", "Your names"),
        ("seven", "Choose at least 8 characters."),
    ],
)
def test_the_reason_fits_the_password(password: str, reason: str) -> None:
    """It says what to do next."""
    with pytest.raises(WeakPassword) as refused:
        passwords.require_strong(password, "alice@example")
    assert refused.value.detail.startswith(reason)


@pytest.mark.parametrize("name", ["bob", "ott", "quiet", "a@b", "x", "..."])
def test_a_name_in_a_long_password_is_no_harm(name: str) -> None:
    """What is beside the name is enough."""
    passwords.require_strong("seven quiet otters", name)


@pytest.mark.parametrize("password", ["letmein", "password", "12345678", "letmein123", "x" * 30])
def test_the_password_of_a_link_is_not_common(password: str) -> None:
    """It has 8 characters, but needs fewer guesses than an account's: they are counted."""
    with pytest.raises(WeakPassword):
        passwords.require_uncommon(password)
    passwords.require_uncommon("tea at 5 sharp")
    passwords.require_uncommon("q8#vL0zt")


def test_signs_that_stand_for_many_letters_are_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """zxcvbn would look each combination up, in seconds for a hundred crafted characters."""
    looked, look = list[str](), matching.dictionary_match

    def look_up(text: str, *lists: Any, **named: Any) -> Any:
        looked.append(text)
        return look(text, *lists, **named)

    monkeypatch.setattr(matching, "dictionary_match", look_up)
    with suppress(WeakPassword):
        passwords.require_strong("4@8({[</369&#!1/|0$5+7%2/" * 40, "alice")
    assert len(looked) < 100
    assert max(map(len, looked)) == JUDGED_LENGTH


@given(
    st.text(min_size=8, max_size=30) | st.text("İßŉ٣²aA1.-/@ ", min_size=8),
    st.text(max_size=8) | st.just("a.liddell@example.org"),
)
def test_any_text_is_accepted_or_weak(password: str, name: str) -> None:
    """No text raises another error than WeakPassword."""
    for judge in (passwords.require_uncommon, partial(passwords.require_strong, password)):
        with suppress(WeakPassword):
            judge(name)
        with suppress(WeakPassword):
            judge(password)


@pytest.mark.parametrize(
    "typed", ["pässwörter im herbst", "\uff53\uff45\uff56en ﬁsh", "Å ängström"]
)
def test_a_password_may_be_typed_in_any_normalization(typed: str) -> None:
    """A keyboard that composes letters, and one that does not, send the same password."""
    hashed = passwords.hash(typed)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert passwords.verify(hashed, unicodedata.normalize(form, typed))
    assert not passwords.verify(hashed, typed + ".")


def test_a_hash_of_the_text_as_typed_still_matches() -> None:
    """It was made by an earlier release, and is made again."""
    typed = unicodedata.normalize("NFD", "pässwörter im herbst")
    old = argon2.PasswordHasher(1, 8, parallelism=1).hash(typed)
    assert passwords.verify(old, typed)
    assert not passwords.verify(old, unicodedata.normalize("NFC", typed))
    assert passwords.needs_rehash(old, typed)
    assert not passwords.needs_rehash(passwords.hash(typed), typed)


class Counting(argon2.PasswordHasher):
    """Notes the cost of each hash that it is asked to compare with."""

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # noqa: A002
        text = hash if isinstance(hash, str) else hash.decode()
        self.__dict__.setdefault("costs", []).append(text.split("$")[3])
        return super().verify(hash, password)


def test_an_unknown_name_costs_the_same_hash() -> None:
    """It is verified against a hash with the same parameters, and never matches.

    A text that is not in NFKC is verified twice, for both.
    """
    hasher = Counting(1, 8, parallelism=1)
    checked = Passwords(BASE)
    checked._hasher = hasher
    hashed = checked.hash("correct horse")
    assert checked.verify(hashed, "correct horse")
    assert not checked.verify(hashed, "wrong horse")
    assert not checked.verify(None, "correct horse")
    for unknown in (hashed, None):
        assert not checked.verify(unknown, "ﬁsh")
    assert hasher.__dict__["costs"] == ["m=8,t=1,p=1"] * 7


def test_a_hash_with_other_parameters_needs_a_rehash() -> None:
    """Whether they are weaker or stronger."""
    weaker = argon2.PasswordHasher(1, 16, parallelism=1).hash("x")
    assert passwords.needs_rehash(weaker, "x")
    assert not passwords.needs_rehash(passwords.hash("x"), "x")
    assert not passwords.verify("no hash at all", "x")
