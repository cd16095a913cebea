"""Why a field is refused, as people say it: the validation library speaks of what it is made of."""

from collections.abc import Mapping
from typing import Any

from function.fields import meaning

TEXT, WHOLE, BOOLEAN = "must be text", "must be a whole number", "must be true or false"
LIST, OBJECT = "must be a list", "must be an object"
TIME = "must be a time with its zone, such as 2026-09-21T14:13:20Z"
FEWER, MORE = "must have {max_length} or fewer {what}", "must have {min_length} or more {what}"
# By the library's kinds of errors, https://docs.pydantic.dev/latest/errors/validation_errors/
REASONS: Mapping[str, str] = {
    "missing": "must be there",
    "extra_forbidden": "unknown field",
    "string_type": TEXT,
    "string_unicode": "must be text that UTF-8 can carry",
    "string_too_long": FEWER,
    "string_too_short": MORE,
    "string_pattern_mismatch": "must be {words}",
    "literal_error": "must be {expected}",
    "int_type": WHOLE,
    "int_parsing": WHOLE,
    "int_parsing_size": WHOLE,
    "int_from_float": WHOLE,
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "bool_type": BOOLEAN,
    "bool_parsing": BOOLEAN,
    "list_type": LIST,
    "tuple_type": LIST,
    "too_long": FEWER,
    "too_short": MORE,
    "dict_type": OBJECT,
    "model_type": OBJECT,
    "model_attributes_type": OBJECT,
    "datetime_type": TIME,
    "datetime_parsing": TIME,
    "datetime_from_date_parsing": TIME,
    "datetime_object_invalid": TIME,
    "timezone_aware": TIME,
}


def reason(error: Mapping[str, Any]) -> str:
    """The reason of an error of the library; what our own rules say is said as it is."""
    said = REASONS.get(error["type"])
    if said is None:
        return str(error["msg"]).removeprefix("Value error, ")
    about = error.get("ctx", {})
    items = about.get("field_type", "Value") != "Value"  # else it is text, or a secret one
    words = meaning(about["pattern"]) if "pattern" in about else ""
    return said.format(**about, what="items" if items else "characters", words=words)
