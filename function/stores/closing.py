"""The accounts that are being closed, on a shelf that no user name can be the owner of."""

from function.contract import FILES
from function.records import Account
from function.stores.accounts import account_key
from function.stores.dynamo import Dynamo
from function.stores.rows import Item, Key, Write

SHELF = "~accounts/closing"


def closing(username: str) -> Write:
    """Puts an account on the list, in the commit that shuts it."""
    key = Key(FILES, SHELF, username)
    return Write("Put", key, item=key.item())


def close(account: Account) -> list[Write]:
    """Removes an account that has been cleared away, and its line; none that got a group since."""
    values: Item = {":id": account.id, ":yes": True}
    condition = "id = :id AND deleting = :yes AND attribute_not_exists(groups)"
    return [
        Write("Delete", account_key(account.username), condition, values),
        Write("Delete", Key(FILES, SHELF, account.username)),
    ]


def clearing(account: Account) -> Write:
    """Expects an account that is being closed: nobody has its name yet."""
    values: Item = {":id": account.id, ":yes": True}
    key = account_key(account.username)
    return Write("ConditionCheck", key, "id = :id AND deleting = :yes", values)


class ClosingList:
    """The list."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the table files through `db`."""
        self._db = db

    def of(self, limit: int) -> list[str]:
        """The first accounts on it, by name."""
        page = self._db.query(FILES, SHELF, limit=limit)
        return [str(item["name"]) for item in page.items]
