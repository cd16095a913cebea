"""The daily reconciliation of rows, counts and objects.

Commits keep everything consistent. The reconciliation repairs the rest: bytes that a crash left in
S3 before their commit, and the effects of a restored backup, a change by hand or a bug. Its steps:

1. For each account it reads the rows of its files, its trash and its versions. It gives objects the
   reference count that they lack, corrects the folders' counts of files, and sets the account's
   usage to the sum of the rows and of the reservations.
2. It deletes the rows of folders that have no files and no grants. If more folders claim files than
   the files have folders, it checks each of them.
3. It deletes objects in S3 that have no reference count and are older than any upload can be.

A run does as much as its time allows and saves its position; the next run continues there.

It runs beside requests, so rows may change after they were read. Every correction has as its
condition that the row is as it was read, and is made only if the account's changes feed has nothing
since its first row was read. Rows are believed and never changed: no object that a row names is
deleted.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from pydantic import ValidationError

from function.base import Base
from function.core.limits import DAY, UPLOAD_DAYS
from function.core.names import folders_of
from function.core.runtime import iso
from function.maintenance.reconciliation_store import (
    PAGE_SIZE,
    PARTITIONS,
    ReconciliationPosition,
    ReconciliationStep,
    ReconciliationStore,
)
from function.tables.accounts import Account
from function.tables.changes import LATE
from function.tables.files import FileRow
from function.tables.folders import MAX_LEVELS, folder_key
from function.tables.usage import StorageAmount

# A commit names bytes that are at most as old as an upload can be. The clock of S3 is another one,
# hence a day more.
MIN_AGE = (UPLOAD_DAYS + 1) * DAY


@dataclass
class Report:
    """The work that a run did. Its numbers become metrics.

    - `accounts` that were compared, those whose usage was `corrected`, and those `skipped` because
      they changed meanwhile or have a row that cannot be read;
    - reference counts that were `backfilled`;
    - `folders_deleted` that had no files, and `folders_corrected` with a wrong count of files;
    - `objects` that were listed, and those deleted: `freed`, and `freed_bytes`.
    """

    accounts: int = 0
    corrected: int = 0
    skipped: int = 0
    backfilled: int = 0
    folders_deleted: int = 0
    folders_corrected: int = 0
    objects: int = 0
    freed: int = 0
    freed_bytes: int = 0
    position: ReconciliationPosition = field(default_factory=ReconciliationPosition)


class Reconciliation:
    """Reconciles everything, in runs."""

    def __init__(self, base: Base) -> None:
        self._store = base.one(ReconciliationStore)
        self._bucket = base.bucket
        self._runtime = base.runtime

    def run(self, has_time: Callable[[], bool]) -> Report:
        """Continues where the last run ended, until all is done once or the time is over."""
        report = Report(position=self._store.load_position())
        pages = self._pages(report)
        while has_time() and next(pages, None):
            self._store.save_position(report.position)
        return report

    def _pages(self, report: Report) -> Iterator[bool]:
        """Handles a page of one account's rows, or a page of objects, each time it is advanced."""
        while not report.position.accounts_done:
            accounts, more = self._store.list_accounts(report.position.last_account, 1)
            for account in accounts:
                if self._handle_account(account, report):
                    report.position = ReconciliationPosition(last_account=account.username)
            if not accounts or (not more and report.position.account is None):
                report.position = ReconciliationPosition(accounts_done=True)
            yield True
        while True:
            last = self._free_objects(report.position.last_object, report)
            report.position = ReconciliationPosition(
                last_object=last or "", accounts_done=last is not None
            )
            if last is None:  # all is done; the next run begins with the accounts
                self._store.save_position(report.position)
                return
            yield True

    def _handle_account(self, account: Account, report: Report) -> bool:
        """Handles the next page of an account's rows; True when that was the last."""
        at = report.position
        if at.account != account.username:
            since = iso(self._runtime.now() - LATE)
            at = ReconciliationPosition(
                at.last_account, account.username, since=since, charged=_charged(account)
            )
        try:
            handle = self._count_rows if at.step in PARTITIONS else self._check_folders
            report.position = handle(account, at, report)
        except ValidationError:  # the others must not wait until somebody repairs this row
            report.skipped += 1
            return True
        return report.position.step == ReconciliationStep.DONE

    def _count_rows(
        self, account: Account, at: ReconciliationPosition, report: Report
    ) -> ReconciliationPosition:
        """Adds up a page of rows; after the last one compares the account's usage."""
        partition = account.username + PARTITIONS[ReconciliationStep(at.step)]
        rows, more = self._store.list_files(partition, at.after)
        own = [row for row in rows if row.owner_id == account.id]
        report.backfilled += self._store.backfill_refcounts(own)
        counted = StorageAmount(*at.counted) + StorageAmount(sum(row.size for row in own), len(own))
        last = rows[-1].name if more else ""
        if at.step == ReconciliationStep.FILES:
            at = self._count_folders(account, at, own, last, report)
        at = replace(
            at, counted=(counted.bytes, counted.files), after=last, step=at.step + (not more)
        )
        if at.step not in PARTITIONS:
            self._compare_usage(account, at, report)
        return at

    def _count_folders(
        self,
        account: Account,
        at: ReconciliationPosition,
        rows: list[FileRow],
        last: str,
        report: Report,
    ) -> ReconciliationPosition:
        """Counts files in their folders, and corrects the folders that have none after `last`."""
        counts = Counter(at.open_folders)
        for row in rows:
            counts.update(folders_of(row.name)[:MAX_LEVELS])
        still_open = set(folders_of(last))
        complete = {folder: files for folder, files in counts.items() if folder not in still_open}
        wrong = self._store.wrong_counts(account.username, complete)
        if wrong and self._is_unchanged(account, at):
            for key, (stored, right) in wrong.items():
                report.folders_corrected += self._store.correct_count(key, stored, right)
        rest = {folder: counts[folder] for folder in still_open if folder in counts}
        return replace(at, open_folders=rest, surplus=at.surplus - len(complete))

    def _compare_usage(self, account: Account, at: ReconciliationPosition, report: Report) -> None:
        """Corrects an account's usage, unless it changed since its first row was read."""
        report.accounts += 1
        stored, reserved = StorageAmount(*at.counted), self._store.reserved(account)
        used = StorageAmount(account.bytes_used, account.files_used)
        if used == stored + reserved and _reserved(account) == reserved:
            return
        unchanged = at.charged == _charged(account) and self._is_unchanged(account, at)
        if unchanged and self._store.correct_usage(account, stored, reserved):
            report.corrected += 1
        else:
            report.skipped += 1

    def _check_folders(
        self, account: Account, at: ReconciliationPosition, report: Report
    ) -> ReconciliationPosition:
        """Deletes folders without files; the second time looks for files below the others.

        There is a second time only if too many folders claim files.
        """
        recheck = at.step == ReconciliationStep.RECHECK_FOLDERS
        folders, more = self._store.list_folders(account.username, at.after)
        for folder in folders:
            key = folder_key(account.username, folder.name)
            if not folder.files and not folder.granted:
                report.folders_deleted += self._store.delete_folder(key)
            elif recheck and folder.files and self._store.is_empty(account.username, folder.name):
                # The count alone is no proof: a file may have left while another one came.
                unchanged = self._is_unchanged(account, at)
                report.folders_corrected += unchanged and self._store.correct_count(
                    key, folder.files, 0
                )
        surplus = at.surplus + sum(folder.files != 0 for folder in folders)
        if more:
            return replace(at, surplus=surplus, after=folders[-1].key)
        again = not recheck and surplus > 0 and self._is_unchanged(account, at)
        return replace(
            at,
            step=ReconciliationStep.RECHECK_FOLDERS if again else ReconciliationStep.DONE,
            after="",
        )

    def _is_unchanged(self, account: Account, at: ReconciliationPosition) -> bool:
        """Whether no file of the account has changed since its first row was read."""
        return not self._store.has_changed(account.username, at.since)

    def _free_objects(self, after: str, report: Report) -> str | None:
        """Deletes old objects without a reference count; returns the last key, None at the end."""
        page = self._bucket.list_objects(after, PAGE_SIZE)
        old = [each for each in page if each.modified < self._runtime.now() - MIN_AGE]
        unreferenced = self._store.without_refcount(each.key for each in old)
        for each in old:
            if each.key in unreferenced:
                self._bucket.delete(each.key)
                report.freed += 1
                report.freed_bytes += each.size
        report.objects += len(page)
        return page[-1].key if len(page) == PAGE_SIZE else None


def _reserved(account: Account) -> StorageAmount:
    return StorageAmount(account.bytes_reserved, account.files_reserved)


def _charged(account: Account) -> tuple[int, int]:
    """The bytes and rows that an account is charged for, without reservations."""
    stored = StorageAmount(account.bytes_used, account.files_used) - _reserved(account)
    return stored.bytes, stored.files
