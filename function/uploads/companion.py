"""The S3 routes of Companion, the server of the upload widget Uppy, over the same uploads.

A page that uses Uppy's `@uppy/aws-s3` (versions 4 and 5) sets this API as its `endpoint` and the
session token as its header `x-session-token`. Paths, parameters and answers are those of Companion
(https://uppy.io/docs/companion, `server/controllers/s3.js`). Uppy cuts the parts itself, and sends
a file's size only if the page puts it into the file's metadata, as `size`: then that much is
reserved. Otherwise the file is held to what the quota leaves (`Allowance`). A file that Uppy sends
in one PUT is completed by the event that S3 sends for it, because Uppy does not complete it.
"""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar
from urllib.parse import quote, urlencode

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import BaseModel, ValidationError

from function.base import one
from function.core.errors import Invalid
from function.core.limits import MAX_COMPLETION_BYTES, MAX_PARTS, MAX_SIGNED_PARTS, URL_SECONDS
from function.core.media_types import parsed_type
from function.core.models import HttpRequest
from function.http.dependencies import CurrentRequest, MaxBytes, Writer
from function.http.responses import answers
from function.http.validation import invalid_model
from function.uploads.completion import CompletionService
from function.uploads.errors import OF_COMPLETION, OF_PARTS, OF_START, NoSuchUpload
from function.uploads.models import CompanionCompletion, CompanionUpload, SentPart, UploadSpec
from function.uploads.service import UploadService

CompanionKey = Annotated[str | None, Query(description="The key of the upload; it is ignored.")]
Model = TypeVar("Model", bound=BaseModel)

PART_NUMBERS, PART_DIGITS = range(1, MAX_PARTS + 1), 5
MAX_DIGITS = 30  # of a size; a larger number is too large for int() and for every limit
NO_PATH = {"", "null", "undefined"}  # what a browser writes for a file without a relative path

router = Router()


@router.post("/s3/multipart", responses=answers({200: dict[str, str]}, *OF_START))
def create_multipart(
    body: CompanionUpload, caller: Writer, request: CurrentRequest
) -> dict[str, str]:
    """Create an upload in parts.

    `size`, also in `metadata`, is its size in bytes; without it the parts must fit what the quota
    leaves.
    """
    upload = one(UploadService).create(caller, _spec_of(body), request.base, "multipart")
    return {"key": upload.file_name, "uploadId": upload.upload_id}


@router.get(
    "/s3/multipart/<upload_id>/batch",
    responses=answers({200: dict[str, dict[str, str]]}, *OF_PARTS),
)
def sign_multipart_parts(
    upload_id: str,
    caller: Writer,
    partNumbers: Annotated[str, Query(description="Part numbers, separated by commas.")],  # noqa: N803 - the name of the protocol
    key: CompanionKey = None,
) -> dict[str, dict[str, str]]:
    """Sign URLs for several parts, at most 100."""
    del key
    numbers = partNumbers.split(",")
    if not all(map(_is_part_number, numbers)) or len(numbers) > MAX_SIGNED_PARTS:
        reason = f"at most {MAX_SIGNED_PARTS} numbers from 1 to {MAX_PARTS}, with commas between"
        raise Invalid(errors=[{"at": "query.partNumbers", "reason": reason}])
    hashes = dict.fromkeys(map(int, numbers))
    signed = one(UploadService).sign_parts(caller, upload_id, hashes)
    return {"presignedUrls": {str(part.part_number): part.url for part in signed.parts}}


@router.get(
    "/s3/multipart/<upload_id>/<part_number>",
    responses=answers({200: dict[str, Any]}, *OF_PARTS),
)
def sign_multipart_part(
    upload_id: str, part_number: str, caller: Writer, key: CompanionKey = None
) -> dict[str, Any]:
    """Sign a URL for one part; `expires` is seconds."""
    del key
    if not _is_part_number(part_number):
        reason = f"a number from 1 to {MAX_PARTS}"
        raise Invalid(errors=[{"at": "path.part_number", "reason": reason}])
    signed = one(UploadService).sign_parts(caller, upload_id, {int(part_number): None})
    return {"url": signed.parts[0].url, "expires": URL_SECONDS}


