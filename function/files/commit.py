"""The commit of an upload, and the writes that every change of a file consists of.

A file is its row in DynamoDB; the bytes are in S3 before it. One transaction writes the row and all
that follows from it: the archived version, the folders' counts, the search index, the entry of the
changes feed, the reference count of the object, the owner's usage and the audit record. So they
agree at every moment, and an upload either happened or did not. `FileWriter.plan` decides.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Literal

from function.access.policy import WriteAuthorization
from function.access.quotas import require_room
from function.audit.service import AuditLog
from function.aws.dynamodb import BATCH_GET_LIMIT
from function.aws.s3 import Stored
from function.aws.writes import Write, delete, put
from function.base import Base
from function.core.fields import OnConflict, Permission
from function.core.models import Conditions
from function.core.names import MAX_NUMBER, is_too_long, numbered
from function.core.runtime import iso
from function.files.conditions import require_conditions
from function.files.errors import FileExists
from function.files.upload_rules import UploadRules
from function.tables.changes import put_change
from function.tables.files import (
    TRASH,
    VERSIONS,
    FileRow,
    archive,
    archive_name,
    create_file,
    delete_archived,
    delete_file,
    file_key,
    file_row_key,
    increment_refcount,
    init_refcount,
    replace_file,
    require_file_unchanged,
    surplus_versions,
    trash_name,
    version_key,
)
from function.tables.folders import count_files
from function.tables.search_terms import term_key, terms_of
from function.tables.usage import NO_STORAGE, StorageAmount, charge

# A file before and after a change; None where it does not exist.
FileRowChange = tuple[FileRow | None, FileRow | None]


@dataclass(frozen=True, kw_only=True)
class WriteRequest(Conditions):
    """The file that an upload, a copy or a restored version is to become.

    `mode` says whether its object is new in S3 or already belongs to another row, which then shares
    it. With `keep_details` a description or tags that the request does not give are those of the
    replaced file. An upload to a file request has the id of that `request`, and `sender`, the name
    that the uploader gave. `reserved` was charged to the owner when the upload began. `head` is the
    beginning of the bytes (HEAD_BYTES of `upload_rules`); None has it read from S3 where a rule
    needs it. `grantees` are granted the file in the same transaction, such as a new link.
    """

    file_name: str
    content_type: str
    on_conflict: OnConflict = "replace"
    description: str | None = None
    tags: tuple[str, ...] = ()
    mode: Literal["new_bytes", "existing_bytes"] = "new_bytes"
    keep_details: bool = True
    request: str | None = None
    sender: str | None = None
    reserved: StorageAmount = NO_STORAGE
    head: bytes | None = None
    grantees: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Written:
    """A committed file, the caller's permission on it, and whether the commit created it."""

    row: FileRow
    permission: Permission
    created: bool


ExtraWrites = Callable[[Written], list[Write]]
# Reads the first bytes of an object, where a rule of a role needs them (`UploadRules.read_head`).
HeadReader = Callable[[str, Stored], bytes | None]


