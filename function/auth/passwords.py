"""Passwords: which are too weak, and how they are stored (Argon2id, RFC 9106).

The rules follow NIST SP 800-63B, section 3.1.1: a minimum length, no common choice and nothing that
the account's names give away, but no classes of characters. zxcvbn estimates the guesses that a
password takes. A password is judged, hashed and verified in NFKC, because keyboards and systems
write the same characters as different code points.
"""

import re
import unicodedata
from collections.abc import Iterable

import argon2

from function.auth.errors import WeakPassword
from function.base import Base

# Scores of zxcvbn: from 10**8 guesses, and from 10**6, for what is only guessed here, where tries
# are counted.
STRONG, UNCOMMON = 3, 2
SHARED_MIN_LENGTH = 8
JUDGED_LENGTH = 100  # zxcvbn takes time with the square of the length
SHORTEST_NAME = 3
PRODUCT = "satchel"
NAMES_ALONE = "Your names and the name of this service are guessed first. Add a few other words."
# zxcvbn tries all combinations of the letters that signs may stand for. Crafted text would take
# seconds, so in text with more than one of these each is judged as another for the same letter.
SIGNS = str.maketrans("@[{<!|$+", "4(((1157")


class Passwords:
    """Judges, hashes and verifies passwords."""

    def __init__(self, base: Base) -> None:
        self._hasher = argon2.PasswordHasher(
            base.settings.hash_passes, base.settings.hash_memory, parallelism=1
        )
        self._min_length = base.settings.password_min_length
        # The hash of no password, with the parameters of the others: 16 and 32 zero bytes.
        costs = f"m={self._hasher.memory_cost},t={self._hasher.time_cost},p=1"
        self._dummy_hash = f"$argon2id$v=19${costs}${'A' * 22}${'A' * 43}"

    def require_strong(self, password: str, *names: str | None) -> None:
        """Raises WeakPassword with the reason if an account's password is too easy to guess.

        `names` are the account's: its user name and its mail address.
        """
        text = normal(password)
        _require_length(text, self._min_length)
        _require_score(text, STRONG, filter(None, names))

    def require_uncommon(self, password: str) -> None:
        """Raises WeakPassword if the password of a link or file request is short or common."""
        text = normal(password)
        _require_length(text, SHARED_MIN_LENGTH)
        _require_score(text, UNCOMMON)

    def hash(self, password: str) -> str:
        """The password's hash in the PHC string format, with its parameters and a new salt."""
        return self._hasher.hash(normal(password))

    def hash_shared(self, password: str | None) -> str | None:
        """The hash of the password of a link or file request; None where there is none.

        Raises WeakPassword.
        """
        if password is None:
            return None
        self.require_uncommon(password)
        return self.hash(password)

    def verify(self, hashed: str | None, password: str) -> bool:
        """Whether the hash is that of the password. None takes as long, and is false.

        The hash of an earlier release may be that of the password as it was typed.
        """
        forms = dict.fromkeys((normal(password), password))
        return any(self._matches(hashed or self._dummy_hash, each) for each in forms) and bool(
            hashed
        )

    def needs_rehash(self, hashed: str, password: str) -> bool:
        """Whether the hash, which is that of the password, differs in kind from one by `hash`."""
        text = normal(password)
        if self._hasher.check_needs_rehash(hashed):
            return True
        return text != password and not self._matches(hashed, text)

    def _matches(self, hashed: str, text: str) -> bool:
        try:
            return self._hasher.verify(hashed, text)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False


def normal(password: str) -> str:
    """The form of a password that is judged and hashed."""
    return unicodedata.normalize("NFKC", password)


def _require_length(text: str, least: int) -> None:
    if len(text) < least:
        raise WeakPassword(f"Choose at least {least} characters.")


def _require_score(text: str, least: int, names: Iterable[str] = ()) -> None:
    """Raises WeakPassword with zxcvbn's sentences where its score is less than `least`.

    The rest of a password beside the names counts alone: with them it would be worth too much.
    """
    from zxcvbn import zxcvbn  # noqa: PLC0415 - only a new password needs its lists of words

    text = text[:JUDGED_LENGTH]
    signs = SIGNS if len(SIGNS.keys() & map(ord, text)) > 1 else {}
    text = text.translate(signs)
    known = [each.translate(signs) for each in _words([*names, PRODUCT])]
    rest = re.sub("|".join(map(re.escape, known)), "", text, flags=re.IGNORECASE)
    judged = zxcvbn(text, known, JUDGED_LENGTH)
    if judged["score"] < least:
        feedback = judged["feedback"]
        reasons = [feedback["warning"], *feedback["suggestions"][:1]]
        raise WeakPassword(" ".join(filter(None, reasons)))
    if rest != text and (not rest or zxcvbn(rest, known, JUDGED_LENGTH)["score"] < least):
        raise WeakPassword(NAMES_ALONE)


def _words(names: Iterable[str]) -> list[str]:
    """The names and the words in them, the longest first; short ones are in any password."""
    found = {word for name in names for word in (name, *re.split(r"[\W_]+", name))}
    return sorted((each for each in found if len(each) >= SHORTEST_NAME), key=len, reverse=True)
