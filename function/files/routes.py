"""`/file` and `/copy`: put a small file in one of three ways, get it, delete it, copy it."""

import base64
from dataclasses import replace
from typing import Annotated, Any, NamedTuple

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import ValidationError

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
from function.core.fields import ContentType, ExistingFile, FileName, OnConflict, Username
from function.core.headers import disposition, repr_digest, require_digests
from function.core.media_types import JSON, PLAIN_BYTES, type_of_bytes
from function.core.models import Conditions, Digests, HttpRequest
from function.files.commit import WriteRequest
from function.files.conditions import HasConditions
from function.files.content import (
    Content,
    ContentRequest,
    CopyService,
    FileService,
    SmallUploadService,
)
from function.files.errors import FileExists, TypeNotAllowed
from function.files.models import CopyRequest, FileObject, PutFile, UploadFields
from function.http.dependencies import (
    ConditionHeaders,
    CurrentRequest,
    HeaderFields,
    Reader,
    RequestWithFile,
    Writer,
)
from function.http.forms import MULTIPART, FormPart, is_of_type, multipart_form, raw_body
from function.http.request import accepted_types, json_text, strict_json
from function.http.responses import answers, no_content, with_conditions
from function.http.validation import invalid_model

router = Router()
Partial = Annotated[ContentRequest, HeaderFields(ContentRequest)]
Name = Annotated[ExistingFile, Query(description="The file's name, with its folders.")]
Owner = Annotated[Username | None, Query(description="The file's owner; you by default.")]
FIELDS_APART = (
    "With a JSON body every field belongs in it. With file_name in the query the body is the file."
)
FORM_AS_FILE = (
    "The body is the JSON form of this route (file_name, content), and the request says that it is "
    "the file. To put the file in it, leave file_name out of the query. To put the JSON itself, "
    "send it with content-type: application/octet-stream."
)


def file_headers(file: FileObject) -> dict[str, str | list[str]]:
    """The header fields that go with a file's bytes; no browser runs or caches them.

    The size is a field of its own, because an HTTP API need not pass the function's content-length
    in answer to HEAD, and Base64 and ranges have another length.
    """
    return {
        "etag": f'"{file.etag}"',
        "accept-ranges": "bytes",
        "x-file-size": str(file.size),
        "vary": "accept",
        "content-disposition": disposition(file.file_name, "attachment"),
        "x-content-type-options": "nosniff",
        "cache-control": "private, no-store",
    }


class SmallUpload(NamedTuple):
    """A small file as it was sent: `owner` is None where it goes among the caller's own."""

    owner: str | None
    request: WriteRequest
    data: bytes


def read_upload(request: HttpRequest, conditions: Conditions) -> SmallUpload:
    """The file that a request carries: as a form, as the body itself, or in a JSON body.

    Raises Malformed, UnsupportedMediaType, Invalid.
    """
    media_type = request.headers.get("content-type", "")
    try:
        if is_of_type(media_type, MULTIPART):
            return _read_form(request, conditions)
        if "file_name" in request.query:
            return _read_body(request, conditions)
        return _read_json(request, conditions)
    except ValidationError as error:
        raise invalid_model(error, "body") from None


def _read_form(request: HttpRequest, conditions: Conditions) -> SmallUpload:
    fields: dict[str, Any] = dict(request.query)
    file: FormPart | None = None
    for part in multipart_form(request):
        if part.name == "file" and file is None:
            file = part
        elif part.name in fields or part.name == "file":
            raise Malformed(f"The form has {part.name[:64]} twice.")
        else:
            fields[part.name] = part.text
    if file is None:
        raise Malformed("The form has no part named file.")
    if file.filename is None and is_of_type(file.content_type, JSON):
        refuse_json_form(file.data, "body.file")
    if file.filename:
        fields.setdefault("file_name", file.filename)
    return _upload(UploadFields.model_validate(fields), conditions, file.data, file.content_type)


def _read_body(request: HttpRequest, conditions: Conditions) -> SmallUpload:
    fields = UploadFields.model_validate(dict(request.query))
    if is_of_type(request.headers.get("content-type", ""), JSON):
        refuse_json_form(request.body, "query.file_name")
    return _upload(fields, conditions, *raw_body(request))


def _read_json(request: HttpRequest, conditions: Conditions) -> SmallUpload:
    if request.query:
        reason = "with a JSON body this belongs in the body"
        errors = [{"at": f"query.{name}", "reason": reason} for name in request.query]
        raise Invalid(FIELDS_APART, errors=errors)
    body = PutFile.model_validate(strict_json(json_text(request.body, request.headers)))
    return _upload(body, with_conditions(body, conditions), body.content, "")


def refuse_json_form(data: bytes, at: str) -> None:
    """Refuses the JSON form of `PUT /file` where it would become a file of JSON by surprise.

    It is an object that has file_name and content, and only fields of PutFile. Other JSON documents
    are files. Raises Invalid.
    """
    if not (data.lstrip()[:1] == b"{" and b'"file_name"' in data and b'"content"' in data):
        return
    try:
        fields = strict_json(json_text(data, {})).keys()
    except (Malformed, TooLarge):
        return
    if {"file_name", "content"} <= fields <= PutFile.model_fields.keys():
        raise Invalid(FORM_AS_FILE, errors=[{"at": at, "reason": "the body is no file"}])