class FileWriter:
    """Commits uploads, copies and restored versions."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._file_writes = base.one(FileWrites)
        self._audit = base.one(AuditLog)
        self._rules = base.one(UploadRules)
        self._runtime = base.runtime
        self._keep_versions = base.settings.keep_versions

    def commit(
        self,
        authorization: WriteAuthorization,
        request: WriteRequest,
        stored: Stored,
        *,
        reload: Callable[[], WriteAuthorization],
        extra_writes: ExtraWrites,
    ) -> Written:
        """Commits a file whose bytes are `stored` in S3.

        When another commit came between, `reload` authorizes again and everything is decided again.
        `extra_writes` happen in the same transaction or not at all. Raises what `check` raises, and
        ChangedMeanwhile after the last attempt.
        """
        authorizations = chain([authorization], iter(reload, None))
        read_head = self.head_reader()
        return self._db.transact(
            lambda: self.plan(next(authorizations), request, stored, extra_writes, read_head)
        )

    def head_reader(self) -> HeadReader:
        """A function for the plans of one transaction, which reads each object's head once."""
        return cache(self._rules.read_head)

    def plan(
        self,
        authorization: WriteAuthorization,
        request: WriteRequest,
        stored: Stored,
        extra_writes: ExtraWrites,
        read_head: HeadReader,
    ) -> tuple[list[Write], Written]:
        """The writes of one transaction that makes the file, for `Dynamo.transact`.

        Each write carries the condition under which it was decided. `read_head` is a `head_reader`
        of the transaction. Raises what `check` raises.
        """
        if request.head is None:
            head = read_head(authorization.account.role, stored)
            request = dataclasses.replace(request, head=head)
        self.check(authorization, request, stored.size)
        row = self._new_row(authorization, request, stored)
        written = Written(row, authorization.permission, created=row.version == 1)
        growth = StorageAmount(stored.size, 1) - request.reserved
        count = init_refcount if request.mode == "new_bytes" else increment_refcount
        extra = extra_writes(written)
        row_writes = self._row_writes(authorization.file, row, extra)
        written_keys = {write.key for write in row_writes}
        return [
            *row_writes,
            count(row.object),
            charge(authorization.owner, growth, -request.reserved),
            *self._audit.quota_warning(authorization.owner, growth),
            *authorization.required_checks,  # a right that was revoked meanwhile commits nothing
            # A transaction takes one write for each row, and those above have its condition.
            *(w for w in extra if w.kind != "ConditionCheck" or w.key not in written_keys),
        ], written

    def check(self, authorization: WriteAuthorization, request: WriteRequest, size: int) -> None:
        """Checks that the file could be committed now.

        Services call it before they take the bytes, and `plan` calls it again. Raises TooLarge,
        TypeNotAllowed, PreconditionFailed, FileExists, QuotaExceeded.
        """
        self._rules.require_allowed(
            authorization.account.role, request.file_name, size, request.head
        )
        require_conditions(request, authorization.file)
        may_coexist = request.on_conflict == "rename" and authorization.may_add
        if authorization.file and request.on_conflict != "replace" and not may_coexist:
            raise FileExists
        require_room(authorization.owner, StorageAmount(size, 1) - request.reserved)

    def free_name(self, owner: str, name: str, *, guaranteed: bool) -> str:
        """The first of `name (1).ext`, `name (2).ext`, … that no file of the owner's has.

        After MAX_NUMBER, raises FileExists; a `guaranteed` name ends in random digits then.
        """
        for start in range(1, MAX_NUMBER, BATCH_GET_LIMIT):
            names = [numbered(name, number) for number in range(start, start + BATCH_GET_LIMIT)]
            taken = self._db.read(file_key(owner, each) for each in names)
            for each in names:
                if file_key(owner, each) not in taken and not is_too_long(each):
                    return each
        if guaranteed:
            return numbered(name, self._runtime.new_id()[:8])
        raise FileExists

    def _new_row(
        self, authorization: WriteAuthorization, request: WriteRequest, stored: Stored
    ) -> FileRow:
        """The row of the file: the next version of the one that has the name, or a new file."""
        owner, name, old = authorization.owner, request.file_name, authorization.file
        if old and request.on_conflict == "rename":
            # An uploader to a file request is never told which names are taken.
            name = self.free_name(owner.username, name, guaranteed=bool(request.request))
            old = None
        details = old if request.keep_details else None
        now = iso(self._runtime.now())
        return FileRow(
            partition=owner.username,
            name=name,
            id=old.id if old else self._runtime.new_id(),
            owner_id=owner.id,
            rev=self._runtime.new_id(),
            object=stored.object,
            size=stored.size,
            etag=stored.etag,
            content_type=request.content_type,
            created=old.created if old else now,
            modified=now,
            version=old.version + 1 if old else 1,
            sha256=stored.sha256,
            description=request.description or (details.description if details else None),
            tags=list(request.tags) or (details.tags if details else []),
            modified_by=None if request.request else authorization.account.username,
            sender=request.sender,
            place=old.place if old else None,
            grantees=request.grantees | (old.grantees if old else frozenset()),
            owner_version=_owner_version(authorization, old),
        )

    def _row_writes(self, old: FileRow | None, row: FileRow, extra: list[Write]) -> list[Write]:
        """The writes of the file's row, and of the file that has the requested name.

        That file becomes a version, or it is why another name was chosen. Then the commit requires
        it to be unchanged: if it was deleted meanwhile, its name is free. A transaction takes one
        write for each row, so the check is left out where `extra` has one for the same row.
        """
        if old and old.id == row.id:
            return [
                *self._file_writes.change_files((old, row)),
                *self._file_writes.archive_version(old),
                *self._trim_versions(old, row),
            ]
        writes = self._file_writes.change_files((None, row))
        if old and file_row_key(old) not in {write.key for write in extra}:
            writes.append(require_file_unchanged(file_row_key(old), old))
        return writes

    def _trim_versions(self, old: FileRow, row: FileRow) -> list[Write]:
        """Moves the versions that are too many to the trash. Those that have expired stay."""
        numbers = surplus_versions(old, row, self._keep_versions)
        found = self._db.read([version_key(row, number) for number in numbers]) if numbers else {}
        versions = [FileRow.model_validate(each) for each in found.values()]
        return [
            write
            for version in versions
            if (version.until or 0) > self._runtime.now()
            for write in self._file_writes.move_version_to_trash(version, row)
        ]


