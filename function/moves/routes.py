"""Small files through the API itself: put, get, change, delete."""

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from function.access.errors import NoSuchFile
from function.base import one
from function.core.errors import ChangedMeanwhile, Invalid, PreconditionFailed
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
    """Rename or move a file or a folder of yours, or change a file's description and tags.

    That is the owner's alone, whoever else may write its bytes.

    No bytes are copied, and who it is shared with still has it, under its new name. With another
    extension it must be of a type that your role may upload. A folder moves with everything below
    it; when that takes longer than a request may, the answer is 202 with a job. Send the same again
    to go on, or leave it to the hourly sweep.
    """
    body = with_conditions(body, header)
    if not body.file_name.endswith("/"):
        return Response(200, "application/json", one(RenameService).change(caller, body))
    job = one(FolderMoveService).move(caller, body)
    return Response(200 if job.state == "done" else 202, "application/json", job)


@router.get("/jobs/<job_id>", responses=answers({200: Job}, NoSuchJob))
def get_job(job_id: str, caller: Reader) -> Job:
    """How far a folder of yours has come that you have moved."""
    return one(FolderMoveService).job(caller, job_id)
