"""Reading a small file, and deleting one."""

from contextlib import suppress
from dataclasses import dataclass

from function.errors import TooLarge, Unavailable
from function.models import Caller, Conditions, FileObject
from function.records import FileRow
from function.services.access import Access
from function.services.audit import Audit
from function.services.conditions import expect, known, match
from function.services.origins import Origins
from function.services.purging import AT_MOST, Purging
from function.services.ranges import span_of
from function.services.shelving import Shelving
from function.services.uploads import SMALL
from function.services.views import file_object
from function.stores.dynamo import COMMITTED_AT_ONCE, Dynamo
from function.stores.objects import BytesMissing, Objects
from function.stores.rows import Refused, Write
from function.stores.shares import granted, granted_at


@dataclass(frozen=True)
class Wanted(Conditions):
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
        db: Dynamo,
        access: Access,
        objects: Objects,
        shelving: Shelving,
        purging: Purging,
        audit: Audit,
        origins: Origins,
    ) -> None:
        """Bytes are in `objects`, and are removed by `purging`."""
        self._db = db
        self._access = access
        self._objects = objects
        self._shelving = shelving
        self._purging = purging
        self._audit = audit
        self._from = origins

    def read(
        self, caller: Caller, owner: str | None, name: str, wanted: Wanted, *, body: bool = True
    ) -> Content:
        """A file with its bytes, or with no `body`.

        Raises NoSuchFile, TooLarge, PreconditionFailed, RangeNotSatisfiable.
        """
        try:
            return self._read(caller, owner, name, wanted, body)
        except BytesMissing:  # it may have gone for good since its row was read
            return self._read(caller, owner, name, wanted, body)

    def _read(
        self, caller: Caller, owner: str | None, name: str, wanted: Wanted, body: bool
    ) -> Content:
        row, permission = self._access.open(caller, owner, name).readable()
        file = file_object(row, permission)
        match(wanted, row)
        if known(wanted, row):
            return Content(file, None, fresh=True)
        if not body:
            return Content(file, None)
        if row.size > SMALL:
            raise TooLarge(f"GET /file gives {SMALL} bytes; for more use GET /download.")
        stale = wanted.if_range is not None and wanted.if_range.strip('"') != row.etag
        span = None if stale else span_of(wanted.range, row.size)
        return Content(file, self._objects.get(row.object, span), span=span)

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
        in_time = self._from.within(AT_MOST)
        for _ in self._from.attempts():
            row = self._access.open(caller, owner, name).owned()
            expect(conditions, row)
            kept = self._shelving.deleted(row, for_good=for_good)
            done = "file.remove" if for_good else "file.delete"
            shift = self._shelving.shift((row, None))
            try:
                self._commit(row, [*shift, *kept, self._audit.of(caller, done, name)])
            except Refused:
                continue
            if for_good:
                self._purging.purge(kept[0].key, kept[1].key, in_time)
            return

    def _commit(self, row: FileRow, writes: list[Write]) -> None:
        """Commits the end of a file with that of its grants.

        Those that do not fit the commit are dead with it, for they are good for a place that is no
        more. Raises Refused.
        """
        grants = [Write("Delete", key) for key in granted(row)]
        at_once = COMMITTED_AT_ONCE - len(writes)
        self._db.commit([*writes, *grants[:at_once]], token=self._from.new_id())
        with suppress(Unavailable):
            self._db.commit_each(granted_at(row)[at_once:], self._from.new_id)
