"""What is compared when everything is looked through: accounts, their shelves, whose bytes are."""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields

from function.contract import FILES, USERS
from function.records import Account, FileRow, Load
from function.stores.accounts import account_key
from function.stores.changes import CHANGES
from function.stores.dynamo import Dynamo
from function.stores.folders import FOLDERS, FolderRow, folder_key, folder_row
from function.stores.holds import sizes
from function.stores.kept import key_of, unchanged
from function.stores.references import first, references_key
from function.stores.rows import Item, Key, Refused, Write

POSITION = Key(FILES, "~reconcile", "position")
AT_ONCE = 1000


@dataclass(frozen=True)
class Position:
    """How far it has come: the last account, and when all have been seen the last object.

    Within the account that it is `walking` through it is at a shelf and a name; `has` is what was
    added up since it `begun` (a time), when the account was charged for what it was `then`, beside
    what was reserved. `open` are the files counted so far of folders that may have more of them;
    `surplus` are the folders that say to have files, less those that have some.
    """

    account: str | None = None
    walking: str | None = None
    shelf: int = 0
    name: str = ""
    begun: str = ""
    has: tuple[int, int] = (0, 0)
    then: tuple[int, int] = (0, 0)
    open: Mapping[str, int] = field(default_factory=dict)
    surplus: int = 0
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
        known = {each.name for each in fields(Position)}  # another version may have noted more
        return Position(**{name: each for name, each in (noted | pairs).items() if name in known})

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

    def reserved(self, account: Account) -> Load:
        """What uploads in progress hold of an account."""
        held = sizes(self._db, account.username, account.id)
        return Load(sum(held), len(held))

    def correct(self, account: Account, has: Load, reserved: Load, rev: str) -> bool:
        """Sets what an account uses, if it has not been charged since it was read."""
        used = has + reserved
        right = {
            "bytes_used": used.bytes,
            "files_used": used.files,
            "bytes_reserved": reserved.bytes,
            "files_reserved": reserved.files,
        }
        values: Item = {":id": account.id, ":charges": account.charges}
        write = Write(
            "Update",
            account_key(account.username),
            f"id = :id AND {_is('charges', account.charges)}",
            values | {f":{name}": count for name, count in right.items()},
            update="SET " + ", ".join(f"{name} = :{name}" for name in right),
        )
        try:
            self._db.commit([write], rev)
        except Refused:
            return False
        return True

    def adopt(self, rows: Iterable[FileRow], new_token: Callable[[], str]) -> int:
        """Has objects that rows name known as named, if the rows still do; how many were not."""
        naming = {row.object: row for row in rows}
        adopted = 0
        for each in sorted(self.unnamed(naming)):
            row = naming[each]
            with suppress(Refused):
                self._db.commit([unchanged(key_of(row), row), first(each)], new_token())
                adopted += 1
        return adopted

    def unnamed(self, objects: Iterable[str]) -> set[str]:
        """Those of the objects that no row is known to name."""
        keys = {references_key(each): each for each in objects}
        return set(keys.values()) - {keys[key] for key in self._db.read(keys)}

    def miscounted(self, owner: str, counts: Mapping[str, int]) -> dict[Key, tuple[int, int]]:
        """Of these folders those that say otherwise: what they say, and what is right."""
        keys = {folder_key(owner, folder): files for folder, files in counts.items()}
        rows = self._db.read(keys)
        said = {key: int(str(rows.get(key, {}).get("files", 0))) for key in keys}
        return {key: (said[key], files) for key, files in keys.items() if said[key] != files}

    def recount(self, folder: Key, said: int, right: int) -> bool:
        """Sets how many files are below a folder, if it says what was read."""
        values: Item = {":files": said, ":right": right}
        try:
            self._db.write(
                Write("Update", folder, _is("files", said), values, update="SET files = :right")
            )
        except Refused:
            return False
        return True

    def folders(self, owner: str, after: str, limit: int) -> tuple[list[FolderRow], bool]:
        """The next of an account's folders, and whether more follow."""
        page = self._db.query(FILES, f"{owner}/{FOLDERS}", after=after, limit=limit)
        return [folder_row(item) for item in page.items], page.more

    def empty(self, owner: str, folder: str) -> bool:
        """Whether there are no files below a folder."""
        return not self._db.query(FILES, owner, prefix=folder, limit=1).items

    def prune(self, folder: Key) -> bool:
        """Removes the row of a folder that has no files and was granted to nobody."""
        empty = f"{_is('files', 0)} AND attribute_not_exists(grantees)"
        try:
            self._db.write(Write("Delete", folder, empty, {":files": 0}))
        except Refused:
            return False
        return True


def _is(name: str, value: int) -> str:
    """That a count is what it was read as; one that is not there counts nothing."""
    said = f"{name} = :{name}"
    return said if value else f"({said} OR attribute_not_exists({name}))"
