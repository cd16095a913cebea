"""The rows that the reconciliation reads, its position among them, and its corrections."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import IntEnum
from typing import Any, Literal

from function.aws.dynamodb import ConditionFailed, QueryPage
from function.aws.rows import Item, Key, key_from
from function.aws.writes import Write, count_equals, delete, equals, missing, put, update
from function.base import Base
from function.contract import FILES, USERS
from function.core.limits import DAY
from function.tables.accounts import Account, account_key
from function.tables.changes import CHANGES
from function.tables.expiry import ExpiryEntries, expiry_key
from function.tables.files import (
    TRASH,
    VERSIONS,
    FileRow,
    expire_now,
    file_row_key,
    init_refcount,
    refcount_key,
    require_file_unchanged,
)
from function.tables.folders import (
    FOLDERS,
    FolderRow,
    count_shards,
    fold_count,
    folder_key,
    folder_row,
)
from function.tables.reservations import list_reservations
from function.tables.shards import NOT_SPREAD, SPREAD, sum_shards
from function.tables.uploads import list_forgotten_again
from function.tables.usage import StorageAmount, fold_usage, with_shards

PAGE_SIZE = 1000
FOLDER_PAGE_SIZE = 100  # each folder may take a call of its own
LATE_SECONDS = DAY  # after which a row that has expired should have been deleted

# How a run treats what it finds: as every day; changing nothing; or believing the rows.
Mode = Literal["scheduled", "dry-run", "confirmed"]
POSITION_NAMES: dict[Mode, str] = {
    "scheduled": "position",
    "dry-run": "dry-run",
    "confirmed": "confirmed",
}


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
class Evidence:
    """What a pass over all accounts and objects has found that decides what it may delete.

    - `overcharged`: accounts that are charged for more than their rows hold. `unproven`: names of
      those that changed while they were counted, or have a row that cannot be read.
    - `objects` that were listed; `unreferenced`: old ones without a reference count. Those of them
      that may be deleted, `candidates`, with their sizes in bytes.
    """

    overcharged: int = 0
    unproven: tuple[str, ...] = ()
    objects: int = 0
    unreferenced: int = 0
    candidates: tuple[tuple[str, int], ...] = ()


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
    evidence: Evidence = Evidence()


class ReconciliationStore:
    """The reads of whole partitions, and the conditional corrections.

    In a dry run a correction changes nothing, and returns as if its condition were true.
    """

    def __init__(self, base: Base, mode: Mode) -> None:
        self._db = base.db
        self._entries = ExpiryEntries(base.db)
        self._runtime = base.runtime
        self._dry = mode == "dry-run"
        self._position_key = Key(FILES, "~reconcile", POSITION_NAMES[mode])

    def load_position(self) -> ReconciliationPosition:
        """The position that the last run saved."""
        row = self._db.read([self._position_key]).get(self._position_key, {})
        saved = _known_fields(ReconciliationPosition, json.loads(str(row.get("position", "{}"))))
        evidence = _known_fields(Evidence, saved.pop("evidence", {}))
        candidates = tuple((key, size) for key, size in evidence.pop("candidates", []))
        return ReconciliationPosition(**saved, evidence=Evidence(**evidence, candidates=candidates))

    def save_position(self, position: ReconciliationPosition) -> None:
        """Saves how far this run has come."""
        self._db.write(put(self._position_key, {"position": json.dumps(asdict(position))}))

    def list_account_rows(self, after: str | None, limit: int) -> QueryPage[Item]:
        """The rows of the accounts after one, in the order of the table's scan."""
        return self._db.scan(USERS, after=after or "", limit=limit)

    def account(self, row: Item) -> Account:
        """The account of a row, with all that it is charged for and without shards.

        Raises ValidationError if the row is not an account's.
        """
        account = Account.model_validate(row)
        if self._dry:
            return with_shards(self._db, [account])[0]
        return fold_usage(self._db, account, self._runtime.now())

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
        if not self._dry or SPREAD not in row:
            return fold_count(self._db, folder, row, self._runtime.now())
        keys = count_shards(folder).keys(str(row[SPREAD]))
        sums = sum_shards(self._db.read(keys), keys)
        return int(str(row.get("files", 0))) + int(str(sums.get("files", 0)))

    def has_changed(self, username: str, since: str) -> bool:
        """Whether an account's changes feed has a change since a time (ISO 8601)."""
        return bool(self._db.query(FILES, f"{username}/{CHANGES}", after=since, limit=1).items)

    def reserved(self, account: Account) -> tuple[StorageAmount, int]:
        """The storage that uploads in progress reserve from an account.

        Lists those again that are past their time and whose expiry entry is lost; also returns how
        many.
        """
        now = int(self._runtime.now())
        rows = list_reservations(self._db, account.username, account.id)
        lost = list_forgotten_again(self._db, account.username, rows, now - LATE_SECONDS, now)
        listed_again = sum(self._write(*writes) for writes in lost)
        sizes = [int(str(row["size"])) for row in rows]
        return StorageAmount(sum(sizes), len(sizes)), listed_again

    def is_as_read(self, account: Account) -> bool:
        """Whether an account is charged for what it was when it was read.

        The sweep purges files without a change in the feed.
        """
        key = account_key(account.username)
        rows = [Account.model_validate(row) for row in self._db.read([key]).values()]
        same = {"id", "charges", "bytes_used", "files_used"}
        return [each.model_dump(include=same) for each in with_shards(self._db, rows)] == [
            account.model_dump(include=same)
        ]

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
        return self._write(update(account_key(account.username), set=usage, when=unchanged))

    def backfill_refcounts(self, rows: Iterable[FileRow]) -> int:
        """Creates missing reference counts of objects, while their rows still exist.

        Returns how many were missing.
        """
        by_object = {row.object: row for row in rows}
        created = 0
        for object_key in sorted(self.without_refcount(by_object)):
            row = by_object[object_key]
            unchanged = require_file_unchanged(file_row_key(row), row)
            created += self._write(unchanged, init_refcount(object_key))
        return created

    def list_expired_again(self, rows: Iterable[FileRow]) -> int:
        """Lists archived files again that are past their time and whose expiry entry is lost.

        Returns how many.
        """
        now = int(self._runtime.now())
        late = [row for row in rows if row.until and row.until < now - LATE_SECONDS]
        entries = {expiry_key(file_row_key(row), row.until or 0): row for row in late}
        lost = entries.keys() - self._db.read(entries)
        return sum(
            self._write(*expire_now(entries[entry], now, self._runtime.new_id()))
            for entry in sorted(lost)
        )

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
        unchanged = NOT_SPREAD & count_equals(files=stored)
        return self._write(update(folder, set={"files": right}, when=unchanged))

    def is_empty(self, owner: str, folder: str) -> bool:
        """Whether no file is below a folder."""
        return not self._db.query(FILES, owner, prefix=folder, limit=1).items

    def delete_folder(self, folder: Key) -> bool:
        """Deletes the row of a folder; False if it has files or grants."""
        return self._write(delete(folder, NOT_SPREAD & count_equals(files=0) & missing("grantees")))

    def watched_since(self, table: str) -> int:
        """Since when sweeps have followed each other in this table (epoch seconds)."""
        return self._entries.load_position(table, int(self._runtime.now())).since

    def existing(self, usernames: Iterable[str]) -> set[str]:
        """Those of the names that an account has."""
        keys = {account_key(each): each for each in usernames}
        return {keys[key] for key in self._db.read(keys)}

    def _write(self, *writes: Write) -> bool:
        """Does the writes; False if a condition is not true."""
        if self._dry:
            return True
        try:
            self._db.commit(writes)
        except ConditionFailed:
            return False
        return True


def _known_fields(record: type[Any], saved: dict[str, Any]) -> dict[str, Any]:
    """The saved fields that a record has: a later release may have saved others."""
    known = {each.name for each in fields(record)}
    lists = {name: tuple(each) if isinstance(each, list) else each for name, each in saved.items()}
    return {name: each for name, each in lists.items() if name in known}
