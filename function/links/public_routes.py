"""Links, for those who open them: no account is needed, and looking never counts."""

from dataclasses import replace
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from function.access.errors import NoSuchFile, NotAllowed
from function.base import one
from function.core.errors import ChangedMeanwhile, Invalid, InvalidCursor, NotSignedIn, SlowDown
from function.core.models import HttpRequest
from function.files.presigning import Presigner
from function.http import pages as http_pages
from function.http.dependencies import CurrentRequest, OptionalCaller, RequestWithBody
from function.http.forms import read_body
from function.http.responses import JSON, answers, next_page
from function.links import pages as links_pages
from function.links.downloads import LinkDownloads
from function.links.errors import (
    DownloadNotAllowed,
    LinkExhausted,
    LinkExpired,
    LinkRevoked,
    NoSuchLink,
)
from function.links.models import LinkDownload, LinkDownloadRequest, LinkPage, Way
from function.links.public_service import PublicLinkService
from function.links.public_service import Visitor as Guest
from function.public.errors import PasswordRequired, WrongPassword
from function.public.models import Unlocked, UnlockRequest

router = Router()
MOST_ON_A_PAGE = 100
MOST_AT_ONCE = 90  # one commit has a receipt for each
GRANT = "x-link-grant"
CLOSED = (NoSuchLink, LinkExpired, LinkRevoked, NotSignedIn, NotAllowed, SlowDown)
Cursor = Annotated[str | None, Query(description="Where the list goes on.")]


@router.get(
    "/s/<token>",
    responses=answers({200: LinkPage}, PasswordRequired, InvalidCursor, *CLOSED),
)
def open_link(
    token: str,
    visitor: OptionalCaller,
    sent: CurrentRequest,
    grant: Annotated[str | None, Query(description="Or in the header `x-link-grant`.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = MOST_ON_A_PAGE,
    cursor: Cursor = None,
) -> Response[LinkPage | str]:
    """What a link shows, as JSON or as a page for browsers. It never counts.

    With a password nothing is shown before the grant of `POST /s/{token}/unlock` is sent along.
    """
    guest = Guest(token, sent.address, visitor, grant or sent.headers.get(GRANT))
    if http_pages.accepts_html(sent):
        limit = min(limit, MOST_ON_A_PAGE)
        page, following, held = one(PublicLinkService).show(
            guest, _how(sent, "page"), limit, cursor
        )
        return links_pages.link_page(page, sent.path, held, following, one(Presigner).site)
    page, following, _ = one(PublicLinkService).show(guest, _how(sent, "json"), limit, cursor)
    return Response(200, JSON, page, next_page(following, sent))


@router.post(
    "/s/<token>/unlock",
    responses=answers({200: Unlocked}, WrongPassword, ChangedMeanwhile, Invalid, *CLOSED),
)
def unlock_link(
    token: str, visitor: OptionalCaller, sent: RequestWithBody
) -> Response[Unlocked | str]:
    """Give the password of a link, as JSON or as a form, and get a grant for an hour.

    Tries are counted before they are looked at; too many are answered 429 for some minutes.
    """
    password = read_body(sent, UnlockRequest).password
    secret = password.get_secret_value() if password else None
    guest = Guest(token, sent.address, visitor)
    if not http_pages.accepts_html(sent):
        return Response(200, JSON, one(PublicLinkService).unlock(guest, secret, "json"))
    guest = replace(guest, grant=one(PublicLinkService).unlock(guest, secret, "page").grant)
    page, following, held = one(PublicLinkService).show(guest, "page", MOST_ON_A_PAGE, None)
    path = sent.path.removesuffix("/unlock")
    return links_pages.link_page(page, path, held, following, one(Presigner).site)


@router.post(
    "/s/<token>/download",
    responses=answers(
        {200: LinkDownload, 303: None},
        PasswordRequired,
        NoSuchFile,
        DownloadNotAllowed,
        LinkExhausted,
        ChangedMeanwhile,
        Invalid,
        InvalidCursor,
        *CLOSED,
    ),
)
def download_by_link(
    token: str,
    visitor: OptionalCaller,
    sent: RequestWithBody,
    limit: Annotated[int, Query(ge=1, le=MOST_AT_ONCE)] = MOST_AT_ONCE,
    cursor: Cursor = None,
) -> Response[LinkDownload | str | None]:
    """Download a file of a link: 303 to its bytes, or 200 with the address for programs.

    The count is of files; the answer's grant (`x-link-grant`) gives the same file again for an
    hour, uncounted. `format` curl answers a configuration for `curl -K` with all files of a page.
    """
    wanted = read_body(sent, LinkDownloadRequest)
    guest = Guest(token, sent.address, visitor, wanted.grant or sent.headers.get(GRANT))
    if wanted.format:
        text, grant, following = one(LinkDownloads).all(guest, limit, cursor)
        headers = {**next_page(following, sent), GRANT: grant}
        return Response(200, "text/plain; charset=utf-8", text, headers)
    if JSON in http_pages.accepted_types(sent):
        return Response(200, JSON, one(LinkDownloads).one(guest, wanted, "json"))
    made = one(LinkDownloads).one(guest, wanted, "redirect")
    return Response(303, None, None, {"location": made.url, GRANT: made.grant})


def _how(sent: HttpRequest, way: Way) -> Way:
    return "head" if sent.method == "HEAD" else way
