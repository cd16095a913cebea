"""Conditions on a file as the caller knows it (RFC 9110, section 13.1)."""

import hashlib
import json

from function.errors import PreconditionFailed
from function.records import FileRow


def revision(row: FileRow) -> str:
    """Another for every change of a file's bytes or of what is said of it, sharing aside.

    It is made of these, so that nothing else has to change with them.
    """
    said = json.dumps([row.id, row.version, row.description, row.tags])
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def expect(if_match: str | None, row: FileRow | None) -> None:
    """Has a condition, if there is one, name this file. Raises PreconditionFailed."""
    if if_match and not (row and names(if_match, row.etag, revision(row))):
        raise PreconditionFailed


def names(header: str, *tags: str) -> bool:
    """Whether a list of tags, or `*`, names one of these; a weak tag compares as its strong one."""
    listed = {tag.strip().removeprefix("W/").strip('"') for tag in header.split(",")}
    return not listed.isdisjoint({"*", *tags})
