"""The report of an enumeration, and the views that people have of a state."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.client import Answer, Client

VOLATILE = {
    "request_id", "token", "expires_at", "created", "modified", "upload_id", "url", "curl",
    "id", "revision", "grant", "received", "secret", "uri", "recovery_codes",
}  # fmt: skip
Said = tuple[int, str]


class Violation(AssertionError):
    """An invariant is broken."""


@dataclass
class Report:
    """The number of cases and the violations; `seen` counts other events by name."""

    cases: int = 0
    violations: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def case(self, *name: str) -> Iterator[None]:
        """One case; a failed assertion in it is a violation."""
        self.cases += 1
        try:
            yield
        except AssertionError as error:
            self.violations.append(f"{' / '.join(name)}: {error}")

    def __str__(self) -> str:
        return "\n".join([f"{len(self.violations)} of {self.cases} cases", *self.violations])


def require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Violation(otherwise)


def seen_by(person: Client, keys: set[str]) -> dict[str, Any]:
    """The files that a person's list has: exactly these can be got, with their size and bytes."""
    answer = person.get("/files")
    require(answer.status == 200, f"the list answers {answer.status}")
    listed = {file["key"]: file for file in answer.json()}
    seen: dict[str, Any] = {}
    require(len(listed) == len(answer.json()), "a file is listed twice")
    for key in sorted(keys | listed.keys()):
        owner, _, name = key.partition("/")
        query = {"file_name": name, "username": owner}
        if key not in listed:
            status = person.send("HEAD", "/file", query=query).status
            require(status == 404, f"{key} is not listed, yet answers {status}")
            continue
        got = person.read(name, username=owner)
        require(got.status == 200, f"{key} is listed, yet answers {got.status}")
        digest, told = hashlib.sha256(got.content).hexdigest(), listed[key]
        require(told["size"] == len(got.content), f"{key} lies about its size")
        require(told["sha256"] in {None, digest}, f"{key} lies about its checksum")
        seen[key] = told["permission"], told["version"], digest
    return seen


def renamed(rows: Iterable[str], ids: re.Pattern[str]) -> str:
    """Rows with ids replaced by numbers in the order of appearance, so equal states are equal."""
    text = "\n".join(sorted(rows, key=lambda row: ids.sub("", row)))
    names: dict[str, str] = {}
    return ids.sub(lambda found: names.setdefault(found[0], f"#{len(names)}"), text)


def groups_of(person: Client) -> dict[str, list[str]]:
    """A person's groups with their members."""
    found = {}
    for each in person.get("/groups").json():
        answer = person.get(f"/groups/{each['group']}")
        require(answer.status == 200, f"the group {each['group']} is listed, yet does not exist")
        found[each["group"]] = [member["username"] for member in answer.json()["members"]]
    return found


def said(answer: Answer) -> Said:
    """An answer without its ids, tokens and times."""
    if "json" not in answer.headers.get("content-type", ""):
        return answer.status, answer.text
    return answer.status, json.dumps(plain(answer.json()), sort_keys=True)


def plain(value: Any) -> Any:
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items() if name not in VOLATILE}
    return value
