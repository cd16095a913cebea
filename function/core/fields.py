"""The types of the fields of requests. A wrong value gets a reason that a user understands.

Models and routes annotate their fields with these types; `http.validation` writes the reasons of
pydantic's own errors and takes those of the validators here as they are.
"""

import base64
import binascii
import unicodedata
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from function.core.limits import MAX_PARTS, MAX_SIGNED_PARTS
from function.core.media_types import MAX_MEDIA_TYPE, MEDIA_TYPE, cleaned_type, parsed_type
from function.core.names import (
    NAME_BYTES,
    existing_file_name,
    existing_name,
    file_name,
    file_or_folder_name,
    is_deceptive,
    prefix_name,
    short_folder_name,
)

YEAR = 365 * 24 * 3600
MAX_AMOUNT = 10**15
MAX_IDEMPOTENCY_KEY = 255  # characters
ALLOWED_TYPE = (
    r"^(\.[a-z0-9][a-z0-9._+-]{0,30}|[a-z0-9][a-z0-9!#$&^_.+-]*/(\*|[a-z0-9!#$&^_.+-]+))$"
)
NAME_CHARACTERS = "of the characters a-z 0-9 . _ @ + -"
# Unicode calls these letters and signs, but they are invisible: Hangul fillers, empty Braille.
INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u2800")

_descriptions: dict[str, str] = {}


def described_pattern(
    pattern: str, description: str, max_length: int | None = None
) -> StringConstraints:
    """Text of a pattern; the reason for a wrong value is "must be " and the description."""
    _descriptions[pattern] = description
    return StringConstraints(pattern=pattern, max_length=max_length)


def pattern_description(pattern: str) -> str:
    """The description of a pattern that `described_pattern` has."""
    return _descriptions[pattern]


def plain_line(text: str) -> str:
    """One line of visible text, in NFC and without space around it. Raises a validation error."""
    text = unicodedata.normalize("NFC", text).strip()
    if not text or any(is_deceptive(character) for character in text):
        raise PydanticCustomError("line", "must be one line of text, without control characters")
    if not any(unicodedata.category(c)[0] in "LNPS" and c not in INVISIBLE for c in text):
        raise PydanticCustomError("line", "must contain a visible character")
    return text


def lower_ascii(text: object) -> object:
    """Text in lower case where it is ASCII, so that no other letter becomes an ASCII letter."""
    return text.lower() if isinstance(text, str) and text.isascii() else text


def compact_code(code: object) -> object:
    """A code in lower case, without the spaces and hyphens that make it readable."""
    if not isinstance(code, str) or not code.isascii():
        return code
    return code.lower().replace(" ", "").replace("-", "")


def canonical_base64(text: object) -> bytes:
    """The bytes of Base64 text (RFC 4648, section 4). Raises a validation error.

    The text must be the encoding of its bytes. Python's decoder would skip unknown characters and
    spare bits, and acknowledge bytes that the client did not mean.
    """
    try:
        data = base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except (binascii.Error, ValueError):
        data = None
    if data is None or base64.b64encode(data).decode() != text:
        raise PydanticCustomError("base64", "must be Base64: standard alphabet, with padding")
    return data


def encodable(secret: SecretStr) -> SecretStr:
    """A secret that UTF-8 can encode. Raises a validation error for a lone surrogate.

    JSON can contain one as an escape, and it cannot be hashed.
    """
    try:
        secret.get_secret_value().encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("string_unicode", "must be text that UTF-8 can encode") from None
    return secret


def media_type(text: str) -> str:
    """A media type as it is stored. Raises a validation error."""
    parsed = parsed_type(text)
    if parsed is None:
        raise PydanticCustomError(
            "media_type", "must have each parameter once, and the name of a charset"
        )
    return parsed


# pydantic accepts lone surrogates in a `str` that has no constraint.
Text = Annotated[str, StringConstraints(min_length=0)]

