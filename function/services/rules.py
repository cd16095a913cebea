"""What each role may upload: how large, and of which types, by name and by content."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from function.account_errors import TypeNotAllowed
from function.errors import TooLarge
from function.media_types import extension_of
from function.object_records import Stored
from function.records import FileRow
from function.services.contents import HEAD, contradicts
from function.services.kinds import allowed
from function.stores.objects import Objects


@dataclass(frozen=True)
class Rule:
    """What one role may upload; None is no limit."""

    types: Sequence[str] | None = None
    most: int | None = None


class Rules:
    """Judges uploads; a role without a rule may upload everything."""

    def __init__(self, objects: Objects, configured: str) -> None:
        """`configured` is JSON: by role, `types` and `maxBytes`."""
        self._objects = objects
        read: Mapping[str, Mapping[str, object]] = json.loads(configured)
        self._rules = {role: _rule(said) for role, said in read.items()}

    def of(self, role: str) -> Rule:
        """What a role may upload."""
        return self._rules.get(role, Rule())

    def judge(self, role: str, name: str, size: int | None, head: bytes | None = None) -> None:
        """Whether a role may upload such a file; `head` are its first bytes, once they are there.

        Raises TooLarge, TypeNotAllowed.
        """
        rule = self.of(role)
        if rule.most is not None and size is not None and size > rule.most:
            raise TooLarge(f"Your role uploads files of at most {rule.most} bytes.")
        if rule.types is None:
            return
        if not extension_of(name) or not allowed(rule.types, name):
            raise TypeNotAllowed(f"Your role uploads only {', '.join(rule.types)}.")
        if head is not None and contradicts(name, head):
            raise TypeNotAllowed("What is in the file is not what its name says.")

    def judge_name(self, role: str, row: FileRow, name: str) -> None:
        """Whether a role may give a file another name: judged is one of another type.

        Its bytes are read only where types matter, and the name has one that is allowed.

        Raises TypeNotAllowed.
        """
        types, old = self.of(role).types, row.file_name or row.name
        if types is None or (
            extension_of(name) == extension_of(old) and allowed(types, name) is allowed(types, old)
        ):
            return
        self.judge(role, name, None)
        stored = Stored(row.object, row.size, row.etag, row.sha256)
        self.judge(role, name, None, self.head(role, stored))

    def head(self, role: str, stored: Stored) -> bytes | None:
        """The first bytes of what is in S3; None where a role may upload any type."""
        if self.of(role).types is None:
            return None
        last = min(stored.size, HEAD) - 1
        return self._objects.get(stored.object, (0, last)) if stored.size else b""


def _rule(said: Mapping[str, object]) -> Rule:
    types, most = said.get("types"), said.get("maxBytes")
    kinds = tuple(str(each) for each in types) if isinstance(types, list) else None
    return Rule(kinds, most if isinstance(most, int) else None)
