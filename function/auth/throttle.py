"""Limits on what one address, account or link can try in a window of time.

Failed logins are counted for the address that sends them, so a stranger at another address cannot
lock an owner out. The counts end with their window.
"""

import ipaddress

from function.access.windows import Window
from function.auth.errors import WrongCredentials
from function.auth.passwords import Passwords
from function.aws.rows import Key, Rows
from function.aws.writes import Write
from function.base import Base
from function.tables.accounts import Account
from function.tables.windows import Counter, add

LOGIN_SECONDS = 900
FAILURES_OF_NAME = 10  # from one address
FAILURES_OF_ADDRESS = 50  # for all names
# A guesser with a list of names is refused sooner, but can tell by it which names exist.
UNKNOWN_NAME_WEIGHT = 2


class LoginThrottle:
    """Verifies passwords, counts wrong ones, and refuses an address after too many."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._passwords = base.one(Passwords)
        runtime = base.runtime
        # Both count in the row of the address: one read and one write serve both.
        self._of_address = Window(
            runtime, "login", limit=FAILURES_OF_ADDRESS, seconds=LOGIN_SECONDS
        )
        self._of_name = Window(runtime, "login", limit=FAILURES_OF_NAME, seconds=LOGIN_SECONDS)

    def key(self, address: str) -> Key:
        """The row of an address's failures, to be read together with the account."""
        return self._of_address.counter(network(address)).key

    def verify(
        self, account: Account | None, username: str, password: str, address: str, rows: Rows
    ) -> Account:
        """The account, if the password is its own. `rows` contains the row of `key`.

        Without an account it takes as long, and fails alike. Raises WrongCredentials, SlowDown.
        """
        self._of_address.check(rows, self._of_address.counter(network(address)))
        self._of_name.check(rows, self._name_counter(username, address))
        hashed = account.password if account else None
        if not self._passwords.verify(hashed, password) or account is None:
            weight = 1 if account else UNKNOWN_NAME_WEIGHT
            self._db.write(self.count_failure(username, address, weight))
            raise WrongCredentials
        return account

    def count_failure(self, username: str, address: str, weight: int = 1) -> Write:
        """Counts a failure, for the address with its weight and for the name at the address."""
        of_address = self._of_address.counter(network(address))
        return add({of_address: weight, self._name_counter(username, address): 1})

    def _name_counter(self, username: str, address: str) -> Counter:
        return self._of_name.counter(network(address), f"name:{username}")


def network(address: str) -> str:
    """The network whose attempts are counted together: an IPv4 address, or an IPv6 /64.

    A provider gives one IPv6 customer a /64 at least (RFC 6177).
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if ip.version == 4:  # noqa: PLR2004
        return str(ip)
    # An IPv4-mapped address (RFC 4291, section 2.5.5.2): its /64 would be all of IPv4.
    return str(ip.ipv4_mapped or ipaddress.ip_network((int(ip), 64), strict=False))
