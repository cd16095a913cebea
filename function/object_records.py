"""What S3 says of the bytes that it has. Imports nothing of ours."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stored:
    """Bytes that are in S3 and that no row names yet."""

    object: str
    size: int
    etag: str
    sha256: str | None


@dataclass(frozen=True)
class Found:
    """An object that S3 lists; `modified` is epoch seconds."""

    key: str
    size: int
    modified: float


@dataclass(frozen=True)
class Part:
    """A part of a multipart upload that S3 has; `size` is bytes."""

    number: int
    size: int
    etag: str
