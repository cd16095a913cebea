"""The routes of lists: files and folders, and the changes among them."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from function.base import one
from function.core.errors import Invalid, InvalidCursor
from function.core.fields import FileKind, ListScope, Order, Prefix, Sort, Tag, Words
from function.core.media_types import JSON
from function.http.dependencies import CurrentRequest, Cursor, Limit, Reader
from function.http.responses import answers, list_answer, next_page
from function.listing.changes import ChangesFeed
from function.listing.errors import CursorExpired
from function.listing.models import Changed
from function.listing.query import ListQuery
from function.listing.service import ListedItem, ListingService

router = Router()


@router.get(
    "/files", responses=answers({200: list[ListedItem]}, InvalidCursor, CursorExpired, Invalid)
)
def list_files(
    caller: Reader,
    request: CurrentRequest,
    prefix: Annotated[Prefix, Query(description="The beginning of the names.")] = "",
    limit: Limit = 100,
    cursor: Cursor = None,
    scope: Annotated[ListScope | None, Query(description="all, or own if only own can be.")] = None,
    q: Annotated[Words | None, Query(description="Words of the name, or their beginnings.")] = None,
    type: Annotated[FileKind | None, Query(description="The kind of media type.")] = None,  # noqa: A002 - the name of the field
    tag: Annotated[Tag | None, Query(description="A tag of the file.")] = None,
    sort: Annotated[Sort, Query(description="With q, name sorts by the word found.")] = "name",
    order: Order = "asc",
    folders: Annotated[bool, Query(description="One level below prefix, folders first.")] = False,
    urls: Annotated[bool, Query(description="With a download URL for each file.")] = False,
) -> Response[list[ListedItem]]:
    """List or search your own files, then those shared with you.

    A page may be shorter than `limit`, or empty, although more follow: go on at `Link`. Lists by
    `modified` or `size`, in descending order, or by folders have only your own files. Files that
    change between two pages are listed once, at the place that they had when the list began. After
    too many changes, a list by `modified` or `size` answers 410 and has to begin again.
    """
    query = ListQuery(
        prefix, scope, limit, cursor, None, q, tag, type, sort, order, folders=folders, urls=urls
    )
    return list_answer(one(ListingService).list_items(caller, query), request)


@router.get(
    "/changes", responses=answers({200: list[Changed]}, InvalidCursor, CursorExpired, Invalid)
)
def list_changes(
    caller: Reader,
    request: CurrentRequest,
    prefix: Annotated[Prefix, Query(description="The beginning of the names.")] = "",
    limit: Limit = 100,
    cursor: Annotated[str | None, Query(description="x-next-cursor of the last answer.")] = None,
    start: Annotated[Literal["now"] | None, Query(description="Answer only a cursor.")] = None,
) -> Response[list[Changed]]:
    """List what has changed among your files since a cursor, to keep a copy of them up to date.

    Begin with `start=now`, list the files, then repeat this request with `x-next-cursor` of the
    last answer. Every answer has that header; `Link` is only there when more follow at once. Each
    name comes with its present state. Changes become visible up to a minute late, so recent ones
    come more than once; none is left out. Without a cursor the list begins with the oldest change
    that is kept.
    """
    feed = one(ChangesFeed)
    if start:
        following = feed.current_cursor(caller, prefix, cursor)
        return Response(200, JSON, [], {"x-next-cursor": following})
    changes, following, more = feed.list_changes(caller, prefix, limit, cursor)
    headers = next_page(following if more else None, request) | {"x-next-cursor": following}
    return Response(200, JSON, changes, headers)
