"""Bodies that programs send as JSON and pages without scripts as a form."""

from typing import TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError

from function.errors import Malformed
from function.gate import MOST_MEMBERS, json_text, strict_json
from function.models import Incoming
from function.routes.answers import invalid

FORM = "application/x-www-form-urlencoded"

Body = TypeVar("Body", bound=BaseModel)


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
