"""The accounts as administrators see and change them."""

from function.contract import USERS
from function.records import Account
from function.stores.accounts import account_key
from function.stores.dynamo import Dynamo
from function.stores.rows import Write


def same_account(account: Account) -> Write:
    """Expects that an account stands as it was read, and with it what it may."""
    return Write(
        "ConditionCheck",
        account_key(account.username),
        "rev = :rev",
        values={":rev": account.rev},
    )


class Directory:
    """The table users, as a whole."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the table through `db`."""
        self._db = db

    def page(self, *, after: str, limit: int) -> tuple[list[Account], str | None]:
        """Accounts in no order, and after which one they go on."""
        page = self._db.scan(USERS, after=after, limit=limit)
        last = str(page.items[-1]["username"]) if page.more else None
        return [Account.model_validate(row) for row in page.items if "password" in row], last
