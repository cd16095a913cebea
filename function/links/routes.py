"""The routes of links for their owners."""

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from function.access.errors import NoSuchFile
from function.auth.errors import WeakPassword
from function.base import one
from function.core.errors import (
    ChangedMeanwhile,
    Invalid,
    InvalidCursor,
    LimitReached,
    NoSuchUser,
    SlowDown,
)
from function.core.paging import PageQuery
from function.http.dependencies import (
    CurrentRequest,
    Cursor,
    IdempotencyKeyHeader,
    Limit,
    Sharer,
    idempotent,
)
from function.http.responses import answers, list_answer, no_content
from function.idempotency.errors import OF_KEY
from function.links.errors import AliasTaken, NoSuchLink
from function.links.models import Link, LinkChanges, LinkEvent, LinkRequest, LinkSummary
from function.links.service import LinkService

router = Router()


@router.post(
    "/links",
    status_code=201,
    responses=answers(
        {201: Link},
        NoSuchFile,
        NoSuchUser,
        SlowDown,
        AliasTaken,
        ChangedMeanwhile,
        LimitReached,
        WeakPassword,
        *OF_KEY,
        Invalid,
    ),
)
def create_link(
    body: LinkRequest,
    caller: Sharer,
    request: CurrentRequest,
    key: IdempotencyKeyHeader = None,
) -> Link:
    """Create a link to files and folders of yours, for people without an account.

    The `url` is shown only in this answer, because only a hash of it is stored. A link expires
    after a week unless `expires_in` is given. An alias can be guessed: give such a link a password
    or an audience.
    """
    return one(LinkService).create(caller, body, request.base, idempotent(request, key, body))


@router.get("/links", responses=answers({200: list[LinkSummary]}, InvalidCursor))
def list_links(
    caller: Sharer, request: CurrentRequest, limit: Limit = 100, cursor: Cursor = None
) -> Response[list[LinkSummary]]:
    """List your links, newest first."""
    return list_answer(one(LinkService).list_links(caller, PageQuery(limit, cursor)), request)


@router.get("/links/<link_id>", responses=answers({200: Link}, NoSuchLink))
def get_link(link_id: str, caller: Sharer) -> Link:
    """Get a link of yours, with its files and folders."""
    return one(LinkService).get(caller, link_id)


@router.patch(
    "/links/<link_id>",
    responses=answers(
        {200: Link},
        NoSuchLink,
        NoSuchFile,
        NoSuchUser,
        SlowDown,
        AliasTaken,
        ChangedMeanwhile,
        LimitReached,
        WeakPassword,
        Invalid,
    ),
)
def update_link(link_id: str, body: LinkChanges, caller: Sharer) -> Link:
    """Change a link; its address stays. A field that is left out stays, null clears one."""
    return one(LinkService).update(caller, link_id, body)


@router.delete(
    "/links/<link_id>",
    status_code=204,
    responses=answers({204: None}, NoSuchLink, ChangedMeanwhile),
)
def revoke_link(link_id: str, caller: Sharer) -> Response[None]:
    """Revoke a link for good. Effective immediately."""
    one(LinkService).revoke(caller, link_id)
    return no_content()


@router.get(
    "/links/<link_id>/events",
    responses=answers({200: list[LinkEvent]}, NoSuchLink, InvalidCursor),
)
def list_link_events(
    link_id: str,
    caller: Sharer,
    request: CurrentRequest,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response[list[LinkEvent]]:
    """List the events of a link of the last ninety days, newest first."""
    page = one(LinkService).list_events(caller, link_id, PageQuery(limit, cursor))
    return list_answer(page, request)
