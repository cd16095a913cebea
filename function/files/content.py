"""The routes of one file: `PUT /file`, `GET`, `HEAD` and `DELETE /file`, `POST /copy`.

`SmallUploadService` puts, `FileService` reads and deletes, `CopyService` copies. Bytes are in S3
before a row names them, and stay there until no row does.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from function.access.policy import Access, WriteAuthorization, needed_right
from function.access.releases import Releases
from function.audit.service import AuditLog
from function.aws.dynamodb import TRANSACTION_LIMIT
from function.aws.s3 import BytesMissing
from function.aws.writes import Write, delete
from function.base import Base
from function.core.errors import Contended, Problem, TooLarge, Unavailable
from function.core.headers import span_of
from function.core.limits import SMALL_FILE_BYTES, WORK_SECONDS
from function.core.media_types import retyped
from function.core.models import Caller, Conditions
from function.files.commit import (
    ExtraWrites,
    FileWriter,
    FileWrites,
    WriteRequest,
    Written,
)
from function.files.conditions import (
    matches_if_none_match,
    require_conditions,
    require_if_match,
)
from function.files.models import CopyRequest, FileObject, file_object
from function.files.purge import Purger
from function.files.upload_rules import HEAD_BYTES
from function.tables.audit import Action
from function.tables.files import FileRow, file_key, file_row_key, require_file_unchanged
from function.tables.grants import grant_keys_on, revoke_grants_on
from function.tables.reservations import reservations_on


class SmallUploadService:
    """`PUT /file`: files of up to SMALL_FILE_BYTES bytes, which pass through the function."""

    def __init__(self, base: Base) -> None:
        self._access = base.one(Access)
        self._bucket = base.bucket
        self._writer = base.one(FileWriter)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime

    def put(
        self, caller: Caller, owner: str | None, request: WriteRequest, data: bytes
    ) -> tuple[FileObject, bool]:
        """Stores a file among those of `owner`, the caller by default; True if it is new.

        Raises TooLarge, NoSuchFile, and what FileWriter.commit raises.
        """
        if len(data) > SMALL_FILE_BYTES:
            raise TooLarge(f"PUT /file takes at most {SMALL_FILE_BYTES} bytes; use POST /uploads.")
        owner = owner or caller.username

        def authorize() -> WriteAuthorization:
            need = needed_right(request.on_conflict)
            return self._access.authorize_write(caller, owner, request.file_name, need=need)

        def audit(written: Written) -> list[Write]:
            return [self._audit.record(caller, "file.upload", written.row.name, owner=owner)]

        written = self.store(authorize, request, data, audit)
        return file_object(written.row, written.permission), written.created

    def store(
        self,
        authorize: Callable[[], WriteAuthorization],
        request: WriteRequest,
        data: bytes,
        extra_writes: ExtraWrites,
    ) -> Written:
        """Puts the bytes into the bucket and commits their file with `extra_writes`.

        `authorize` is called again where another commit came between. Raises what it raises, and
        what FileWriter.commit raises.
        """
        request = replace(request, head=data[:HEAD_BYTES])
        authorization = authorize()
        self._writer.check(authorization, request, len(data))
        key = f"{authorization.owner.username}/{self._runtime.new_id()}"
        stored = self._bucket.put(key, data, request.content_type)
        try:
            return self._writer.commit(
                authorization, request, stored, reload=authorize, extra_writes=extra_writes
            )
        except Problem as error:
            # Without an answer the commit may have happened: then the bytes must stay.
            if isinstance(error, Contended) or not isinstance(error, Unavailable):
                with suppress(Unavailable):
                    self._bucket.delete(key)  # nothing was committed, and no row will name them
            raise


@dataclass(frozen=True)
class ContentRequest(Conditions):
    """The header fields of a read: conditions, and the range (RFC 9110, sections 13 and 14)."""

    range: str | None = None
    if_range: str | None = None


@dataclass(frozen=True)
class Content:
    """A file and the bytes of it that the answer has; None where it has no body.

    `not_modified` says that the caller has the current bytes (304). `span` is the first and last
    byte of a range (206), None where `data` is the whole file.
    """

    file: FileObject
    data: bytes | None
    not_modified: bool = False
    span: tuple[int, int] | None = None


class FileService:
    """`GET`, `HEAD` and `DELETE /file`."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._bucket = base.bucket
        self._file_writes = base.one(FileWrites)
        self._purger = base.one(Purger)
        self._releases = base.one(Releases)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime

    def read(
        self,
        caller: Caller,
        owner: str | None,
        name: str,
        request: ContentRequest,
        *,
        body: bool = True,
    ) -> Content:
        """A file of up to SMALL_FILE_BYTES bytes, or without `body` one of any size.

        Raises NoSuchFile, TooLarge, PreconditionFailed, RangeNotSatisfiable.
        """
        try:
            return self._read(caller, owner, name, request, body)
        except BytesMissing:  # deleted since its row was read: the row says so now
            return self._read(caller, owner, name, request, body)

    def _read(
        self, caller: Caller, owner: str | None, name: str, request: ContentRequest, body: bool
    ) -> Content:
        found = self._access.authorize(caller, owner, name)
        row, file = found.file, file_object(found.file, found.permission)
        require_if_match(request, row)
        if matches_if_none_match(request, row):
            return Content(file, None, not_modified=True)
        if not body:
            return Content(file, None)
        if row.size > SMALL_FILE_BYTES:
            raise TooLarge(f"GET /file gives at most {SMALL_FILE_BYTES} bytes; use GET /download.")
        # A range of older bytes would not fit them: then the whole file is sent (section 13.1.5).
        is_stale = request.if_range is not None and request.if_range.strip('"') != row.etag
        span = None if is_stale else span_of(request.range, row.size)
        return Content(file, self._bucket.get(row.object, span), span=span)

    def delete(
        self,
        caller: Caller,
        owner: str | None,
        name: str,
        conditions: Conditions,
        *,
        permanent: bool = False,
    ) -> None:
        """Moves a file of the caller's to the trash and revokes its grants, in one commit.

        Only owners delete: the right to write a shared file does not include it. A `permanent`
        delete also removes it from the trash, with its versions; the sweep finishes what
        takes too long. Raises NoSuchFile, PreconditionFailed, ChangedMeanwhile.
        """
        has_time = self._runtime.within(WORK_SECONDS)

        def plan() -> tuple[list[Write], tuple[list[Write], list[Write]]]:
            row = self._access.authorize(caller, owner, name, need="own").file
            require_conditions(conditions, row)
            archived = self._file_writes.move_to_trash(row, expire_now=permanent)
            action: Action = "file.purge" if permanent else "file.delete"
            audit_write = self._audit.record(caller, action, name)
            writes = [*self._file_writes.change_files((row, None)), *archived, audit_write]
            if row.grantees:
                writes.append(self._releases.schedule(reservations_on(row.partition)))
            room = TRANSACTION_LIMIT - len(writes)
            writes += [delete(key) for key in grant_keys_on(row)][:room]
            return writes, (archived, revoke_grants_on(row)[room:])

        archived, grants_left = self._db.transact(plan)
        with suppress(Unavailable):  # they name a place that no file has any more: none applies
            self._db.commit_each(grants_left)
        if permanent:
            self._purger.purge(archived[0].key, archived[1].key, has_time)


