"""Pages of files: the caller's own first, then those that others share with the caller.

`stream` explains the items of a list and how a cursor resumes it.
"""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

from function.access.policy import Access
from function.base import Base
from function.core.limits import MAX_ANSWER_BYTES
from function.core.models import Caller
from function.core.paging import Page, PageQuery, Paging
from function.files.models import FileObject, LinkedFile, file_object
from function.files.presigning import Presigner
from function.listing.models import Folder
from function.listing.own import OwnFiles
from function.listing.query import ListQuery
from function.listing.shared import SharedFiles
from function.listing.stream import CursorPosition, StreamItem, decode_position
from function.tables.accounts import Account
from function.tables.files import FileRow
from function.tables.groups import MAX_GROUPS

ListedItem = LinkedFile | FileObject | Folder

URL_BYTES = 2000  # of a presigned URL in an answer
# A query for the account and each of its groups, beside the own files and the calls that wait.
MAX_THREADS = MAX_GROUPS + 12


class ListingService:
    """Lists and searches files."""

    def __init__(self, base: Base) -> None:
        self._access = base.one(Access)
        self._own = base.one(OwnFiles)
        self._shared = base.one(SharedFiles)
        self._presigner = base.one(Presigner)

    def list_items(self, caller: Caller, query: ListQuery) -> Page[ListedItem]:
        """A page of files and folders as the API shows them.

        Raises InvalidCursor, CursorExpired, Invalid.
        """
        page = self._page(caller, query)
        listed = (self._listed_item(caller, item, urls=query.urls) for item in page.items)
        return Page(listed, page.cursor)

    def list_rows(self, caller: Caller, query: ListQuery) -> Page[FileRow]:
        """A page of files as rows. Raises as `list_items`."""
        page = self._page(caller, query)
        return Page((item.file for item in page.items if item.file), page.cursor)

    def _page(self, caller: Caller, query: ListQuery) -> Page[StreamItem]:
        """The next items of the stream; the last page is that on which the stream ends."""
        account = self._access.authenticate(caller).account
        query = query.validated()
        paging = Paging(PageQuery(query.limit, query.cursor), account.id, query.list_id)
        position = decode_position(paging.position or CursorPosition().encode())
        items: list[StreamItem] = []
        size = 0
        with ThreadPoolExecutor(MAX_THREADS) as executor:
            for item in self._stream(account, query, position, executor):
                is_listed = item.file is not None or item.folder is not None
                if is_listed and (len(items) == query.limit or size > MAX_ANSWER_BYTES):
                    break
                position = item.position or position
                if item.ends_page:
                    break
                if is_listed:
                    items.append(item)
                    size += estimated_size(item.file) + URL_BYTES * query.urls
            else:
                return paging.page(items, None)
        return paging.page(items, position.encode())

    def _stream(
        self, account: Account, query: ListQuery, after: CursorPosition, executor: Executor
    ) -> Iterator[StreamItem]:
        """The list after a position. The next shares are read while the own files are."""
        after_share = after if after.share else CursorPosition()
        # Submitted before the page can be full, so that each request makes the same calls.
        with_shares = query.scope != "own"
        pages = self._shared.query_grants(account, after_share, executor) if with_shares else None
        if query.scope != "shared" and not after.share:
            yield from self._own.stream(account, query, after, executor)
        if pages:
            share_page = self._shared.read_page(account, after_share, pages)
            yield from self._shared.stream(account, query, after_share, share_page, executor)

    def _listed_item(self, caller: Caller, item: StreamItem, *, urls: bool) -> ListedItem:
        if item.folder:
            name, owner = item.folder.name, caller.username
            return Folder(key=f"{owner}/{name}", owner=owner, folder=name, files=item.folder.files)
        assert item.file, "an item of a page is a file or a folder"
        file = file_object(item.file, item.permission)
        if not urls:
            return file
        return LinkedFile(**dict(file), url=self._presigner.download(item.file).url)


def estimated_size(row: FileRow | None) -> int:
    """About how many bytes a file, or a folder, takes in an answer."""
    if row is None:
        return 500
    texts = [row.name, row.name, row.content_type, row.description or "", *row.tags]
    return 500 + sum(len(text.encode()) for text in texts)
