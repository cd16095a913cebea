"""What becomes of files: their versions, the trash, copies."""

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
    InvalidName,
    PreconditionFailed,
    TooLarge,
)
from function.core.fields import FileName, Username
from function.core.paging import PageQuery
from function.files.content import CopyService
from function.files.errors import FileExists, NoSuchVersion, TypeNotAllowed
from function.files.models import CopyRequest, FileObject
from function.history.models import Emptying, Restoration, TrashId, TrashItem, VersionView
from function.history.trash import TrashService
from function.history.versions import VersionService
from function.http.dependencies import (
    ConditionHeaders,
    CurrentRequest,
    Cursor,
    Limit,
    Reader,
    Writer,
)
from function.http.responses import answers, list_answer, with_conditions

router = Router()


@router.get(
    "/versions", responses=answers({200: list[VersionView]}, NoSuchFile, InvalidName, InvalidCursor)
)
def list_versions(
    caller: Reader,
    request: CurrentRequest,
    file_name: Annotated[FileName, Query(description="The file's name, with its folders.")],
    username: Annotated[Username | None, Query(description="Whose; yours by default.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response[list[VersionView]]:
    """List the versions of a file, the newest first; of another's file the current one alone."""
    page = PageQuery(limit, cursor)
    return list_answer(
        one(VersionService).list_versions(caller, username, file_name, page), request
    )


@router.post(
    "/restore",
    responses=answers(
        {200: FileObject},
        NoSuchFile,
        NoSuchVersion,
        FileExists,
        ChangedMeanwhile,
        PreconditionFailed,
        InvalidName,
        QuotaExceeded,
        TooLarge,
        TypeNotAllowed,
    ),
)
def restore(
    body: Restoration,
    caller: Writer,
    header: ConditionHeaders,
) -> FileObject:
    """Make a `version` of a file of yours the current one, or bring a file back from the trash.

    What was current is kept as a version. A file comes back with its versions, and nobody else has
    it: whoever it was shared with lost it when it was deleted.
    """
    body = with_conditions(body, header)
    return (
        one(VersionService).restore(caller, body)
        if body.version
        else one(TrashService).restore(caller, body)
    )


@router.get("/trash", responses=answers({200: list[TrashItem]}, InvalidCursor))
def list_trash(
    caller: Reader, request: CurrentRequest, limit: Limit = 100, cursor: Cursor = None
) -> Response[list[TrashItem]]:
    """List the files that you have deleted and can bring back, by name and then by time."""
    return list_answer(one(TrashService).list_items(caller, PageQuery(limit, cursor)), request)


@router.delete(
    "/trash",
    status_code=204,
    responses=answers(
        {202: Emptying, 204: None}, NoSuchFile, PreconditionFailed, Invalid, ChangedMeanwhile
    ),
)
def empty_trash(
    caller: Writer,
    header: ConditionHeaders,
    id: Annotated[TrashId | None, Query(description="One file; all by default.")] = None,  # noqa: A002
) -> Response[Emptying | None]:
    """Remove one file from the trash for good, or all, with their versions.

    When there is more than one request has time for, the answer is 202; send it again.
    """
    done = one(TrashService).remove(caller, id, header)
    return Response(202, "application/json", done) if done else Response(204)


@router.post(
    "/copy",
    responses=answers(
        {200: FileObject, 201: FileObject},
        NoSuchFile,
        FileExists,
        ChangedMeanwhile,
        PreconditionFailed,
        InvalidName,
        QuotaExceeded,
        TooLarge,
        TypeNotAllowed,
    ),
)
def copy_file(body: CopyRequest, caller: Writer, header: ConditionHeaders) -> Response[FileObject]:
    """Copy a file, of yours or shared with you, among your own; no bytes are copied.

    It counts on your quota as any file does, and stays when the original goes.
    """
    file, created = one(CopyService).copy(caller, with_conditions(body, header))
    return Response(201 if created else 200, "application/json", file, {"etag": f'"{file.etag}"'})
