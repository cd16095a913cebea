"""Copying: a second row that names the same bytes, which go when no row names them any more."""

from contextlib import suppress
from dataclasses import dataclass

from function.access.policy import Access, Authorization, needed_right
from function.audit.service import AuditTrail
from function.aws.dynamodb import TRANSACTION_LIMIT, ConditionFailed
from function.aws.s3 import BytesMissing, Stored
from function.aws.writes import Write, delete
from function.base import Base
from function.core.errors import Problem, TooLarge, Unavailable
from function.core.headers import span_of
from function.core.limits import AT_MOST, SMALL
from function.core.media_types import retyped
from function.core.models import Caller, Conditions
from function.files.commit import FileWriter, FileWrites, StateChanged, WriteRequest, Written
from function.files.conditions import known, require_conditions, require_match
from function.files.models import CopyRequest, FileObject, Upload, file_object
from function.files.purge import Purger
from function.files.upload_rules import HEAD
from function.tables.audit import Action
from function.tables.files import FileRow, file_key, file_row_key, require_file_unchanged
from function.tables.grants import grant_keys_on, revoke_grants_on


class CopyService:
    """Makes copies among the caller's own files."""

    def __init__(self, base: Base) -> None:
        self._access = base.one(Access)
        self._writer = base.one(FileWriter)
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime

    def copy(self, caller: Caller, wanted: CopyRequest) -> tuple[FileObject, bool]:
        """Copies a file that the caller may read; also says whether there was none of that name.

        The commit expects the original as it was read: without it its bytes may be on their way
        out. To put a file in the place of one that has the same bytes changes nothing.

        Raises NoSuchFile, FileExists, PreconditionFailed, QuotaExceeded, ChangedMeanwhile.
        """
        for _ in self._runtime.attempts():
            with suppress(StateChanged):
                return self._copy(caller, wanted)
        raise AssertionError

    def _copy(self, caller: Caller, wanted: CopyRequest) -> tuple[FileObject, bool]:
        entry, row, still = self._look(caller, wanted)
        there = entry.file
        if there and wanted.on_conflict == "replace" and there.object == row.object:
            require_conditions(wanted, there)
            return file_object(there, "own"), False
        intent = WriteRequest(
            wanted.new_name,
            retyped(row.content_type, row.name, wanted.new_name),
            wanted.on_conflict,
            wanted.if_match,
            wanted.if_none_match,
            description=row.description,
            tags=tuple(row.tags),
            sender=row.sender,
            again=True,
            exactly=True,
        )

        def look() -> Authorization:
            nonlocal still
            again, now, still = self._look(caller, wanted)
            if now.rev != row.rev or (again.file and again.file.object == row.object):
                raise StateChanged
            return again

        def also(placed: Written) -> list[Write]:
            noted = self._audit.record(
                caller, "file.copy", row.name, owner=row.shelf, subject=placed.row.name
            )
            return [require_file_unchanged(file_row_key(row), row), *still, noted]

        stored = Stored(row.object, row.size, row.etag, row.sha256)
        placed = self._writer.commit(look, entry, intent, stored, also)
        return file_object(placed.row, placed.permission), placed.created

    def _look(
        self, caller: Caller, wanted: CopyRequest
    ) -> tuple[Authorization, FileRow, list[Write]]:
        """What there is where the copy is to be, the original, and the right to read it.

        Raises NoSuchFile.
        """
        there = file_key(caller.username, wanted.new_name)
        entry = self._access.authorize(caller, wanted.username, wanted.file_name, [there])
        return entry.own(wanted.new_name), entry.readable()[0], entry.required_checks("read")


