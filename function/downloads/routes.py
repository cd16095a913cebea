"""The route that gives download URLs of S3, for one file or for a folder."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from function.access.errors import NoSuchFile
from function.base import one
from function.core.errors import Invalid, InvalidCursor, InvalidName, PreconditionFailed
from function.core.fields import ExistingFile, Prefix, Username
from function.core.limits import MAX_VERSION
from function.core.media_types import JSON
from function.downloads.service import DownloadRequest, DownloadService
from function.files.errors import NoSuchVersion
from function.files.models import Download
from function.http.dependencies import CurrentRequest, Cursor, IfMatchHeader, Limit, Reader
from function.http.responses import answers, next_page
from function.listing.query import ListQuery

Version = Annotated[int, Query(ge=1, le=MAX_VERSION, description="The newest by default.")]
Dotfiles = Annotated[bool, Query(description="With format=curl: keep a dot that begins a name.")]

router = Router()
CONFIG = "text/plain; charset=utf-8"


@router.get(
    "/download",
    responses=answers(
        {200: Download},
        NoSuchFile,
        NoSuchVersion,
        InvalidName,
        InvalidCursor,
        Invalid,
        PreconditionFailed,
    ),
)
def get_download(
    caller: Reader,
    request: CurrentRequest,
    condition: IfMatchHeader,
    file_name: Annotated[ExistingFile | None, Query(description="The file's name.")] = None,
    username: Annotated[Username | None, Query(description="Its owner; you by default.")] = None,
    version: Version | None = None,
    inline: Annotated[bool, Query(description="To display, if its type is safe.")] = False,
    redirect: Annotated[bool, Query(description="Answer 302 instead of 200.")] = False,
    prefix: Annotated[Prefix | None, Query(description="A folder, with format=curl.")] = None,
    format: Annotated[Literal["curl"] | None, Query(description="For curl -K.")] = None,  # noqa: A002 - the name of the field
    dotfiles: Dotfiles = False,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response[Download | str | None]:
    """Get a URL that downloads a file of any size for 5 minutes.

    With `prefix` and `format=curl`, the answer is a configuration that downloads a folder:
    `curl -fsS … | curl -Z -K -`. `Link` and `x-next-cursor` lead to the files after `limit`. Send
    `If-Match` with the file's ETag to resume a download: 412 says that the file has changed.
    """
    is_folder = (prefix is not None, file_name is None, format is not None)
    if len({*is_folder}) > 1 or (dotfiles and file_name):
        raise Invalid("Give either file_name, or prefix with format=curl.")
    if file_name is None:
        if condition.if_match:
            raise Invalid("If-Match is about one file: give file_name, or leave it out.")
        query = ListQuery(prefix=prefix or "", limit=limit, cursor=cursor)
        config, following = one(DownloadService).sign_folder(caller, username, query, dotfiles)
        return Response(200, CONFIG, config, next_page(following, request))
    file = DownloadRequest(file_name, username, version, inline)
    signed = one(DownloadService).sign_file(caller, file, condition)
    if redirect:
        return Response(302, None, None, {"location": signed.url})
    return Response(200, JSON, signed)
