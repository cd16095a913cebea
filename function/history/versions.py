"""The versions of a file: what was replaced is kept for a while, and can be made current again."""

from contextlib import suppress

from function.access.policy import Access, Authorization
from function.audit.service import AuditTrail
from function.aws.s3 import Stored
from function.aws.writes import Write
from function.base import Base
from function.core.cursors import seal, unseal
from function.core.models import Caller
from function.core.runtime import iso
from function.files.commit import FileWriter, StateChanged, WriteRequest, Written
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

Page = tuple[list[VersionView], str | None]


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

    def page(
        self, caller: Caller, owner: str | None, name: str, limit: int, cursor: str | None
    ) -> Page:
        """The versions of a file, the newest first; of another's file the current one alone.

        Raises NoSuchFile, InvalidCursor.
        """
        entry = self._access.authorize(caller, owner, name)
        row, permission = entry.readable()
        of = f"versions {row.id}"
        last = unseal(cursor, entry.account.id, of)
        found = [] if last else [version_view(row, current=True)]
        if permission != "own":  # what was there before the share is not shared
            return found, None
        if limit == len(found):
            return found, seal([str(row.version)], entry.account.id, of)
        after = str(version_key(row, int(last[0])).sort) if last else ""
        rows, more = self._kept.list_versions(
            row.shelf, row.id, after=after, limit=limit - len(found)
        )
        kept = [each for each in rows if is_archived(each, row, self._most, self._runtime.now())]
        found += [version_view(each, current=False) for each in kept]
        more = more and kept[-1:] == rows[-1:]  # they are older and older
        end = seal([str(rows[-1].version)], entry.account.id, of) if more else None
        return found, end

    def restore(self, caller: Caller, wanted: Restoration) -> FileObject:
        """Makes a version the current one, as a new version; what is current is kept as one.

        Nothing is to be done when the bytes are those of the current one.

        Raises NoSuchFile, NoSuchVersion, PreconditionFailed, QuotaExceeded, ChangedMeanwhile.
        """
        for _ in self._runtime.attempts():
            with suppress(StateChanged):
                return self._restore(caller, wanted)
        raise AssertionError

    def _restore(self, caller: Caller, wanted: Restoration) -> FileObject:
        entry, old = self._look(caller, wanted)
        row = entry.owned()
        require_conditions(wanted, row)
        if old.object == row.object:
            return file_object(row, "own")

        def look() -> Authorization:
            again, now = self._look(caller, wanted)
            if now.object != old.object or again.owned().object == old.object:
                raise StateChanged
            return again

        def also(placed: Written) -> list[Write]:
            subject = str(old.version)
            noted = self._audit.record(caller, "version.restore", placed.row.name, subject=subject)
            key = version_key(placed.row, old.version)
            return [require_file_unchanged(key, old), noted]

        intent = WriteRequest(
            row.name,
            old.content_type,
            if_match=wanted.if_match,
            if_none_match=wanted.if_none_match,
            sender=old.sender,
            again=True,
        )
        stored = Stored(old.object, old.size, old.etag, old.sha256)
        placed = self._writer.commit(look, entry, intent, stored, also)
        return file_object(placed.row, placed.permission)

    def _look(self, caller: Caller, wanted: Restoration) -> tuple[Authorization, FileRow]:
        """The caller's own file, and the version. Raises NoSuchFile, NoSuchVersion."""
        entry = self._access.authorize(caller, wanted.username, wanted.file_name)
        row, permission = entry.readable()
        version = wanted.version or row.version
        if permission != "own":
            raise NoSuchVersion
        if version == row.version:
            return entry, row
        kept = self._db.read([version_key(row, version)])
        found = version_in(kept, row, version, self._most, self._runtime.now())
        if found is None:
            raise NoSuchVersion
        return entry, found


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