# Names
FileName = Annotated[Text, AfterValidator(file_name)]
# What the fields of routes that read or delete have: a file of an older release may be deeper.
ExistingFile = Annotated[Text, AfterValidator(existing_file_name)]
ExistingFileOrFolder = Annotated[Text, AfterValidator(existing_name)]
FileOrFolder = Annotated[Text, AfterValidator(file_or_folder_name)]
ShortFolder = Annotated[Text, AfterValidator(short_folder_name)]
Prefix = Annotated[str, StringConstraints(max_length=NAME_BYTES), AfterValidator(prefix_name)]
Username = Annotated[
    str,
    BeforeValidator(lower_ascii),
    described_pattern(r"^[a-z0-9._@+-]{3,64}$", f"3 to 64 {NAME_CHARACTERS}"),
]
GroupName = Annotated[
    str,
    BeforeValidator(lower_ascii),
    described_pattern(
        r"^[a-z0-9][a-z0-9._@+-]{1,63}$",
        f"2 to 64 {NAME_CHARACTERS}, the first a letter or a digit",
    ),
]
Email = Annotated[
    str,
    described_pattern(
        r"^[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,190}$",
        "an e-mail address, such as alice@example.org",
    ),
]

# Secrets
# The maximum bounds the cost of hashing.
Password = Annotated[SecretStr, Field(max_length=1024), AfterValidator(encodable)]
AccessTokenText = Annotated[str, Field(max_length=200)]
# A recovery code of an earlier release has 16 characters.
Otp = Annotated[
    str,
    BeforeValidator(compact_code),
    described_pattern(
        r"^([0-9]{6}|[a-z2-7]{26}|[a-z2-7]{16})$",
        "the 6 digits of the authenticator, or a recovery code of 26 letters and digits",
    ),
]
# The epoch seconds at which the invitation was created, and 256 random bits in base64url.
InviteToken = Annotated[
    str, described_pattern(r"^[0-9]{10}[A-Za-z0-9_-]{43}$", "the token of an invitation")
]

IdempotencyKey = Annotated[
    str,
    described_pattern(
        rf"^[!-~]{{1,{MAX_IDEMPOTENCY_KEY}}}$",
        f"1 to {MAX_IDEMPOTENCY_KEY} visible ASCII characters, such as a UUID",
    ),
]

# Content
ContentType = Annotated[
    str,
    described_pattern(MEDIA_TYPE, "a media type, such as image/png", MAX_MEDIA_TYPE),
    AfterValidator(media_type),
]
StoredType = Annotated[str, AfterValidator(cleaned_type)]
AllowedType = Annotated[
    str,
    BeforeValidator(lower_ascii),
    described_pattern(
        ALLOWED_TYPE, "an extension, such as .pdf, or a media type, such as image/*", 100
    ),
]
AllowedTypes = Annotated[tuple[AllowedType, ...], Field(max_length=50, fail_fast=True)]
Base64 = Annotated[
    bytes,
    BeforeValidator(canonical_base64),
    WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
]
Sha256 = Annotated[str, described_pattern(r"^[0-9a-f]{64}$", "64 hexadecimal digits 0-9 a-f")]
Crc64Nvme = Annotated[str, described_pattern(r"^[0-9a-f]{16}$", "16 hexadecimal digits 0-9 a-f")]
PartChecksum = Literal["sha256"]
Etag = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Description = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Line = Annotated[Text, StringConstraints(max_length=200), AfterValidator(plain_line)]
Tag = Annotated[Text, StringConstraints(min_length=1, max_length=64), AfterValidator(plain_line)]
Tags = Annotated[tuple[Tag, ...], Field(max_length=20, fail_fast=True)]

# Numbers
Size = Annotated[StrictInt, Field(ge=0)]  # bytes
Amount = Annotated[StrictInt, Field(ge=0, le=MAX_AMOUNT)]
Count = Annotated[StrictInt, Field(ge=1, le=MAX_AMOUNT)]
Seconds = Annotated[StrictInt, Field(ge=1, le=10 * YEAR)]
PartNumber = Annotated[StrictInt, Field(ge=1, le=MAX_PARTS)]
PartNumbers = Annotated[
    list[PartNumber], Field(min_length=1, max_length=MAX_SIGNED_PARTS, fail_fast=True)
]

# Choices
Permission = Literal["own", "write", "read"]
Grantable = Literal["read", "write"]
OnConflict = Literal["replace", "fail", "rename"]
UploadMethod = Literal["put", "multipart"]
ListScope = Literal["all", "own", "shared"]
Sort = Literal["name", "modified", "size"]
Order = Literal["asc", "desc"]
FileKind = Literal["image", "audio", "video", "document", "archive", "other"]
