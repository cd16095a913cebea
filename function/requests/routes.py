"""The routes of file requests for their owners."""

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from function.access.errors import NoSuchFileRequest
from function.auth.errors import WeakPassword
from function.base import one
from function.core.errors import ChangedMeanwhile, InvalidCursor, InvalidName
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
from function.requests.models import (
    CreatedFileRequest,
    FileRequestChanges,
    FileRequestView,
    NewFileRequest,
)
from function.requests.service import FileRequestService

router = Router()


@router.post(
    "/requests",
    status_code=201,
    responses=answers(
        {201: CreatedFileRequest}, InvalidName, WeakPassword, *OF_KEY, ChangedMeanwhile,
    ),
)  # fmt: skip
def create_file_request(
    body: NewFileRequest,
    caller: Sharer,
    request: CurrentRequest,
    key: IdempotencyKeyHeader = None,
) -> CreatedFileRequest:
    """Create a file request: people without an account upload files into a folder of yours.

    The `url` is shown only in this answer. The uploaded files are yours, count on your quota, and
    have the name that the uploader gave.
    """
    repeatable = idempotent(request, key, body)
    return one(FileRequestService).create(caller, body, request.base, repeatable)


@router.get("/requests", responses=answers({200: list[FileRequestView]}, InvalidCursor))
def list_file_requests(
    caller: Sharer,
    request: CurrentRequest,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response[list[FileRequestView]]:
    """List your file requests, oldest first."""
    page = one(FileRequestService).list_file_requests(caller, PageQuery(limit, cursor))
    return list_answer(page, request)


@router.get("/requests/<request_id>", responses=answers({200: FileRequestView}, NoSuchFileRequest))
def get_file_request(request_id: str, caller: Sharer) -> FileRequestView:
    """Get a file request of yours, with the number of files and bytes uploaded."""
    return one(FileRequestService).get(caller, request_id)


@router.patch(
    "/requests/<request_id>",
    responses=answers(
        {200: FileRequestView}, NoSuchFileRequest, InvalidName, WeakPassword, ChangedMeanwhile
    ),
)
def update_file_request(
    request_id: str, body: FileRequestChanges, caller: Sharer
) -> FileRequestView:
    """Change a file request, or close it with `open: false`; its address stays.

    A field that is left out stays, null clears one. Closing it ends its uploads
    in progress with the next sweep.
    """
    return one(FileRequestService).update(caller, request_id, body)


@router.delete(
    "/requests/<request_id>",
    status_code=204,
    responses=answers({204: None}, NoSuchFileRequest, ChangedMeanwhile),
)
def delete_file_request(request_id: str, caller: Sharer) -> Response[None]:
    """Delete a file request; uploaded files stay, and uploads in progress are refused."""
    one(FileRequestService).delete(caller, request_id)
    return no_content()