class SmallUploadService:
    """Takes files."""

    def __init__(self, base: Base) -> None:
        self._access = base.one(Access)
        self._bucket = base.bucket
        self._writer = base.one(FileWriter)
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime

    def put(self, caller: Caller, upload: Upload) -> tuple[FileObject, bool]:
        """Stores a file; also says whether it is new. Raises TooLarge and what placing raises."""
        if len(upload.data) > SMALL:
            raise TooLarge(f"PUT /file takes {SMALL} bytes; for more use POST /uploads.")
        owner, name = upload.username or caller.username, upload.file_name
        intent = WriteRequest(
            name,
            upload.content_type,
            upload.on_conflict,
            upload.if_match,
            upload.if_none_match,
            head=upload.data[:HEAD],
        )
        need = needed_right(upload.on_conflict)
        entry = self._access.authorize(caller, owner, name, need=need)
        self._writer.check(entry, intent, len(upload.data))
        key = f"{owner}/{self._runtime.new_id()}"
        stored = self._bucket.put(key, upload.data, upload.content_type)
        try:
            placed = self._writer.commit(
                lambda: self._access.authorize(caller, owner, name, need=need),
                entry,
                intent,
                stored,
                lambda placed: [
                    self._audit.record(caller, "file.upload", placed.row.name, owner=owner)
                ],
            )
        except Unavailable:  # perhaps it was committed
            raise
        except Problem:
            with suppress(Unavailable):
                self._bucket.delete(key)  # it was not, and nobody will ever name these bytes
            raise
        return file_object(placed.row, placed.permission), placed.created


@dataclass(frozen=True)
class ContentRequest(Conditions):
    """What of a file is wanted: all or a range, unless the caller has it."""

    range: str | None = None
    if_range: str | None = None


@dataclass(frozen=True)
class Content:
    """A file and its bytes; `data` is None when the caller has them or did not want them.

    `fresh` says that the caller's copy is still good (304); `span` is the first and last byte when
    it is a part.
    """

    file: FileObject
    data: bytes | None
    fresh: bool = False
    span: tuple[int, int] | None = None


class FileService:
    """Files that exist."""

    def __init__(
        self,
        base: Base,
    ) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._bucket = base.bucket
        self._file_writes = base.one(FileWrites)
        self._purger = base.one(Purger)
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime

    def read(
        self,
        caller: Caller,
        owner: str | None,
        name: str,
        wanted: ContentRequest,
        *,
        body: bool = True,
    ) -> Content:
        """A file with its bytes, or with no `body`.

        Raises NoSuchFile, TooLarge, PreconditionFailed, RangeNotSatisfiable.
        """
        try:
            return self._read(caller, owner, name, wanted, body)
        except BytesMissing:  # it may have gone for good since its row was read
            return self._read(caller, owner, name, wanted, body)

    def _read(
        self, caller: Caller, owner: str | None, name: str, wanted: ContentRequest, body: bool
    ) -> Content:
        row, permission = self._access.authorize(caller, owner, name).readable()
        file = file_object(row, permission)
        require_match(wanted, row)
        if known(wanted, row):
            return Content(file, None, fresh=True)
        if not body:
            return Content(file, None)
        if row.size > SMALL:
            raise TooLarge(f"GET /file gives {SMALL} bytes; for more use GET /download.")
        stale = wanted.if_range is not None and wanted.if_range.strip('"') != row.etag
        span = None if stale else span_of(wanted.range, row.size)
        return Content(file, self._bucket.get(row.object, span), span=span)

    def delete(
        self,
        caller: Caller,
        owner: str | None,
        name: str,
        conditions: Conditions,
        *,
        for_good: bool = False,
    ) -> None:
        """Moves a file of the caller's to the trash and revokes its grants, in one commit.

        Nobody else's: whoever is named as the `owner`, a grant to write is none to delete. When it
        is `for_good`, it goes on out of the trash with its versions; the sweep finishes that.

        Raises NoSuchFile, PreconditionFailed, ChangedMeanwhile.
        """
        in_time = self._runtime.within(AT_MOST)
        for _ in self._runtime.attempts():
            row = self._access.authorize(caller, owner, name).owned()
            require_conditions(conditions, row)
            kept = self._file_writes.deleted(row, for_good=for_good)
            done: Action = "file.purge" if for_good else "file.delete"
            shift = self._file_writes.change((row, None))
            try:
                self._commit(row, [*shift, *kept, self._audit.record(caller, done, name)])
            except ConditionFailed:
                continue
            if for_good:
                self._purger.purge(kept[0].key, kept[1].key, in_time)
            return

    def _commit(self, row: FileRow, writes: list[Write]) -> None:
        """Commits the end of a file with that of its grants.

        Those that do not fit the commit are dead with it, for they are good for a place that is no
        more. Raises Refused.
        """
        grants = [delete(key) for key in grant_keys_on(row)]
        at_once = TRANSACTION_LIMIT - len(writes)
        self._db.commit([*writes, *grants[:at_once]], token=self._runtime.new_id())
        with suppress(Unavailable):
            self._db.commit_each(revoke_grants_on(row)[at_once:])
