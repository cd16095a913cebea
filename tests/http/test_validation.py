"""The reasons for wrong fields, as users read them."""

from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from function.core import fields
from function.core.fields import Email, Etag, Otp, Seconds, Size, Tags, Username
from function.history.models import Restoration
from function.http.validation import reason

OTP = "the 6 digits of the authenticator, or a recovery code of 26 letters and digits"


class Point(BaseModel):
    """A model for the errors of objects."""

    model_config = ConfigDict(extra="forbid")

    x: int


def errors(kind: Any, value: Any) -> list[ErrorDetails]:
    """pydantic's errors for a value."""
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(kind).validate_python(value)
    return raised.value.errors()


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Username, "al ice", "must be 3 to 64 of the characters a-z 0-9 . _ @ + -"),
        (Username, 1, "must be text"),
        (Email, "alice", "must be an e-mail address, such as alice@example.org"),
        (Username, "x" * 65, "must be 3 to 64 of the characters a-z 0-9 . _ @ + -"),
        (Otp, "1", f"must be {OTP}"),
        (Etag, "", "must have 1 or more characters"),
        (Etag, "x" * 201, "must have 200 or fewer characters"),
        (Tags, ["x"] * 21, "must have 20 or fewer items"),
        (Tags, "x", "must be a list"),
        (Annotated[SecretStr, Field(max_length=4)], "12345", "must have 4 or fewer characters"),
        (Seconds, 0, "must be 1 or more"),
        (Seconds, 10**10, "must be 315360000 or less"),
        (Size, True, "must be a whole number"),
        (Point, 1, "must be an object"),
        (Point, {}, "is required"),
        (Point, {"x": 1, "y": 2}, "unknown field"),
        (Restoration, {"file_name": "a", "version": 1, "new_name": "b"},
         "a version takes neither id nor new_name"),
        (bool, "x", "must be true or false"),
    ],
)  # fmt: skip
def test_a_reason_is_written_for_users(kind: Any, value: Any, expected: str) -> None:
    """It names what is allowed, and no pattern or Python type."""
    assert [reason(error) for error in errors(kind, value)] == [expected]


def test_every_pattern_has_a_description() -> None:
    """Patterns are made by `described_pattern` alone."""
    sources = Path(fields.__file__).parent.parent.rglob("*.py")
    assert [path.name for path in sources if "pattern=" in path.read_text("utf-8")] == ["fields.py"]
    assert Path(fields.__file__).read_text("utf-8").count("pattern=") == 1
