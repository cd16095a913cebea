"""What is said of a field that is refused."""

from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from function.core import fields
from function.core.fields import Email, Etag, Otp, Seconds, Size, Tags, Username
from function.history.models import Restoration
from function.http.responses import reason

OTP = "the 6 digits of the authenticator, or a recovery code of 16 letters and digits"


class Point(BaseModel):
    """A model that is no body of ours."""

    model_config = ConfigDict(extra="forbid")

    x: int


def errors(kind: Any, value: Any) -> list[ErrorDetails]:
    """What the library finds wrong."""
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(kind).validate_python(value)
    return raised.value.errors()


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (Username, "al ice", "must be 3 to 64 of the characters a-z 0-9 . _ @ + -"),
        (Username, 1, "must be text"),
        (Email, "alice", "must be an address of e-mail, such as alice@example.org"),
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
        (Point, {}, "must be there"),
        (Point, {"x": 1, "y": 2}, "unknown field"),
        (Restoration, {"file_name": "a", "version": 1, "new_name": "b"},
         "a version takes neither id nor new_name"),
        (bool, "x", "must be true or false"),
    ],
)  # fmt: skip
def test_it_is_said_for_people(kind: Any, value: Any, said: str) -> None:
    """What is allowed, in words; nothing of patterns or of how it is programmed."""
    assert [reason(error) for error in errors(kind, value)] == [said]


def test_every_pattern_has_its_words() -> None:
    """Whoever needs one more says it by `like`, in the one place that makes them."""
    sources = Path(fields.__file__).parent.parent.rglob("*.py")
    assert [path.name for path in sources if "pattern=" in path.read_text("utf-8")] == ["fields.py"]
    assert Path(fields.__file__).read_text("utf-8").count("pattern=") == 1
