"""The public routes of file requests, which need no account: the token in the path is enough."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body

from function.access.callers import Uploader
from function.access.errors import FileRequestClosed, NoSuchFileRequest, QuotaExceeded
from function.base import one
from function.core.errors import ChangedMeanwhile, Invalid, InvalidName, SlowDown, TooLarge
from function.core.limits import MAX_COMPLETION_BYTES
from function.core.media_types import JSON
from function.core.models import HttpRequest
from function.http.dependencies import CurrentRequest, GrantHeader, MaxBytes, RequestWithBody
from function.http.forms import read_body
from function.http.pages import accepts_html, opened_page
from function.http.request import accepted_types
from function.http.responses import answers, no_content
from function.http.terminal import PLAIN_TEXT, terminal_of
from function.public.errors import PasswordRequired, WrongPassword
from function.public.grants import cookie_name, sent_grant
from function.public.models import Unlocked, UnlockRequest
from function.public.unlock import ACCESS_SECONDS
from function.requests.errors import FileRequestFull
from function.requests.models import FileRequestUpload, PublicFileRequest
from function.requests.pages import file_request_page, file_request_text
from function.requests.public_service import PublicFileRequestService
from function.uploads.completion import CompletionService
from function.uploads.errors import NoSuchUpload, UploadIncomplete, UploadMismatch
from function.uploads.models import Completion, PartsRequest, Received, SignedParts, UploadView
from function.uploads.service import UploadService

router = Router()


@router.get(
    "/r/<token>",
    responses=answers(
        {200: PublicFileRequest}, NoSuchFileRequest, FileRequestClosed, PasswordRequired, SlowDown
    ),
)
def get_public_file_request(
    token: str,
    request: CurrentRequest,
    grant: GrantHeader = None,
) -> Response[PublicFileRequest | str]:
    """Get a file request, as JSON or as a page for browsers.

    curl and Wget get a text whose last line is the command that sends a file, unless they ask for
    JSON.

    One with a password needs the access token (`grant`) of `POST /r/{token}/unlock`, in the header
    `x-link-grant` or, in a browser, a cookie.
    """
    service = one(PublicFileRequestService)
    view = service.show(token, sent_grant(request, token, grant), request.address)
    if accepts_html(request):
        return file_request_page(view, _address(token, request))
    if terminal_of(request):
        return file_request_text(view, _address(token, request))
    return Response(200, JSON, view)


@router.post(
    "/r/<token>/unlock",
    responses=answers(
        {200: Unlocked, 303: None},
        NoSuchFileRequest,
        FileRequestClosed,
        WrongPassword,
        SlowDown,
        ChangedMeanwhile,
    ),
)
def unlock_file_request(token: str, request: RequestWithBody) -> Response[Unlocked | None]:
    """Exchange the password of a file request for an access token of one hour.

    The password is JSON or a form; a browser gets 303 to the page, and the access token in a
    cookie.
    """
    password = read_body(request, UnlockRequest).password
    secret = password.get_secret_value() if password else None
    unlocked = one(PublicFileRequestService).unlock(token, secret, request.address)
    if accepts_html(request):
        return opened_page(f"/r/{token}", cookie_name(token), unlocked.grant, ACCESS_SECONDS)
    return Response(200, JSON, unlocked)


@router.post(
    "/r/<token>/uploads",
    status_code=201,
    responses=answers(
        {201: UploadView},
        NoSuchFileRequest,
        FileRequestClosed,
        FileRequestFull,
        PasswordRequired,
        Invalid,
        InvalidName,
        TooLarge,
        QuotaExceeded,
        SlowDown,
        ChangedMeanwhile,
    ),
)
def create_file_request_upload(token: str, request: RequestWithBody) -> Response[UploadView | str]:
    """Create an upload for a file request, and reserve a slot for it.

    The bytes go to S3 itself, as with `POST /uploads`, with the routes below this address. `curl`
    is a command that does all of it; with `Accept: text/plain` it alone is answered. The body is
    JSON or a form.
    """
    body, service = read_body(request, FileRequestUpload), one(PublicFileRequestService)
    view = service.create_upload(token, body, request.base, request.address, request.agent)
    if view.curl and "text/plain" in accepted_types(request):
        headers: dict[str, str | list[str]] = {"location": f"{request.path}/{view.upload_id}"}
        return Response(201, PLAIN_TEXT, f"{view.curl}\n", headers)
    return Response(201, JSON, view)


@router.get(
    "/r/<token>/uploads/<upload_id>",
    responses=answers({200: UploadView}, NoSuchFileRequest, NoSuchUpload, SlowDown),
)
def get_file_request_upload(token: str, upload_id: str, request: CurrentRequest) -> UploadView:
    """Get an upload for a file request, with the parts that have arrived and those missing."""
    return one(UploadService).status(_uploader(token, request), upload_id, _address(token, request))


@router.post(
    "/r/<token>/uploads/<upload_id>/parts",
    responses=answers({200: SignedParts}, NoSuchFileRequest, NoSuchUpload, Invalid, SlowDown),
)
def sign_file_request_parts(
    token: str,
    upload_id: str,
    body: PartsRequest,
    request: CurrentRequest,
) -> SignedParts:
    """Presign URLs for up to a hundred parts of an upload for a file request."""
    return one(UploadService).sign_parts(_uploader(token, request), upload_id, body.hashes())


@router.post(
    "/r/<token>/uploads/<upload_id>/complete",
    responses=answers(
        {200: Received},
        NoSuchFileRequest,
        FileRequestClosed,
        NoSuchUpload,
        UploadIncomplete,
        UploadMismatch,
        TooLarge,
        QuotaExceeded,
        SlowDown,
        ChangedMeanwhile,
    ),
)
def complete_file_request_upload(
    token: str,
    upload_id: str,
    body: Annotated[Completion, Body(), MaxBytes(MAX_COMPLETION_BYTES)],
    request: CurrentRequest,
) -> Received:
    """Complete an upload for a file request. A repeated request gets the same answer.

    Where the owner has closed the file request meanwhile, it makes no file.
    """
    return one(CompletionService).receive(_uploader(token, request), upload_id, body.parts)


@router.delete(
    "/r/<token>/uploads/<upload_id>",
    status_code=204,
    responses=answers({204: None}, NoSuchFileRequest, NoSuchUpload, SlowDown),
)
def abort_file_request_upload(
    token: str, upload_id: str, request: CurrentRequest
) -> Response[None]:
    """Abort an upload for a file request: delete its bytes and release its slot."""
    one(UploadService).abort(_uploader(token, request), upload_id)
    return no_content()


def _uploader(token: str, request: HttpRequest) -> Uploader:
    """The uploader with this token. Raises NoSuchFileRequest, SlowDown."""
    return one(PublicFileRequestService).uploader(token, request.address, request.agent)


def _address(token: str, request: HttpRequest) -> str:
    """The address of a file request."""
    return f"{request.base}/r/{token}"
