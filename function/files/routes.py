"""The three ways to send a small file: JSON with Base64, the body itself, a multipart form."""

import base64
from dataclasses import replace
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BaseModel, ConfigDict, ValidationError

from function.access.errors import NoSuchFile, QuotaExceeded
from function.base import one
from function.core.errors import (
    ChangedMeanwhile,
    Invalid,
    InvalidName,
    Malformed,
    PreconditionFailed,
    RangeNotSatisfiable,
    TooLarge,
)
from function.core.fields import ContentType, FileName, OnConflict, Username, is_media_type
from function.core.headers import disposition
from function.core.media_types import PLAIN_BYTES, guessed_type
from function.core.models import Conditions, HttpRequest
from function.files.content import Content, ContentRequest, FileService, SmallUploadService
from function.files.errors import FileExists, TypeNotAllowed
from function.files.models import FileObject, PutFile, Upload
from function.http.dependencies import (
    ConditionHeaders,
    CurrentRequest,
    HeaderFields,
    Reader,
    RequestWithBody,
    Writer,
)
from function.http.forms import MULTIPART, URLENCODED, FormPart, multipart_form
from function.http.request import json_text, strict_json
from function.http.responses import answers, conditioned, nothing
from function.http.validation import invalid_model

Partial = Annotated[ContentRequest, HeaderFields(ContentRequest)]
REPLACEMENT = "\ufffd".encode()  # what a gateway puts for bytes that are no text
router = Router()
Name = Annotated[FileName, Query(description="The file's name, with its folders.")]
Owner = Annotated[Username | None, Query(description="Whose file; yours by default.")]


def file_headers(file: FileObject) -> dict[str, str | list[str]]:
    """What goes with a file's bytes: nothing in it is ever run or kept by a browser."""
    return {
        "etag": f'"{file.etag}"',
        "accept-ranges": "bytes",
        "vary": "accept",
        "content-disposition": disposition(file.file_name, "attachment"),
        "x-content-type-options": "nosniff",
        "cache-control": "private, no-store",
    }


class Beside(BaseModel):
    """What goes with a file's own bytes, in the query or in the fields of a form."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    file_name: FileName
    username: Username | None = None
    content_type: ContentType | None = None
    on_conflict: OnConflict = "replace"


def upload_of(sent: HttpRequest, header: Conditions) -> Upload:
    """The file that a request carries, whichever way.

    Raises Malformed, UnsupportedMediaType, Invalid.
    """
    try:
        return _read(sent, header)
    except ValidationError as error:
        raise invalid_model(error, "body") from None


def _read(sent: HttpRequest, header: Conditions) -> Upload:
    says = sent.headers.get("content-type", "")
    kind = says.partition(";")[0].strip().lower()
    if kind == MULTIPART:
        return _from_form(sent, header)
    if "file_name" in sent.query:
        beside = Beside.model_validate(dict(sent.query))
        if sent.as_text and REPLACEMENT in sent.body:
            raise Malformed("The text is not UTF-8; send it as application/octet-stream.")
        if kind == URLENCODED:  # what curl says of --data-binary tells nothing about the file
            says = ""
        return _upload(beside, header, sent.body, says)
    if sent.query:
        reason = "with a JSON body this belongs in the body"
        raise Invalid(errors=[{"at": f"query.{name}", "reason": reason} for name in sent.query])
    body = PutFile.model_validate(strict_json(json_text(sent.body, sent.headers)))
    return _upload(body, conditioned(body, header), body.content)


def _from_form(sent: HttpRequest, header: Conditions) -> Upload:
    fields: dict[str, Any] = dict(sent.query)
    file: FormPart | None = None
    for part in multipart_form(sent):
        if part.name == "file" and file is None:
            file = part
        elif part.name in fields or part.name == "file":
            raise Malformed(f"The form has {part.name[:64]} twice.")
        else:
            fields[part.name] = part.text
    if file is None:
        raise Malformed("The form has no part named file.")
    if file.filename:
        fields.setdefault("file_name", file.filename)
    return _upload(Beside.model_validate(fields), header, file.data, file.content_type)


def _upload(
    beside: Beside | PutFile, conditions: Conditions | PutFile, data: bytes, says: str = ""
) -> Upload:
    """The upload, of the type it is said to have; one that says nothing is guessed by the name."""
    if says == PLAIN_BYTES or not is_media_type(says):
        says = guessed_type(beside.file_name)
    return Upload(
        file_name=beside.file_name,
        data=data,
        content_type=beside.content_type or says,
        username=beside.username,
        on_conflict=beside.on_conflict,
        if_match=conditions.if_match,
        if_none_match=conditions.if_none_match,
    )


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
    sent: RequestWithBody,
    header: ConditionHeaders,
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
    file, created = one(SmallUploadService).put(caller, upload_of(sent, header))
    return Response(201 if created else 200, "application/json", file, {"etag": f'"{file.etag}"'})


@router.get(
    "/file",
    responses=answers(
        {200: str}, NoSuchFile, InvalidName, TooLarge, PreconditionFailed, RangeNotSatisfiable
    ),
)
def get_file(
    caller: Reader,
    sent: CurrentRequest,
    wanted: Partial,
    file_name: Name,
    username: Owner = None,
) -> Response[str]:
    """Get a file of up to 4 MiB as Base64 text, or with `Accept: application/octet-stream` raw."""
    if not _raw(sent):  # Base64 text has no ranges
        wanted = replace(wanted, range=None)
    return _answer(one(FileService).read(caller, username, file_name, wanted), _raw(sent))


@router.head("/file", responses=answers({200: None}, NoSuchFile, InvalidName))
def head_file(
    caller: Reader,
    sent: CurrentRequest,
    header: ConditionHeaders,
    file_name: Name,
    username: Owner = None,
) -> Response[str]:
    """What `GET /file` would say, without the bytes and for a file of any size."""
    wanted = ContentRequest(header.if_match, header.if_none_match)
    return _answer(
        one(FileService).read(caller, username, file_name, wanted, body=False), _raw(sent)
    )


@router.delete(
    "/file",
    status_code=204,
    responses=answers({204: None}, NoSuchFile, InvalidName, ChangedMeanwhile, PreconditionFailed),
)
def delete_file(
    caller: Writer,
    header: ConditionHeaders,
    file_name: Name,
    username: Owner = None,
    permanent: Annotated[bool, Query(description="Past the trash, with its versions.")] = False,
) -> Response[None]:
    """Move a file of yours to the trash. Whoever it was shared with loses it at once."""
    one(FileService).delete(caller, username, file_name, header, for_good=permanent)
    return nothing()


def _raw(sent: HttpRequest) -> bool:
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
