"""The versions of a file: replaced ones are kept for some time, and can be made current again.

Only the owner sees replaced versions: a grant is on the current one.
"""

from function.access.policy import Access, Authorization, WriteAuthorization
from function.audit.service import AuditTrail
from function.aws.writes import Write
from function.base import Base
from function.core.cursors import seal, unseal
from function.core.models import Caller
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
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime

    def list_versions(
        self, caller: Caller, owner: str | None, name: str, limit: int, cursor: str | None
    ) -> tuple[list[VersionView], str | None]:
        """The versions of a file, the newest first, and the cursor of the next page.

        Of another account's file only the current one. Raises NoSuchFile, InvalidCursor.
        """
        entry = self._access.authorize(caller, owner, name)
        row, account_id = entry.file, entry.account.id
        list_name = f"versions {row.id}"
        position = unseal(cursor, account_id, list_name)
        views = [] if position else [version_view(row, current=True)]
        if entry.permission != "own":
            return views, None
        if limit == len(views):
            return views, seal([str(row.version)], account_id, list_name)
        after = str(version_key(row, int(position[0])).sort) if position else ""
        rows, more = self._archive.list_versions(
            row.shelf, row.id, after=after, limit=limit - len(views)
        )
        now = self._runtime.now()
        kept = [each for each in rows if is_archived(each, row, self._max_versions, now)]
        views += [version_view(each, current=False) for each in kept]
        # When the last row is one too many or has expired, so are the older ones after it.
        more = more and kept[-1:] == rows[-1:]
        return views, seal([str(rows[-1].version)], account_id, list_name) if more else None

    def restore(self, caller: Caller, request: Restoration) -> FileObject:
        """Makes a version current, as a new version; the current one becomes a replaced one.

        Changes nothing when both have the same object in S3.

        Raises NoSuchFile, NoSuchVersion, PreconditionFailed, QuotaExceeded, ChangedMeanwhile.
        """

        def plan() -> tuple[list[Write], FileObject]:
            entry, old = self._find(caller, request)
            row = entry.file
            require_conditions(request, row)
            if old.object == row.object:
                return [], file_object(row, "own")

            def extra_writes(written: Written) -> list[Write]:
                version, name = str(old.version), written.row.name
                return [
                    require_file_unchanged(version_key(row, old.version), old),
                    self._audit.record(caller, "version.restore", name, subject=version),
                ]

            own = WriteAuthorization.for_own_file(entry, row.name)
            write_request = _write_request(row, old, request)
            writes, written = self._writer.plan(own, write_request, old.stored, extra_writes)
            return writes, file_object(written.row, written.permission)

        return self._db.transact(plan)

    def _find(self, caller: Caller, request: Restoration) -> tuple[Authorization, FileRow]:
        """The caller's own file, and its version. Raises NoSuchFile, NoSuchVersion."""
        entry = self._access.authorize(caller, request.username, request.file_name)
        row = entry.file
        version = request.version or row.version
        if entry.permission != "own":
            raise NoSuchVersion
        if version == row.version:
            return entry, row
        rows = self._db.read([version_key(row, version)])
        found = version_in(rows, row, version, self._max_versions, self._runtime.now())
        if found is None:
            raise NoSuchVersion
        return entry, found


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
