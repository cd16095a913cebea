"""The documents are true: their tables equal the code, their links lead somewhere, they run."""

import ast
import json
import re
import socket
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import recorder
from docs.reference import __main__ as reference
from function import app, contract
from function.auth import keys, mfa
from function.http import router as http_router
from function.meta import openapi
from function.meta.models import Limits
from function.public import unlock
from function.tables import groups
from local import ROOT
from local.gateway.server import Gateway
from local.serve import WALKTHROUGH, welcome
from tests.support.api_register import ROUTES
from tests.support.client import Client
from tests.support.doc_runner import SERVED, SHELLS, masked, paste, steps, walk, walk_throughs
from tests.support.fake_aws import FakeAws

README = ROOT / "README.md"
WALK = ROOT / "docs" / "walkthrough.md"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
CONFIGURED = {
    "password_min_length": "`passwordMinLength`",
    "session_seconds": "`sessionHours`",
    "keep_seconds": "`keepDays`",
}


def table(path: str) -> list[list[str]]:
    """The cells of the rows of the first table of a document, without its head."""
    found = re.findall(r"(?:^\|.*\n)+", (ROOT / path).read_text(), re.MULTILINE)[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in found]


def pattern(node: ast.expr, constants: dict[str, str]) -> str:
    """The text of an expression, with `<>` for each value that the program does not fix."""
    match node:
        case ast.Constant(value=str(value)):
            return value
        case ast.JoinedStr(values=parts):
            return "".join(pattern(part, constants) for part in parts)
        case ast.FormattedValue(value=value):
            return pattern(value, constants)
        case ast.BinOp(left=left, right=right):
            return pattern(left, constants) + pattern(right, constants)
        case ast.Name(id=name):
            return constants.get(name, "<>")
    return "<>"


def keys_made(source: str) -> Iterator[tuple[str, ast.expr]]:
    """The partitions and sort keys that a module makes: `partition` or `sort`, and the code."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id="Key"), args=[_, partition, *sort]):
                yield from [("partition", partition), *(("sort", each) for each in sort)]
            case ast.Call(func=ast.Name(id="ShardSet"), args=[_, partition, *_]):
                yield "partition", partition
            case ast.Call(func=ast.Attribute(attr="query"), args=[_, partition]):
                yield "partition", partition
            case ast.FunctionDef(name=name, body=[*_, ast.Return(value=ast.expr() as value)]):
                if name.endswith(("_grantee", "_partition")):
                    yield "partition", value


def is_compared(kind: str, text: str) -> bool:
    """Whether a key has a constant: anywhere in a partition, at the beginning of a sort key."""
    return bool(re.search("[a-z]", text)) and (kind == "partition" or text[0] != "<")


def document() -> dict[str, Any]:
    return openapi.document()


@pytest.mark.parametrize("name", reference.pages())
def test_the_reference_is_made_from_the_code(name: str) -> None:
    """`make reference` writes it."""
    assert (reference.FOLDER / name).read_text() == reference.pages()[name]


def test_the_openapi_document_has_every_route_and_no_other() -> None:
    """What Postman imports is what the handler finds; three are for people and not in it."""
    served = {(route.openapi_path, route.method.lower()) for route in http_router.all_routes()}
    described = {(path, method) for path, each in document()["paths"].items() for method in each}
    hidden = {("/openapi.json", "get"), ("/docs", "get"), ("/", "get")}
    assert served - described == hidden
    assert not described - served
    routes = (reference.FOLDER / "routes.md").read_text()
    assert all(f"`GET {path}`" in routes for path, _ in hidden)


def test_the_limits_are_those_that_are_published(anyone: Client) -> None:
    """Those that are configured are named for their setting, the others are numbers."""
    published = anyone.get("/info").json()["limits"]
    assert reference.LIMITS.keys() == published.keys() == Limits.model_fields.keys()
    for name, (value, _) in reference.LIMITS.items():
        assert value == CONFIGURED.get(name, published[name])


def test_numbers_in_sentences_are_those_of_the_code() -> None:
    """Nobody who changes a limit would look for it there."""
    accounts, security = (
        " ".join((ROOT / "docs" / name).read_text().split())
        for name in ("accounts.md", "security.md")
    )
    assert f"at most {keys.MAX_KEYS} keys" in accounts
    assert f"After {mfa.WRONG_CODES_OF_DAY} wrong codes a day" in accounts
    assert f"{mfa.WRONG_CODES_OF_DAY} wrong codes a day" in security
    minutes = unlock.TRY_SECONDS // 60
    per_address, per_link = unlock.TRIES_OF_ADDRESS, unlock.TRIES_OF_ALL
    assert f"{per_address} in {minutes} minutes per address, {per_link} per link" in security
    assert f"for {minutes} minutes** by {per_link} attempts" in security
    assert f"After {unlock.MISSES_OF_ADDRESS} misses" in security


def test_the_cost_of_a_request_is_that_of_the_register() -> None:
    """A cell names the number of AWS calls of the route's request in the register."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    rows = re.findall(r"^\| (`\w+ /.*) \| (\d.*) \|$", text, re.MULTILINE)
    assert len(rows) >= 10
    for names, calls in rows:
        for method, path in re.findall(r"`(\w+) (/[^`]*)`", names):
            path = path.replace("/uploads/{id}/", "/uploads/{upload_id}/")  # noqa: PLW2901
            (route,) = (each for each in ROUTES if (each.method, each.path) == (method, path))
            done = route.status < 400  # otherwise its request is refused early
            assert not done or str(len(route.calls)) in re.findall(r"\d+", calls), route


