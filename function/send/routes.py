"""`/send`: a file to somebody without an account, in one request.

These are the routes with a name in their path, because `curl -T` appends that of the local file to
an address that ends in `/`. API Gateway delivers a path decoded, `%25` apart, and cut at a decoded
`?`; so `file_name` in the query stands in for a name that a path cannot carry.
"""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Header, Path, Query
from pydantic import SecretStr, ValidationError

from function.access.errors import QuotaExceeded
from function.auth.errors import WeakPassword
from function.base import one
from function.core.errors import (
    ChangedMeanwhile,
    Invalid,
    InvalidName,
    LimitReached,
    Malformed,
    NoSuchUser,
    PreconditionFailed,
    SlowDown,
    TooLarge,
    UnsupportedMediaType,
)
from function.core.fields import ContentType, FileName, OnConflict, Username
from function.core.headers import require_digests
from function.core.limits import SMALL_FILE_BYTES
from function.core.media_types import JSON, type_of_bytes
from function.core.models import Closed, Conditions, Digests, HttpRequest
from function.files.commit import WriteRequest
from function.files.errors import FileExists, TypeNotAllowed
from function.http.dependencies import (
    ConditionHeaders,
    CurrentRequest,
    HeaderFields,
    RequestWithFile,
    RestOfPath,
    WriterAndSharer,
)
from function.http.forms import MULTIPART, is_of_type, raw_body
from function.http.request import accepted_types
from function.http.responses import answers
from function.http.validation import invalid_model
from function.links.errors import AliasTaken
from function.links.models import Alias, LinkPassword, Note
from function.send.models import ExpiresIn, FileSize, MaxDownloads, SendFields, Sent
from function.send.script import script_line
from function.send.service import SendService

router = Router()
REPLACEMENT = "\ufffd"  # what a gateway puts in the place of bytes that are not UTF-8
TEXT = "text/plain; charset=utf-8"
NO_NAME = "Add the file's name to the path, as in /send/report.pdf."

NameInPath = Annotated[
    str, Path(description="The file's name; `curl -T` adds it after a `/`."), RestOfPath()
]
NameInQuery = Annotated[
    FileName | None, Query(description="A name that a path cannot carry, such as one with `?`.")
]
Lifetime = Annotated[ExpiresIn | None, Query(description="Seconds; a week by default.")]
SecretInQuery = Annotated[str | None, Query(alias="password", include_in_schema=False)]
PasswordHeader = Annotated[
    LinkPassword | None,
    Header(alias="x-link-password", description="The link's password, in ASCII."),
]


class _InPath(Closed):
    name: FileName


@router.put(
    "/send/<name>",
    status_code=201,
    responses=answers(
        {201: Sent},
        FileExists,
        ChangedMeanwhile,
        PreconditionFailed,
        TooLarge,
        TypeNotAllowed,
        QuotaExceeded,
        NoSuchUser,
        SlowDown,
        AliasTaken,
        LimitReached,
        WeakPassword,
        InvalidName,
        headers=("Location",),
    ),
)
def send_file(
    name: NameInPath,
    caller: WriterAndSharer,
    request: RequestWithFile,
    conditions: ConditionHeaders,
    digests: Annotated[Digests, HeaderFields(Digests)],
    file_name: NameInQuery = None,
    content_type: ContentType | None = None,
    on_conflict: OnConflict = "rename",
    expires_in: Lifetime = None,
    max_downloads: MaxDownloads | None = None,
    allow_download: bool = True,
    audience: Username | None = None,
    note: Note | None = None,
    alias: Alias | None = None,
    password: PasswordHeader = None,
    secret: SecretInQuery = None,
) -> Response[Sent | str]:
    """Put a file of up to 4 MiB and create a link to it; answers the address of the link.

    As text, or as JSON where `Accept` asks for it. The body is the file. A file that has the name
    stays, and the new one gets a number: what you sent earlier does not change. `Repr-Digest` or
    `Content-Digest` of the body is verified.
    """
    del file_name, content_type, on_conflict, expires_in, max_downloads, allow_download
    del audience, note, alias  # read together
    require_digests(digests.by_field(), request.body)
    fields = _fields(request, name)
    link = fields.link(_checked(password, secret))
    upload, data = _upload(request, fields, conditions)
    sent = one(SendService).send(caller, upload, link, data, request.base)
    is_json = JSON in accepted_types(request)
    media_type, body = (JSON, sent) if is_json else (TEXT, f"{sent.url}\n")
    return Response(201, media_type, body, {"location": f"/links/{sent.id}"})


