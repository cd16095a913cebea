"""The public routes of links, which need no account."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from function.access.errors import NoSuchFile, NotAllowed
from function.base import one
from function.core.errors import (
    ChangedMeanwhile,
    Invalid,
    InvalidCursor,
    NotSignedIn,
    PreconditionFailed,
    SlowDown,
)
from function.core.media_types import JSON
from function.core.models import HttpRequest
from function.core.paging import PageQuery
from function.files.presigning import Presigner
from function.http.dependencies import (
    CurrentRequest,
    Cursor,
    GrantHeader,
    IfMatchHeader,
    Limit,
    OptionalCaller,
    RequestWithBody,
)
from function.http.forms import read_body
from function.http.pages import accepts_html, opened_page
from function.http.request import accepted_types
from function.http.responses import answers, next_page, with_conditions
from function.http.terminal import terminal_of
from function.links.access import LinkVisitor
from function.links.downloads import LinkDownloads
from function.links.errors import (
    DownloadNotAllowed,
    LinkExhausted,
    LinkExpired,
    LinkRevoked,
    NoSuchLink,
)
from function.links.models import Channel, LinkDownload, LinkDownloadRequest, LinkPage
from function.links.pages import MAX_COUNTED, link_line, link_page, link_text
from function.links.public_service import PublicLinkService
from function.public.errors import PasswordRequired, WrongPassword
from function.public.grants import cookie_name, sent_grant
from function.public.models import Unlocked, UnlockRequest
from function.public.unlock import ACCESS_SECONDS

router = Router()
MAX_PAGE_ITEMS = 100
GRANT_HEADER = "x-link-grant"
CLOSED = (NoSuchLink, LinkExpired, LinkRevoked, NotSignedIn, NotAllowed, SlowDown)


@router.get(
    "/s/<token>",
    responses=answers({200: LinkPage}, PasswordRequired, InvalidCursor, *CLOSED),
)
def open_link(
    token: str,
    visitor: OptionalCaller,
    request: CurrentRequest,
    grant: GrantHeader = None,
    limit: Limit = MAX_PAGE_ITEMS,
    cursor: Cursor = None,
) -> Response[LinkPage | str]:
    """List the files that a link shows, as JSON or as a page for browsers. It never counts.

    curl and Wget get a text whose last line is the command that downloads the files, unless they
    ask for JSON.

    A link with a password needs the access token (`grant`) of `POST /s/{token}/unlock`, in the
    header `x-link-grant` or, in a browser, a cookie.
    """
    access_token = sent_grant(request, token, grant)
    link_visitor = LinkVisitor(token, request.address, visitor, access_token)
    if accepts_html(request):
        limit = min(limit, MAX_PAGE_ITEMS)
        page, next_cursor, access_token = one(PublicLinkService).show(
            link_visitor, _channel(request, "page"), PageQuery(limit, cursor)
        )
        return link_page(page, request.path, access_token, next_cursor, one(Presigner).site)
    program = terminal_of(request)
    limit = min(limit, MAX_COUNTED) if program else limit
    page, next_cursor, _ = one(PublicLinkService).show(
        link_visitor, _channel(request, "curl" if program else "json"), PageQuery(limit, cursor)
    )
    address = f"{request.base}/s/{token}"
    if program:
        return link_text(page, address, cursor, next_cursor, program)
    page = page.model_copy(update={"curl": link_line(page, address, cursor, next_cursor)})
    return Response(200, JSON, page, next_page(next_cursor, request))


@router.post(
    "/s/<token>/unlock",
    responses=answers(
        {200: Unlocked, 303: None}, WrongPassword, ChangedMeanwhile, Invalid, *CLOSED
    ),
)
def unlock_link(
    token: str, visitor: OptionalCaller, request: RequestWithBody
) -> Response[Unlocked | None]:
    """Exchange the password of a link for an access token of one hour.

    The password is JSON or a form; a browser gets 303 to the page, and the access token in a
    cookie. Each try is counted before the password is checked; too many are answered with 429.
    """
    password = read_body(request, UnlockRequest).password
    secret = password.get_secret_value() if password else None
    link_visitor = LinkVisitor(token, request.address, visitor)
    service = one(PublicLinkService)
    if not accepts_html(request):
        return Response(200, JSON, service.unlock(link_visitor, secret, "json"))
    grant = service.unlock(link_visitor, secret, "page").grant
    return opened_page(f"/s/{token}", cookie_name(token), grant, ACCESS_SECONDS)


@router.post(
    "/s/<token>/download",
    responses=answers(
        {200: LinkDownload, 303: None},
        PasswordRequired,
        NoSuchFile,
        DownloadNotAllowed,
        LinkExhausted,
        ChangedMeanwhile,
        PreconditionFailed,
        Invalid,
        InvalidCursor,
        *CLOSED,
    ),
)
def download_by_link(
    token: str,
    visitor: OptionalCaller,
    request: RequestWithBody,
    condition: IfMatchHeader,
    grant: GrantHeader = None,
    limit: Annotated[int, Query(ge=1, le=MAX_COUNTED)] = MAX_COUNTED,
    cursor: Cursor = None,
) -> Response[LinkDownload | str | None]:
    """Download a file of a link: 303 to its bytes, or 200 with their address as JSON.

    Counts each file. With the access token of the answer (`x-link-grant`, `grant`) the same file is
    downloaded again without counting, for an hour. `format` curl answers a configuration for
    `curl -K` with all files of a page. Send `If-Match` with the file's ETag to resume a download:
    412 says that the file has changed.
    """
    body = with_conditions(read_body(request, LinkDownloadRequest), condition)
    if body.format and body.if_match:
        raise Invalid("If-Match is about one file: name it without format, or leave it out.")
    access_token = body.grant or sent_grant(request, token, grant)
    link_visitor = LinkVisitor(token, request.address, visitor, access_token)
    if body.format:
        text, access_token, next_cursor = one(LinkDownloads).download_page(
            link_visitor, PageQuery(limit, cursor), dotfiles=body.dotfiles
        )
        headers = {**next_page(next_cursor, request), GRANT_HEADER: access_token}
        return Response(200, "text/plain; charset=utf-8", text, headers)
    if JSON in accepted_types(request):
        return Response(200, JSON, one(LinkDownloads).download(link_visitor, body, "json"))
    download = one(LinkDownloads).download(link_visitor, body, "redirect")
    return Response(303, None, None, {"location": download.url, GRANT_HEADER: download.grant})


def _channel(request: HttpRequest, channel: Channel) -> Channel:
    """The channel that an event names: a HEAD request shows nothing."""
    return "head" if request.method == "HEAD" else channel
