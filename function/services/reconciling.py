"""Comparing what is stored with what is said of it, a part every day until all has been looked at.

First each account: what it is charged against the rows that it has, and that every row's bytes are
known to be somebody's. When all accounts have been seen, the bytes that are nobody's: what a crash
left between the bytes and their row. Where a run ends, the next one goes on.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from pydantic import ValidationError

from function.records import Account, Load
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
SHELVES = ("", f"/{TRASH}", f"/{VERSIONS}")
SETTLED = 60  # seconds after which every commit that had begun is to be seen


@dataclass
class Report:
    """What a run did: accounts compared and corrected, objects looked at and freed, in bytes too.

    `skipped` accounts changed meanwhile, or have a row that cannot be read.
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
        """One page of an account's rows, or one page of objects, at each step."""
        while not report.position.accounts_seen:
            found, last = self._books.accounts(report.position.account, 1)
            for account in found:
                if self._walk(account, report):
                    report.position = Position(account=account.username)
            if last is None and report.position.walking is None:
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
        """Adds up the next page of an account's rows; whether that was the last."""
        at = report.position
        if at.walking != account.username:
            then = (account.bytes_used, account.files_used)
            begun = iso(self._from.now() - SETTLED)
            at = Position(at.account, account.username, begun=begun, then=then)
        try:
            rows, more = self._books.page(account.username + SHELVES[at.shelf], at.name)
        except ValidationError:  # a row that nobody can read; there are others to look at
            report.skipped += 1
            return True
        mine = [row for row in rows if row.owner_id == account.id]
        report.adopted += self._books.adopt({row.object for row in mine})
        has = Load(*at.has) + Load(sum(row.size for row in mine), len(mine))
        shelf, name = (at.shelf, rows[-1].name) if more else (at.shelf + 1, "")
        at = replace(at, shelf=shelf, name=name, has=(has.bytes, has.files))
        report.position = at
        if shelf < len(SHELVES):
            return False
        report.folders += self._books.prune_folders(account.username)
        self._compare(account, at, has, report)
        return True

    def _compare(self, account: Account, at: Position, has: Load, report: Report) -> None:
        """Puts an account's usage right, unless it changed since its first page was read."""
        report.accounts += 1
        used = has + Load(account.bytes_reserved, account.files_reserved)
        if Load(account.bytes_used, account.files_used) == used:
            return
        still = at.then == (account.bytes_used, account.files_used)
        quiet = still and not self._books.changed_since(account.username, at.begun)
        if quiet and self._books.correct(account, used, self._from.new_id()):
            report.corrected += 1
        else:
            report.skipped += 1

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
