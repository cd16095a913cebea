"""The versions of a file: what was replaced is kept for a while, and can be made current again."""

from function.access.policy import Access, Authentication, WriteAuthorization
from function.audit.service import AuditTrail
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
    """Lists versions and restores them."""

    def __init__(
        self,
        base: Base,
    ) -> None:
        self._most = base.settings.keep_versions
        self._db = base.db
        self._kept = Archive(base.db)
        self._access = base.one(Access)
        self._writer = base.one(FileWriter)
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime

    def list_versions(
        self, caller: Caller, owner: str | None, name: str, page: PageQuery
    ) -> Page[VersionView]:
        """A page of the versions of a file, the newest first; the position is a version's number.

        Of a file of another account, the current version is the only one: earlier versions were
        not shared. Raises NoSuchFile, InvalidCursor.
        """
        entry = self._access.authorize(caller, owner, name)
        row, permission = entry.file, entry.permission
        paging = Paging(page, entry.account.id, f"versions {row.id}")
        found = [] if paging.after else [version_view(row, current=True)]
        if permission != "own":
            return paging.page(found, None)
        if paging.limit == len(found):
            return paging.page(found, str(row.version))
        after = str(version_key(row, int(paging.after)).sort) if paging.after else ""
        rows, more = self._kept.list_versions(
            row.shelf, row.id, after=after, limit=paging.limit - len(found)
        )
        now = self._runtime.now()
        archived = [each for each in rows if is_archived(each, row, self._most, now)]
        found += [version_view(each, current=False) for each in archived]
        # After a version that is no longer kept, all versions are older and not kept either.
        more = more and archived[-1:] == rows[-1:]
        return paging.page(found, str(rows[-1].version) if more else None)

    def restore(self, caller: Caller, wanted: Restoration) -> FileObject:
        """Makes a version the current one, as a new version; what is current is kept as one.

        Nothing is to be done when the bytes are those of the current one.

        Raises NoSuchFile, NoSuchVersion, PreconditionFailed, QuotaExceeded, ChangedMeanwhile.
        """

        def plan() -> tuple[list[Write], FileObject]:
            entry, row, old = self._look(caller, wanted)
            require_conditions(wanted, row)
            if old.object == row.object:
                return [], file_object(row, "own")
            own = WriteAuthorization.for_own_file(entry, row.name)

            def extra_writes(written: Written) -> list[Write]:
                version = str(old.version)
                return [
                    require_file_unchanged(version_key(row, old.version), old),
                    self._audit.record(
                        caller, "version.restore", written.row.name, subject=version
                    ),
                ]

            writes, written = self._writer.plan(
                own, _restored(row, old, wanted), old.stored, extra_writes
            )
            return writes, file_object(written.row, written.permission)

        return self._db.transact(plan)

    def _look(self, caller: Caller, wanted: Restoration) -> tuple[Authentication, FileRow, FileRow]:
        """Who calls, their own file, and its version. Raises NoSuchFile, NoSuchVersion."""
        entry = self._access.authorize(caller, wanted.username, wanted.file_name)
        row = entry.file
        version = wanted.version or row.version
        if entry.permission != "own":
            raise NoSuchVersion
        if version == row.version:
            return entry, row, row
        kept = self._db.read([version_key(row, version)])
        found = version_in(kept, row, version, self._most, self._runtime.now())
        if found is None:
            raise NoSuchVersion
        return entry, row, found


def _restored(row: FileRow, old: FileRow, wanted: Restoration) -> WriteRequest:
    """A version of a file as its current one; the details of the current one stay."""
    return WriteRequest(
        file_name=row.name,
        content_type=old.content_type,
        if_match=wanted.if_match,
        if_none_match=wanted.if_none_match,
        mode="existing_bytes",
        sender=old.sender,
    )


def version_view(row: FileRow, *, current: bool) -> VersionView:
    """A version, as the owner of its file sees it."""
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
