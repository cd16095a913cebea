"""Passwords: which are too weak, and how they are stored (Argon2id, RFC 9106).

The rules follow NIST SP 800-63B, section 3.1.1: a minimum length and a list of common choices, but
no classes of characters. The list holds roots, because digits and signs around a root do not make
it stronger.
"""

from itertools import pairwise

import argon2

from function.auth.errors import WeakPassword
from function.base import Base

COMMON = frozenset(
    """
    1q2w3e4r5t 1qaz2wsx abcdefgh abcd abc access admin administrator adobe asdf asdfgh asdfghjkl
    asdfjkl baseball batman bailey changeme charlie computer cookie corvette daniel default dragon
    facebook flower football freedom fuckyou google guest harley hello hockey hunter iloveyou
    internet jennifer jessica jordan killer letmein linkedin login lovely loveme master matrix
    michael michelle monkey mustang mypass nicole ninja nothing pass passphrase passwort password
    passwd passw photoshop pokemon princess private purple qazwsx qazwsxedc qwer qwert qwerty
    qwertyui qwertyuiop qweasd qweasdzxc ranger root samantha satchel satchelsatchel secret secure
    security server shadow solo soccer starwars summer sunshine superman system temp temporary test
    tester testing thomas thunder tigger trustno trustnoone user welcome whatever winter spring
    autumn zxcv zxcvb zxcvbn zxcvbnm zaq1zaq1 zaq12wsx
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
LEET = str.maketrans("@4301$5!7", "aaeolssit")
FRINGE = "0123456789 !@#$%^&*()-_=+.,;:?/'\"~`|<>[]{}\\"


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

    def require_strong(self, password: str, username: str) -> None:
        """Raises WeakPassword with the reason if the password is too easy to guess."""
        if len(password) < self._min_length:
            raise WeakPassword(f"Choose at least {self._min_length} characters.")
        plain = password.lower()
        root = plain.strip(FRINGE)
        roots = {plain, root, root.translate(LEET)}
        if roots & COMMON or len(set(plain)) <= 2 or _is_run(plain):  # noqa: PLR2004 - "abababab"
            raise WeakPassword("That is one of the first passwords to be guessed. Choose another.")
        if not root:
            raise WeakPassword("Digits and signs alone are soon guessed. Add a few words.")
        names = {username, username.partition("@")[0]}
        if any(not plain.replace(name, "").strip(FRINGE) for name in names):
            raise WeakPassword("Choose a password that is not based on your user name.")

    def hash(self, password: str) -> str:
        """The password's hash in the PHC string format, with its parameters and a new salt."""
        return self._hasher.hash(password)

    def verify(self, hashed: str | None, password: str) -> bool:
        """Whether the hash is that of the password. None takes as long, and is false."""
        try:
            return self._hasher.verify(hashed or self._dummy_hash, password) and bool(hashed)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False

    def needs_rehash(self, hashed: str) -> bool:
        """Whether the hash was made with other parameters than the present ones."""
        return self._hasher.check_needs_rehash(hashed)


def _is_run(text: str) -> bool:
    """Whether the characters only count up or down: `12345678`, `hgfedcba`."""
    steps = {ord(b) - ord(a) for a, b in pairwise(text)}
    return steps in ({1}, {-1})
