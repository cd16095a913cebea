"""Bodies that programs send as JSON and pages without scripts as a form."""

from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from function.core.errors import Malformed
from function.core.models import Incoming
from function.http.request import MOST_MEMBERS, json_text, strict_json
from function.http.responses import invalid

FORM = "application/x-www-form-urlencoded"
Body = TypeVar("Body", bound=BaseModel)


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


def read(sent: Incoming, model: type[Body]) -> Body:
    """The body, by what its content type says it is; without one, and without a type, it is empty.

    Raises Malformed, UnsupportedMediaType, Invalid.
    """
    kind = sent.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == FORM:
            return model.model_validate_strings(_fields(sent.body))
        return model.model_validate(strict_json(json_text(sent.body, sent.headers) or "{}"))
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)
        raise invalid({**each, "loc": ("body", *each["loc"])} for each in wrong) from None


def _fields(body: bytes) -> dict[str, str]:
    """The fields of a form, each once."""
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_MEMBERS
        )
    except ValueError:
        raise Malformed("The form could not be read.") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Malformed("A field of the form is repeated.")
    return fields
