"""Names of accounts that a request mentions, and the limit on those that do not exist.

An account that may share learns by it which names have an account. Each account can try a number of
names without one in an hour. After that it reaches only accounts that it shares with already: of
other names it no longer learns whether they exist.
"""

from function.access.policy import Authentication
from function.access.windows import Window
from function.aws.dynamodb import ConditionFailed
from function.aws.rows import Key
from function.base import Base
from function.core.errors import NoSuchUser
from function.tables.accounts import Account, account_in, account_key
from function.tables.grants import Grants, user_grantee
from function.tables.windows import Counter, increment, left_in

UNKNOWN_NAMES = 60
SECONDS = 3600
HINT = " You named many accounts that do not exist; those that you share with can still be named."


class Lookups:
    """Finds accounts by name, and counts the names that have none."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._grants = Grants(base.db)
        self._window = Window(base.runtime, "unknown", limit=UNKNOWN_NAMES, seconds=SECONDS)

    def keys(self, caller: str, username: str) -> list[Key]:
        """The rows that `find` needs among those of the authentication."""
        return [account_key(username), self._counter(caller).key]

    def find(
        self, authentication: Authentication, username: str, *, known: bool = False
    ) -> Account:
        """The account of that name; `known` says that the caller's account knows that it exists.

        Raises NoSuchUser, which is counted, and SlowDown.
        """
        rows, caller = authentication.rows, authentication.account.username
        account, counter = account_in(rows, username), self._counter(caller)
        if left_in(rows, counter) <= 0 and not (known or self._share(caller, username)):
            raise self._window.slow_down(HINT)
        if account is None:
            try:
                self._db.write(increment(counter))
            except ConditionFailed:
                raise self._window.slow_down(HINT) from None
            raise NoSuchUser
        return account

    def _counter(self, caller: str) -> Counter:
        return self._window.counter(caller)

    def _share(self, owner: str, username: str) -> bool:
        """Whether an account shares something with another."""
        prefix = f"{owner}/"
        return bool(self._grants.list_grants(user_grantee(username), prefix=prefix, limit=1).items)
