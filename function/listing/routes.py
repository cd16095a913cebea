"""Lists of files, and what has changed among them."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from function.base import one
from function.core.errors import Invalid, InvalidCursor
from function.core.fields import FileKind, ListScope, Order, Prefix, Sort, Tag, Words
from function.files.models import FileObject, LinkedFile
from function.http.dependencies import CurrentRequest, Reader
from function.http.responses import JSON, answers, listed, next_page
from function.listing.changes import ChangesFeed
from function.listing.errors import CursorExpired
from function.listing.models import Changed, Folder
from function.listing.query import ListQuery
from function.listing.service import ListingService

router = Router()
Items = list[LinkedFile | FileObject | Folder]


@router.get("/files", responses=answers({200: Items}, InvalidCursor, CursorExpired, Invalid))
def list_files(
    caller: Reader,
    sent: CurrentRequest,
    prefix: Annotated[Prefix, Query(description="Only names that begin so.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str | None = None,
    scope: Annotated[ListScope | None, Query(description="all, or own where only that is.")] = None,
    q: Annotated[Words | None, Query(description="Words of the name, or their beginnings.")] = None,
    type: Annotated[FileKind | None, Query(description="What sort of thing.")] = None,  # noqa: A002 - the name of the field
    tag: Annotated[Tag | None, Query(description="Only what is tagged so.")] = None,
    sort: Annotated[Sort, Query(description="With q, names go by the word found.")] = "name",
    order: Order = "asc",
    folders: Annotated[bool, Query(description="One level below prefix, folders first.")] = False,
    urls: Annotated[bool, Query(description="With an address for the bytes of each.")] = False,
) -> Response[Items]:
    """List or search your own files, then those shared with you.

    A page may be shorter than `limit`, or empty, though more follow: go on at `Link`. A list by
    `modified` or `size`, in falling order or by folders is of your own files. What changes between
    its pages is listed once, where it stood when the list began; after too many changes a list by
    `modified` or `size` has to begin again.
    """
    asked = ListQuery(
        prefix, scope, limit, cursor, None, q, tag, type, sort, order, folders=folders, urls=urls
    )
    return listed(*one(ListingService).page(caller, asked), sent)


@router.get(
    "/changes", responses=answers({200: list[Changed]}, InvalidCursor, CursorExpired, Invalid)
)
def list_changes(
    caller: Reader,
    sent: CurrentRequest,
    prefix: Annotated[Prefix, Query(description="Only names that begin so.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str | None, Query(description="Of the answer before.")] = None,
    start: Annotated[Literal["now"] | None, Query(description="Only a cursor.")] = None,
) -> Response[list[Changed]]:
    """What has changed among your files since a cursor, so that a copy can be kept up.

    Begin with `start=now`, list the files, and then ask again and again, with `x-next-cursor` of
    the answer before: it is on every answer, also on the last, and `Link` only where more follows
    at once. Each name is told as it is now. Some is told again, since changes may become visible up
    to a minute late; nothing is left out. Without a cursor it begins with the oldest that is kept.
    """
    if start:
        following = one(ChangesFeed).begin(caller, prefix, cursor)
        return Response(200, JSON, [], {"x-next-cursor": following})
    told, following, more = one(ChangesFeed).page(caller, prefix, limit, cursor)
    headers = next_page(following if more else None, sent) | {"x-next-cursor": following}
    return Response(200, JSON, told, headers)
