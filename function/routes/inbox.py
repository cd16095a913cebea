"""Requests for files, for those who send some: all they have is the token in the address."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from function.deps import CompletingDep, InboxDep, Sent, TransfersDep
from function.errors import (
    ChangedMeanwhile,
    Invalid,
    InvalidName,
    NoSuchUpload,
    QuotaExceeded,
    SlowDown,
    TooLarge,
    UploadIncomplete,
    UploadMismatch,
)
from function.models import Incoming
from function.request_models import Grant, Sending, Unlock, Unlocked, Wanted
from function.routes.answers import answers, nothing
from function.sharing_errors import (
    NoSuchRequest,
    PasswordRequired,
    RequestClosed,
    RequestFull,
    WrongPassword,
)
from function.transfer_models import (
    Completion,
    PartsRequest,
    Received,
    SignedParts,
    UploadView,
)

router = Router()


@router.get(
    "/r/<token>",
    responses=answers({200: Wanted}, NoSuchRequest, RequestClosed, PasswordRequired, SlowDown),
)
def look_at_request(
    token: str,
    sent: Sent,
    inbox: InboxDep,
    grant: Annotated[Grant | None, Query(description="Where it has a password.")] = None,
) -> Wanted:
    """What somebody asks you to send them."""
    return inbox.look(token, grant, sent.address)


@router.post(
    "/r/<token>/unlock",
    responses=answers(
        {200: Unlocked}, NoSuchRequest, RequestClosed, WrongPassword, SlowDown, ChangedMeanwhile
    ),
)
def unlock_request(token: str, body: Unlock, sent: Sent, inbox: InboxDep) -> Unlocked:
    """Give the password, and get a grant that is good for an hour."""
    return inbox.unlock(token, body.password.get_secret_value(), sent.address)


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
def send_file(token: str, body: Sending, sent: Sent, inbox: InboxDep) -> UploadView:
    """Begin to send a file, whose bytes go straight to S3, and take its place.

    Go on as with `POST /uploads`, below this address: `curl` is a line that does all of it.
    """
    return inbox.start(token, body, sent.base, sent.address)


@router.get(
    "/r/<token>/uploads/<upload_id>",
    responses=answers({200: UploadView}, NoSuchRequest, NoSuchUpload, SlowDown),
)
def look_at_sending(
    token: str, upload_id: str, sent: Sent, inbox: InboxDep, transfers: TransfersDep
) -> UploadView:
    """What of a file has arrived and what is missing, to go on from there."""
    return transfers.status(inbox.sender(token, sent.address), upload_id, below(token, sent))


@router.post(
    "/r/<token>/uploads/<upload_id>/parts",
    responses=answers({200: SignedParts}, NoSuchRequest, NoSuchUpload, Invalid, SlowDown),
)
def sign_sending(
    token: str,
    upload_id: str,
    body: PartsRequest,
    sent: Sent,
    inbox: InboxDep,
    transfers: TransfersDep,
) -> SignedParts:
    """Sign addresses for up to a hundred parts of it."""
    numbers = list(body.part_numbers)
    return transfers.sign(inbox.sender(token, sent.address), upload_id, numbers)


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
    sent: Sent,
    inbox: InboxDep,
    completing: CompletingDep,
) -> Received:
    """Hand the file over, once all its bytes are there. Doing it again answers the same."""
    return completing.receive(inbox.sender(token, sent.address), upload_id, body.parts)


@router.delete(
    "/r/<token>/uploads/<upload_id>",
    status_code=204,
    responses=answers({204: None}, NoSuchRequest, NoSuchUpload, SlowDown),
)
def abort_sending(
    token: str, upload_id: str, sent: Sent, inbox: InboxDep, transfers: TransfersDep
) -> Response[None]:
    """Give it up, remove what has arrived of it, and leave its place to others."""
    transfers.abort(inbox.sender(token, sent.address), upload_id)
    return nothing()


def below(token: str, sent: Incoming) -> str:
    """The address of a request."""
    return f"{sent.base}/r/{token}"