def test_retries_name_the_routes_that_take_a_key() -> None:
    """The last row of the table has these, and every other row routes that exist."""
    rows = table("docs/retries.md")
    named = re.findall(r"`(\w+ /[^`…?]*)", " ".join(cell for cell, _ in rows))
    routes = {str(route): route for route in ROUTES}
    keyed = {name for name, route in routes.items() if route.idempotent}
    assert set(re.findall(r"`(\w+ /[^`]*)`", rows[-1][0])) == keyed
    assert "`Idempotency-Key`" in rows[-1][1]
    known = [name.replace("{id}", "{upload_id}") for name in named]
    assert [name for name in known if not any(each.startswith(name) for each in routes)] == []


def test_the_keys_of_rows_are_those_of_the_code() -> None:
    """Keys that consist of values alone, such as a file's, look alike and are not compared."""
    sources = [path.read_text() for path in (ROOT / "function").rglob("*.py")]
    constants = dict(re.findall(r'^([A-Z_]+) = "([^"]+)"', "\n".join(sources), re.MULTILINE))
    constants |= {"HEAD": groups.HEAD, "MEMBER": groups.MEMBER}
    made = {
        (kind, pattern(value, constants)) for source in sources for kind, value in keys_made(source)
    }
    text = (ROOT / "ARCHITECTURE.md").read_text()
    rows = re.findall(r"^\|(?: \w+)? \| (?:(.+) )?\| (?:(.+) )?\| .+ \|$", text, re.MULTILINE)
    described = {
        (kind, re.sub("<[^>]+>", "<>", key))
        for row in rows
        for kind, cell in zip(("partition", "sort"), row, strict=True)
        for key in re.findall("`([^`]+)`", cell)
    }
    assert {key for key in made if is_compared(*key)} == {
        key for key in described if is_compared(*key)
    }


