"""Requests for files, for those who send some: all they have is the token in the address."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from function.access.errors import NoSuchRequest, QuotaExceeded
from function.base import one
from function.core.errors import ChangedMeanwhile, Invalid, InvalidName, SlowDown, TooLarge
from function.core.models import HttpRequest
from function.http import pages as http_pages
from function.http.dependencies import CurrentRequest, RequestWithBody
from function.http.forms import read_body
from function.http.responses import JSON, answers, nothing
from function.public.errors import PasswordRequired, WrongPassword
from function.public.models import Unlocked, UnlockRequest
from function.requests import pages as requests_pages
from function.requests.errors import RequestClosed, RequestFull
from function.requests.models import Grant, Sending, Wanted
from function.requests.public_service import PublicRequestService
from function.uploads.completion import CompletionService
from function.uploads.errors import NoSuchUpload, UploadIncomplete, UploadMismatch
from function.uploads.models import Completion, PartsRequest, Received, SignedParts, UploadView
from function.uploads.service import UploadService

router = Router()


@router.get(
    "/r/<token>",
    responses=answers({200: Wanted}, NoSuchRequest, RequestClosed, PasswordRequired, SlowDown),
)
def look_at_request(
    token: str,
    sent: CurrentRequest,
    grant: Annotated[Grant | None, Query(description="Where it has a password.")] = None,
) -> Response[Wanted | str]:
    """What somebody asks you to send them, as JSON or as a page for browsers."""
    asked = one(PublicRequestService).look(token, grant, sent.address)
    if http_pages.accepts_html(sent):
        return requests_pages.file_request_page(asked, below(token, sent))
    return Response(200, JSON, asked)


@router.post(
    "/r/<token>/unlock",
    responses=answers(
        {200: Unlocked}, NoSuchRequest, RequestClosed, WrongPassword, SlowDown, ChangedMeanwhile
    ),
)
def unlock_request(token: str, sent: RequestWithBody) -> Response[Unlocked | str]:
    """Give the password of a request, as JSON or as a form, and get a grant for an hour."""
    password = read_body(sent, UnlockRequest).password
    secret = password.get_secret_value() if password else None
    unlocked = one(PublicRequestService).unlock(token, secret, sent.address)
    if http_pages.accepts_html(sent):
        asked = one(PublicRequestService).look(token, unlocked.grant, sent.address)
        return requests_pages.file_request_page(asked, below(token, sent))
    return Response(200, JSON, unlocked)


@router.post(
    "/r/<token>/uploads",
    status_code=201,
    responses=answers(
        {201: UploadView},
        NoSuchRequest,
        RequestClosed,
        RequestFull,
        PasswordRequired,
        Invalid,
        InvalidName,
        TooLarge,
        QuotaExceeded,
        SlowDown,
        ChangedMeanwhile,
    ),
)
def send_file(token: str, body: Sending, sent: CurrentRequest) -> UploadView:
    """Begin to send a file, whose bytes go straight to S3, and take its place.

    Go on as with `POST /uploads`, below this address: `curl` is a line that does all of it.
    """
    return one(PublicRequestService).start(token, body, sent.base, sent.address, sent.agent)


@router.get(
    "/r/<token>/uploads/<upload_id>",
    responses=answers({200: UploadView}, NoSuchRequest, NoSuchUpload, SlowDown),
)
def look_at_sending(token: str, upload_id: str, sent: CurrentRequest) -> UploadView:
    """What of a file has arrived and what is missing, to go on from there."""
    return one(UploadService).status(
        one(PublicRequestService).sender(token, sent.address, sent.agent),
        upload_id,
        below(token, sent),
    )


@router.post(
    "/r/<token>/uploads/<upload_id>/parts",
    responses=answers({200: SignedParts}, NoSuchRequest, NoSuchUpload, Invalid, SlowDown),
)
def sign_sending(
    token: str,
    upload_id: str,
    body: PartsRequest,
    sent: CurrentRequest,
) -> SignedParts:
    """Sign addresses for up to a hundred parts of it."""
    numbers = list(body.part_numbers)
    return one(UploadService).sign_parts(
        one(PublicRequestService).sender(token, sent.address, sent.agent), upload_id, numbers
    )


@router.post(
    "/r/<token>/uploads/<upload_id>/complete",
    responses=answers(
        {200: Received},
        NoSuchRequest,
        NoSuchUpload,
        UploadIncomplete,
        UploadMismatch,
        TooLarge,
        QuotaExceeded,
        SlowDown,
        ChangedMeanwhile,
    ),
)
def complete_sending(
    token: str,
    upload_id: str,
    body: Completion,
    sent: CurrentRequest,
) -> Received:
    """Hand the file over, once all its bytes are there. Doing it again answers the same."""
    return one(CompletionService).receive(
        one(PublicRequestService).sender(token, sent.address, sent.agent), upload_id, body.parts
    )


@router.delete(
    "/r/<token>/uploads/<upload_id>",
    status_code=204,
    responses=answers({204: None}, NoSuchRequest, NoSuchUpload, SlowDown),
)
def abort_sending(token: str, upload_id: str, sent: CurrentRequest) -> Response[None]:
    """Give it up, remove what has arrived of it, and leave its place to others."""
    one(UploadService).abort(
        one(PublicRequestService).sender(token, sent.address, sent.agent), upload_id
    )
    return nothing()


def below(token: str, sent: HttpRequest) -> str:
    """The address of a request."""
    return f"{sent.base}/r/{token}"
