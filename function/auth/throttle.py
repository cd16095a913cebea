"""Who guesses at passwords: failures are counted, and too many are not listened to.

A name may be tried ten times from one address in a quarter of an hour, and an address may fail
fifty times in all; a name that does not exist weighs double, so lists of names end sooner, though
whoever counts can tell such a name by it. The counts belong to the address, so nobody can lock
another person out from elsewhere, and they end with the window.
"""

from function.auth.errors import WrongCredentials
from function.auth.passwords import Passwords
from function.aws.rows import Key, Rows
from function.aws.writes import Write
from function.base import Base
from function.core.errors import SlowDown
from function.core.tokens import network
from function.tables.accounts import Account
from function.tables.sessions import Attempts, count_failure, failures_in, tries_key

WINDOW = 900
TRIES_OF_NAME = 10
TRIES_OF_ADDRESS = 50
UNKNOWN_WEIGHS = 2


class LoginThrottle:
    """Checks passwords, and counts those that were wrong."""

    def __init__(self, base: Base) -> None:
        self._attempts = Attempts(base.db)
        self._passwords = base.one(Passwords)
        self._runtime = base.runtime

    def key(self, address: str) -> Key:
        """The counts of an address, to be read together with the account."""
        return tries_key(network(address), self._window())

    def prove(
        self, account: Account | None, username: str, given: str, address: str, rows: Rows
    ) -> Account:
        """The account, if that is its password. Raises WrongCredentials, SlowDown.

        Where there is no account it costs the same hash, and says the same. `rows` have the counts.
        """
        failures, of_name = failures_in(rows, self.key(address), username)
        if failures >= TRIES_OF_ADDRESS or of_name >= TRIES_OF_NAME:
            raise SlowDown(int(self._until() - self._runtime.now()) + 1)
        hashed = account.password if account else None
        if not self._passwords.matches(hashed, given) or account is None:
            self.failed(username, address, 1 if account else UNKNOWN_WEIGHS)
            raise WrongCredentials
        return account

    def failed(self, username: str, address: str, weight: int = 1) -> None:
        """Counts a failure of an address at a name."""
        self._attempts.failed(self.failure(username, address, weight))

    def failure(self, username: str, address: str, weight: int = 1) -> Write:
        """What counts a failure."""
        return count_failure(self.key(address), username, weight, self._until())

    def _window(self) -> int:
        return int(self._runtime.now() // WINDOW)

    def _until(self) -> int:
        return (self._window() + 1) * WINDOW
