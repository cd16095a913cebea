"""The versions of a file: replaced ones are kept for some time, and can be made current again.

Only the owner sees replaced versions: a grant is on the current one.
"""

from function.access.policy import Access, Authorization, WriteAuthorization
from function.audit.service import AuditLog
from function.aws.writes import Write
from function.base import Base
from function.core.models import Caller
from function.core.paging import Page, PageQuery, Paging
from function.core.runtime import iso
from function.files.commit import FileWriter, WriteRequest, Written
from function.files.conditions import require_conditions
from function.files.errors import NoSuchVersion
from function.files.models import FileObject, file_object
from function.history.models import Restoration, VersionView
from function.tables.files import (
    Archive,
    FileRow,
    is_archived,
    require_file_unchanged,
    version_in,
    version_key,
)


class VersionService:
    """Lists and restores versions."""

    def __init__(self, base: Base) -> None:
        self._max_versions = base.settings.keep_versions
        self._db = base.db
        self._archive = Archive(base.db)
        self._access = base.one(Access)
        self._writer = base.one(FileWriter)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime

    def list_versions(
        self, caller: Caller, owner: str | None, name: str, page: PageQuery
    ) -> Page[VersionView]:
        """A page of the versions of a file, the newest first; a position is a version's number.

        Of another account's file only the current one. Raises NoSuchFile, InvalidCursor.
        """
        authorization = self._access.authorize(caller, owner, name)
        row = authorization.file
        paging = Paging(page, authorization.account.id, f"versions {row.id}")
        views = [] if paging.after else [version_view(row, current=True)]
        if authorization.permission != "own":
            return paging.page(views, None)
        if paging.limit == len(views):
            return paging.page(views, str(row.version))
        after = str(version_key(row, int(paging.after)).sort) if paging.after else ""
        rows, more = self._archive.list_versions(
            row.partition, row.id, after=after, limit=paging.limit - len(views)
        )
        now = self._runtime.now()
        archived = [each for each in rows if is_archived(each, row, self._max_versions, now)]
        views += [version_view(each, current=False) for each in archived]
        # When the last row is one too many or has expired, so are those after it, but the owner's.
        is_last = archived[-1:] != rows[-1:]
        more = more and not (is_last and rows[-1].version <= (row.owner_version or row.version))
        return paging.page(views, str(rows[-1].version) if more else None)

    def restore(self, caller: Caller, request: Restoration) -> FileObject:
        """Makes a version current, as a new version; the current one becomes a replaced one.

        Changes nothing when both have the same object in S3.

        Raises NoSuchFile, NoSuchVersion, PreconditionFailed, QuotaExceeded, ChangedMeanwhile.
        """
        read_head = self._writer.head_reader()

        def plan() -> tuple[list[Write], FileObject]:
            authorization, old = self._find(caller, request)
            row = authorization.file
            require_conditions(request, row)
            if old.object == row.object:
                return [], file_object(row, "own")

            def extra_writes(written: Written) -> list[Write]:
                version, name = str(old.version), written.row.name
                return [
                    require_file_unchanged(version_key(row, old.version), old),
                    self._audit.record(caller, "version.restore", name, subject=version),
                ]

            own = WriteAuthorization.for_own_file(authorization, row.name)
            write_request = _write_request(row, old, request)
            writes, written = self._writer.plan(
                own, write_request, old.stored, extra_writes, read_head
            )
            return writes, file_object(written.row, written.permission)

        return self._db.transact(plan)

    def _find(self, caller: Caller, request: Restoration) -> tuple[Authorization, FileRow]:
        """The caller's own file, and its version. Raises NoSuchFile, NoSuchVersion."""
        authorization = self._access.authorize(caller, request.username, request.file_name)
        row = authorization.file
        version = request.version or row.version
        if authorization.permission != "own":
            raise NoSuchVersion
        if version == row.version:
            return authorization, row
        rows = self._db.read([version_key(row, version)])
        found = version_in(rows, row, version, self._max_versions, self._runtime.now())
        if found is None:
            raise NoSuchVersion
        return authorization, found


def version_view(row: FileRow, *, current: bool) -> VersionView:
    """A version as the owner of its file sees it."""
    return VersionView(
        version=row.version,
        size=row.size,
        modified=row.modified,
        etag=row.etag,
        sha256=row.sha256,
        content_type=row.content_type,
        modified_by=row.modified_by,
        current=current,
        until=None if row.until is None else iso(row.until),
    )


def _write_request(row: FileRow, old: FileRow, request: Restoration) -> WriteRequest:
    """The version `old` as the file's next one; the description and tags of `row` stay."""
    return WriteRequest(
        file_name=row.name,
        content_type=old.content_type,
        if_match=request.if_match,
        if_none_match=request.if_none_match,
        mode="existing_bytes",
        sender=old.sender,
    )
