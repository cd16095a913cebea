"""Links as their visitors see them: the list of files, and the password. Neither counts."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from function.base import Base
from function.core.errors import Unavailable
from function.core.limits import EXPIRED_SECONDS, MAX_ANSWER_BYTES, MINUTE
from function.core.paging import Page, PageQuery, Paging
from function.core.runtime import iso
from function.links.access import LinkGate, LinkVisitor, OpenLink, gated_link
from function.links.errors import NoSuchLink
from function.links.models import Channel, EventKind, LinkItem, LinkPage
from function.listing.service import estimated_size
from function.public.models import Unlocked
from function.public.unlock import PasswordGate
from function.tables.files import FileRow, Files
from function.tables.links import EventRow, LinkRow, Links

FOLDERS_AT_ONCE = 10  # whose first files are read at the same time
# The folder, "" for the files that are items themselves, and the last name.
LinkPosition = list[str]


class PublicLinkService:
    """Shows the files of links to visitors."""

    def __init__(self, base: Base) -> None:
        self._links = Links(base.db)
        self._files = Files(base.db)
        self._link_gate = base.one(LinkGate)
        self._password_gate = base.one(PasswordGate)
        self._runtime = base.runtime

    def show(
        self, visitor: LinkVisitor, how: Channel, page: PageQuery
    ) -> tuple[LinkPage, str | None, str]:
        """The files that a link shows, the cursor of the next page, and an access token.

        Raises what `LinkGate.open` raises, PasswordRequired, InvalidCursor.
        """
        opened = self._link_gate.open(visitor)
        token = self._password_gate.admit(gated_link(opened.link), visitor.access_token)
        files = self.list_files(opened, page)
        minute = int(self._runtime.now()) // MINUTE * MINUTE
        with suppress(Unavailable):  # an event that cannot be recorded keeps no visitor out
            self._links.record_open(opened.link.id, link_event("opened", how, minute))
        return _link_page(opened.link, files.items), files.cursor, token.text

    def unlock(self, visitor: LinkVisitor, password: str | None, how: Channel) -> Unlocked:
        """An access token for the right password; a link without a password needs none.

        Raises what `LinkGate.open` raises, WrongPassword, SlowDown.
        """
        link = self._link_gate.open(visitor).link
        token = self._password_gate.unlock(gated_link(link), password, visitor.address)
        if link.password is not None:
            event = link_event("unlocked", how, self._runtime.now())
            with suppress(Unavailable):  # an event that cannot be recorded keeps no visitor out
                self._links.record_unlock(link.id, event, self._runtime.new_id())
        return Unlocked(grant=token.text, expires_at=iso(token.expires_at))

    def list_files(self, opened: OpenLink, page: PageQuery) -> Page[FileRow]:
        """A page of the files of a link: the items themselves, then the files of its folders.

        A page also ends before its answer grows too large.
        Raises NoSuchLink when none of the items exists any more, InvalidCursor.
        """
        paging = Paging(page, opened.link.signing_key, f"visit {opened.link.id}")
        if not opened.folders() and not opened.files():
            raise NoSuchLink
        found: list[FileRow] = []
        size = 0
        for row in self._files_after(opened, paging.position, paging.limit + 1):
            if len(found) == paging.limit or size > MAX_ANSWER_BYTES:
                return paging.page(found, _position(opened, found[-1]))
            found.append(row)
            size += estimated_size(row)
        return paging.page(found, None)

    def _files_after(
        self, opened: OpenLink, position: LinkPosition | None, batch_size: int
    ) -> Iterator[FileRow]:
        """The files of a link after a position, each once."""
        folder, after = position or ["", ""]
        items = opened.files()
        if not folder:
            yield from (row for row in items if row.name > after)
        names = {row.name for row in items}
        for row in self._files_in_folders(opened, folder, after, batch_size):
            if opened.includes(row) and row.name not in names:
                yield row

    def _files_in_folders(
        self, opened: OpenLink, folder: str, after: str, batch_size: int
    ) -> Iterator[FileRow]:
        """The files in the folders of a link, from the file after `after` in `folder` on."""

        def read(each: str, last: str) -> tuple[list[FileRow], bool]:
            return self._files.list_files(
                opened.link.owner, prefix=each, after=last, limit=batch_size
            )

        folders = [each for each in opened.folders() if each >= folder]
        for start in range(0, len(folders), FOLDERS_AT_ONCE):
            batch = folders[start : start + FOLDERS_AT_ONCE]
            with ThreadPoolExecutor(FOLDERS_AT_ONCE) as pool:
                starts = [after if each == folder else "" for each in batch]
                first_pages = list(pool.map(read, batch, starts))
            for each, first_page in zip(batch, first_pages, strict=True):
                rows, has_more = first_page
                yield from rows
                while has_more:
                    rows, has_more = read(each, rows[-1].name)
                    yield from rows


def link_event(
    kind: EventKind, how: Channel, now: float, name: str | None = None, times: int = 1
) -> EventRow:
    """The row of an event, which the table keeps for `EXPIRED_SECONDS`."""
    return EventRow(
        kind=kind,
        how=how,
        created=iso(now),
        expires_at=int(now) + EXPIRED_SECONDS,
        file_name=name,
        times=times,
    )


def _position(opened: OpenLink, row: FileRow) -> LinkPosition:
    """The position of a file in the list."""
    if f"{row.partition}/{row.name}" in {grant.file for grant in opened.grants}:
        return ["", row.name]
    folder = next(each for each in opened.folders() if row.name.startswith(each))
    return [folder, row.name]


def _link_page(link: LinkRow, rows: list[FileRow]) -> LinkPage:
    left = None
    if link.max_downloads is not None:
        left = max(link.max_downloads - link.downloads, 0)
    return LinkPage(
        owner=link.owner,
        note=link.note,
        items=[
            LinkItem(
                file_name=row.name,
                size=row.size,
                content_type=row.content_type,
                modified=row.modified,
                sha256=row.sha256 if link.allow_download else None,
            )
            for row in rows
        ],
        needs_password=link.password is not None,
        expires_at=None if link.ends is None else iso(link.ends),
        max_downloads=link.max_downloads,
        downloads_left=left,
        allow_download=link.allow_download,
    )
