"""The routes of changes and moves: `PATCH /file` and `GET /jobs/{job_id}`."""

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from function.access.errors import NoSuchFile
from function.base import one
from function.core.errors import ChangedMeanwhile, Invalid, PreconditionFailed
from function.core.media_types import JSON
from function.files.errors import FileExists, TypeNotAllowed
from function.files.models import FileObject
from function.http.dependencies import ConditionHeaders, Reader, Writer
from function.http.responses import answers, with_conditions
from function.moves.errors import NoSuchJob
from function.moves.folder_job import FolderMoveService
from function.moves.models import FileChange, Job
from function.moves.rename import RenameService

router = Router()


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
    header: ConditionHeaders,
) -> Response[FileObject | Job]:
    """Rename or move a file or folder, or change a file's description and tags.

    Only the owner can; a grant to write covers the bytes alone.

    No bytes are copied. Everybody the file or folder is shared with keeps their access, under the
    new name. With another extension, a file must be of a type that your role may upload. A folder
    moves with everything below it; when that takes longer than one request, the answer is 202 with
    a job. Repeat the request to continue the job; otherwise the sweep continues it.
    """
    body = with_conditions(body, header)
    if not body.file_name.endswith("/"):
        return Response(200, JSON, one(RenameService).change(caller, body))
    job = one(FolderMoveService).move(caller, body)
    return Response(200 if job.state == "done" else 202, JSON, job)


@router.get("/jobs/<job_id>", responses=answers({200: Job}, NoSuchJob))
def get_job(job_id: str, caller: Reader) -> Job:
    """Return the progress of a folder's move."""
    return one(FolderMoveService).get_job(caller, job_id)
