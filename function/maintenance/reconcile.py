"""The daily reconciliation of rows, counts and objects.

Commits keep everything consistent. The reconciliation repairs the rest: bytes that a crash left in
S3 before their commit, and the effects of a restored backup, a change by hand or a bug. Its steps:

1. For each account it reads the rows of its files, its trash and its versions. It gives objects the
   reference count that they lack, lists files again whose expiry entry is lost, corrects the
   folders' counts of files, and raises the account's usage to the sum of the rows and of the
   reservations.
2. It deletes the rows of folders that have no files and no grants. If more folders claim files than
   the files have folders, it checks each of them.
3. It deletes objects in S3 that have no reference count and are older than any upload can be.

A run does as much as its time allows and saves its position; the sweep continues there.

It runs beside requests, so rows may change after they were read. Every correction has as its
condition that the row is as it was read, and is made only if the account's changes feed has nothing
since its first row was read. Rows are believed and never changed: no object that a row names is
deleted.

A table can also lose rows: it is restored to an earlier time, or is the wrong one. An account is
then charged for more than its rows hold. Its usage is not lowered and nothing is deleted
(`unreferenced.py`), until a person who knows that the rows are right confirms it. A dry run tells
what a run would do.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

from pydantic import ValidationError

from function.aws.rows import Item
from function.base import Base
from function.core.names import folders_of
from function.core.runtime import iso
from function.maintenance.reconciliation_store import (
    PARTITIONS,
    Evidence,
    Mode,
    ReconciliationPosition,
    ReconciliationStep,
    ReconciliationStore,
)
from function.maintenance.unreferenced import UnreferencedObjects, reasons_to_stop
from function.tables.accounts import Account
from function.tables.changes import LATE
from function.tables.files import FileRow
from function.tables.folders import MAX_LEVELS, folder_key
from function.tables.usage import NO_STORAGE, StorageAmount

MAX_FINDINGS = 50  # in the answer of one run


@dataclass
class Report:
    """The work that a run did. Its numbers become metrics.

    - `accounts` that were compared, those whose usage was `corrected`, those `overcharged` for more
      than their rows hold, and those `skipped` because they changed meanwhile or have a row that
      cannot be read;
    - reference counts that were `backfilled`, and expired files and uploads that were
      `listed_again`;
    - `folders_deleted` that had no files, and `folders_corrected` with a wrong count of files;
    - `objects` that were listed, those `unreferenced` by any row, and those deleted: `freed`, and
      `freed_bytes`;
    - `stopped`: 1 if objects may not be deleted, for the `reasons`.

    `findings` are sentences about accounts and objects. `done`: the run has come to the end.
    """

    accounts: int = 0
    corrected: int = 0
    overcharged: int = 0
    skipped: int = 0
    backfilled: int = 0
    listed_again: int = 0
    folders_deleted: int = 0
    folders_corrected: int = 0
    objects: int = 0
    unreferenced: int = 0
    freed: int = 0
    freed_bytes: int = 0
    stopped: int = 0
    done: bool = False
    reasons: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    position: ReconciliationPosition = field(default_factory=ReconciliationPosition)

    def find(self, sentence: str) -> None:
        """Notes a finding, if there are not too many."""
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(sentence)


class Reconciliation:
    """Reconciles everything, in runs."""

    def __init__(self, base: Base, mode: Mode = "scheduled") -> None:
        self._mode = mode
        self._store = ReconciliationStore(base, mode)
        self._objects = UnreferencedObjects(base, self._store, mode)
        self._runtime = base.runtime

    def is_unfinished(self) -> bool:
        """Whether a run saved a position from which another one continues."""
        return self._store.load_position() != ReconciliationPosition()

    def run(self, has_time: Callable[[], bool]) -> Report:
        """Continues where the last run ended, until all is done once or the time is over."""
        report = Report(position=self._store.load_position())
        pages = self._pages(report)
        while has_time() and next(pages, None):
            self._store.save_position(report.position)
        return report

    def _pages(self, report: Report) -> Iterator[bool]:
        """Handles an account, or a page of a large one or of objects, each time it is advanced."""
        while not report.position.accounts_done:
            rows, more = self._store.list_account_rows(report.position.last_account, 1)
            for row in rows:
                if self._handle_row(row, report):
                    evidence = report.position.evidence
                    report.position = ReconciliationPosition(
                        last_account=str(row["username"]), evidence=evidence
                    )
            if not rows or (not more and report.position.account is None):
                evidence = report.position.evidence
                report.position = ReconciliationPosition(accounts_done=True, evidence=evidence)
            yield True
        while self._handle_objects(report):
            yield True
        report.position, report.done = ReconciliationPosition(), True
        self._store.save_position(report.position)  # the next run begins with the accounts

    def _handle_objects(self, report: Report) -> bool:
        """Handles a page of objects; False when that was the last."""
        page = self._objects.look_at_page(report.position)
        report.position, found = page.position, page.unreferenced
        report.objects += page.listed
        report.unreferenced += len(found)
        self._list_again_of_deleted(page.owners, report)
        for each in found:
            report.find(f"The object {each.key} of {each.size} bytes has no row.")
        if self._mode == "confirmed":
            self._delete_objects([(each.key, each.size) for each in found], report)
        elif not page.more:
            evidence = report.position.evidence
            report.reasons = reasons_to_stop(evidence)
            report.stopped = int(bool(report.reasons))
            if not report.reasons:
                self._delete_objects(list(evidence.candidates), report)
        return page.more

    def _list_again_of_deleted(self, owners: set[str], report: Report) -> None:
        """Lists expired files again whose owner's account was deleted; their objects tell of it."""
        for owner in sorted(owners - self._store.existing(owners)):
            for step in (ReconciliationStep.TRASH, ReconciliationStep.VERSIONS):
                with suppress(ValidationError):  # the page is looked at again by the next pass
                    rows, _ = self._store.list_files(owner + PARTITIONS[step], "")
                    report.listed_again += self._store.list_expired_again(rows)

    def _delete_objects(self, objects: list[tuple[str, int]], report: Report) -> None:
        deleted = self._objects.delete(objects)
        report.freed += len(deleted)
        report.freed_bytes += sum(size for _, size in deleted)

    def _handle_row(self, row: Item, report: Report) -> bool:
        """Handles the next page of the account of a row; True when that was the last."""
        try:
            account = self._store.account(row)
            done = self._handle_account(account, report)
            while not done and not report.position.after:  # few rows: the next step at once
                done = self._handle_account(account, report)
        except ValueError:  # the others must not wait until somebody repairs a row
            self._skip(str(row["username"]), report)
            report.find(f"A row of {row['username']} cannot be read.")
            return True
        return done

    def _handle_account(self, account: Account, report: Report) -> bool:
        """Handles the next page of an account's rows; True when that was the last."""
        at = report.position
        if at.account != account.username:
            since = iso(self._runtime.now() - LATE)
            at = ReconciliationPosition(
                at.last_account,
                account.username,
                since=since,
                charged=_charged(account),
                evidence=at.evidence,
            )
        handle = self._count_rows if at.step in PARTITIONS else self._check_folders
        report.position = handle(account, at, report)
        return report.position.step == ReconciliationStep.DONE

    def _count_rows(
        self, account: Account, at: ReconciliationPosition, report: Report
    ) -> ReconciliationPosition:
        """Adds up a page of rows; after the last one compares the account's usage."""
        partition = account.username + PARTITIONS[ReconciliationStep(at.step)]
        rows, more = self._store.list_files(partition, at.after)
        own = [row for row in rows if row.owner_id == account.id]
        report.backfilled += self._store.backfill_refcounts(own)
        report.listed_again += self._store.list_expired_again(own)
        counted = StorageAmount(*at.counted) + StorageAmount(sum(row.size for row in own), len(own))
        last = rows[-1].name if more else ""
        if at.step == ReconciliationStep.FILES:
            at = self._count_folders(account, at, own, last, report)
        at = replace(
            at, counted=(counted.bytes, counted.files), after=last, step=at.step + (not more)
        )
        if at.step not in PARTITIONS:
            at = replace(at, evidence=self._compare_usage(account, at, report))
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

    def _compare_usage(
        self, account: Account, at: ReconciliationPosition, report: Report
    ) -> Evidence:
        """Raises an account's usage, unless it changed since its first row was read.

        Lowers it only if that was confirmed, or only the reservations are fewer. Returns the
        evidence with what it found.
        """
        report.accounts += 1
        evidence = at.evidence
        stored = StorageAmount(*at.counted)
        reserved, listed_again = self._store.reserved(account)
        report.listed_again += listed_again
        used = StorageAmount(account.bytes_used, account.files_used)
        if used == stored + reserved and _reserved(account) == reserved:
            return evidence
        unchanged = (
            at.charged == _charged(account)
            and self._is_unchanged(account, at)
            and self._store.is_as_read(account)
        )
        missing = _missing(account, stored, reserved)
        if unchanged and missing != NO_STORAGE and self._mode != "confirmed":
            report.overcharged += 1
            report.find(
                f"{account.username} is charged for {missing.files} files and {missing.bytes} "
                "bytes more than its rows hold."
            )
            return replace(evidence, overcharged=evidence.overcharged + 1)
        if unchanged and self._store.correct_usage(account, stored, reserved):
            report.corrected += 1
            report.find(f"{account.username} is charged for other files than its rows are.")
            return evidence
        return self._skip(account.username, report)

    def _skip(self, username: str, report: Report) -> Evidence:
        """Notes an account that could not be compared; returns the evidence."""
        report.skipped += 1
        evidence = report.position.evidence
        evidence = replace(evidence, unproven=(*evidence.unproven, username))
        report.position = replace(report.position, evidence=evidence)
        return evidence

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


def _reserved(account: Account) -> StorageAmount:
    return StorageAmount(account.bytes_reserved, account.files_reserved)


def _charged(account: Account) -> tuple[int, int]:
    """The bytes and rows that an account is charged for, without reservations."""
    stored = StorageAmount(account.bytes_used, account.files_used) - _reserved(account)
    return stored.bytes, stored.files


def _missing(account: Account, stored: StorageAmount, reserved: StorageAmount) -> StorageAmount:
    """The storage that an account is charged for without rows; reservations explain none of it."""
    used = StorageAmount(account.bytes_used, account.files_used)
    total, kept = used - stored - reserved, used - stored - _reserved(account)
    return StorageAmount(max(0, min(total.bytes, kept.bytes)), max(0, min(total.files, kept.files)))
