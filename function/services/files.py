"""Reading a small file, and deleting one."""

from contextlib import suppress
from dataclasses import dataclass

from function.errors import PreconditionFailed, TooLarge, Unavailable
from function.models import Caller, FileObject
from function.services.access import Access
from function.services.audit import Audit
from function.services.origins import Origins
from function.services.placing import matches
from function.services.ranges import span_of
from function.services.shelving import Shelving
from function.services.uploads import SMALL
from function.services.views import file_object
from function.stores.dynamo import COMMITTED_AT_ONCE, Dynamo
from function.stores.objects import Objects
from function.stores.rows import Refused, Write
from function.stores.shares import granted, granted_at


@dataclass(frozen=True)
class Wanted:
    """What of a file is wanted: nothing (`HEAD`), all, or a range, unless the caller has it."""

    body: bool = True
    if_none_match: str | None = None
    if_match: str | None = None
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
        audit: Audit,
        origins: Origins,
    ) -> None:
        """Bytes are in `objects`."""
        self._db = db
        self._access = access
        self._objects = objects
        self._shelving = shelving
        self._audit = audit
        self._from = origins

    def read(self, caller: Caller, owner: str | None, name: str, wanted: Wanted) -> Content:
        """A file with its bytes.

        Raises NoSuchFile, TooLarge, PreconditionFailed, RangeNotSatisfiable.
        """
        row, permission = self._access.open(caller, owner, name).readable()
        file = file_object(row, permission)
        if wanted.if_match and not matches(wanted.if_match, row.etag):
            raise PreconditionFailed
        if wanted.if_none_match and matches(wanted.if_none_match, row.etag):
            return Content(file, None, fresh=True)
        if not wanted.body:
            return Content(file, None)
        if row.size > SMALL:
            raise TooLarge(f"GET /file gives {SMALL} bytes; for more use GET /download.")
        stale = wanted.if_range is not None and wanted.if_range.strip('"') != row.etag
        span = None if stale else span_of(wanted.range, row.size)
        return Content(file, self._objects.get(row.object, span), span=span)

    def delete(self, caller: Caller, owner: str | None, name: str, if_match: str | None) -> None:
        """Moves a file of the caller's to the trash and revokes its grants, in one commit.

        Nobody else's: whoever is named as the `owner`, a grant to write is none to delete. Grants
        that do not fit the commit are dead with it, for they are good for a place that is no more.

        Raises NoSuchFile, PreconditionFailed, ChangedMeanwhile.
        """
        for _ in self._from.attempts():
            entry = self._access.open(caller, owner, name)
            row = entry.owned()
            if if_match and not matches(if_match, row.etag):
                raise PreconditionFailed
            grants = [Write("Delete", key) for key in granted(row)]
            writes = [
                *self._shelving.shift((row, None)),
                *self._shelving.deleted(row),
                self._audit.of(caller, "file.delete", name),
            ]
            at_once = COMMITTED_AT_ONCE - len(writes)
            try:
                self._db.commit([*writes, *grants[:at_once]], token=self._from.new_id())
            except Refused:
                continue
            with suppress(Unavailable):
                self._db.commit_each(granted_at(row)[at_once:], self._from.new_id)
            return
