"""Limits on wrong passwords: of logins by address, and of sessions by account.

Failed logins are counted for the address that sends them, so a stranger at another address cannot
lock an owner out. A stranger at the same address, behind the same router, cannot either: where an
account has logged in within 30 days, its right password is accepted although others have failed
there. Without the password every name looks alike: existing or not, known at the address or not, it
gets the same answers after the same calls.
"""

from typing import NamedTuple

from function.access.addresses import network
from function.access.callers import Anonymous
from function.access.windows import Window
from function.audit.service import AuditLog
from function.auth.errors import WrongCredentials
from function.auth.passwords import Passwords
from function.aws.rows import Key, Rows
from function.aws.writes import Write
from function.base import Base
from function.core.errors import Contended
from function.core.models import AccountOfRequest, Caller, account_of_request
from function.core.tokens import token_hash
from function.tables.accounts import Account
from function.tables.sessions import login_address_in, login_address_key, put_login_address
from function.tables.windows import Counter, add, left_in

WINDOW_SECONDS = 900
FAILURES_OF_NAME = 10  # from one address; then only the owner of a known address is let in
CHECKS_OF_NAME = 100  # from one address; then no password is looked at
FAILURES_OF_SESSIONS = 10  # of one account
# One address can fail for fifty names with an account, or for a thousand without: neither typing
# errors nor a flood of invented names refuse newcomers at the address.
FAILURES_OF_ADDRESS = 1000
ACCOUNT_WEIGHT = 20
BUCKETS = 256  # of names in the row of an address, so that invented names do not make it grow


class Attempt(NamedTuple):
    """A login: the name, and the source address and User-Agent that it came from."""

    username: str
    address: str
    agent: str = ""


class LoginThrottle:
    """Verifies passwords, counts wrong ones, and refuses after too many."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._passwords = base.one(Passwords)
        self._audit = base.one(AuditLog)
        self._now = base.runtime.now
        # The first three count in the row of the address: one read and one write serve all.
        self._of_address = _window(base, "login", FAILURES_OF_ADDRESS)
        self._of_name = _window(base, "login", FAILURES_OF_NAME)
        self._checks = _window(base, "login", CHECKS_OF_NAME)
        self._of_sessions = _window(base, "proof", FAILURES_OF_SESSIONS)

    def login_keys(self, attempt: Attempt) -> list[Key]:
        """The rows that decide on a login, to be read together with the account."""
        where = network(attempt.address)
        return [self._of_address.counter(where).key, login_address_key(attempt.username, where)]

    def session_key(self, username: str) -> Key:
        """The row of the failures of an account's sessions, to be read together with them."""
        return self._of_sessions.counter(username).key

    def verify_login(
        self, account: Account | None, attempt: Attempt, password: str, rows: Rows
    ) -> Account:
        """The account, if the password is its own. `rows` contains those of `login_keys`.

        Without an account it takes as long, and fails alike. Raises WrongCredentials, SlowDown.
        """
        if account:
            account_of_request.set(AccountOfRequest(account.username, account.id, proven=False))
        self._checks.check(rows, _counter_of_name(self._checks, attempt))
        is_refused = any(left_in(rows, each) <= 0 for each in self._login_counters(attempt))
        is_right = self._passwords.verify(account.password if account else None, password)
        if account and is_right and not (is_refused and self._is_stranger(rows, account, attempt)):
            return account
        guest = Anonymous.stranger(attempt.address, attempt.agent)
        name = account.username if account else None
        refusal = self._audit.count_refusal(guest, "session.refused", owner=name)
        # What follows a refusal no longer tells whether the name has an account.
        weighed = None if is_refused else account
        self._count([self.count_failure(attempt, weighed), refusal])
        raise self._of_name.slow_down() if is_refused else WrongCredentials()

    def verify_session(self, account: Account, caller: Caller, password: str, rows: Rows) -> None:
        """Requires the password of the account of a session. `rows` contains that of `session_key`.

        Raises WrongCredentials, SlowDown.
        """
        counter = self._of_sessions.counter(account.username)
        self._of_sessions.check(rows, counter)
        if not self._passwords.verify(account.password, password):
            self._count([add({counter: 1}), self._audit.count_refusal(caller, "session.refused")])
            raise WrongCredentials

    def count_failure(self, attempt: Attempt, account: Account | None) -> Write:
        """Counts a failure, for the address with its weight and for the name there."""
        of_address, of_name = self._login_counters(attempt)
        return add({of_address: ACCOUNT_WEIGHT if account else 1, of_name: 1})

    def know_address(self, account: Account, attempt: Attempt, rows: Rows) -> list[Write]:
        """Stores that an account has logged in from an address; once a day is enough."""
        where, now = network(attempt.address), int(self._now())
        known = login_address_in(rows, account, where, now)
        return [] if known and known.is_fresh(now) else [put_login_address(account, where, now)]

    def _is_stranger(self, rows: Rows, account: Account, attempt: Attempt) -> bool:
        return login_address_in(rows, account, network(attempt.address), self._now()) is None

    def _login_counters(self, attempt: Attempt) -> tuple[Counter, Counter]:
        """The counters of the address, and of the name there."""
        of_address = self._of_address.counter(network(attempt.address))
        return of_address, _counter_of_name(self._of_name, attempt)

    def _count(self, writes: list[Write]) -> None:
        """Counts a failure and records it; where other failures are in the way, it only counts."""
        try:
            self._db.commit(writes)
        except Contended:
            self._db.write(writes[0])


def _window(base: Base, kind: str, limit: int) -> Window:
    return Window(base.runtime, kind, limit=limit, seconds=WINDOW_SECONDS)


def _counter_of_name(window: Window, attempt: Attempt) -> Counter:
    """The counter of a name in the row of an address: names of one bucket count together."""
    bucket = int(token_hash(attempt.username)[:8], 16) % BUCKETS
    return window.counter(network(attempt.address), f"name:{bucket}")
