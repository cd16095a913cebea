"""The Companion protocol of Uppy's S3 uploader, over the same uploads.

Uppy (`@uppy/aws-s3`, versions 4 and 5) is given this API as its `endpoint` and the token as its
header `x-session-token`. It does not say how large a file is, so that is settled when it is
completed; what goes in one PUT becomes a file by itself. Source: the S3 routes of Uppy's Companion.
"""

from typing import Annotated, Any
from urllib.parse import quote, urlencode

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import ValidationError

from function.base import one
from function.core.errors import Invalid
from function.core.fields import MAX_PARTS, MAX_SIGNED_PARTS, is_media_type
from function.core.limits import URL_SECONDS
from function.core.models import HttpRequest
from function.http.dependencies import CurrentRequest, Writer
from function.http.validation import invalid_model
from function.uploads.completion import CompletionService
from function.uploads.models import CompanionCompletion, CompanionUpload, SentPart, UploadSpec
from function.uploads.service import UploadService

router = Router()
Key = Annotated[str | None, Query(description="The key that was given; it is not needed.")]
NUMBERS, LONGEST = range(1, MAX_PARTS + 1), 5
NO_PATH = {"", "null", "undefined"}  # what a browser writes of a path that is not there


@router.post("/s3/multipart")
def create_multipart(body: CompanionUpload, caller: Writer, sent: CurrentRequest) -> dict[str, str]:
    """Begin an upload in parts."""
    upload = one(UploadService).start(caller, wish_of(body), sent.base, "multipart")
    return {"key": upload.file_name, "uploadId": upload.upload_id}


@router.get("/s3/multipart/<upload_id>/batch")
def batch_sign(
    upload_id: str,
    caller: Writer,
    partNumbers: Annotated[str, Query(description="Numbers with commas between.")],  # noqa: N803
    key: Key = None,
) -> dict[str, dict[str, str]]:
    """Sign addresses for several parts."""
    del key
    numbers = partNumbers.split(",")
    if not all(map(is_part_number, numbers)) or len(numbers) > MAX_SIGNED_PARTS:
        raise Invalid(errors=[{"at": "query.partNumbers", "reason": "numbers of parts"}])
    signed = one(UploadService).sign(caller, upload_id, [int(number) for number in numbers])
    return {"presignedUrls": {str(part.part_number): part.url for part in signed.parts}}


@router.get("/s3/multipart/<upload_id>/<part_number>")
def sign_part(upload_id: str, part_number: str, caller: Writer, key: Key = None) -> dict[str, Any]:
    """Sign an address for one part."""
    del key
    if not is_part_number(part_number):
        raise Invalid(errors=[{"at": "path.part_number", "reason": "the number of a part"}])
    signed = one(UploadService).sign(caller, upload_id, [int(part_number)])
    return {"url": signed.parts[0].url, "expires": URL_SECONDS}


@router.get("/s3/multipart/<upload_id>")
def list_parts(upload_id: str, caller: Writer, key: Key = None) -> list[dict[str, Any]]:
    """The parts that have arrived."""
    del key
    parts = one(UploadService).arrived(one(UploadService).find(caller, upload_id))
    return [
        {"PartNumber": part.number, "Size": part.size, "ETag": f'"{part.etag}"'} for part in parts
    ]


@router.post("/s3/multipart/<upload_id>/complete")
def complete_multipart(
    upload_id: str,
    body: CompanionCompletion,
    caller: Writer,
    sent: CurrentRequest,
    key: Key = None,
) -> dict[str, str]:
    """Make the file of the parts."""
    del key
    parts = [SentPart(part_number=part.PartNumber, etag=part.ETag) for part in body.parts]
    file = one(CompletionService).complete(caller, upload_id, parts)
    query = urlencode({"file_name": file.file_name, "username": file.owner}, quote_via=quote)
    return {"location": f"{sent.base}/download?{query}", "key": file.file_name}


@router.delete("/s3/multipart/<upload_id>")
def abort_multipart(upload_id: str, caller: Writer, key: Key = None) -> dict[str, str]:
    """Give an upload up."""
    del key
    one(UploadService).abort(caller, upload_id)
    return {}


@router.get("/s3/params")
def put_parameters(
    caller: Writer,
    sent: CurrentRequest,
    filename: str,
    type: str | None = None,  # noqa: A002 - the name of the protocol
    metadata: Annotated[str | None, Query(description="As metadata[name]=value.")] = None,
) -> dict[str, Any]:
    """How to send a file in one PUT; it becomes a file once its bytes have arrived."""
    del metadata
    return put_order(caller, _from_query(sent, filename, type), sent)


@router.post("/s3/params")
def post_parameters(body: CompanionUpload, caller: Writer, sent: CurrentRequest) -> dict[str, Any]:
    """The same, asked for with a body."""
    return put_order(caller, body, sent)


def put_order(caller: Writer, asked: CompanionUpload, sent: HttpRequest) -> dict[str, Any]:
    """One PUT in Uppy's words."""
    put = one(UploadService).start(caller, wish_of(asked), sent.base, "put").put
    if put is None:
        raise TypeError("an upload by one PUT has its address")
    return {"method": "PUT", "url": put.url, "fields": {}, "headers": put.headers}


def _from_query(sent: HttpRequest, filename: str, kind: str | None) -> CompanionUpload:
    path = sent.query.get("metadata[relativePath]", "")
    fields = {"filename": filename, "type": kind, "metadata": {"relativePath": path}}
    try:
        return CompanionUpload.model_validate(fields)
    except ValidationError as error:
        raise invalid_model(error) from None


def wish_of(asked: CompanionUpload) -> UploadSpec:
    """The upload that Uppy means; a file from a folder keeps its path. Raises Invalid."""
    path = asked.metadata.get("relativePath")
    given = isinstance(path, str) and path not in NO_PATH
    name = str(path).removeprefix("/") if given else asked.filename
    kind = asked.type if is_media_type(asked.type or "") else None
    try:
        return UploadSpec(file_name=name, content_type=kind)
    except ValidationError as error:
        raise invalid_model(error) from None


def is_part_number(text: str) -> bool:
    """Whether it is written as the number of a part."""
    return text.isascii() and text.isdecimal() and len(text) <= LONGEST and int(text) in NUMBERS
