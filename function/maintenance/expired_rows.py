"""Deletes rows that have expired, with their bytes: eight batches of a hundred at a time."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from function.aws.rows import Key
from function.base import Base
from function.core.errors import Unavailable
from function.core.limits import DAY
from function.core.runtime import BatchResult
from function.files.purge import Purger
from function.tables.expiry import ExpiryEntries, ExpiryEntry, SweepPosition
from function.tables.jobs import is_job_key, list_as_running
from function.tables.uploads import is_upload_key

BATCH_SIZE = 100  # of one DeleteObjects; a transaction takes as many writes
WORKERS = 8
# Seconds after the expiry. A download URL that was signed just before it works for minutes. A PUT
# to an upload URL may take long.
GRACE, UPLOAD_GRACE = 600, 3600

HasTime = Callable[[], bool]


class ExpiredRows:
    """The expired rows that one sweep deletes, in the order of the days of their expiry."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._entries = ExpiryEntries(base.db)
        self._purger = base.one(Purger)
        self._bucket = base.bucket
        self._table = base.settings.files
        self._now = int(base.runtime.now())
        self._oldest = self._now  # when the oldest entry that is left was due
        self._position: SweepPosition | None = None
        self._waiting: list[int] = []  # days; of the first one, the entries up to `_after` are done
        self._after = ""
        self._left_open: list[int] = []  # days before them that still have entries
        self.result = BatchResult()

    def delete(self, has_time: HasTime) -> bool:
        """Deletes rows while there is time; returns whether the time was too short."""
        with self.result.attempt():
            if self._position is None:
                self._position = self._entries.load_position(self._table, self._now)
                self._waiting = self._position.open_days(self._now // DAY)
            while self._waiting and has_time():
                self._delete_page(has_time)
        return bool(self._waiting) and not has_time()

    def finish(self) -> int:
        """Saves what the next sweep needs; returns the age of the oldest entry that is left."""
        with self.result.attempt():
            if not self.result.failed:
                self._note_first_left()
            if self._position:
                open_days = [*self._left_open, *self._waiting]
                self._entries.save_position(self._position.after(open_days, self._now))
        return self._now - self._oldest

    def _note_first_left(self) -> None:
        """Notes the first due entries of the days that the time was too short for."""
        after = self._after
        for day in self._waiting:
            entries, _ = self._entries.list_entries(day, after=after, limit=BATCH_SIZE)
            if due := list(filter(self._is_due, entries)):
                self._note_left(due)
                return
            after = ""

    def _delete_page(self, has_time: HasTime) -> None:
        """Deletes the rows of the next entries of the first day."""
        day, limit = self._waiting[0], BATCH_SIZE * WORKERS
        entries, more = self._entries.list_entries(day, after=self._after, limit=limit)
        due = list(filter(self._is_due, entries))
        done = self._delete_rows(due, has_time)
        self._note_left(each for each in due if each.key not in done)
        if len(done) < len(entries) and day not in self._left_open:
            self._left_open.append(day)
        if more:
            self._after = str(entries[-1].key.sort)
        else:
            self._waiting, self._after = self._waiting[1:], ""

    def _is_due(self, entry: ExpiryEntry) -> bool:
        return self._now >= _due_time(entry)

    def _note_left(self, entries: Iterable[ExpiryEntry]) -> None:
        self._oldest = min([self._oldest, *map(_due_time, entries)])

    def _delete_rows(self, due: list[ExpiryEntry], has_time: HasTime) -> set[Key]:
        """Deletes the rows of entries in batches; returns the entries that are done."""
        starts = range(0, len(due), BATCH_SIZE)
        batches = [(due[start : start + BATCH_SIZE], has_time) for start in starts]
        if len(batches) > 1:
            with ThreadPoolExecutor(WORKERS) as pool:
                outcomes = list(pool.map(self._delete_batch, *zip(*batches, strict=True)))
        else:
            outcomes = [self._delete_batch(*each) for each in batches]
        done: set[Key] = set()
        for finished, errors in outcomes:
            done |= finished
            self.result.failed += errors
        self.result.done += len(done)
        return done

    def _delete_batch(
        self, due: list[ExpiryEntry], has_time: HasTime
    ) -> tuple[set[Key], list[Exception]]:
        """Deletes the rows of up to a hundred entries, then their bytes, then the entries.

        An upload that was completed has no entry any more, or its row cannot be claimed; so no
        bytes of a file are deleted. An aborted upload keeps its entry: its URL may bring bytes yet.
        """
        batch = BatchResult()
        done: dict[Key, str | None] = {}  # entries, with the bytes that are to be deleted
        others = [each for each in due if is_job_key(each.row) or is_upload_key(each.row)]
        for entry in others:
            if has_time():
                with batch.attempt():
                    done[entry.key] = self._delete_upload(entry)
        files = [(each.row, each.key) for each in due if each not in others]
        with batch.attempt():
            if files and has_time():
                done |= self._purger.purge_rows(files, has_time, batch)
        finished: set[Key] = set()
        with batch.attempt():
            kept = self._bucket.delete_many([key for key in done.values() if key])
            finished = {entry for entry, key in done.items() if key not in kept}
            self._entries.delete(finished)
            if kept:
                raise Unavailable(f"S3 did not delete {len(kept)} objects.")
        return finished, batch.failed

    def _delete_upload(self, entry: ExpiryEntry) -> str | None:
        """Deletes an upload and its parts; returns the key of the object that may have its bytes.

        Earlier releases listed folder moves here; they go to the list of running jobs.
        """
        if is_job_key(entry.row):
            self._db.write(list_as_running(entry.row, entry.until))
            return None
        if not self._entries.claim(entry) or not entry.object:
            return None
        if entry.multipart:
            self._bucket.abort_multipart(entry.object, entry.multipart)
        return entry.object


def _due_time(entry: ExpiryEntry) -> int:
    return entry.until + (UPLOAD_GRACE if is_upload_key(entry.row) else GRACE)
