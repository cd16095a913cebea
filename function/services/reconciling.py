"""Comparing what is stored with what is said of it, a part every day until all has been looked at.

First each account: what it is charged against the rows that it has, and that every row's bytes are
known to be somebody's. When all accounts have been seen, the bytes that are nobody's: what a crash
left between the bytes and their row. Where a run ends, the next one goes on.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from function.records import Account, FileRow, Load
from function.services.origins import Origins, iso
from function.stores.books import Books, Position
from function.stores.due import DAY
from function.stores.files import TRASH, VERSIONS
from function.stores.multipart import Multipart
from function.stores.objects import Objects
from function.stores.transfers import DAYS

# Rows name bytes that are at most as old as an upload may live; a day more for clocks that differ.
OLD = (DAYS + 1) * DAY
AT_ONCE = 1000
SETTLED = 60  # seconds after which every commit that had begun is to be seen


@dataclass
class Report:
    """What a run did: accounts compared and corrected, objects looked at and freed, in bytes too.

    `skipped` accounts changed meanwhile, or are larger than a run.
    """

    accounts: int = 0
    corrected: int = 0
    skipped: int = 0
    adopted: int = 0
    folders: int = 0
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
        """One account, or one page of objects, at each step."""
        while not report.position.accounts_seen:
            found, last = self._books.accounts(report.position.account, 1)
            for account in found:
                self._compare(account, report)
            report.position = Position(account=last, accounts_seen=last is None)
            yield True
        while True:
            last = self._free(report.position.object, report)
            report.position = Position(object=last or "", accounts_seen=last is not None)
            if last is None:  # all has been seen; the next run begins again
                self._books.note(report.position)
                return
            yield True

    def _compare(self, account: Account, report: Report) -> None:
        """Puts an account's usage right, unless it changes meanwhile."""
        begun = self._from.now()
        report.accounts += 1
        has = Load()
        for shelf in ("", f"/{TRASH}", f"/{VERSIONS}"):
            for rows in self._books.pages(account.username + shelf):
                mine = [row for row in rows if row.owner_id == account.id]
                has += Load(sum(row.size for row in mine), len(mine))
                report.adopted += self._adopt(mine)
        report.folders += self._books.prune_folders(account.username)
        reserved = Load(account.bytes_reserved, account.files_reserved)
        if Load(account.bytes_used, account.files_used) == has + reserved:
            return
        quiet = not self._books.changed_since(account.username, iso(begun - SETTLED))
        if quiet and self._books.correct(account, has + reserved, self._from.new_id()):
            report.corrected += 1
        else:
            report.skipped += 1

    def _adopt(self, rows: list[FileRow]) -> int:
        """Has each row's bytes known as somebody's; how many were not."""
        return self._books.adopt({row.object for row in rows})

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
