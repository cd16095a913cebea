"""What a field may hold: the rules of names and the kinds of values, each with its reason.

Imports nothing of ours.
"""

import base64
import binascii
import re
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

NAME_BYTES = 900
SEGMENT_BYTES = 255
ROOM_BYTES = 100  # what a folder that others send into leaves for their names
YEAR = 365 * 24 * 3600
# U+202A-202E and U+2066-2069 make a name read otherwise than it is; U+2028/9 break a line.
DECEPTIVE = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")
# Letters and signs by their category that show nothing: fillers of Hangul, and empty Braille.
BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")
Permission = Literal["own", "write", "read"]
Grantable = Literal["read", "write"]
OnConflict = Literal["replace", "fail", "rename"]
Method = Literal["put", "multipart"]
Scope = Literal["all", "own", "shared"]
Sort = Literal["name", "modified", "size"]
Order = Literal["asc", "desc"]
Kind = Literal["image", "audio", "video", "document", "archive", "other"]
_meanings: dict[str, str] = {}
Text = Annotated[str, StringConstraints(min_length=0)]  # any constraint refuses lone surrogates
NAME_CHARACTERS = "of the characters a-z 0-9 . _ @ + -"
LONGEST_MEDIA_TYPE = 200
# A value ends with no space: one that could belong to the value or to what follows is tried both
# ways, and forty such in a row 2**40 ways.
MEDIA_TYPE = (
    r"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+"
    r"( ?; ?[A-Za-z0-9_-]+=[ -:<-~]*[!-:<-~])*$"
)
# What a file may be: an extension, or a media type whose second half may be `*`.
ALLOWED_TYPE = (
    r"^(\.[a-z0-9][a-z0-9._+-]{0,30}|[a-z0-9][a-z0-9!#$&^_.+-]*/(\*|[a-z0-9!#$&^_.+-]+))$"
)
MOST_PARTS = 10_000
SIGNED_AT_ONCE = 100
Size = Annotated[StrictInt, Field(ge=0)]
Amount = Annotated[StrictInt, Field(ge=0, le=10**15)]
PartNumber = Annotated[StrictInt, Field(ge=1, le=MOST_PARTS)]
PartNumbers = Annotated[
    list[PartNumber], Field(min_length=1, max_length=SIGNED_AT_ONCE, fail_fast=True)
]
Etag = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Description = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Count = Annotated[StrictInt, Field(ge=1, le=10**15)]
Seconds = Annotated[StrictInt, Field(ge=1, le=10 * YEAR)]
MOST_NAMESAKES = 1000
LONGEST_EXTENSION = 20  # bytes
NAMESAKE_BYTES = 40  # where so many are left below its folders, a name has namesakes for ever


def bad_name(reason: str) -> PydanticCustomError:
    """The error that becomes 422 `invalid-name`."""
    return PydanticCustomError("invalid_name", "{reason}", {"reason": reason})


def normal_name(name: str) -> str:
    """A name in NFC (or a part of one), without what could be mistaken or break a line."""
    name = unicodedata.normalize("NFC", name)
    if len(name.encode()) > NAME_BYTES:
        raise bad_name(f"a name has at most {NAME_BYTES} bytes of UTF-8")
    if "\\" in name or any(c in DECEPTIVE or unicodedata.category(c) == "Cc" for c in name):
        raise bad_name("no backslash, control or direction-changing character may be in a name")
    return name


def file_or_folder(name: str) -> str:
    """A whole name; a trailing `/` makes it a folder."""
    name = normal_name(name)
    for segment in name.removesuffix("/").split("/"):
        if segment in {"", ".", ".."}:
            raise bad_name("no segment of a name may be empty, '.' or '..'")
        if len(segment.encode()) > SEGMENT_BYTES:
            raise bad_name(f"a segment of a name has at most {SEGMENT_BYTES} bytes of UTF-8")
    return name


def file_only(name: str) -> str:
    """A whole name that is not a folder's."""
    name = file_or_folder(name)
    if name.endswith("/"):
        raise bad_name("a file's name does not end with '/'")
    return name


def plain_line(text: str) -> str:
    """Words on one line, in NFC and without what could be mistaken."""
    text = unicodedata.normalize("NFC", text).strip()
    if not text or any(c in DECEPTIVE or unicodedata.category(c) == "Cc" for c in text):
        raise PydanticCustomError("line", "must be a line of text, without control characters")
    if not any(unicodedata.category(c)[0] in "LNPS" and c not in BLANK for c in text):
        raise PydanticCustomError("line", "must have something in it that can be seen")
    return text


def folder_only(name: str) -> str:
    """A whole name that is a folder's."""
    name = file_or_folder(name)
    if not name.endswith("/"):
        raise bad_name("a folder's name ends with '/'")
    return name


def roomy_folder(name: str) -> str:
    """A whole name that is a folder's, with room below it for names."""
    name = folder_only(name)
    if len(name.encode()) > NAME_BYTES - ROOM_BYTES:
        raise bad_name(f"this folder's name has at most {NAME_BYTES - ROOM_BYTES} bytes of UTF-8")
    return name


def fold(name: object) -> object:
    """A user name in lower case; only ASCII is folded, so no other letter can become one of it."""
    return name.lower() if isinstance(name, str) and name.isascii() else name


def without_breaks(code: object) -> object:
    """A code in small letters, without what it is broken up by for people's eyes."""
    if not isinstance(code, str) or not code.isascii():
        return code
    return code.lower().replace(" ", "").replace("-", "")


