"""The bodies that the reference takes and answers, with the checks that Satchel makes of them."""

import base64
import binascii
import unicodedata
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StrictInt,
    StringConstraints,
)

NAME_BYTES, SEGMENT_BYTES = 900, 255
DECEPTIVE = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")


def valid_prefix(name: str) -> str:
    """The beginning of a name, in NFC. Raises ValueError."""
    name = unicodedata.normalize("NFC", name)
    if len(name.encode()) > NAME_BYTES:
        raise ValueError(f"at most {NAME_BYTES} bytes")
    if "\\" in name or any(c in DECEPTIVE or unicodedata.category(c) == "Cc" for c in name):
        raise ValueError("no backslash, control or direction-changing character")
    return name


def valid_name(name: str) -> str:
    """A file's whole name, in NFC. Raises ValueError."""
    name = valid_prefix(name)
    for segment in name.split("/"):
        if segment in {"", ".", ".."} or len(segment.encode()) > SEGMENT_BYTES:
            raise ValueError("a segment is empty, '.', '..' or too long")
    return name


def valid_base64(text: object) -> bytes:
    """The bytes of canonical Base64. Raises ValueError."""
    try:
        data = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except binascii.Error:
        raise ValueError("must be Base64") from None
    if base64.b64encode(data).decode() != text:
        raise ValueError("must be Base64")
    return data


def valid_secret(secret: SecretStr) -> SecretStr:
    """A secret that UTF-8 can carry. Raises ValueError."""
    secret.get_secret_value().encode()
    return secret


Username = Annotated[
    str,
    BeforeValidator(lambda name: name.lower() if isinstance(name, str) else name),
    StringConstraints(pattern=r"^[a-z0-9._@+-]{3,64}$"),
]
Text = Annotated[str, StringConstraints(min_length=0)]
FileName = Annotated[Text, AfterValidator(valid_name)]
Prefix = Annotated[str, StringConstraints(max_length=NAME_BYTES), AfterValidator(valid_prefix)]
Password = Annotated[SecretStr, Field(max_length=1024), AfterValidator(valid_secret)]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]{1,64}@[^@\s]{1,190}$")]
ContentType = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9!#$&^_.+-]+/[ -~]+$", max_length=200)
]
Content = Annotated[bytes, BeforeValidator(valid_base64)]
Seconds = Annotated[StrictInt, Field(ge=1, le=10 * 365 * 24 * 3600)]


class Model(BaseModel):
    """A body; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Registration(Model):
    """A new account."""

    username: Username
    password: Password
    email: Email | None = None


class Account(Model):
    """An account, without its password."""

    username: str
    role: str
    created: str


class Credentials(Model):
    """A user name and its password."""

    username: Username
    password: Password


class Session(Model):
    """A session's token."""

    token: str
    expires_at: str


class PutFile(Model):
    """A file with its content as Base64."""

    file_name: FileName
    content: Content
    username: Username | None = None
    content_type: ContentType | None = None
    on_conflict: Literal["replace", "fail", "rename"] = "replace"


class File(Model):
    """A file as the caller sees it."""

    key: str
    owner: str
    file_name: str
    size: int
    modified: str
    created: str
    content_type: str
    sha256: str
    etag: str
    version: int
    permission: Literal["own", "write", "read"]


class ShareRequest(Model):
    """A file of the caller's, and the account to share it with."""

    file_name: FileName
    username: Username
    permission: Literal["read", "write"] = "read"
    expires_in: Seconds | None = None


class Share(Model):
    """A file shared with an account."""

    key: str
    owner: str
    file_name: str
    username: str
    permission: Literal["read", "write"]
    created: str
    expires_at: str | None
