"""Conditions on a file as the caller knows it (RFC 9110, section 13.1)."""

import hashlib
import json
from typing import Protocol

from function.core.errors import PreconditionFailed
from function.tables.files import FileRow


class Said(Protocol):
    """Whatever says conditions: each a list of tags, or `*`."""

    @property
    def if_match(self) -> str | None:
        """The file is one of these."""

    @property
    def if_none_match(self) -> str | None:
        """The file is none of these."""


def revision(row: FileRow) -> str:
    """Another for every change of a file's bytes or of what is said of it, sharing aside.

    It is made of these, so that nothing else has to change with them.
    """
    said = json.dumps([row.id, row.version, row.description, row.tags])
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def require_conditions(said: Said, row: FileRow | None) -> None:
    """Has the conditions, if there are any, hold for this file. Raises PreconditionFailed."""
    require_match(said, row)
    if row and known(said, row):
        raise PreconditionFailed


def require_match(said: Said, row: FileRow | None) -> None:
    """Has `If-Match`, if it is there, name this file. Raises PreconditionFailed."""
    if said.if_match and not (row and names(said.if_match, row.etag, revision(row))):
        raise PreconditionFailed


def known(said: Said, row: FileRow) -> bool:
    """Whether `If-None-Match` names this file."""
    return names(said.if_none_match or "", row.etag, revision(row), weakly=True)


def names(header: str, *tags: str, weakly: bool = False) -> bool:
    """Whether a list of tags, or `*`, names one of these.

    A weak tag does so only `weakly` (RFC 9110, section 8.8.3.2): the bytes may be others.
    """
    listed = {tag.strip() for tag in header.split(",")}
    if weakly:
        listed = {tag.removeprefix("W/") for tag in listed}
    return not {tag.strip('"') for tag in listed}.isdisjoint({"*", *tags})
