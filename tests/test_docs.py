"""The documents are true: their tables equal the code, their links lead somewhere, they run."""

import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import recorder as benched
from function import app, contract
from function.auth import keys, mfa, password_change, throttle
from function.core import errors as core_errors
from function.core.roles import ROLES, SCOPES
from function.http import router as http_router
from function.meta import openapi
from function.meta.models import Limits
from local import ROOT
from local.gateway.server import Gateway
from local.serve import WALKTHROUGH
from tests.support.client import Client
from tests.support.doc_runner import masked, steps, walk
from tests.support.fake_aws import Ground

README = ROOT / "README.md"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
CONFIGURED = {
    "password_min_length": "`passwordMinLength`",
    "session_seconds": "`sessionHours`",
    "keep_seconds": "`keepDays`",
}


def table(heading: str, nth: int = 0) -> list[list[str]]:
    """The cells of the rows of a table of README's, without its head."""
    section = README.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)[nth].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in found]


def document() -> dict[str, Any]:
    return openapi.document()


def problems(
    of: type[core_errors.Problem] = core_errors.Problem,
) -> Iterator[type[core_errors.Problem]]:
    """Every kind that has a slug of its own."""
    for kind in of.__subclasses__():
        if "slug" in vars(kind):
            yield kind
        yield from problems(kind)


def test_the_routes_are_those_that_are_served() -> None:
    """Whoever reads the table knows all there is, and nothing that is not."""
    served = {
        (
            f"`{method.upper()} {path}`",
            operation["summary"],
            "yes" if operation["security"] else "no",
        )
        for path, operations in document()["paths"].items()
        for method, operation in operations.items()
    }
    written = table("Routes")
    assert {tuple(row) for row in written} == served
    assert len(written) == len(served)


def test_the_roles_are_those_of_the_code() -> None:
    """Each power with the roles that have it and the scopes of keys that give it."""
    powers = {power for having in ROLES.values() for power in having}
    written = {power.strip("`"): cells for power, *cells in table("Roles")}
    assert written.keys() == powers
    for power, (roles, scopes, meaning) in written.items():
        for said, by in ((roles, ROLES), (scopes, SCOPES)):
            having = {name for name, powers in by.items() if power in powers}
            assert {each.strip("`") for each in said.split(", ")} == having
        assert meaning


def test_the_openapi_document_has_every_route_and_no_other() -> None:
    """What Postman imports is what the handler finds; three are for people and not in it."""
    served = {(route.openapi_path, route.method.lower()) for route in http_router.all_routes()}
    described = {(path, method) for path, each in document()["paths"].items() for method in each}
    hidden = {("/openapi.json", "get"), ("/docs", "get"), ("/", "get")}
    assert served - described == hidden
    assert not described - served
    assert all(f"`GET {path}`" in README.read_text() for path, _ in hidden)


def test_the_problems_are_those_that_are_raised() -> None:
    """A client may switch on the slugs of the table."""
    http_router.all_routes()
    raised = [(f"`{kind.slug}`", str(kind.status), kind.title) for kind in problems()]
    assert sorted(map(tuple, table("Problems"))) == sorted(raised)


def test_the_limits_are_those_that_are_published(anyone: Client) -> None:
    """Those that are configured are named for their key, the others are numbers."""
    published = anyone.get("/info").json()["limits"]
    written = {name.strip("`"): value for name, value, _ in table("Limits")}
    assert written.keys() == published.keys() == Limits.model_fields.keys()
    for name, value in written.items():
        assert value == CONFIGURED.get(name, f"{published[name]:,}")


def test_the_throttle_on_logins_is_as_described() -> None:
    """Its numbers are in a sentence, which nobody would think of when changing them."""
    text = " ".join(README.read_text().split())
    minutes = throttle.WINDOW // 60
    assert f"tried {throttle.TRIES_OF_NAME} times in {minutes} minutes for one name" in text
    assert f"may fail {throttle.TRIES_OF_ADDRESS} times in all" in text
    assert f"does not exist counts {throttle.UNKNOWN_WEIGHS}" in text
    assert f"takes {mfa.TRIES_OF_DAY} wrong codes a day" in text
    assert f"at most {keys.MOST} keys" in text
    assert f"ask for {password_change.TRIES_OF_ADDRESS} mails in {minutes} minutes" in text
    assert f"mailed to {password_change.MAILS_OF_NAME} times an hour" in text


def test_each_dependency_is_explained() -> None:
    """One that nobody can explain is one too many; what these stand on comes with them."""
    chosen, *_ = (ROOT / "function" / "requirements.txt").read_text().split("\n\n")
    names = re.findall(r"^([\w-]+)==", chosen, re.MULTILINE)
    assert [name for name, _ in sorted(table("Dependencies"))] == sorted(names)


@pytest.mark.slow
def test_the_calls_are_those_that_were_measured(
    ground: Ground, settings: contract.Settings
) -> None:
    """Milliseconds differ from machine to machine; what a request asks of AWS does not."""
    counted = {label: str(taped.calls) for label, taped in benched.record(ground, settings).items()}
    written = {label: calls for label, calls, *_ in table("Measured")[1:]}
    assert written == counted


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    """A link within the project is to something that is there."""
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text())
    missing = [link for link in links if "://" not in link and not (path.parent / link).exists()]
    assert missing == []
    assert links or path.name in {"files.md", "large-files.md"}


def test_the_targets_of_make_are_those_that_there_are() -> None:
    """In the text, in CI and in the script that CI runs."""
    there = set(re.findall(r"^(\w+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"[`$] ?(?:PORT=\d+ )?make (\w+)", README.read_text()))
    assert {"serve", "test", "deploy", "bench"} <= named <= there
    ci = (ROOT / ".ci" / "run").read_text()
    (run,) = re.findall(r"^make (.*)$", ci, re.MULTILINE)
    assert {"check", "test"} <= set(run.split()) <= there
    assert "run: .ci/run" in (ROOT / ".github" / "workflows" / "ci.yml").read_text()


def test_what_make_serve_prints_is_part_of_the_walk_through() -> None:
    """One walk-through: what is pasted from the terminal is explained in README, in that order."""
    lines = iter("".join(step.program for step in steps(README)).splitlines())
    printed = [line for line in WALKTHROUGH.read_text().splitlines() if line]
    assert [line for line in printed if line not in lines] == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("docs/*.md")), ids=lambda path: path.name)
def test_each_document_begins_with_a_fresh_server(path: Path) -> None:
    """The names in it would otherwise be taken, and what is printed another."""
    before, _, _ = path.read_text().partition("```sh")
    assert "begin with a fresh server: `make reset`, then `make serve`." in before


@pytest.fixture
def served(ground: Ground) -> Iterator[str]:
    """The handler on moto, behind the gateway, on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        gateway = Gateway(listener, app.lambda_handler)
        thread = threading.Thread(target=gateway.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        gateway.finish(5)
        thread.join()


@pytest.mark.enable_socket
def test_the_walk_through_prints_what_is_shown(served: str, tmp_path: Path) -> None:
    """Block by block, but for times, hashes and ids."""
    found = steps(README)
    printed = walk(found, served, tmp_path)
    assert printed == [masked(step.said) for step in found]
    assert sum(map(bool, printed)) >= 6