def test_each_dependency_is_explained() -> None:
    """One that nobody can explain is one too many; what these stand on comes with them."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    names = [each.split("==")[0] for each in groups["lambda"]]
    assert [name for name, _ in sorted(table("docs/dependencies.md"))] == sorted(names)


@pytest.mark.slow
def test_the_calls_are_those_that_were_measured(
    fake_aws: FakeAws, settings: contract.Settings
) -> None:
    """Milliseconds differ from machine to machine; what a request asks of AWS does not."""
    recordings = recorder.record_routes(fake_aws, settings)
    counted = {label: str(recording.calls) for label, recording in recordings.items()}
    written = {label: calls for label, calls, *_ in table("docs/benchmarks.md")[1:]}
    assert written == counted


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    """A link within the project is to something that is there."""
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text())
    missing = [link for link in links if "://" not in link and not (path.parent / link).exists()]
    assert missing == []


def test_the_targets_of_make_are_those_that_there_are() -> None:
    """In the text, in CI and in the script that CI runs."""
    there = set(re.findall(r"^(\w+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    texts = "".join(path.read_text() for path in DOCUMENTS)
    named = set(re.findall(r"[`$] ?(?:PORT=\d+ )?make (\w+)", texts))
    assert {"serve", "test", "deploy", "bench", "quick", "check", "reference"} <= named <= there
    ci = (ROOT / ".ci" / "run").read_text()
    (run,) = re.findall(r"^make (.*)$", ci, re.MULTILINE)
    assert {"check", "test"} <= set(run.split()) <= there
    assert "run: .ci/run" in (ROOT / ".github" / "workflows" / "ci.yml").read_text()


REGISTERED = re.compile(r"""/register\b.*?"username": "([^"$]+)\"""")


def test_no_two_walk_throughs_have_a_name_in_common() -> None:
    """Who has run one, the printed one first, can run the others on the same server."""
    owners = dict[str, str]()
    for path in (WALKTHROUGH, *walk_throughs()):
        names = set(REGISTERED.findall(path.read_text()))
        assert names, path.name
        assert not names & owners.keys(), f"{path.name} registers names of {owners}"
        owners |= dict.fromkeys(names, path.name)


@pytest.mark.parametrize("path", walk_throughs(), ids=lambda path: path.name)
def test_each_walk_through_tells_how_to_run_it(path: Path) -> None:
    """On which shells, on another port, and again."""
    text = path.read_text()
    before, _, _ = text.partition("```sh")
    assert "bash or zsh" in before
    assert "another `PORT`" in before
    assert "`make reset`" in before
    blocks = "".join(step.program for step in steps(path))
    assert re.findall(r".*127\.0\.0\.1.*", blocks) == [f"API={SERVED}"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_nothing_to_paste_has_a_comment(path: Path) -> None:
    """zsh runs a pasted comment as a command."""
    text = path.read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    consoles = re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    typed = re.findall(r"^\$ (.*)", "".join(consoles), re.MULTILINE)
    unquoted = re.sub(r"""'[^']*'|"(?:\\.|[^"\\])*\"""", "", "\n".join([*blocks, *typed]))
    assert re.findall(r"(?:^|\s)#.*", unquoted) == []


@pytest.fixture
def served(fake_aws: FakeAws) -> Iterator[str]:
    """The handler on moto, behind the gateway, on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        gateway = Gateway(listener, app.lambda_handler)
        thread = threading.Thread(target=gateway.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        gateway.finish(5)
        thread.join()


@pytest.mark.enable_socket
@pytest.mark.parametrize("shell", ["bash", "dash", "zsh"])
@pytest.mark.parametrize(("path", "answers"), [(README, 1), (WALK, 6)], ids=["README", "walk"])
def test_the_walk_through_prints_what_is_shown(
    served: str, tmp_path: Path, path: Path, answers: int, shell: str
) -> None:
    """Block by block, but for times, hashes and ids."""
    found = steps(path)
    printed = walk(found, served, tmp_path, shell)
    assert printed == [masked(step.said) for step in found]
    assert sum(map(bool, printed)) >= answers


@pytest.mark.enable_socket
@pytest.mark.parametrize("shell", SHELLS)
def test_what_make_serve_prints_can_be_pasted_twice(
    served: str, tmp_path: Path, shell: str
) -> None:
    """Into whatever shell; the second time the names are taken, and all else is the same."""
    port = int(served.rpartition(":")[2])
    program = re.findall(r"^(?:curl|echo) .*\n", welcome(port, 1, tmp_path, "token"), re.MULTILINE)
    *registered, share, greeting, link, sentence = masked(
        paste("".join(program), shell, tmp_path)
    ).splitlines()
    assert registered == [
        f'{{"username":"{name}","role":"member","created":"<time>"}}' for name in ("alice", "bob")
    ]
    assert '"file_name":"hello.txt","username":"bob","permission":"read"' in share
    assert (greeting, link) == ("Hello, Bob.", "<link>")
    assert sentence == f"Open this link in a browser, and {served}/docs for all requests."
    again = masked(paste("".join(program), shell, tmp_path)).splitlines()
    assert [json.loads(line)["title"] for line in again[:2]] == ["User name taken"] * 2
    assert again[2:] == [share, greeting, link, sentence]


def test_the_security_requirements_name_tests_that_exist() -> None:
    """`auth/test_mfa.py::test_a_code_works_once`, below `tests/`."""
    named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", (ROOT / "docs" / "security.md").read_text())
    assert len(named) > 50
    for path, name in named:
        source = (ROOT / "tests" / path).read_text()
        assert re.search(rf"^def {name}\(", source, re.MULTILINE), f"{path} has no {name}"
