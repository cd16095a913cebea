"""What is compared when everything is looked through: accounts, their shelves, whose bytes are."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace

from pydantic import ValidationError

from function.aws.dynamodb import ConditionFailed
from function.aws.rows import Item, Key
from function.aws.writes import count_equals, delete, equals, missing, put, update
from function.base import Base
from function.contract import FILES, USERS
from function.core.limits import DAY, DAYS
from function.core.names import folders_of
from function.core.runtime import iso
from function.tables.accounts import Account, Load, account_key, reserved_sizes
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
from function.tables.folders import FOLDERS, MAX_LEVELS, FolderRow, folder_key, folder_row

POSITION = Key(FILES, "~reconcile", "position")
AT_ONCE = 1000
# Rows name bytes that are at most as old as an upload may live; a day more for clocks that differ.
OLD = (DAYS + 1) * DAY
SHELVES = ("", f"/{TRASH}", f"/{VERSIONS}")
# After the shelves of files: folders are tidied, and looked into where there seem to be too many.
LIVE, TIDY, LOOK, END = 0, *range(len(SHELVES), len(SHELVES) + 3)
FOLDERS_AT_ONCE = 100  # each perhaps in a call of its own
SETTLED = 60  # seconds after which every commit that had begun is to be seen


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


class ReconciliationStore:
    """Everything, a page at a time."""

    def __init__(self, base: Base) -> None:
        self._db = base.db

    def position(self) -> Position:
        """Where the last run ended."""
        row = self._db.read([POSITION]).get(POSITION, {})
        noted = json.loads(str(row.get("position", "{}")))
        pairs = {name: tuple(noted[name]) for name in ("has", "then") if name in noted}
        known = {each.name for each in fields(Position)}  # another version may have noted more
        return Position(**{name: each for name, each in (noted | pairs).items() if name in known})

    def note(self, position: Position) -> None:
        """Notes how far this run has come."""
        self._db.write(put(POSITION, {"position": json.dumps(asdict(position))}))

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
        held = reserved_sizes(self._db, account.username, account.id)
        return Load(sum(held), len(held))

    def correct(self, account: Account, has: Load, reserved: Load, rev: str) -> bool:
        """Sets what an account uses, if it has not been charged since it was read."""
        used = has + reserved
        right: Item = {
            "bytes_used": used.bytes,
            "files_used": used.files,
            "bytes_reserved": reserved.bytes,
            "files_reserved": reserved.files,
        }
        unchanged = equals(id=account.id) & count_equals(charges=account.charges)
        try:
            self._db.commit([update(account_key(account.username), set=right, when=unchanged)], rev)
        except ConditionFailed:
            return False
        return True

    def adopt(self, rows: Iterable[FileRow], new_token: Callable[[], str]) -> int:
        """Has objects that rows name known as named, if the rows still do; how many were not."""
        naming = {row.object: row for row in rows}
        adopted = 0
        for each in sorted(self.unnamed(naming)):
            row = naming[each]
            with suppress(ConditionFailed):
                self._db.commit(
                    [require_file_unchanged(file_row_key(row), row), init_refcount(each)],
                    new_token(),
                )
                adopted += 1
        return adopted

    def unnamed(self, objects: Iterable[str]) -> set[str]:
        """Those of the objects that no row is known to name."""
        keys = {refcount_key(each): each for each in objects}
        return set(keys.values()) - {keys[key] for key in self._db.read(keys)}

    def miscounted(self, owner: str, counts: Mapping[str, int]) -> dict[Key, tuple[int, int]]:
        """Of these folders those that say otherwise: what they say, and what is right."""
        keys = {folder_key(owner, folder): files for folder, files in counts.items()}
        rows = self._db.read(keys)
        said = {key: int(str(rows.get(key, {}).get("files", 0))) for key in keys}
        return {key: (said[key], files) for key, files in keys.items() if said[key] != files}

    def recount(self, folder: Key, said: int, right: int) -> bool:
        """Sets how many files are below a folder, if it says what was read."""
        try:
            self._db.write(update(folder, set={"files": right}, when=count_equals(files=said)))
        except ConditionFailed:
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
        try:
            self._db.write(delete(folder, count_equals(files=0) & missing("grantees")))
        except ConditionFailed:
            return False
        return True


@dataclass
class Report:
    """What a run did: accounts compared and corrected, objects looked at and freed, in bytes too.

    `skipped` accounts changed meanwhile, or have a row that cannot be read. `folders` without files
    are gone, `recounted` ones said a wrong number of them.
    """

    accounts: int = 0
    corrected: int = 0
    skipped: int = 0
    adopted: int = 0
    folders: int = 0
    recounted: int = 0
    objects: int = 0
    freed: int = 0
    freed_bytes: int = 0
    position: Position = field(default_factory=Position)


class Reconciliation:
    """Looks through everything, in runs."""

    def __init__(self, base: Base) -> None:
        self._books = base.one(ReconciliationStore)
        self._bucket = base.bucket
        self._runtime = base.runtime

    def run(self, in_time: Callable[[], bool]) -> Report:
        """Goes on as long as it is `in_time`, or until everything has been seen once."""
        report = Report(position=self._books.position())
        steps = self._steps(report)
        while in_time() and next(steps, None):
            self._books.note(report.position)
        return report

    def _steps(self, report: Report) -> Iterator[bool]:
        """One page of an account's rows, or one page of objects, at each step."""
        while not report.position.accounts_seen:
            found, last = self._books.accounts(report.position.account, 1)
            for account in found:
                if self._walk(account, report):
                    report.position = Position(account=account.username)
            if last is None and (report.position.walking is None or not found):
                report.position = Position(accounts_seen=True)
            yield True
        while True:
            last = self._free(report.position.object, report)
            report.position = Position(object=last or "", accounts_seen=last is not None)
            if last is None:  # all has been seen; the next run begins again
                self._books.note(report.position)
                return
            yield True

    def _walk(self, account: Account, report: Report) -> bool:
        """Looks at the next page of an account's rows; whether that was the last."""
        at = report.position
        if at.walking != account.username:
            begun = iso(self._runtime.now() - SETTLED)
            at = Position(at.account, account.username, begun=begun, then=_charged(account))
        try:
            at = (self._add_up if at.shelf < TIDY else self._tidy)(account, at, report)
        except ValidationError:  # a row that nobody can read; there are others to look at
            report.skipped += 1
            return True
        report.position = at
        return at.shelf == END

    def _add_up(self, account: Account, at: Position, report: Report) -> Position:
        """Adds up files, and compares when that were all."""
        rows, more = self._books.page(account.username + SHELVES[at.shelf], at.name)
        mine = [row for row in rows if row.owner_id == account.id]
        report.adopted += self._books.adopt(mine, self._runtime.new_id)
        has = Load(*at.has) + Load(sum(row.size for row in mine), len(mine))
        last = rows[-1].name if more else ""
        if at.shelf == LIVE:
            at = self._count(account, at, mine, last, report)
        at = replace(at, has=(has.bytes, has.files), name=last, shelf=at.shelf + (not more))
        if at.shelf == TIDY:
            self._compare(account, at, report)
        return at

    def _count(
        self, account: Account, at: Position, rows: list[FileRow], last: str, report: Report
    ) -> Position:
        """Counts files into their folders; those that have none after the `last` are compared."""
        counts = Counter(at.open)
        for row in rows:
            counts.update(folders_of(row.name)[:MAX_LEVELS])
        still = set(folders_of(last))
        whole = {folder: files for folder, files in counts.items() if folder not in still}
        wrong = self._books.miscounted(account.username, whole)
        if wrong and self._quiet(account, at):
            for key, (said, right) in wrong.items():
                report.recounted += self._books.recount(key, said, right)
        rest = {folder: counts[folder] for folder in still if folder in counts}
        return replace(at, open=rest, surplus=at.surplus - len(whole))

    def _compare(self, account: Account, at: Position, report: Report) -> None:
        """Puts an account's usage right, unless it changed since its first page was read."""
        report.accounts += 1
        has, reserved = Load(*at.has), self._books.reserved(account)
        used = Load(account.bytes_used, account.files_used)
        if used == has + reserved and _reserved(account) == reserved:
            return
        quiet = at.then == _charged(account) and self._quiet(account, at)
        if quiet and self._books.correct(account, has, reserved, self._runtime.new_id()):
            report.corrected += 1
        else:
            report.skipped += 1

    def _tidy(self, account: Account, at: Position, report: Report) -> Position:
        """Removes folders without files, and looks into the others when those are too many."""
        look = at.shelf == LOOK
        folders, more = self._books.folders(account.username, at.name, FOLDERS_AT_ONCE)
        for folder in folders:
            key = folder_key(account.username, folder.name)
            if not folder.files and not folder.granted:
                report.folders += self._books.prune(key)
            elif look and folder.files and self._books.empty(account.username, folder.name):
                still = self._quiet(account, at)  # or a file may have come in the place of another
                report.recounted += still and self._books.recount(key, folder.files, 0)
        surplus = at.surplus + sum(folder.files != 0 for folder in folders)
        if more:
            return replace(at, surplus=surplus, name=folders[-1].key)
        again = not look and surplus > 0 and self._quiet(account, at)
        return replace(at, shelf=LOOK if again else END, name="")

    def _quiet(self, account: Account, at: Position) -> bool:
        """Whether no file of an account's has changed since its first page was read."""
        return not self._books.changed_since(account.username, at.begun)

    def _free(self, after: str, report: Report) -> str | None:
        """Removes what of a page of objects is old and nobody's; where the next page begins."""
        page = self._bucket.list_objects(after, AT_ONCE)
        old = [each for each in page if each.modified < self._runtime.now() - OLD]
        nobodys = self._books.unnamed([each.key for each in old])
        for each in old:
            if each.key in nobodys:
                self._bucket.delete(each.key)
                report.freed += 1
                report.freed_bytes += each.size
        report.objects += len(page)
        return page[-1].key if len(page) == AT_ONCE else None


def _reserved(account: Account) -> Load:
    return Load(account.bytes_reserved, account.files_reserved)


def _charged(account: Account) -> tuple[int, int]:
    """What an account is charged for what it has, beside what is reserved."""
    beside = Load(account.bytes_used, account.files_used) - _reserved(account)
    return beside.bytes, beside.files
