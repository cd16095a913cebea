"""Links, for those who open them: no account is needed, and looking never counts."""

from dataclasses import replace
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from function.account_errors import NotAllowed
from function.deps import CountingDep, Sent, SentBody, SigningDep, Visitor, VisitsDep
from function.errors import (
    ChangedMeanwhile,
    Invalid,
    InvalidCursor,
    NoSuchFile,
    NotSignedIn,
    SlowDown,
)
from function.link_models import (
    LinkDownload,
    LinkDownloadRequest,
    LinkPage,
    Unlocked,
    UnlockRequest,
    Way,
)
from function.models import Incoming
from function.routes import pages
from function.routes.answers import JSON, answers, next_page
from function.routes.forms import read
from function.services.visitors import Visitor as Guest
from function.sharing_errors import (
    DownloadNotAllowed,
    LinkExhausted,
    LinkExpired,
    LinkRevoked,
    NoSuchLink,
    PasswordRequired,
    WrongPassword,
)

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
    visitor: Visitor,
    sent: Sent,
    visits: VisitsDep,
    signing: SigningDep,
    grant: Annotated[str | None, Query(description="Or in the header `x-link-grant`.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = MOST_ON_A_PAGE,
    cursor: Cursor = None,
) -> Response[LinkPage | str]:
    """What a link shows, as JSON or as a page for browsers. It never counts.

    With a password nothing is shown before the grant of `POST /s/{token}/unlock` is sent along.
    """
    guest = Guest(token, sent.address, visitor, grant or sent.headers.get(GRANT))
    if pages.wanted(sent):
        limit = min(limit, MOST_ON_A_PAGE)
        page, following, held = visits.show(guest, _how(sent, "page"), limit, cursor)
        return pages.of_link(page, sent.path, held, following, signing.site)
    page, following, _ = visits.show(guest, _how(sent, "json"), limit, cursor)
    return Response(200, JSON, page, next_page(following, sent))


@router.post(
    "/s/<token>/unlock",
    responses=answers({200: Unlocked}, WrongPassword, ChangedMeanwhile, Invalid, *CLOSED),
)
def unlock_link(
    token: str, visitor: Visitor, sent: SentBody, visits: VisitsDep, signing: SigningDep
) -> Response[Unlocked | str]:
    """Give the password of a link, as JSON or as a form, and get a grant for an hour.

    Tries are counted before they are looked at; too many are answered 429 for some minutes.
    """
    password = read(sent, UnlockRequest).password
    secret = password.get_secret_value() if password else None
    guest = Guest(token, sent.address, visitor)
    if not pages.wanted(sent):
        return Response(200, JSON, visits.unlock(guest, secret, "json"))
    guest = replace(guest, grant=visits.unlock(guest, secret, "page").grant)
    page, following, held = visits.show(guest, "page", MOST_ON_A_PAGE, None)
    path = sent.path.removesuffix("/unlock")
    return pages.of_link(page, path, held, following, signing.site)


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
    visitor: Visitor,
    sent: SentBody,
    counting: CountingDep,
    limit: Annotated[int, Query(ge=1, le=MOST_AT_ONCE)] = MOST_AT_ONCE,
    cursor: Cursor = None,
) -> Response[LinkDownload | str | None]:
    """Download a file of a link: 303 to its bytes, or 200 with the address for programs.

    The count is of files; the answer's grant (`x-link-grant`) gives the same file again for an
    hour, uncounted. `format` curl answers a configuration for `curl -K` with all files of a page.
    """
    wanted = read(sent, LinkDownloadRequest)
    guest = Guest(token, sent.address, visitor, wanted.grant or sent.headers.get(GRANT))
    if wanted.format:
        text, grant, following = counting.all(guest, limit, cursor)
        headers = {**next_page(following, sent), GRANT: grant}
        return Response(200, "text/plain; charset=utf-8", text, headers)
    if JSON in pages.kinds_of(sent):
        return Response(200, JSON, counting.one(guest, wanted, "json"))
    made = counting.one(guest, wanted, "redirect")
    return Response(303, None, None, {"location": made.url, GRANT: made.grant})


def _how(sent: Incoming, way: Way) -> Way:
    return "head" if sent.method == "HEAD" else way
