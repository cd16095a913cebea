"""Downloads by a link: counted in the commit that lets them happen, never over what is allowed.

However many come at once, each commit expects the link as it was read and room for as many as it
counts. A grant is counted once for a file: with its receipt a download that broke off goes on.
"""

from function.access.callers import Anonymous
from function.access.errors import NoSuchFile
from function.audit.service import AuditTrail
from function.aws.dynamodb import ConditionFailed
from function.base import Base
from function.core import curl
from function.core.errors import Invalid
from function.files.presigning import Presigner
from function.links.errors import DownloadNotAllowed, LinkExhausted
from function.links.models import LinkDownload, LinkDownloadRequest, Way
from function.links.public_service import PublicLinkService, Visit, Visitor, event, locked
from function.public.unlock import ACCESS_SECONDS, AccessToken, PasswordGate
from function.tables.files import FileRow, file_key
from function.tables.links import (
    LinkRow,
    count_downloads,
    put_event,
    put_receipt,
    receipt_in,
    receipt_key,
)


class LinkDownloads:
    """Gives out addresses, and counts them."""

    def __init__(
        self,
        base: Base,
    ) -> None:
        self._db = base.db
        self._public_links = base.one(PublicLinkService)
        self._gate = base.one(PasswordGate)
        self._presigner = base.one(Presigner)
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime

    def one(self, visitor: Visitor, wanted: LinkDownloadRequest, how: Way) -> LinkDownload:
        """An address for one file, and the grant by which it can be had again, uncounted.

        Raises what `Visits.enter` raises, PasswordRequired, NoSuchFile, Invalid,
        DownloadNotAllowed, LinkExhausted, ChangedMeanwhile.
        """
        for _ in self._runtime.attempts():
            visit = self._public_links.enter(visitor, wanted.file_name, counting=True)
            token = self._gate.admit(locked(visit.link), visitor.grant)
            row = self._file(visit, wanted.file_name)
            if self._counted(visitor, visit, [row], token, how):
                made = self._presigner.download(row, inline=wanted.inline)
                return LinkDownload(**made.model_dump(), grant=token.text)
        raise AssertionError

    def all(self, visitor: Visitor, limit: int, cursor: str | None) -> tuple[str, str, str | None]:
        """A configuration for curl that fetches a page of files, the grant, and the next page.

        Raises what `one` raises, InvalidCursor.
        """
        for _ in self._runtime.attempts():
            visit = self._public_links.enter(visitor, counting=True)
            token = self._gate.admit(locked(visit.link), visitor.grant)
            rows, following = self._public_links.page(visit, limit, cursor)
            if self._counted(visitor, visit, rows, token, "curl"):
                files = ((row.name, self._presigner.download(row).url) for row in rows)
                return curl.configuration(files), token.text, following
        raise AssertionError

    def _file(self, visit: Visit, name: str | None) -> FileRow:
        if name is None:
            rows, _ = self._public_links.page(visit, 2, None)
            if len(rows) != 1:
                reason = {"at": "body.file_name", "reason": "the link shows more or less than one"}
                raise Invalid("Say which file.", errors=[reason])
            return rows[0]
        row = visit.file(name)
        if row is None:
            raise NoSuchFile("The link shows no file of that name.")
        return row

    def _counted(
        self, visitor: Visitor, visit: Visit, rows: list[FileRow], token: AccessToken, how: Way
    ) -> bool:
        """Whether all is counted that has to be; False when somebody came between."""
        link, now = visit.link, self._runtime.now()
        if not link.allow_download:
            raise DownloadNotAllowed
        new = rows if token.is_new else self._uncounted(visit, rows, token.nonce)
        if not new:
            return True
        _has_room(link, len(new))
        name = new[0].name if len(new) == 1 else None
        noted = event("downloaded", how, now, name, times=len(new))
        until = int(now) + ACCESS_SECONDS
        keys = [receipt_key(link.id, token.nonce, row.name) for row in new]
        writes = [
            count_downloads(link, len(new)),
            *(put_receipt(key, row.id, until, now) for key, row in zip(keys, new, strict=True)),
            put_event(link.id, noted, self._runtime.new_id()),
            self._audit.record(
                Anonymous(f"~{link.id}", visitor.address), "link.download", name, owner=link.owner
            ),
        ]
        try:
            self._db.commit(writes, self._runtime.new_id())
        except ConditionFailed:
            return False
        return True

    def _uncounted(self, visit: Visit, rows: list[FileRow], nonce: str) -> list[FileRow]:
        """The files for which this grant has not been counted yet."""
        keys = {row.name: receipt_key(visit.link.id, nonce, row.name) for row in rows}
        late = [keys[row.name] for row in rows if file_key(row.shelf, row.name) not in visit.rows]
        known = {**visit.rows, **self._db.read(late)}
        now = self._runtime.now()
        return [row for row in rows if not receipt_in(known, keys[row.name], row.id, now)]


def _has_room(link: LinkRow, more: int) -> None:
    """Raises LinkExhausted where a link has not as many downloads left."""
    if link.max_downloads is None or link.downloads + more <= link.max_downloads:
        return
    left = link.max_downloads - link.downloads
    if left > 0:
        raise LinkExhausted(f"Downloads left: {left}, for {more} files. Send limit={left}.")
    raise LinkExhausted