def _upload(
    fields: UploadFields, conditions: HasConditions, data: bytes, media_type: str
) -> SmallUpload:
    """The upload, with a content type guessed by the file's name where none is given."""
    request = WriteRequest(
        file_name=fields.file_name,
        content_type=fields.content_type or type_of_bytes(fields.file_name, media_type),
        on_conflict=fields.on_conflict,
        if_match=conditions.if_match,
        if_none_match=conditions.if_none_match,
    )
    return SmallUpload(fields.username, request, data)


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
        headers=("ETag",),
    ),
)
def put_file(
    caller: Writer,
    request: RequestWithFile,
    conditions: ConditionHeaders,
    digests: Annotated[Digests, HeaderFields(Digests)],
    file_name: Annotated[
        FileName | None, Query(description="With a name here the body is the file.")
    ] = None,
    username: Owner = None,
    content_type: ContentType | None = None,
    on_conflict: OnConflict = "replace",
) -> Response[FileObject]:
    """Put a file of up to 4 MiB: as JSON with Base64, as the body itself, or as a form.

    With `?file_name=` the body is the file, whatever its content type; a multipart form has it in
    the part `file`. A file that is replaced becomes a version. `Repr-Digest` or `Content-Digest` of
    the body is verified.
    """
    del file_name, username, content_type, on_conflict  # read with the body, from query or form
    require_digests(digests.by_field(), request.body)
    file, created = one(SmallUploadService).put(caller, *read_upload(request, conditions))
    return Response(201 if created else 200, JSON, file, {"etag": f'"{file.etag}"'})


@router.get(
    "/file",
    responses=answers(
        {200: str}, NoSuchFile, InvalidName, TooLarge, PreconditionFailed, RangeNotSatisfiable
    ),
)
def get_file(
    caller: Reader,
    request: CurrentRequest,
    content: Partial,
    file_name: Name,
    username: Owner = None,
) -> Response[str]:
    """Get a file of up to 4 MiB as Base64 text, or with `Accept: application/octet-stream` raw."""
    raw = _accepts_bytes(request)
    if not raw:  # Base64 text has no ranges
        content = replace(content, range=None)
    return _answer(one(FileService).read(caller, username, file_name, content), raw)


@router.head("/file", responses=answers({200: None}, NoSuchFile, InvalidName, PreconditionFailed))
def head_file(
    caller: Reader,
    request: CurrentRequest,
    conditions: ConditionHeaders,
    file_name: Name,
    username: Owner = None,
) -> Response[str]:
    """Get the header fields of `GET /file`, for a file of any size."""
    query = ContentRequest(conditions.if_match, conditions.if_none_match)
    content = one(FileService).read(caller, username, file_name, query, body=False)
    return _answer(content, _accepts_bytes(request))


@router.delete(
    "/file",
    status_code=204,
    responses=answers({204: None}, NoSuchFile, InvalidName, ChangedMeanwhile, PreconditionFailed),
)
def delete_file(
    caller: Writer,
    conditions: ConditionHeaders,
    file_name: Name,
    username: Owner = None,
    permanent: Annotated[
        bool, Query(description="Delete it past the trash, with its versions.")
    ] = False,
) -> Response[None]:
    """Move a file of yours to the trash. Shares and links to it stop working at once."""
    one(FileService).delete(caller, username, file_name, conditions, permanent=permanent)
    return no_content()


@router.post(
    "/copy",
    responses=answers(
        {200: FileObject, 201: FileObject},
        NoSuchFile,
        FileExists,
        ChangedMeanwhile,
        PreconditionFailed,
        InvalidName,
        QuotaExceeded,
        TooLarge,
        TypeNotAllowed,
        headers=("ETag",),
    ),
)
def copy_file(body: CopyRequest, caller: Writer, header: ConditionHeaders) -> Response[FileObject]:
    """Copy your own file, or one shared with you, to a file of yours.

    No bytes are copied. The copy counts toward your quota as any file does, and stays when the
    original is deleted.
    """
    file, created = one(CopyService).copy(caller, with_conditions(body, header))
    return Response(201 if created else 200, JSON, file, {"etag": f'"{file.etag}"'})


def _accepts_bytes(request: HttpRequest) -> bool:
    """Whether the answer may have the bytes themselves, instead of Base64 text."""
    return PLAIN_BYTES in accepted_types(request)


def _answer(content: Content, raw: bool) -> Response[str]:
    headers = file_headers(content.file)
    if raw and content.file.sha256:  # of the bytes: Base64 text is another representation
        headers["repr-digest"] = repr_digest(content.file.sha256)
    if content.not_modified:
        return Response(304, None, "", headers)
    media_type = content.file.content_type if raw else "text/plain"
    size = content.file.size
    if content.data is None:
        length = size if raw else 4 * ((size + 2) // 3)
        return Response(200, media_type, "", {**headers, "content-length": str(length)})
    if content.span:
        headers["content-range"] = "bytes {}-{}/{}".format(*content.span, size)
    status = 206 if content.span else 200
    answer = Response(status, media_type, base64.b64encode(content.data).decode(), headers)
    # Lambda carries bytes as Base64 too; only this flag has the gateway decode them.
    answer.base64_encoded = raw
    return answer
