"""The passwords of links and file requests: tries are limited, and the right one earns a token.

An access token is `<expires_at>.<nonce>.<signature>`, in the API the field `grant`. It is signed
with the signing key of the link's or request's row, which is random, and replaced whenever the
password changes. So nothing is stored of a token, and a new password ends all of them.
"""

import re
from contextlib import suppress
from typing import NamedTuple

from function.access.addresses import network
from function.access.windows import Window
from function.auth.passwords import Passwords
from function.aws.dynamodb import ConditionFailed
from function.aws.rows import Key, Rows
from function.aws.writes import Write
from function.base import Base
from function.core.errors import Unavailable
from function.core.limits import MINUTE
from function.core.signing import sign, verify
from function.public.errors import PasswordRequired, WrongPassword
from function.tables.windows import Counter, add, increment

ACCESS_SECONDS = 3600
TRY_SECONDS = 900
TRIES_OF_ADDRESS = 20  # at one password, in each window of TRY_SECONDS
TRIES_OF_ALL = 200  # at one password, from all addresses together
MISSES_OF_ADDRESS = 100  # tokens and aliases that do not exist, in a minute
ACCESS_TOKEN = re.compile(r"(\d{10})\.([0-9a-f]{32})\.([A-Za-z0-9_-]{43})")


class Gated(NamedTuple):
    """A link or file request: `password` is the hash of its password, if it has one."""

    id: str
    signing_key: str
    password: str | None


class AccessToken(NamedTuple):
    """A token for one link or file request; `expires_at` is epoch seconds.

    `nonce` tells it from others, and downloads are counted once for each. `is_new` says that it was
    issued for this request.
    """

    text: str
    nonce: str
    expires_at: int
    is_new: bool


class PasswordGate:
    """Issues and verifies access tokens, and limits guesses."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._passwords = base.one(Passwords)
        self._runtime = runtime = base.runtime
        self._tries = Window(runtime, "unlock", limit=TRIES_OF_ADDRESS, seconds=TRY_SECONDS)
        self._all_tries = Window(runtime, "unlock-all", limit=TRIES_OF_ALL, seconds=TRY_SECONDS)
        self._misses = Window(runtime, "missed", limit=MISSES_OF_ADDRESS, seconds=MINUTE)

    def unlock(self, gated: Gated, password: str | None, address: str) -> AccessToken:
        """A new token for the right password; without a password every visitor gets one.

        Raises WrongPassword, SlowDown, ChangedMeanwhile.
        """
        if gated.password is not None:
            self._check_password(gated, gated.password, password or "", address)
        return self.issue(gated)

    def issue(self, gated: Gated) -> AccessToken:
        """A new token."""
        expires_at, nonce = int(self._runtime.now()) + ACCESS_SECONDS, self._runtime.new_id()
        signature = sign(gated.signing_key, _signed(gated, str(expires_at), nonce))
        text = f"{expires_at}.{nonce}.{signature}"
        return AccessToken(text, nonce, expires_at, is_new=True)

    def verify(self, gated: Gated, token: str | None) -> AccessToken | None:
        """The token, if it is valid; None if it is not, and no password is required.

        Raises PasswordRequired.
        """
        match = ACCESS_TOKEN.fullmatch(token or "")
        if match and int(match[1]) > self._runtime.now():
            message = _signed(gated, match[1], match[2])
            if verify(gated.signing_key, message, match[3]):
                return AccessToken(match[0], match[2], int(match[1]), is_new=False)
        if gated.password is not None:
            raise PasswordRequired
        return None

    def admit(self, gated: Gated, token: str | None) -> AccessToken:
        """The valid token, or a new one where no password is required. Raises PasswordRequired."""
        return self.verify(gated, token) or self.issue(gated)

    def count_miss(self, address: str) -> None:
        """Counts that an address asked for a link or request that does not exist.

        An error of DynamoDB is no reason for another answer. Raises SlowDown.
        """
        try:
            self._db.commit([increment(self._misses.counter(network(address)))])
        except ConditionFailed:
            raise self._misses.slow_down() from None
        except Unavailable:
            return

    def look_up(self, key: Key, address: str) -> Rows:
        """Reads a row whose key can be guessed, as an alias can; a token cannot be.

        Raises SlowDown for an address that has missed too often in this minute.
        """
        misses = self._misses.counter(network(address))
        rows = self._db.read([key, misses.key])
        self._misses.check(rows, misses)
        return rows

    def _check_password(self, gated: Gated, hashed: str, password: str, address: str) -> None:
        """Counts the try before the password is verified, so that tries at once are all counted.

        The try is taken back when the password was right. Raises WrongPassword, SlowDown.
        """

        def plan() -> tuple[list[Write], list[Counter]]:
            counters = [
                self._tries.counter(f"{gated.id}:{network(address)}"),
                self._all_tries.counter(gated.id),
            ]
            return [increment(each) for each in counters], counters

        def on_condition_failed(_: ConditionFailed) -> None:
            raise self._tries.slow_down() from None

        counters = self._db.transact(plan, on_condition_failed)
        if not self._passwords.verify(hashed, password):
            raise WrongPassword
        with suppress(ConditionFailed, Unavailable):
            self._db.commit([add({counter: -1}) for counter in counters])


def nonce_in(token: str | None) -> str | None:
    """The nonce in the text of a token, which has not been verified."""
    match = ACCESS_TOKEN.fullmatch(token or "")
    return match[2] if match else None


def _signed(gated: Gated, expires_at: str, nonce: str) -> str:
    """The text that a token's signature covers."""
    return f"{gated.id}.{expires_at}.{nonce}"