class FileWrites:
    """Makes the writes that create, change, move, archive and delete files."""

    def __init__(self, base: Base) -> None:
        self._runtime = base.runtime
        self._keep_seconds = base.settings.keep_seconds

    def change_files(self, *changes: FileRowChange) -> list[Write]:
        """The writes of changes: rows, search index, folders' counts, changes feed.

        The files' own rows come first, each with the condition that it is as it was read.
        """
        now = self._runtime.now()
        expires_at, at = int(now) + self._keep_seconds, iso(now)
        return [
            *(write for old, new in changes for write in _file_rows(old, new)),
            *(write for old, new in changes for write in _search_terms(old, new)),
            *count_files([old for old, _ in changes if old], [new for _, new in changes if new]),
            *(put_change(old, new, at, self._runtime.new_id(), expires_at) for old, new in changes),
        ]

    def archive_version(self, row: FileRow) -> list[Write]:
        """Archives a replaced file as a version."""
        until = int(self._runtime.now()) + self._keep_seconds
        return archive(row, VERSIONS, archive_name(row.id, row.version), until)

    def move_version_to_trash(self, version: FileRow, row: FileRow) -> list[Write]:
        """Moves a version of a file to the trash, as a deleted file of its own."""
        details = {"partition": row.partition, "name": row.name, "id": self._runtime.new_id()}
        single = version.model_copy(update=details | {"owner_version": None})
        return [*delete_archived(version), *self.move_to_trash(single)]

    def move_to_trash(self, row: FileRow, *, expire_now: bool = False) -> list[Write]:
        """Archives a deleted file in the trash; with `expire_now` it expires there at once.

        The row gets another place, so that no grant on the file gives access to it if it comes
        back. The first write puts the archived row, the second its expiry entry.
        """
        now, nonce = self._runtime.now(), self._runtime.new_id()
        archived = row.model_copy(update={"place": nonce})
        until = int(now) + (0 if expire_now else self._keep_seconds)
        return archive(archived, TRASH, trash_name(row.name, now, nonce), until, iso(now))


def _owner_version(authorization: WriteAuthorization, old: FileRow | None) -> int | None:
    """The latest version that the owner put, of the file that replaces `old`.

    A row of an older release does not have it; then only the last writer is known.
    """
    owner = authorization.owner.username
    if authorization.account.username == owner:
        return old.version + 1 if old else 1
    if old is None:
        return None
    return old.owner_version or (old.version if old.modified_by == owner else None)


def _file_rows(old: FileRow | None, new: FileRow | None) -> list[Write]:
    if old and new and old.name == new.name:
        return [replace_file(old, new)]
    return [*([delete_file(old)] if old else []), *([create_file(new)] if new else [])]


def _search_terms(old: FileRow | None, new: FileRow | None) -> list[Write]:
    before = {term_key(old.partition, term) for term in terms_of(old)} if old else set()
    after = {term_key(new.partition, term) for term in terms_of(new)} if new else set()
    deletes = [delete(key) for key in sorted(before - after)]
    return deletes + [put(key, {}) for key in sorted(after - before)]
