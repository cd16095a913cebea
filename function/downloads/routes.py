"""Downloads of any size, straight from S3."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from function.access.errors import NoSuchFile
from function.base import one
from function.core.errors import Invalid, InvalidCursor, InvalidName
from function.core.fields import FileName, Prefix, Username
from function.downloads.service import DownloadRequest, DownloadService
from function.files.errors import NoSuchVersion
from function.files.models import Download
from function.http.dependencies import CurrentRequest, Reader
from function.http.responses import answers, next_page
from function.listing.query import ListQuery

router = Router()
MOST_VERSIONS = 99_999_999


@router.get(
    "/download",
    responses=answers(
        {200: Download}, NoSuchFile, NoSuchVersion, InvalidName, InvalidCursor, Invalid
    ),
)
def download(
    caller: Reader,
    sent: CurrentRequest,
    file_name: Annotated[FileName | None, Query(description="The file.")] = None,
    username: Annotated[Username | None, Query(description="Whose; yours by default.")] = None,
    version: Annotated[
        int | None, Query(ge=1, le=MOST_VERSIONS, description="The newest by default.")
    ] = None,
    inline: Annotated[bool, Query(description="To be shown, where that is safe.")] = False,
    redirect: Annotated[bool, Query(description="Answer 302 instead.")] = False,
    prefix: Annotated[Prefix | None, Query(description="A folder, with format=curl.")] = None,
    format: Annotated[Literal["curl"] | None, Query(description="For curl -K.")] = None,  # noqa: A002 - the name of the field
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str | None = None,
) -> Response[Download | str | None]:
    """Get an address that gives a file's bytes for some minutes, whatever its size.

    With `prefix` and `format=curl` the answer is a configuration that fetches a whole folder:
    `curl -fsS … | curl -Z -K -`. More files than `limit` go on at `Link`, or `x-next-cursor`.
    """
    if (file_name is None) is (prefix is None) or (format is None) is not (prefix is None):
        raise Invalid("Give either file_name, or prefix with format=curl.")
    if file_name is None:
        asked = ListQuery(prefix=prefix or "", limit=limit, cursor=cursor)
        text, following = one(DownloadService).folder(caller, username, asked)
        headers = next_page(following, sent)
        return Response(200, "text/plain; charset=utf-8", text, headers)
    made = one(DownloadService).file(caller, DownloadRequest(file_name, username, version, inline))
    if redirect:
        return Response(302, None, None, {"location": made.url})
    return Response(200, "application/json", made)
