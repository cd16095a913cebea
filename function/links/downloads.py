"""Downloads by a link, and their count.

A link counts files, when their presigned URLs are given out; opening it never counts. An access
token counts once for each file: a receipt records it for as long as the token is valid, so that an
interrupted download is repeated without counting. The commit that counts has the condition that the
link is unchanged and has as many downloads left, so concurrent visitors cannot exceed the limit.
"""

from collections.abc import Sequence

from function.access.callers import Anonymous
from function.access.errors import NoSuchFile, no_such_file
from function.audit.service import AuditLog
from function.aws.writes import Write
from function.base import Base
from function.core import curl
from function.core.errors import Invalid
from function.core.paging import Page, PageQuery
from function.files.conditions import require_if_match
from function.files.presigning import Presigner
from function.links.access import LinkGate, LinkVisitor, OpenLink, gated_link
from function.links.errors import DownloadNotAllowed, LinkExhausted
from function.links.models import Channel, LinkDownload, LinkDownloadRequest
from function.links.public_service import PublicLinkService, link_event
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
    """Counts downloads and gives out presigned URLs."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._link_gate = base.one(LinkGate)
        self._password_gate = base.one(PasswordGate)
        self._public_links = base.one(PublicLinkService)
        self._presigner = base.one(Presigner)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime

    def download(
        self, visitor: LinkVisitor, request: LinkDownloadRequest, how: Channel
    ) -> LinkDownload:
        """The presigned URL of one file, and the access token that repeats it without counting.

        Raises what `LinkGate.open` raises, PasswordRequired, NoSuchFile, Invalid,
        PreconditionFailed, DownloadNotAllowed, LinkExhausted, ChangedMeanwhile.
        """

        def plan() -> tuple[Sequence[Write], tuple[FileRow, AccessToken]]:
            opened = self._link_gate.open(visitor, request.file_name, receipts=True)
            token = self._password_gate.admit(gated_link(opened.link), visitor.access_token)
            row = self._file(opened, request.file_name)
            require_if_match(request, row)
            return self._count(visitor, opened, [row], token, how), (row, token)

        row, token = self._db.transact(plan)
        download = self._presigner.download(row, inline=request.inline)
        return LinkDownload(**download.model_dump(), grant=token.text)

    def download_page(
        self, visitor: LinkVisitor, page: PageQuery, *, dotfiles: bool
    ) -> tuple[str, str, str | None]:
        """A curl configuration for a page of files, the access token, the cursor of the next page.

        curl writes below one folder that is named after the link. The files of a page are counted
        all or none. Raises what `download` raises, InvalidCursor.
        """

        def plan() -> tuple[Sequence[Write], tuple[OpenLink, Page[FileRow], AccessToken]]:
            opened = self._link_gate.open(visitor, receipts=True)
            token = self._password_gate.admit(gated_link(opened.link), visitor.access_token)
            files = self._public_links.list_files(opened, page)
            writes = self._count(visitor, opened, files.items, token, "curl")
            return writes, (opened, files, token)

        opened, files, token = self._db.transact(plan)
        urls = ((row.name, self._presigner.download(row).url) for row in files.items)
        config = curl.configuration(urls, _folder(opened.link), dotfiles=dotfiles)
        return config, token.text, files.cursor

    def _file(self, opened: OpenLink, name: str | None) -> FileRow:
        """The file of that name, or the only file. Raises NoSuchFile, Invalid."""
        if name is None:
            rows = self._public_links.list_files(opened, PageQuery(2)).items
            if len(rows) != 1:
                reason = {"at": "body.file_name", "reason": "the link does not show exactly one"}
                raise Invalid("Name the file to download.", errors=[reason])
            return rows[0]
        row = opened.file(name)
        if row is None:
            raise no_such_file(name, NoSuchFile("The link shows no file of that name."))
        return row

    def _count(
        self,
        visitor: LinkVisitor,
        opened: OpenLink,
        rows: list[FileRow],
        token: AccessToken,
        how: Channel,
    ) -> list[Write]:
        """The writes that count the downloads of these files; none where all are counted already.

        Raises DownloadNotAllowed, LinkExhausted.
        """
        link, now = opened.link, self._runtime.now()
        if not link.allow_download:
            raise DownloadNotAllowed
        uncounted = rows if token.is_new else self._uncounted(opened, rows, token.nonce)
        if not uncounted:
            return []
        _require_downloads_left(link, len(uncounted))
        name = uncounted[0].name if len(uncounted) == 1 else None
        expires_at = int(now) + ACCESS_SECONDS
        actor = Anonymous(f"~{link.id}", visitor.address)
        event = link_event("downloaded", how, now, name, times=len(uncounted))
        return [
            count_downloads(link, len(uncounted)),
            *(
                put_receipt(receipt_key(link.id, token.nonce, row.name), row.id, expires_at, now)
                for row in uncounted
            ),
            put_event(link.id, event, self._runtime.new_id()),
            self._audit.record(actor, "link.download", name, owner=link.owner),
        ]

    def _uncounted(self, opened: OpenLink, rows: list[FileRow], nonce: str) -> list[FileRow]:
        """The files without a receipt of the access token with this nonce."""
        keys = {row.name: receipt_key(opened.link.id, nonce, row.name) for row in rows}
        # The receipts of items were read with the link, those of files in its folders were not.
        unread = [
            keys[row.name] for row in rows if file_key(row.partition, row.name) not in opened.rows
        ]
        receipts = {**opened.rows, **self._db.read(unread)}
        now = self._runtime.now()
        return [row for row in rows if not receipt_in(receipts, keys[row.name], row.id, now)]


def _folder(link: LinkRow) -> str:
    """The folder into which curl downloads the files of a link: the same for all its pages."""
    return f"link-{link.alias or link.id[:8]}"


def _require_downloads_left(link: LinkRow, count: int) -> None:
    """Raises LinkExhausted, which says how many downloads are left if any."""
    if link.max_downloads is None or link.downloads + count <= link.max_downloads:
        return
    left = link.max_downloads - link.downloads
    if left > 0:
        raise LinkExhausted(f"Downloads left: {left}, for {count} files. Send limit={left}.")
    raise LinkExhausted
