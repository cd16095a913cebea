"""What is compared when everything is looked through: accounts, their shelves, whose bytes are."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from function.contract import FILES, USERS
from function.records import Account, FileRow, Load
from function.stores.accounts import account_key
from function.stores.changes import CHANGES
from function.stores.dynamo import COMMITTED_AT_ONCE, Dynamo
from function.stores.folders import FOLDERS
from function.stores.references import first, references_key
from function.stores.rows import Item, Key, Refused, Write

POSITION = Key(FILES, "~reconcile", "position")
AT_ONCE = 1000


@dataclass(frozen=True)
class Position:
    """How far it has come: the last account, and when all have been seen the last object.

    Within the account that it is `walking` through it is at a shelf and a name; `has` is what was
    added up since it `begun` (a time), when the account was charged for what it was `then`.
    """

    account: str | None = None
    walking: str | None = None
    shelf: int = 0
    name: str = ""
    begun: str = ""
    has: tuple[int, int] = (0, 0)
    then: tuple[int, int] = (0, 0)
    accounts_seen: bool = False
    object: str = ""


class Books:
    """Everything, a page at a time."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the tables users and files through `db`."""
        self._db = db

    def position(self) -> Position:
        """Where the last run ended."""
        row = self._db.read([POSITION]).get(POSITION, {})
        noted = json.loads(str(row.get("position", "{}")))
        pairs = {name: tuple(noted[name]) for name in ("has", "then") if name in noted}
        return Position(**{**noted, **pairs})

    def note(self, position: Position) -> None:
        """Notes how far this run has come."""
        item: Item = {**POSITION.item(), "position": json.dumps(asdict(position))}
        self._db.write(Write("Put", POSITION, item=item))

    def accounts(self, after: str | None, limit: int) -> tuple[list[Account], str | None]:
        """The next accounts, in no order, and the last of them if more follow."""
        page = self._db.scan(USERS, after=after or "", limit=limit)
        found = [Account.model_validate(row) for row in page.items]
        return found, found[-1].username if page.more and found else None

    def page(self, shelf: str, after: str) -> tuple[list[FileRow], bool]:
        """Rows of a shelf, and whether more follow. Raises ValidationError for what is none."""
        page = self._db.query(FILES, shelf, after=after, limit=AT_ONCE)
        return [FileRow.model_validate(row) for row in page.items], page.more

    def changed_since(self, username: str, at: str) -> bool:
        """Whether there is news of an account's files from then on."""
        return bool(self._db.query(FILES, f"{username}/{CHANGES}", after=at, limit=1).items)

    def correct(self, account: Account, used: Load, rev: str) -> bool:
        """Sets what an account uses, if its counts are those that were read."""
        counts = {
            "bytes_used": account.bytes_used,
            "files_used": account.files_used,
            "bytes_reserved": account.bytes_reserved,
            "files_reserved": account.files_reserved,
        }
        still = [
            f"({name} = :{name}" + (f" OR attribute_not_exists({name}))" if not count else ")")
            for name, count in counts.items()
        ]
        values: Item = {f":{name}": count for name, count in counts.items()}
        values |= {":id": account.id, ":bytes": used.bytes, ":files": used.files}
        write = Write(
            "Update",
            account_key(account.username),
            " AND ".join(["id = :id", *still]),
            values,
            update="SET bytes_used = :bytes, files_used = :files",
        )
        try:
            self._db.commit([write], rev)
        except Refused:
            return False
        return True

    def adopt(self, objects: Iterable[str]) -> int:
        """Has objects that rows name known as named; how many were not."""
        lacking = sorted(self.unnamed(objects))
        for start in range(0, len(lacking), COMMITTED_AT_ONCE):
            for each in lacking[start : start + COMMITTED_AT_ONCE]:
                self._db.write(first(each))
        return len(lacking)

    def unnamed(self, objects: Iterable[str]) -> set[str]:
        """Those of the objects that no row is known to name."""
        keys = {references_key(each): each for each in objects}
        return set(keys.values()) - {keys[key] for key in self._db.read(keys)}

    def prune_folders(self, username: str) -> int:
        """Removes the rows of folders that have no files any more; how many."""
        gone, after, more = 0, "", True
        while more:
            page = self._db.query(FILES, f"{username}/{FOLDERS}", after=after, limit=AT_ONCE)
            for item in page.items:
                # Whatever else is said of a folder is the work of others, and stays.
                if item.get("files") == 0 and item.keys() == {"shelf", "name", "files"}:
                    gone += self._prune(Key(FILES, str(item["shelf"]), str(item["name"])))
            after, more = str(page.items[-1]["name"]) if page.items else "", page.more
        return gone

    def _prune(self, folder: Key) -> bool:
        empty = "files = :none AND attribute_not_exists(grantees)"
        try:
            self._db.write(Write("Delete", folder, empty, {":none": 0}))
        except Refused:
            return False
        return True