@router.get(
    "/send/<name>",
    responses=answers({200: str}, NoSuchUser, SlowDown, AliasTaken, WeakPassword, InvalidName),
)
def get_send_script(
    name: NameInPath,
    caller: WriterAndSharer,
    request: CurrentRequest,
    size: Annotated[FileSize | None, Query(description="The size of the file in bytes.")] = None,
    file_name: NameInQuery = None,
    content_type: ContentType | None = None,
    on_conflict: OnConflict = "rename",
    expires_in: Lifetime = None,
    max_downloads: MaxDownloads | None = None,
    allow_download: bool = True,
    audience: Username | None = None,
    note: Note | None = None,
    alias: Alias | None = None,
    password: PasswordHeader = None,
    secret: SecretInQuery = None,
) -> Response[str]:
    """Get a shell script that sends a file of any size, creates a link and prints its address.

    Pipe it into `sh` where the file is. It has your token. It sends parts straight to S3, and the
    same line again goes on after a failure.
    """
    del size, file_name, content_type, on_conflict, expires_in, max_downloads, allow_download
    del audience, note, alias  # read together
    fields = _fields(request, name)
    link = fields.link(_checked(password, secret))
    return Response(200, TEXT, one(SendService).script(caller, request, fields, link))


def _fields(request: HttpRequest, name: str) -> SendFields:
    """The fields of the query, which are valid, with the name of the path where it has none.

    Raises InvalidName, Malformed.
    """
    query = {key: value for key, value in request.query.items() if key != "password"}
    if "file_name" not in query:
        query["file_name"] = _name_in(name)
    return SendFields.model_validate(query)


def _name_in(path: str) -> str:
    """The file's name as the path has it. Raises InvalidName, Malformed."""
    if REPLACEMENT in path:
        raise Malformed("The name in the path is not UTF-8.")
    if not path or path.endswith("/"):
        raise InvalidName(NO_NAME)
    try:
        return _InPath(name=path.replace("%25", "%")).name
    except ValidationError as error:
        raise invalid_model(error, "path") from None


def _checked(password: SecretStr | None, secret: str | None) -> SecretStr | None:
    """The password in the header. Raises Invalid where it is in the query, or is not ASCII.

    A query is kept in logs and histories, and gateways differ in how they read other characters of
    a header.
    """
    if secret is not None:
        reason = "never in an address: send it in the header x-link-password"
        raise Invalid(errors=[{"at": "query.password", "reason": reason}])
    if password and not password.get_secret_value().isascii():
        reason = "must be ASCII in a header; POST /links takes any characters"
        raise Invalid(errors=[{"at": "header.x-link-password", "reason": reason}])
    return password


def _upload(
    request: HttpRequest, fields: SendFields, conditions: Conditions
) -> tuple[WriteRequest, bytes]:
    """The file that the body is. Raises TooLarge, UnsupportedMediaType, Malformed."""
    data, media_type = raw_body(request)
    if len(data) > SMALL_FILE_BYTES:
        line = script_line(request.base, fields.file_name, request.query)
        raise TooLarge(f"PUT /send takes at most {SMALL_FILE_BYTES} bytes. For more, use: {line}")
    if is_of_type(media_type, MULTIPART):
        raise UnsupportedMediaType("Send the file itself as the body, as curl -T does.")
    upload = WriteRequest(
        file_name=fields.file_name,
        content_type=fields.content_type or type_of_bytes(fields.file_name, media_type),
        on_conflict=fields.on_conflict,
        if_match=conditions.if_match,
        if_none_match=conditions.if_none_match,
    )
    return upload, data
