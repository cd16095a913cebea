"""Comparing what is stored with what is said of it, a part every day until all has been looked at.

First each account: what it is charged and what its folders say against the rows that it has, and
that every row's bytes are known to be somebody's. When all accounts have been seen, the bytes that
are nobody's: what a crash left between the bytes and their row. Where a run ends, the next one goes
on.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from pydantic import ValidationError

from function.records import Account, FileRow, Load
from function.services.origins import Origins, iso
from function.stores.books import Books, Position
from function.stores.due import DAY
from function.stores.files import TRASH, VERSIONS
from function.stores.folders import MOST_LEVELS, folder_key
from function.stores.multipart import Multipart
from function.stores.objects import Objects
from function.stores.shares import folders_of
from function.stores.transfers import DAYS

# Rows name bytes that are at most as old as an upload may live; a day more for clocks that differ.
OLD = (DAYS + 1) * DAY
AT_ONCE = 1000
SHELVES = ("", f"/{TRASH}", f"/{VERSIONS}")
# After the shelves of files: folders are tidied, and looked into where there seem to be too many.
LIVE, TIDY, LOOK, END = 0, *range(len(SHELVES), len(SHELVES) + 3)
FOLDERS_AT_ONCE = 100  # each perhaps in a call of its own
SETTLED = 60  # seconds after which every commit that had begun is to be seen


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


class Reconciling:
    """Looks through everything, in runs."""

    def __init__(
        self, books: Books, objects: Objects, multipart: Multipart, origins: Origins
    ) -> None:
        """Rows are in `books`; `objects` lists bytes and `multipart` removes them."""
        self._books = books
        self._objects = objects
        self._multipart = multipart
        self._from = origins

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
            begun = iso(self._from.now() - SETTLED)
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
        report.adopted += self._books.adopt(mine, self._from.new_id)
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
            counts.update(folders_of(row.name)[:MOST_LEVELS])
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
        if quiet and self._books.correct(account, has, reserved, self._from.new_id()):
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
        page = self._objects.page(after, AT_ONCE)
        old = [each for each in page if each.modified < self._from.now() - OLD]
        nobodys = self._books.unnamed([each.key for each in old])
        for each in old:
            if each.key in nobodys:
                self._multipart.discard(each.key, None)
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