class CopyService:
    """`POST /copy`: another row with the same bytes, among the caller's own files."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._writer = base.one(FileWriter)
        self._audit = base.one(AuditLog)

    def copy(self, caller: Caller, request: CopyRequest) -> tuple[FileObject, bool]:
        """Copies a file that the caller may read; True if no file had the new name.

        The commit requires the original to be unchanged, for the bytes of a deleted one may be
        about to go. A copy over a file that has the same bytes already changes nothing.

        Raises NoSuchFile, FileExists, PreconditionFailed, QuotaExceeded, ChangedMeanwhile.
        """
        read_head = self._writer.head_reader()

        def plan() -> tuple[list[Write], tuple[FileObject, bool]]:
            target_key = file_key(caller.username, request.new_name)
            found = self._access.authorize(
                caller, request.username, request.file_name, more=[target_key]
            )
            source = found.file
            target = WriteAuthorization.for_own_file(found, request.new_name)
            old = target.file
            if old and request.on_conflict == "replace" and old.object == source.object:
                require_conditions(request, old)
                return [], (file_object(old, "own"), False)

            def extra_writes(written: Written) -> list[Write]:
                details = {"owner": source.partition, "subject": written.row.name}
                audit_write = self._audit.record(caller, "file.copy", source.name, **details)
                unchanged = require_file_unchanged(file_row_key(source), source)
                return [unchanged, *found.required_checks, audit_write]

            writes, written = self._writer.plan(
                target, _copy_of(source, request), source.stored, extra_writes, read_head
            )
            return writes, (file_object(written.row, written.permission), written.created)

        return self._db.transact(plan)


def _copy_of(source: FileRow, request: CopyRequest) -> WriteRequest:
    """The copy of a file: its bytes and details, under a new name."""
    return WriteRequest(
        file_name=request.new_name,
        content_type=retyped(source.content_type, source.name, request.new_name),
        on_conflict=request.on_conflict,
        if_match=request.if_match,
        if_none_match=request.if_none_match,
        description=source.description,
        tags=tuple(source.tags),
        mode="existing_bytes",
        keep_details=False,
        sender=source.sender,
    )
