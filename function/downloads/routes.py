"""The route that gives download URLs of S3, for one file or for a folder."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from function.access.errors import NoSuchFile
from function.base import one
from function.core.errors import Invalid, InvalidCursor, InvalidName
from function.core.fields import ExistingFile, Prefix, Username
from function.core.limits import MAX_VERSION
from function.core.media_types import JSON
from function.downloads.service import DownloadRequest, DownloadService
from function.files.errors import NoSuchVersion
from function.files.models import Download
from function.http.dependencies import CurrentRequest, Cursor, Limit, Reader
from function.http.responses import answers, next_page
from function.listing.query import ListQuery

router = Router()


@router.get(
    "/download",
    responses=answers(
        {200: Download}, NoSuchFile, NoSuchVersion, InvalidName, InvalidCursor, Invalid
    ),
)
def download(
    caller: Reader,
    request: CurrentRequest,
    file_name: Annotated[ExistingFile | None, Query(description="The file's name.")] = None,
    username: Annotated[Username | None, Query(description="Its owner; you by default.")] = None,
    version: Annotated[
        int | None, Query(ge=1, le=MAX_VERSION, description="The newest by default.")
    ] = None,
    inline: Annotated[bool, Query(description="To display, if its type is safe.")] = False,
    redirect: Annotated[bool, Query(description="Answer 302 instead of 200.")] = False,
    prefix: Annotated[Prefix | None, Query(description="A folder, with format=curl.")] = None,
    format: Annotated[Literal["curl"] | None, Query(description="For curl -K.")] = None,  # noqa: A002 - the name of the field
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response[Download | str | None]:
    """Get a URL that downloads a file of any size for 5 minutes.

    With `prefix` and `format=curl`, the answer is a configuration that downloads a folder:
    `curl -fsS … | curl -Z -K -`. `Link` and `x-next-cursor` lead to the files after `limit`.
    """
    if (file_name is None) is (prefix is None) or (format is None) is not (prefix is None):
        raise Invalid("Give either file_name, or prefix with format=curl.")
    if file_name is None:
        query = ListQuery(prefix=prefix or "", limit=limit, cursor=cursor)
        config, following = one(DownloadService).sign_folder(caller, username, query)
        headers = next_page(following, request)
        return Response(200, "text/plain; charset=utf-8", config, headers)
    file = DownloadRequest(file_name, username, version, inline)
    signed = one(DownloadService).sign_file(caller, file)
    if redirect:
        return Response(302, None, None, {"location": signed.url})
    return Response(200, JSON, signed)
