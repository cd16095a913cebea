"""Copying: a second row that names the same bytes, which go when no row names them any more."""

from contextlib import suppress

from function.life_models import CopyRequest
from function.media_types import retyped
from function.models import Caller, FileObject
from function.object_records import Stored
from function.records import FileRow
from function.services.access import Access, Entry
from function.services.audit import Audit
from function.services.conditions import expect
from function.services.origins import Origins
from function.services.placing import Intent, Otherwise, Placed, Placing
from function.services.views import file_object
from function.stores.files import file_key
from function.stores.kept import key_of, unchanged
from function.stores.rows import Write


class Copying:
    """Makes copies among the caller's own files."""

    def __init__(self, access: Access, placing: Placing, audit: Audit, origins: Origins) -> None:
        """`access` judges the original, `placing` puts the copy."""
        self._access = access
        self._placing = placing
        self._audit = audit
        self._from = origins

    def copy(self, caller: Caller, wanted: CopyRequest) -> tuple[FileObject, bool]:
        """Copies a file that the caller may read; also says whether there was none of that name.

        The commit expects the original as it was read: without it its bytes may be on their way
        out. To put a file in the place of one that has the same bytes changes nothing.

        Raises NoSuchFile, FileExists, PreconditionFailed, QuotaExceeded, ChangedMeanwhile.
        """
        for _ in self._from.attempts():
            with suppress(Otherwise):
                return self._copy(caller, wanted)
        raise AssertionError

    def _copy(self, caller: Caller, wanted: CopyRequest) -> tuple[FileObject, bool]:
        entry, row, still = self._look(caller, wanted)
        there = entry.file
        if there and wanted.on_conflict == "replace" and there.object == row.object:
            expect(wanted, there)
            return file_object(there, "own"), False
        intent = Intent(
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

        def look() -> Entry:
            nonlocal still
            again, now, still = self._look(caller, wanted)
            if now.rev != row.rev or (again.file and again.file.object == row.object):
                raise Otherwise
            return again

        def also(placed: Placed) -> list[Write]:
            noted = self._audit.of(
                caller, "file.copy", row.name, owner=row.shelf, subject=placed.row.name
            )
            return [unchanged(key_of(row), row), *still, noted]

        stored = Stored(row.object, row.size, row.etag, row.sha256)
        placed = self._placing.place(look, entry, intent, stored, also)
        return file_object(placed.row, placed.permission), placed.created

    def _look(self, caller: Caller, wanted: CopyRequest) -> tuple[Entry, FileRow, list[Write]]:
        """What there is where the copy is to be, the original, and the right to read it.

        Raises NoSuchFile.
        """
        there = file_key(caller.username, wanted.new_name)
        entry = self._access.open(caller, wanted.username, wanted.file_name, [there])
        return entry.own(wanted.new_name), entry.readable()[0], entry.warrant("read")
