"""The routes of uploads: the client sends the bytes to S3 and can resume."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from function.base import one
from function.core.errors import (
    InvalidCursor,
)
from function.core.limits import MAX_COMPLETION_BYTES
from function.core.paging import PageQuery
from function.files.models import FileObject
from function.http.dependencies import (
    ConditionHeaders,
    CurrentRequest,
    Cursor,
    IdempotencyKeyHeader,
    Limit,
    MaxBytes,
    Writer,
    idempotent,
)
from function.http.responses import answers, list_answer, no_content, with_conditions
from function.idempotency.errors import OF_KEY
from function.uploads.completion import CompletionService
from function.uploads.errors import OF_COMPLETION, OF_PARTS, OF_START, NoSuchUpload
from function.uploads.models import Completion, PartsRequest, SignedParts, UploadRequest, UploadView
from function.uploads.service import UploadService

router = Router()


@router.post(
    "/uploads",
    status_code=201,
    responses=answers({201: UploadView}, *OF_START, *OF_KEY),
)
def start_upload(
    body: UploadRequest,
    caller: Writer,
    request: CurrentRequest,
    header: ConditionHeaders,
    key: IdempotencyKeyHeader = None,
) -> UploadView:
    """Start an upload of up to 5 TiB, whose bytes you send to S3 yourself.

    A file of up to 64 MiB takes one PUT, as `put` says; a larger one takes parts. `curl` is a
    command that does all of it, with your token in the shell variable `$TOKEN`. Conditions are
    checked now, and again when you complete the upload.
    """
    body = with_conditions(body, header)
    repeatable = idempotent(request, key, body)
    return one(UploadService).create(caller, body, request.base, idempotent=repeatable)


@router.get("/uploads", responses=answers({200: list[UploadView]}, InvalidCursor))
def list_uploads(
    caller: Writer,
    request: CurrentRequest,
    held: Annotated[bool, Query(description="Those of others to your files instead.")] = False,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response[list[UploadView]]:
    """List your uploads in progress, or those of others that hold room of your quota."""
    service, page = one(UploadService), PageQuery(limit, cursor)
    listed = service.list_held(caller, page) if held else service.list_uploads(caller, page)
    return list_answer(listed, request)


@router.get("/uploads/<upload_id>", responses=answers({200: UploadView}, NoSuchUpload))
def get_upload(upload_id: str, caller: Writer, request: CurrentRequest) -> UploadView:
    """Get an upload's arrived and missing parts, to resume it."""
    return one(UploadService).status(caller, upload_id, request.base)


@router.post(
    "/uploads/<upload_id>/parts",
    responses=answers({200: SignedParts}, *OF_PARTS),
)
def sign_parts(upload_id: str, body: PartsRequest, caller: Writer) -> SignedParts:
    """Sign URLs for up to 100 parts, each valid for 5 minutes and for one part size.

    Where the client cuts the parts itself (`part_size` is null), they are signed while those that
    have arrived leave room for more.
    """
    return one(UploadService).sign_parts(caller, upload_id, body.hashes())


@router.post(
    "/uploads/<upload_id>/complete",
    responses=answers({200: FileObject}, *OF_COMPLETION),
)
def complete_upload(
    upload_id: str,
    body: Annotated[Completion, Body(), MaxBytes(MAX_COMPLETION_BYTES)],
    caller: Writer,
) -> FileObject:
    """Complete an upload: make the file, once all its bytes are in S3.

    A repeated request gets the same answer. The bytes are compared with the declared size and
    checksum; if they differ, they are deleted and no file is made.
    """
    return one(CompletionService).complete(caller, upload_id, body.parts)


@router.delete(
    "/uploads/<upload_id>", status_code=204, responses=answers({204: None}, NoSuchUpload)
)
def abort_upload(upload_id: str, caller: Writer) -> Response[None]:
    """Abort an upload and delete the bytes that have arrived.

    Also one of another to your files, which frees the room that it holds of your quota.
    """
    one(UploadService).abort(caller, upload_id)
    return no_content()
