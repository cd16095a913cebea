"""The three ways to send a small file: JSON with Base64, the body itself, a multipart form."""

from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from function.errors import Invalid, Malformed
from function.fields import (
    ContentType,
    FileName,
    OnConflict,
    Username,
    is_media_type,
)
from function.gate import json_text, strict_json
from function.media_types import PLAIN_BYTES, guessed_type
from function.models import Conditions, Incoming, PutFile, Upload
from function.routes.answers import conditioned, invalid

FORM = "multipart/form-data"
REPLACEMENT = "\ufffd".encode()  # what a gateway puts for bytes that are no text
# What curl says of --data-binary; it tells nothing about the file.
CURLS_OWN = "application/x-www-form-urlencoded"


class Beside(BaseModel):
    """What goes with a file's own bytes, in the query or in the fields of a form."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    file_name: FileName
    username: Username | None = None
    content_type: ContentType | None = None
    on_conflict: OnConflict = "replace"


@dataclass
class Part:
    """One part of a form."""

    headers: dict[str, bytes] = field(default_factory=dict)
    data: bytearray = field(default_factory=bytearray)
    name: str = ""
    filename: str | None = None


class Form:
    """A form as its parser tells it, a piece at a time."""

    def __init__(self) -> None:
        """Begins before the first part."""
        self.parts: list[Part] = []
        self.ended = False
        self._header = (b"", b"")

    def callbacks(self) -> Any:
        """What the parser calls: with the buffer and a span of it, or with nothing."""
        return {
            "on_part_begin": lambda: self.parts.append(Part()),
            "on_header_field": lambda data, start, end: self._more(data[start:end], b""),
            "on_header_value": lambda data, start, end: self._more(b"", data[start:end]),
            "on_header_end": self._header_end,
            "on_part_data": lambda data, start, end: self.parts[-1].data.extend(data[start:end]),
            "on_end": self._end,
        }

    def _more(self, name: bytes, value: bytes) -> None:
        self._header = (self._header[0] + name, self._header[1] + value)

    def _header_end(self) -> None:
        name, value = self._header
        self.parts[-1].headers[name.decode("latin-1").lower()] = value
        self._header = (b"", b"")

    def _end(self) -> None:
        self.ended = True


def upload_of(sent: Incoming, header: Conditions) -> Upload:
    """The file that a request carries, whichever way.

    Raises Malformed, UnsupportedMediaType, Invalid.
    """
    try:
        return _read(sent, header)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)
        raise invalid({**each, "loc": ("body", *each["loc"])} for each in wrong) from None


def _read(sent: Incoming, header: Conditions) -> Upload:
    says = sent.headers.get("content-type", "")
    kind = says.partition(";")[0].strip().lower()
    if kind == FORM:
        return _from_form(sent, header)
    if "file_name" in sent.query:
        beside = Beside.model_validate(dict(sent.query))
        if sent.as_text and REPLACEMENT in sent.body:
            raise Malformed("The text is not UTF-8; send it as application/octet-stream.")
        return _upload(beside, header, sent.body, "" if kind == CURLS_OWN else says)
    if sent.query:
        reason = "with a JSON body this belongs in the body"
        raise Invalid(errors=[{"at": f"query.{name}", "reason": reason} for name in sent.query])
    body = PutFile.model_validate(strict_json(json_text(sent.body, sent.headers)))
    return _upload(body, conditioned(body, header), body.content)


def _from_form(sent: Incoming, header: Conditions) -> Upload:
    fields: dict[str, Any] = dict(sent.query)
    file: Part | None = None
    for part in _parts(sent):
        if part.name == "file" and file is None:
            file = part
        elif part.name in fields or part.name == "file":
            raise Malformed(f"The form has {part.name[:64]} twice.")
        else:
            fields[part.name] = _text(bytes(part.data))
    if file is None:
        raise Malformed("The form has no part named file.")
    if file.filename:
        fields.setdefault("file_name", file.filename)
    says = _text(file.headers.get("content-type", b""))
    return _upload(Beside.model_validate(fields), header, bytes(file.data), says)


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


def _parts(sent: Incoming) -> list[Part]:
    """The parts of the form (RFC 7578), each whole and named."""
    _, options = parse_options_header(sent.headers["content-type"].encode())
    boundary = options.get(b"boundary")
    if not boundary:
        raise Malformed("The form's content-type has no boundary.")
    form = Form()
    try:
        MultipartParser(boundary, form.callbacks()).write(sent.body)
    except FormParserError:
        raise Malformed("The form could not be read.") from None
    if not form.ended:
        raise Malformed("The form has no end.")
    for part in form.parts:
        _, about = parse_options_header(part.headers.get("content-disposition", b""))
        part.name = _text(about.get(b"name", b""))
        part.filename = _text(about[b"filename"]) if b"filename" in about else None
    return form.parts


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Malformed("A field of the form is not UTF-8.") from None