def canonical_base64(text: object) -> bytes:
    """The bytes of Base64 text (RFC 4648, section 4): standard alphabet, padded, no stray bits.

    Python's own decoder drops what it does not know, which would acknowledge bytes never stored.
    """
    try:
        data = base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except (binascii.Error, ValueError):
        data = None
    if data is None or base64.b64encode(data).decode() != text:
        raise PydanticCustomError("base64", "must be Base64: standard alphabet, with padding")
    return data


def encodable(secret: SecretStr) -> SecretStr:
    """A secret that UTF-8 can carry: JSON can spell lone surrogates, and nothing can hash them."""
    try:
        secret.get_secret_value().encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("string_unicode", "must be text that UTF-8 can carry") from None
    return secret


def like(pattern: str, words: str, longest: int | None = None) -> StringConstraints:
    """Text of a pattern, with what that is in words."""
    _meanings[pattern] = words
    return StringConstraints(pattern=pattern, max_length=longest)


def meaning(pattern: str) -> str:
    """What a pattern is in words."""
    return _meanings[pattern]


FileName = Annotated[Text, AfterValidator(file_only)]


FileOrFolder = Annotated[Text, AfterValidator(file_or_folder)]


Folder = Annotated[Text, AfterValidator(folder_only)]


RoomyFolder = Annotated[Text, AfterValidator(roomy_folder)]


Prefix = Annotated[str, StringConstraints(max_length=NAME_BYTES), AfterValidator(normal_name)]


Username = Annotated[
    str, BeforeValidator(fold), like(r"^[a-z0-9._@+-]{3,64}$", f"3 to 64 {NAME_CHARACTERS}")
]


GroupName = Annotated[
    str,
    BeforeValidator(fold),
    like(
        r"^[a-z0-9][a-z0-9._@+-]{1,63}$",
        f"2 to 64 {NAME_CHARACTERS}, the first a letter or a digit",
    ),
]


Email = Annotated[
    str,
    like(
        r"^[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,190}$",
        "an address of e-mail, such as alice@example.org",
    ),
]


ContentType = Annotated[
    str, like(MEDIA_TYPE, "a media type, such as image/png", LONGEST_MEDIA_TYPE)
]


# "Nobody has a password of over 1,024 characters" bounds what is hashed, not what is safe.
Password = Annotated[SecretStr, Field(max_length=1024), AfterValidator(encodable)]


# A code of time, or a recovery code; as they are written down, with spaces and dashes.
Otp = Annotated[
    str,
    BeforeValidator(without_breaks),
    like(
        r"^([0-9]{6}|[a-z2-7]{16})$",
        "the 6 digits of the authenticator, or a recovery code of 16 letters and digits",
    ),
]


Base64 = Annotated[
    bytes,
    BeforeValidator(canonical_base64),
    WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
]


Sha256 = Annotated[str, like(r"^[0-9a-f]{64}$", "64 of the hexadecimal digits 0-9 a-f")]


Tag = Annotated[Text, StringConstraints(min_length=1, max_length=64), AfterValidator(plain_line)]


Tags = Annotated[tuple[Tag, ...], Field(max_length=20, fail_fast=True)]


Line = Annotated[Text, StringConstraints(max_length=200), AfterValidator(plain_line)]


AllowedType = Annotated[
    str,
    BeforeValidator(fold),
    like(ALLOWED_TYPE, "an extension, such as .pdf, or a media type, such as image/*", 100),
]


AllowedTypes = Annotated[tuple[AllowedType, ...], Field(max_length=50, fail_fast=True)]


# When it was made, in epoch seconds, and 256 random bits.
InviteToken = Annotated[
    str, like(r"^[0-9]{10}[A-Za-z0-9_-]{43}$", "the token of an invitation, as it was given")
]


def is_media_type(text: str) -> bool:
    """Whether a `Content-Type` can be kept and given back as it is."""
    return len(text) <= LONGEST_MEDIA_TYPE and re.fullmatch(MEDIA_TYPE, text) is not None


def folders_of(name: str) -> list[str]:
    """The folders above a name, outermost first: `a/b/c` is in `a/` and `a/b/`."""
    parts = name.removesuffix("/").split("/")[:-1]
    return ["/".join(parts[: depth + 1]) + "/" for depth in range(len(parts))]


def numbered(name: str, number: int | str) -> str:
    """`a/b.txt` as `a/b (1).txt`, cut so that its last segment stays within its limit."""
    folder, slash, last = name.rpartition("/")
    stem, dot, extension = last.rpartition(".")
    if not stem or len(extension.encode()) > LONGEST_EXTENSION:
        stem, dot, extension = last, "", ""
    tail = f" ({number}){dot}{extension}"
    room = min(SEGMENT_BYTES, NAME_BYTES - len(f"{folder}{slash}".encode())) - len(tail.encode())
    return f"{folder}{slash}{stem.encode()[: max(room, 0)].decode(errors='ignore')}{tail}"


def too_long(name: str) -> bool:
    """Whether it is longer than a name may be."""
    return len(name.encode()) > NAME_BYTES


def roomy(name: str) -> str:
    """The name in as many of its folders, from the outermost, as leave room for its namesakes."""
    folder, _, last = name.rpartition("/")
    while len(f"{folder}/".encode()) > NAME_BYTES - NAMESAKE_BYTES:
        folder = folder.rpartition("/")[0]
    return f"{folder}/{last}" if folder else last
