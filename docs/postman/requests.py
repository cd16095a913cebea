"""What a request of the collection says beside the OpenAPI document, and the scripts it becomes.

Expressions are JavaScript, in which `$name` is the value of the collection's variable, `body` the
parsed JSON of the answer, `text` its text, `header("etag")` one of its header fields, and `name` a
function that gives the name of a file.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# How a fact compares what stands before the sign with what stands after it.
SIGNS = {" == ": "eql", " has ": "include", " matches ": "match"}
# What the scripts may name, where they do.
NAMES = {
    "body": "const body = pm.response.json();",
    "text": "const text = pm.response.text();",
    "header": "const header = (field) => pm.response.headers.get(field);",
    "name": "const name = (file) => file.file_name;",
}


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request, and what is true of its answer."""

    route: str
    """Method and path as in the OpenAPI document, or a method and the variable of an address."""
    name: str
    status: int | tuple[int, ...] = 200
    """The status of the answer, or all that are right."""
    auth: str = "token"
    """The variable with the token of the caller; "" for a request without one."""
    path: Mapping[str, str] = field(default_factory=dict)
    """The parameters of the path that are no variable of the same name."""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    """Text, or what becomes JSON."""
    form: Mapping[str, str] | None = None
    """The parts of a body of the type multipart/form-data."""
    before: Sequence[str] = ()
    """The lines of its pre-request script."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """The tests of the answer beside its status: what they say, and what they compare."""
    keep: Mapping[str, str] = field(default_factory=dict)
    """The variables that the answer sets."""
    needs: str = ""
    """The variable without which it is skipped."""

    @property
    def statuses(self) -> tuple[int, ...]:
        """All statuses that are right."""
        return (self.status,) if isinstance(self.status, int) else self.status

    @property
    def prerequest(self) -> list[str]:
        """The lines of its pre-request script."""
        skip = f"if (!${self.needs}) pm.execution.skipRequest();"
        return [_script(line) for line in [*([skip] if self.needs else []), *self.before]]

    @property
    def tests(self) -> list[str]:
        """The lines of the script that tests its answer and keeps what later requests need."""
        said = " ".join([*self.facts.values(), *self.keep.values()])
        used = [line for name, line in NAMES.items() if re.search(rf"(?<![.\"\w]){name}\b", said)]
        kept = [
            f'pm.collectionVariables.set("{name}", {value});' for name, value in self.keep.items()
        ]
        tests = [_status_test(self.statuses), *_fact_tests(self.facts)]
        return [*used, *map(_script, [*tests, *kept])]


@dataclass(frozen=True)
class Folder:
    """A folder of the collection."""

    name: str
    about: str
    requests: Sequence[Request]


def _status_test(statuses: tuple[int, ...]) -> str:
    name, codes = " or ".join(map(str, statuses)), ", ".join(map(str, statuses))
    return f'pm.test("Status {name}", () => pm.expect(pm.response.code).to.be.oneOf([{codes}]));'


def _fact_tests(facts: Mapping[str, str]) -> Iterator[str]:
    for name, fact in facts.items():
        sign = next(sign for sign in SIGNS if sign in fact)
        actual, _, expected = fact.partition(sign)
        yield f'pm.test("{name}", () => pm.expect({actual}).to.{SIGNS[sign]}({expected}));'


def _script(line: str) -> str:
    """A line of JavaScript, with variables in the place of their names."""
    return re.sub(r"\$([a-z_]+)", r'pm.variables.get("\1")', line)