@router.get(
    "/s3/multipart/<upload_id>",
    responses=answers({200: list[dict[str, Any]]}, NoSuchUpload),
)
def list_multipart_parts(
    upload_id: str, caller: Writer, key: CompanionKey = None
) -> list[dict[str, Any]]:
    """List the parts that have arrived."""
    del key
    return [
        {"PartNumber": part.number, "Size": part.size, "ETag": f'"{part.etag}"'}
        for part in one(UploadService).list_parts(caller, upload_id)
    ]


@router.post(
    "/s3/multipart/<upload_id>/complete",
    responses=answers({200: dict[str, str]}, *OF_COMPLETION),
)
def complete_multipart(
    upload_id: str,
    body: Annotated[CompanionCompletion, Body(), MaxBytes(MAX_COMPLETION_BYTES)],
    caller: Writer,
    request: CurrentRequest,
    key: CompanionKey = None,
) -> dict[str, str]:
    """Complete an upload: make a file of its parts."""
    del key
    parts = [SentPart(part_number=part.PartNumber, etag=part.ETag) for part in body.parts]
    file = one(CompletionService).complete(caller, upload_id, parts)
    query = urlencode({"file_name": file.file_name, "username": file.owner}, quote_via=quote)
    return {"location": f"{request.base}/download?{query}", "key": file.file_name}


@router.delete(
    "/s3/multipart/<upload_id>",
    responses=answers({200: dict[str, str]}, NoSuchUpload),
)
def abort_multipart(upload_id: str, caller: Writer, key: CompanionKey = None) -> dict[str, str]:
    """Abort an upload and delete the parts that have arrived."""
    del key
    one(UploadService).abort(caller, upload_id)
    return {}


@router.get("/s3/params", responses=answers({200: dict[str, Any]}, *OF_START))
def get_put_parameters(
    caller: Writer,
    request: CurrentRequest,
    filename: str,
    type: str | None = None,  # noqa: A002 - the name of the protocol
    metadata: Annotated[str | None, Query(description="As metadata[name]=value.")] = None,
) -> dict[str, Any]:
    """Create an upload in one PUT, which becomes a file when its bytes have arrived.

    `metadata[size]` is its size in bytes; without it the bytes must fit what the quota leaves.
    """
    del metadata
    values = {name: request.query.get(f"metadata[{name}]") for name in ("relativePath", "size")}
    fields = {"filename": filename, "type": type, "metadata": values}
    return _create_put(caller, _validated(CompanionUpload, fields), request)


@router.post("/s3/params", responses=answers({200: dict[str, Any]}, *OF_START))
def create_put_parameters(
    body: CompanionUpload, caller: Writer, request: CurrentRequest
) -> dict[str, Any]:
    """Create an upload in one PUT, as `GET /s3/params` does."""
    return _create_put(caller, body, request)


def _create_put(caller: Writer, body: CompanionUpload, request: HttpRequest) -> dict[str, Any]:
    """An upload in one PUT, as Companion answers it."""
    put = one(UploadService).create(caller, _spec_of(body), request.base, "put").put
    assert put, "an upload in one PUT has a URL"
    return {"method": "PUT", "url": put.url, "fields": {}, "headers": put.headers}


def _spec_of(body: CompanionUpload) -> UploadSpec:
    """The upload that Uppy describes; a file of a dropped folder keeps its path. Raises Invalid."""
    path = body.metadata.get("relativePath")
    has_path = isinstance(path, str) and path not in NO_PATH
    name = str(path).removeprefix("/") if has_path else body.filename
    size = body.metadata.get("size") if body.size is None else body.size
    fields = {
        "file_name": name,
        "content_type": parsed_type(body.type or ""),
        "size": _size_of(size),
    }
    return _validated(UploadSpec, fields)


def _size_of(size: Any) -> int | None:
    """A size in bytes, which metadata have as a number or as text; None for anything else.

    A page may mean something else by it: the metadata are the page's own.
    """
    if isinstance(size, str) and size.isascii() and size.isdecimal() and len(size) <= MAX_DIGITS:
        return int(size)
    return size if type(size) is int and size >= 0 else None


def _validated(model: type[Model], fields: Mapping[str, Any]) -> Model:
    """A model of fields that come from a request. Raises Invalid, InvalidName."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise invalid_model(error) from None


def _is_part_number(text: str) -> bool:
    """Whether a text is a part number in ASCII digits."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= PART_DIGITS
    return is_number and int(text) in PART_NUMBERS
