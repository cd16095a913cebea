"""Conditional requests (RFC 9110, section 13): If-Match and If-None-Match against a file's tags.

A file has two entity tags: its ETag, which stands for the bytes, and its revision, which stands for
the bytes and the details. A condition may name either.
"""

import hashlib
import json
from typing import Protocol

from function.core.errors import PreconditionFailed
from function.tables.files import FileRow


class HasIfMatch(Protocol):
    """A request with a condition: a comma-separated list of entity tags, or `*`."""

    @property
    def if_match(self) -> str | None:
        """The file must have one of these tags (`*`: it must exist)."""


class HasConditions(HasIfMatch, Protocol):
    """A request with both conditions."""

    @property
    def if_none_match(self) -> str | None:
        """The file must have none of these tags (`*`: it must not exist)."""


def revision(row: FileRow) -> str:
    """The entity tag of bytes and details: 32 hexadecimal digits, another after every change.

    It is derived from the fields it stands for, so no writer can forget to change it. Sharing and
    renaming leave it as it is.
    """
    fields = json.dumps([row.id, row.version, row.description, row.tags])
    return hashlib.sha256(fields.encode()).hexdigest()[:32]


def require_conditions(request: HasConditions, row: FileRow | None) -> None:
    """Checks both conditions on a file, None where it does not exist. Raises PreconditionFailed."""
    require_if_match(request, row)
    if row and matches_if_none_match(request, row):
        raise PreconditionFailed


def require_if_match(request: HasIfMatch, row: FileRow | None) -> None:
    """Checks If-Match by strong comparison (section 13.1.1). Raises PreconditionFailed."""
    field = request.if_match
    if field and not (row and lists_tag(field, row.etag, revision(row), weak=False)):
        raise PreconditionFailed


def matches_if_none_match(request: HasConditions, row: FileRow) -> bool:
    """Whether If-None-Match names a tag of the file, by weak comparison (section 13.1.2).

    A read then answers 304, a write 412.
    """
    return lists_tag(request.if_none_match or "", row.etag, revision(row), weak=True)


def lists_tag(field: str, *tags: str, weak: bool) -> bool:
    """Whether a comma-separated list of entity tags has one of `tags`, or is `*`.

    Strong comparison never matches a weak tag (`W/"…"`); weak comparison takes it for the strong
    one (section 8.8.3.2). Quotes may be left out, which the standard does not allow.
    """
    listed = [tag.strip() for tag in field.split(",")]
    if weak:
        listed = [tag.removeprefix("W/") for tag in listed]
    return not {tag.strip('"') for tag in listed}.isdisjoint({"*", *tags})
