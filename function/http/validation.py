"""Validation errors of pydantic as a problem that names each wrong field and the reason.

Reasons are written for users of the API: pydantic's own messages name Python types and patterns.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from function.core.errors import Invalid, InvalidName
from function.core.fields import pattern_description
from function.http.request import MAX_ERRORS

TEXT, WHOLE, BOOLEAN = "must be text", "must be a whole number", "must be true or false"
LIST, OBJECT = "must be a list", "must be an object"
TIME = "must be a time with its zone, such as 2026-09-21T14:13:20Z"
FEWER, MORE = "must have {max_length} or fewer {unit}", "must have {min_length} or more {unit}"
# By the type of the error, https://docs.pydantic.dev/latest/errors/validation_errors/
REASONS: Mapping[str, str] = {
    "missing": "is required",
    "extra_forbidden": "unknown field",
    "string_type": TEXT,
    "string_unicode": "must be text that UTF-8 can encode",
    "string_too_long": FEWER,
    "string_too_short": MORE,
    "string_pattern_mismatch": "must be {description}",
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
MAX_LOCATION, MAX_REASON = 100, 200  # characters


def invalid(errors: Iterable[Any]) -> Invalid:
    """The problem for pydantic's errors: InvalidName where a file name is wrong, else Invalid.

    It names at most 20 fields and repeats no value that was sent.
    """
    errors = list(errors)
    # Where an item of a list is wrong, pydantic says too that the list has too few items.
    lists = {tuple(each["loc"][:-1]) for each in errors}
    errors = [e for e in errors if e["type"] != "too_short" or tuple(e["loc"]) not in lists]
    problem = InvalidName if any(e["type"] == "invalid_name" for e in errors) else Invalid
    return problem(
        errors=[
            {
                "at": ".".join(str(step) for step in each["loc"])[:MAX_LOCATION],
                "reason": reason(each)[:MAX_REASON],
            }
            for each in errors[:MAX_ERRORS]
        ]
    )


def invalid_model(error: ValidationError, *place: str) -> Invalid:
    """The problem for a model of a route that reads its input itself.

    `place` is where the model's fields come from, such as "body"; without it they stand alone.
    """
    errors = error.errors(include_url=False, include_input=False)
    return invalid({**each, "loc": (*place, *each["loc"])} for each in errors)


def reason(error: Mapping[str, Any]) -> str:
    """The reason for one error of pydantic; an error of our own validators has its own words."""
    template = REASONS.get(error["type"])
    if template is None:
        return str(error["msg"]).removeprefix("Value error, ")
    context = error.get("ctx", {})
    # pydantic calls text, secret or not, a Value and gives lists and tuples their own name.
    unit = "items" if context.get("field_type", "Value") != "Value" else "characters"
    description = pattern_description(context["pattern"]) if "pattern" in context else ""
    return template.format(**context, unit=unit, description=description)
