"""Small files through the API itself: put, get, change, delete."""

import base64
from dataclasses import replace
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from function.account_errors import TypeNotAllowed
from function.deps import (
    Conditions,
    FilesDep,
    FolderMovesDep,
    MovingDep,
    Partial,
    Reader,
    Sent,
    SentBody,
    UploadsDep,
    Writer,
)
from function.errors import (
    ChangedMeanwhile,
    FileExists,
    Invalid,
    InvalidName,
    NoSuchFile,
    NoSuchJob,
    PreconditionFailed,
    QuotaExceeded,
    RangeNotSatisfiable,
    TooLarge,
)
from function.fields import ContentType, FileName, OnConflict, Username
from function.life_models import Job
from function.media_types import PLAIN_BYTES
from function.models import FileChange, FileObject, Incoming
from function.routes.answers import answers, conditioned, file_headers, nothing
from function.routes.bodies import upload_of
from function.services.files import Content, Wanted

router = Router()

Name = Annotated[FileName, Query(description="The file's name, with its folders.")]
Owner = Annotated[Username | None, Query(description="Whose file; yours by default.")]


@router.put(
    "/file",
    responses=answers(
        {200: FileObject, 201: FileObject},
        NoSuchFile,
        FileExists,
        ChangedMeanwhile,
        PreconditionFailed,
        TooLarge,
        TypeNotAllowed,
        QuotaExceeded,
    ),
)
def put_file(
    caller: Writer,
    sent: SentBody,
    header: Conditions,
    uploads: UploadsDep,
    file_name: Annotated[FileName | None, Query(description="Makes the body the file.")] = None,
    username: Owner = None,
    content_type: ContentType | None = None,
    on_conflict: OnConflict = "replace",
) -> Response[FileObject]:
    """Put a file of up to 4 MiB: as JSON with Base64, as the body itself, or as a form.

    With `?file_name=` the body is the file, whatever its content type; a multipart form has it in
    the part `file`. What is replaced becomes a version.
    """
    del file_name, username, content_type, on_conflict  # read with the body, from query or form
    file, created = uploads.put(caller, upload_of(sent, header))
    return Response(201 if created else 200, "application/json", file, {"etag": f'"{file.etag}"'})


@router.get(
    "/file",
    responses=answers(
        {200: str}, NoSuchFile, InvalidName, TooLarge, PreconditionFailed, RangeNotSatisfiable
    ),
)
def get_file(
    caller: Reader,
    sent: Sent,
    wanted: Partial,
    files: FilesDep,
    file_name: Name,
    username: Owner = None,
) -> Response[str]:
    """Get a file of up to 4 MiB as Base64 text, or with `Accept: application/octet-stream` raw."""
    if not _raw(sent):  # Base64 text has no ranges
        wanted = replace(wanted, range=None)
    return _answer(files.read(caller, username, file_name, wanted), _raw(sent))


@router.head("/file", responses=answers({200: None}, NoSuchFile, InvalidName))
def head_file(
    caller: Reader,
    sent: Sent,
    header: Conditions,
    files: FilesDep,
    file_name: Name,
    username: Owner = None,
) -> Response[str]:
    """What `GET /file` would say, without the bytes and for a file of any size."""
    wanted = Wanted(header.if_match, header.if_none_match)
    return _answer(files.read(caller, username, file_name, wanted, body=False), _raw(sent))


@router.patch(
    "/file",
    responses=answers(
        {200: FileObject | Job, 202: Job},
        NoSuchFile,
        FileExists,
        ChangedMeanwhile,
        PreconditionFailed,
        Invalid,
        TypeNotAllowed,
    ),
)
def change_file(
    body: FileChange,
    caller: Writer,
    header: Conditions,
    moving: MovingDep,
    folders: FolderMovesDep,
) -> Response[FileObject | Job]:
    """Rename or move a file or a folder of yours, or change a file's description and tags.

    That is the owner's alone, whoever else may write its bytes.

    No bytes are copied, and who it is shared with still has it, under its new name. With another
    extension it must be of a type that your role may upload. A folder moves with everything below
    it; when that takes longer than a request may, the answer is 202 with a job. Send the same again
    to go on, or leave it to the hourly sweep.
    """
    body = conditioned(body, header)
    if not body.file_name.endswith("/"):
        return Response(200, "application/json", moving.change(caller, body))
    job = folders.move(caller, body)
    return Response(200 if job.state == "done" else 202, "application/json", job)


@router.get("/jobs/<job_id>", responses=answers({200: Job}, NoSuchJob))
def get_job(job_id: str, caller: Reader, folders: FolderMovesDep) -> Job:
    """How far a folder of yours has come that you have moved."""
    return folders.job(caller, job_id)


@router.delete(
    "/file",
    status_code=204,
    responses=answers({204: None}, NoSuchFile, InvalidName, ChangedMeanwhile, PreconditionFailed),
)
def delete_file(
    caller: Writer,
    header: Conditions,
    files: FilesDep,
    file_name: Name,
    username: Owner = None,
    permanent: Annotated[bool, Query(description="Past the trash, with its versions.")] = False,
) -> Response[None]:
    """Move a file of yours to the trash. Whoever it was shared with loses it at once."""
    files.delete(caller, username, file_name, header, for_good=permanent)
    return nothing()


def _raw(sent: Incoming) -> bool:
    """Whether the bytes themselves are wanted, not Base64 text."""
    accepted = sent.headers.get("accept", "").lower().split(",")
    return PLAIN_BYTES in {kind.partition(";")[0].strip() for kind in accepted}


def _answer(content: Content, raw: bool) -> Response[str]:
    headers = file_headers(content.file)
    if content.fresh:
        return Response(304, None, "", headers)
    kind = content.file.content_type if raw else "text/plain"
    size = content.file.size
    if content.data is None:
        length = size if raw else 4 * ((size + 2) // 3)
        return Response(200, kind, "", {**headers, "content-length": str(length)})
    if content.span:
        headers["content-range"] = "bytes {}-{}/{}".format(*content.span, size)
    status = 206 if content.span else 200
    answer = Response(status, kind, base64.b64encode(content.data).decode(), headers)
    # Lambda carries bytes as Base64 too; all that differs is whether the gateway decodes it.
    answer.base64_encoded = raw
    return answer
