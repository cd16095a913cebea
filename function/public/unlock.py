"""Passwords of links and requests: tries are counted first, and who knows it is given a grant.

A grant is `<until>.<nonce>.<seal>`: an HMAC under the `seal` of the link's or request's row, which
is random, and another one whenever its password changes. Nothing is stored of it.
"""

import base64
import hashlib
import hmac
import re
from contextlib import suppress
from dataclasses import dataclass

from function.auth.passwords import Passwords
from function.aws.dynamodb import ConditionFailed
from function.aws.rows import Key, Rows
from function.base import Base
from function.core.errors import SlowDown, Unavailable
from function.core.tokens import network
from function.public.errors import PasswordRequired, WrongPassword
from function.tables.sessions import Attempts

GRANT_SECONDS = 3600
# One address may try a password twenty times in a quarter of an hour, and everybody together may
# try that of one link two hundred times; a good try is not counted. The counts end with the window.
WINDOW = 900
TRIES_OF_ADDRESS = 20
TRIES_OF_LINK = 200
# Who asks for links that are not there is guessing, and is told no alias any more for that minute;
# a token, which nobody can guess, is heard as ever.
MISSES_OF_ADDRESS = 100
MINUTE = 60
GRANT = re.compile(r"(\d{10})\.([0-9a-f]{32})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True)
class Locked:
    """What may have a password: `id` names it, `seal` is its own, `password` the hash if any."""

    id: str
    seal: str
    password: str | None


@dataclass(frozen=True)
class Pass:
    """A grant with its nonce; a `new` one has been counted for nothing."""

    grant: str
    nonce: str
    new: bool


class PasswordGate:
    """Gives grants, and knows them again."""

    def __init__(self, base: Base) -> None:
        self._attempts = Attempts(base.db)
        self._passwords = base.one(Passwords)
        self._runtime = base.runtime

    def unlock(self, locked: Locked, password: str | None, address: str) -> tuple[str, int]:
        """A grant, and until when it is good. Raises WrongPassword, SlowDown.

        What has no password gives one to everybody.
        """
        if locked.password is not None:
            self._check(locked, locked.password, password or "", network(address))
        return self.grant(locked)

    def grant(self, locked: Locked) -> tuple[str, int]:
        """A new grant, and until when it is good."""
        until = int(self._runtime.now()) + GRANT_SECONDS
        said = f"{until}.{self._runtime.new_id()}"
        return f"{said}.{_seal(locked, said)}", until

    def nonce(self, locked: Locked, grant: str | None) -> str | None:
        """What tells a grant from others, None where there is none and none is needed.

        Raises PasswordRequired for what is no grant, or no more, or another's.
        """
        match = GRANT.fullmatch(grant or "")
        if match and int(match[1]) > self._runtime.now():
            said = f"{match[1]}.{match[2]}"
            if hmac.compare_digest(match[3], _seal(locked, said)):
                return match[2]
        if locked.password is not None:
            raise PasswordRequired
        return None

    def admit(self, locked: Locked, grant: str | None) -> Pass:
        """The visitor's grant, or a new one where none is needed. Raises PasswordRequired."""
        nonce = self.nonce(locked, grant)
        if grant and nonce:
            return Pass(grant, nonce, new=False)
        made, _ = self.grant(locked)
        return Pass(made, str(nonce_in(made)), new=True)

    def missed(self, address: str) -> None:
        """Counts that somebody asked for what is not there. Raises SlowDown."""
        name, until = self._misses(address)
        with suppress(ConditionFailed, Unavailable):
            if not self._attempts.count({name: MISSES_OF_ADDRESS}, until, self._runtime.new_id()):
                raise SlowDown(int(until - self._runtime.now()) + 1)

    def look_up(self, key: Key, address: str) -> Rows:
        """Reads a row whose name can be guessed. Raises SlowDown for who has missed too often."""
        name, until = self._misses(address)
        rows, misses = self._attempts.beside(key, name)
        if misses >= MISSES_OF_ADDRESS:
            raise SlowDown(int(until - self._runtime.now()) + 1)
        return rows

    def _misses(self, address: str) -> tuple[str, int]:
        """What an address's misses are counted under in this minute, and when that ends."""
        minute = int(self._runtime.now()) // MINUTE
        return f"missed:{network(address)}:{minute}", (minute + 1) * MINUTE

    def _check(self, locked: Locked, hashed: str, password: str, address: str) -> None:
        window = int(self._runtime.now()) // WINDOW
        until = (window + 1) * WINDOW
        most = {
            f"unlock:{locked.id}:{address}:{window}": TRIES_OF_ADDRESS,
            f"unlock:{locked.id}:{window}": TRIES_OF_LINK,
        }
        if not self._counted(most, until):
            raise SlowDown(int(until - self._runtime.now()) + 1)
        if not self._passwords.matches(hashed, password):
            raise WrongPassword
        with suppress(ConditionFailed, Unavailable):
            self._attempts.forgive(list(most), self._runtime.new_id())

    def _counted(self, most: dict[str, int], until: int) -> bool:
        for _ in self._runtime.attempts():
            try:
                return self._attempts.count(most, until, self._runtime.new_id())
            except ConditionFailed:
                continue
        raise AssertionError


def nonce_in(grant: str | None) -> str | None:
    """What a grant says to be, before anybody has looked at its seal."""
    match = GRANT.fullmatch(grant or "")
    return match[2] if match else None


def _seal(locked: Locked, said: str) -> str:
    digest = hmac.digest(locked.seal.encode(), f"{locked.id}.{said}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
