"""The rows that the reconciliation reads, its position among them, and its corrections."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from enum import IntEnum

from function.aws.dynamodb import ConditionFailed, QueryPage
from function.aws.rows import Item, Key, key_from
from function.aws.writes import count_equals, delete, equals, missing, put, update
from function.base import Base
from function.contract import FILES, USERS
from function.tables.accounts import Account, account_key, reserved_sizes
from function.tables.changes import CHANGES
from function.tables.files import (
    TRASH,
    VERSIONS,
    FileRow,
    file_row_key,
    init_refcount,
    refcount_key,
    require_file_unchanged,
)
from function.tables.folders import (
    FOLDERS,
    FolderRow,
    fold_count,
    folder_key,
    folder_row,
)
from function.tables.shards import NOT_SPREAD
from function.tables.usage import StorageAmount, fold_usage

POSITION_KEY = Key(FILES, "~reconcile", "position")
PAGE_SIZE = 1000
FOLDER_PAGE_SIZE = 100  # each folder may take a call of its own


class ReconciliationStep(IntEnum):
    """The steps within an account, in their order."""

    FILES = 0
    TRASH = 1
    VERSIONS = 2
    FOLDERS = 3
    RECHECK_FOLDERS = 4
    DONE = 5


# The rows of these steps have sizes: each is in the partition of the owner's name and this.
PARTITIONS = {
    ReconciliationStep.FILES: "",
    ReconciliationStep.TRASH: f"/{TRASH}",
    ReconciliationStep.VERSIONS: f"/{VERSIONS}",
}


@dataclass(frozen=True)
class ReconciliationPosition:
    """Where the reconciliation is: among the accounts, or after them among the objects.

    - The accounts up to `last_account` are done. Of the next one, `account`, the rows of one `step`
      up to the sort key `after` are done.
    - `since` is when the account's first row was read, less LATE (ISO 8601). `charged` are the
      bytes and rows that the account was charged for then, without reservations; `counted` are
      those that were read since.
    - `open_folders` has the counts of files of folders that may have more files. `surplus` is how
      many folders claim files, less how many have some.
    - The objects up to the key `last_object` are done.
    """

    last_account: str | None = None
    account: str | None = None
    step: int = ReconciliationStep.FILES
    after: str = ""
    since: str = ""
    counted: tuple[int, int] = (0, 0)
    charged: tuple[int, int] = (0, 0)
    open_folders: Mapping[str, int] = field(default_factory=dict)
    surplus: int = 0
    accounts_done: bool = False
    last_object: str = ""


class ReconciliationStore:
    """The reads of whole partitions, and the conditional corrections."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._now = base.runtime.now

    def load_position(self) -> ReconciliationPosition:
        """The position that the last run saved."""
        row = self._db.read([POSITION_KEY]).get(POSITION_KEY, {})
        saved = json.loads(str(row.get("position", "{}")))
        pairs = {name: tuple(saved[name]) for name in ("counted", "charged") if name in saved}
        known = {
            each.name for each in fields(ReconciliationPosition)
        }  # a later release may have saved others
        return ReconciliationPosition(
            **{name: each for name, each in (saved | pairs).items() if name in known}
        )

    def save_position(self, position: ReconciliationPosition) -> None:
        """Saves how far this run has come."""
        self._db.write(put(POSITION_KEY, {"position": json.dumps(asdict(position))}))

    def list_accounts(self, after: str | None, limit: int) -> QueryPage[Account]:
        """The accounts after one, in the order of the table's scan, without shards."""
        page = self._db.scan(USERS, after=after or "", limit=limit)
        return page.map(lambda row: fold_usage(self._db, Account.model_validate(row), self._now()))

    def list_files(self, partition: str, after: str) -> QueryPage[FileRow]:
        """A page of files, live or archived. Raises ValidationError if a row is not a file's."""
        page = self._db.query(FILES, partition, after=after, limit=PAGE_SIZE)
        return page.map(FileRow.model_validate)

    def list_folders(self, owner: str, after: str) -> QueryPage[FolderRow]:
        """A page of an account's folders, without shards."""
        page = self._db.query(FILES, f"{owner}/{FOLDERS}", after=after, limit=FOLDER_PAGE_SIZE)
        return page.map(
            lambda row: replace(folder_row(row), files=self._count(key_from(FILES, row), row))
        )

    def _count(self, folder: Key, row: Item) -> int:
        """The files of a folder by its row, without shards."""
        return fold_count(self._db, folder, row, self._now())

    def has_changed(self, username: str, since: str) -> bool:
        """Whether an account's changes feed has a change since a time (ISO 8601)."""
        return bool(self._db.query(FILES, f"{username}/{CHANGES}", after=since, limit=1).items)

    def reserved(self, account: Account) -> StorageAmount:
        """The storage that uploads in progress reserve from an account."""
        sizes = reserved_sizes(self._db, account.username, account.id)
        return StorageAmount(sum(sizes), len(sizes))

    def correct_usage(
        self, account: Account, stored: StorageAmount, reserved: StorageAmount
    ) -> bool:
        """Sets an account's usage; False if it was charged or refunded since it was read."""
        used = stored + reserved
        usage: Item = {
            "bytes_used": used.bytes,
            "files_used": used.files,
            "bytes_reserved": reserved.bytes,
            "files_reserved": reserved.files,
        }
        unchanged = NOT_SPREAD & equals(id=account.id) & count_equals(charges=account.charges)
        try:
            write = update(account_key(account.username), set=usage, when=unchanged)
            self._db.commit([write])
        except ConditionFailed:
            return False
        return True

    def backfill_refcounts(self, rows: Iterable[FileRow]) -> int:
        """Creates missing reference counts of objects, while their rows still exist.

        Returns how many were missing.
        """
        by_object = {row.object: row for row in rows}
        created = 0
        for object_key in sorted(self.without_refcount(by_object)):
            row = by_object[object_key]
            unchanged = require_file_unchanged(file_row_key(row), row)
            with suppress(ConditionFailed):
                self._db.commit([unchanged, init_refcount(object_key)])
                created += 1
        return created

    def without_refcount(self, object_keys: Iterable[str]) -> set[str]:
        """Those of the objects that have no reference count."""
        keys = {refcount_key(each): each for each in object_keys}
        return set(keys.values()) - {keys[key] for key in self._db.read(keys)}

    def wrong_counts(self, owner: str, counts: Mapping[str, int]) -> dict[Key, tuple[int, int]]:
        """The folders whose rows have other counts of files: their count, and the right one."""
        keys = {folder_key(owner, folder): files for folder, files in counts.items()}
        rows = self._db.read(keys)
        stored = {key: self._count(key, rows.get(key, {})) for key in keys}
        return {key: (stored[key], files) for key, files in keys.items() if stored[key] != files}

    def correct_count(self, folder: Key, stored: int, right: int) -> bool:
        """Sets a folder's count of files; False if it has changed since it was read."""
        try:
            unchanged = NOT_SPREAD & count_equals(files=stored)
            self._db.write(update(folder, set={"files": right}, when=unchanged))
        except ConditionFailed:
            return False
        return True

    def is_empty(self, owner: str, folder: str) -> bool:
        """Whether no file is below a folder."""
        return not self._db.query(FILES, owner, prefix=folder, limit=1).items

    def delete_folder(self, folder: Key) -> bool:
        """Deletes the row of a folder; False if it has files or grants."""
        try:
            is_empty = NOT_SPREAD & count_equals(files=0) & missing("grantees")
            self._db.write(delete(folder, is_empty))
        except ConditionFailed:
            return False
        return True
