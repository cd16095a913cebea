"""Large uploads: straight to S3, resumable, verified."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from function.access.errors import NoSuchFile, QuotaExceeded
from function.base import one
from function.core.errors import (
    ChangedMeanwhile,
    Invalid,
    InvalidCursor,
    PreconditionFailed,
    TooLarge,
)
from function.files.errors import FileExists, TypeNotAllowed
from function.files.models import FileObject
from function.http.dependencies import ConditionHeaders, CurrentRequest, Writer
from function.http.responses import answers, conditioned, listed, nothing
from function.uploads.completion import CompletionService
from function.uploads.errors import NoSuchUpload, UploadIncomplete, UploadMismatch
from function.uploads.models import Completion, PartsRequest, SignedParts, UploadRequest, UploadView
from function.uploads.service import UploadService

router = Router()


@router.post(
    "/uploads",
    status_code=201,
    responses=answers(
        {201: UploadView},
        NoSuchFile,
        FileExists,
        PreconditionFailed,
        TooLarge,
        TypeNotAllowed,
        QuotaExceeded,
    ),
)
def start_upload(
    body: UploadRequest,
    caller: Writer,
    sent: CurrentRequest,
    header: ConditionHeaders,
) -> UploadView:
    """Begin an upload of any size up to 5 TB, whose bytes go straight to S3.

    Up to 64 MiB it is one PUT, as `put` says; above that, parts. `curl` is a line that does all of
    it, where the shell's `$TOKEN` is your token. Conditions hold when it is completed as well.
    """
    return one(UploadService).start(caller, conditioned(body, header), sent.base)


@router.get("/uploads", responses=answers({200: list[UploadView]}, InvalidCursor))
def list_uploads(
    caller: Writer,
    sent: CurrentRequest,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str | None = None,
) -> Response[list[UploadView]]:
    """List your uploads in progress."""
    return listed(*one(UploadService).page(caller, limit, cursor, sent.base), sent)


@router.get("/uploads/<upload_id>", responses=answers({200: UploadView}, NoSuchUpload))
def get_upload(upload_id: str, caller: Writer, sent: CurrentRequest) -> UploadView:
    """What of an upload has arrived and what is missing, to go on from there."""
    return one(UploadService).status(caller, upload_id, sent.base)


@router.post(
    "/uploads/<upload_id>/parts", responses=answers({200: SignedParts}, NoSuchUpload, Invalid)
)
def sign_parts(upload_id: str, body: PartsRequest, caller: Writer) -> SignedParts:
    """Sign addresses for up to a hundred parts, each good for minutes and one length."""
    return one(UploadService).sign(caller, upload_id, list(body.part_numbers))


@router.post(
    "/uploads/<upload_id>/complete",
    responses=answers(
        {200: FileObject},
        NoSuchUpload,
        NoSuchFile,
        FileExists,
        ChangedMeanwhile,
        UploadIncomplete,
        PreconditionFailed,
        TooLarge,
        TypeNotAllowed,
        UploadMismatch,
        QuotaExceeded,
    ),
)
def complete_upload(upload_id: str, body: Completion, caller: Writer) -> FileObject:
    """Make the file, once all its bytes are there. Doing it again answers the same.

    What arrived is compared with the size and the checksum that were declared; if it differs, it
    is removed, and nothing of it was ever visible.
    """
    return one(CompletionService).complete(caller, upload_id, body.parts)


@router.delete(
    "/uploads/<upload_id>", status_code=204, responses=answers({204: None}, NoSuchUpload)
)
def abort_upload(upload_id: str, caller: Writer) -> Response[None]:
    """Give an upload up, and remove what has arrived of it."""
    one(UploadService).abort(caller, upload_id)
    return nothing()
