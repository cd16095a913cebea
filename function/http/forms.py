"""Forms: browsers send them without a script, where programs send JSON."""

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError

from function.core.errors import Malformed, TooLarge
from function.core.limits import MAX_FORM_PARTS, MAX_REQUEST_BYTES
from function.core.models import HttpRequest
from function.http.request import MAX_MEMBERS, json_text, strict_json
from function.http.validation import invalid_model

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
REPLACEMENT = "\ufffd".encode()  # what a gateway puts in the place of bytes that are not UTF-8
Body = TypeVar("Body", bound=BaseModel)


@dataclass(frozen=True)
class FormPart:
    """One part of a multipart form; `filename` is None and `content_type` "" where it has none."""

    name: str
    data: bytes
    filename: str | None
    content_type: str

    @property
    def text(self) -> str:
        """The part as the value of a field. Raises Malformed where it is not UTF-8."""
        try:
            return self.data.decode()
        except UnicodeDecodeError:
            raise Malformed("A field of the form is not UTF-8.") from None


def multipart_form(request: HttpRequest) -> Iterable[FormPart]:
    """The parts of a multipart form (RFC 7578) in their order; all are in memory.

    Raises TooLarge where it has more than 20 parts, Malformed where it has no boundary, no end, or
    cannot be parsed.
    """
    # Few requests send a form, so the others do not load its parser.
    import multipart  # type: ignore[import-untyped]  # noqa: PLC0415

    _, options = multipart.parse_options_header(request.headers["content-type"])
    boundary = options.get("boundary")
    if not boundary:
        raise Malformed("The form's content-type has no boundary.")
    try:
        delimiter = b"--" + boundary.encode()
        delimiters = request.body.startswith(delimiter) + request.body.count(b"\r\n" + delimiter)
        if delimiters > MAX_FORM_PARTS + 1:  # one before each part and one at the end
            raise TooLarge(f"A form has at most {MAX_FORM_PARTS} parts.")
        parser = multipart.MultipartParser(
            BytesIO(request.body),
            boundary,
            strict=True,
            spool_limit=MAX_REQUEST_BYTES,
            memory_limit=MAX_REQUEST_BYTES,
        )
        return [
            FormPart(part.name, part.raw, part.filename, part.headers.get("content-type", ""))
            for part in parser
        ]
    except (multipart.MultipartError, UnicodeError):
        raise Malformed("The form cannot be parsed. Send it with its last boundary.") from None


def raw_body(request: HttpRequest) -> tuple[bytes, str]:
    """The body as the bytes of a file, and their media type; "" where the client knows none.

    Raises Malformed where the gateway passed it as text and it is not UTF-8.
    """
    if request.as_text and REPLACEMENT in request.body:
        raise Malformed("The text is not UTF-8; send it as application/octet-stream.")
    media_type = request.headers.get("content-type", "")
    # curl --data-binary says of any file that it is a form.
    return request.body, "" if is_of_type(media_type, URLENCODED) else media_type


def is_of_type(header: str, media_type: str) -> bool:
    """Whether a header field names a media type, parameters aside."""
    return header.partition(";")[0].strip().lower() == media_type


def read_body(request: HttpRequest, model: type[Body]) -> Body:
    """The body as a model: from a URL-encoded form or, with any other content type, from JSON.

    An empty body is `{}`. Raises Malformed, UnsupportedMediaType, Invalid.
    """
    try:
        if is_of_type(request.headers.get("content-type", ""), URLENCODED):
            return model.model_validate_strings(_fields(request.body))
        return model.model_validate(strict_json(json_text(request.body, request.headers) or "{}"))
    except ValidationError as error:
        raise invalid_model(error, "body") from None


def _fields(body: bytes) -> dict[str, str]:
    """The fields of a URL-encoded form.

    Raises Malformed where a field is repeated, there are more than 200, or they are not UTF-8.
    """
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_MEMBERS
        )
    except ValueError:
        raise Malformed("The form cannot be parsed. Encode its fields as UTF-8.") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Malformed("A field of the form is repeated; send it once.")
    return fields
