"""The routes of versions and the trash."""

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
from function.core.fields import ExistingFile, Username
from function.core.media_types import JSON
from function.core.paging import PageQuery
from function.files.errors import FileExists, NoSuchVersion, TypeNotAllowed
from function.files.models import FileObject
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
    file_name: Annotated[ExistingFile, Query(description="The file's name, with its folders.")],
    username: Annotated[Username | None, Query(description="Its owner; you by default.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response[list[VersionView]]:
    """List the versions of a file, the newest first.

    Of a file that another account shares with you, the current version is the only one.
    """
    page = PageQuery(limit, cursor)
    versions = one(VersionService).list_versions(caller, username, file_name, page)
    return list_answer(versions, request)


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
def restore_file(
    body: Restoration,
    caller: Writer,
    header: ConditionHeaders,
) -> FileObject:
    """Make a version of a file current, or restore a deleted file.

    With `version`, that version of your file becomes its newest one, and the current one is kept as
    a version. Without it, a file returns from the trash with its versions. Its shares ended when
    you deleted it; share it again where needed.
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
    """List your deleted files, by name and then by time of deletion."""
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
    """Remove one deleted file, or all of them, from the trash for good.

    Their versions are removed too. When that takes longer than one request, the answer is 202;
    repeat the request to continue.
    """
    if id:
        one(TrashService).delete(caller, id, header)
        return Response(204)
    left = one(TrashService).empty(caller, header)
    return Response(202, JSON, left) if left else Response(204)
