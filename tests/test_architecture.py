"""The packages of the function, their order, the arrows between them, and their budgets.

Everything is read from the sources with `ast`; `ARCHITECTURE.md` draws the same picture.
"""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FUNCTION = sorted((ROOT / "function").rglob("*.py"))
LOCAL = sorted((ROOT / "local").rglob("*.py"))
STACK = [ROOT / "__main__.py", *sorted((ROOT / "infra").glob("*.py"))]
HOUSE = [*FUNCTION, *LOCAL, *STACK, ROOT / "bundle.py", ROOT / "release.py"]

# Every package may import these: the layers that the packages of nouns stand on.
LAYERS = {"core", "contract", "aws", "base", "tables", "access"}
# The packages from the bottom to the top, and the packages that each may import.
ARROWS: dict[str, set[str]] = {
    "contract": set(),
    "core": set(),
    "aws": {"core", "contract"},
    "base": {"core", "contract", "aws"},
    "tables": {"core", "contract", "aws"},
    "http": {"core"},
    "access": {"core", "contract", "aws", "base", "tables"},
    "audit": LAYERS,
    "idempotency": LAYERS,
    "auth": LAYERS | {"audit", "idempotency"},
    "files": LAYERS | {"audit"},
    "sharing": LAYERS | {"audit"},
    "accounts": LAYERS | {"audit", "auth", "files", "idempotency"},
    "listing": LAYERS | {"files"},
    "history": LAYERS | {"audit", "files"},
    "moves": LAYERS | {"audit", "files"},
    "uploads": LAYERS | {"audit", "files", "idempotency"},
    "public": LAYERS | {"auth"},
    "downloads": LAYERS | {"files", "listing"},
    "links": LAYERS | {
        "audit", "auth", "files", "idempotency", "listing", "public", "sharing",
    },
    "requests": LAYERS | {"audit", "auth", "idempotency", "public", "uploads"},
    "send": LAYERS | {"audit", "auth", "files", "links", "uploads"},
    "maintenance": LAYERS | {"accounts", "files", "moves", "uploads"},
    "meta": LAYERS | {"files", "links", "public", "requests"},
    "app": LAYERS | {"audit", "http", "maintenance", "public"},
    "__init__": set(),
}  # fmt: skip
# Modules that speak HTTP. The others are services, models, errors and the layers below them, and
# import none of these.
EDGE = {"routes", "public_routes", "companion", "pages", "openapi", "media"}
# The modules of ours that may import a package that is not ours; a package's name stands for all.
THIRD_PARTY: dict[str, set[str]] = {
    "botocore": {"aws", "base"},
    "aws_lambda_powertools": {"http", "*.routes", "*.public_routes", "uploads.companion",
                              "*.pages", "maintenance.events", "auth.password_change",
                              "aws.metrics"},
    "pydantic": {"core", "aws.rows", "*.models", "http", "*.routes", "uploads.companion",
                 "maintenance.reconcile"},
    "jinja2": {"http.pages"},
    "pydantic_core": {"core.fields", "core.names"},
    "multipart": {"http.forms"},
    "argon2": {"auth.passwords"},
    "pyotp": {"auth.mfa"},
    "zxcvbn": {"auth.passwords"},
    "puremagic": {"files.upload_rules"},
    "types_boto3_dynamodb": {"aws.dynamodb"},
    "types_boto3_s3": {"aws.s3"},
}  # fmt: skip
# The packages that one request loads: those that the routes of a package import, and theirs.
CLOSURE: dict[str, set[str]] = {
    "accounts.routes": {"accounts", "audit", "auth", "files", "idempotency"},
    "audit.routes": {"audit"},
    "auth.routes": {"audit", "auth", "idempotency"},
    "downloads.routes": {"downloads", "files", "listing"},
    "files.routes": {"audit", "files"},
    "history.routes": {"audit", "files", "history"},
    "links.public_routes": {"audit", "auth", "files", "links", "listing", "public", "sharing"},
    "links.routes": {"audit", "auth", "files", "idempotency", "links", "sharing"},
    "listing.routes": {"files", "listing"},
    "meta.routes": {"files", "links", "meta", "public", "requests"},
    "moves.routes": {"audit", "files", "moves"},
    "requests.public_routes": {
        "audit", "auth", "files", "idempotency", "public", "requests", "uploads",
    },
    "requests.routes": {"audit", "auth", "idempotency", "requests"},
    "send.routes": {
        "audit", "auth", "files", "idempotency", "links", "send", "sharing", "uploads",
    },
    "sharing.routes": {"audit", "sharing"},
    "uploads.companion": {"audit", "files", "idempotency", "uploads"},
    "uploads.routes": {"audit", "files", "idempotency", "uploads"},
}  # fmt: skip

PACKAGE_FILES, LAYER_FILES = 10, 18
MODULE_LINES, FUNCTION_LINES, LINE = 400, 35, 100
# Packages that every cold start would pay for.
HEAVY = {
    "aws_xray_sdk", "boto3", "jinja2", "jsonschema", "local",
    "moto", "pulumi", "puremagic", "pyotp", "requests", "yaml",
    "aws_lambda_powertools.event_handler.openapi.swagger_ui",
}  # fmt: skip


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def module_of(path: Path) -> str:
    """A module's name below `function`, as `files.commit`."""
    return ".".join(path.relative_to(ROOT / "function").with_suffix("").parts)


def package_of(module: str) -> str:
    return module.partition(".")[0]


MODULES = {module_of(path): path for path in FUNCTION}


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module that is imported anywhere in a module, as `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "function.x is always imported by its whole name"
            module = str(node.module)
            for name in node.names:
                whole = f"{module}.{name.name}"
                is_module = whole.removeprefix("function.") in {*MODULES, *ARROWS}
                yield whole if is_module else module


def ours(tree: ast.AST) -> set[str]:
    """The modules of the function that a module imports, without `function.`."""
    return {name.removeprefix("function.") for name in imports(tree) if name[:9] == "function."}


def wrong_arrows(module: str, tree: ast.AST) -> set[str]:
    """The imports of a module that its place does not allow."""
    package, edge = package_of(module), module.rpartition(".")[2] in EDGE
    allowed = ARROWS[package] | {package} | ({"http"} if edge else set())
    edges = {package, "http"} if edge else {"public"} if module == "app" else set()
    wrong = {
        f"function.{each}"
        for each in ours(tree)
        if package_of(each) not in allowed
        or (each.rpartition(".")[2] in EDGE and package_of(each) not in edges)
    }
    return wrong | {name for name in third_party(tree) if not permissions(module, name)}


def third_party(tree: ast.AST) -> Iterator[str]:
    """The imported modules that are neither ours nor Python's."""
    known = {"function", *sys.stdlib_module_names}
    return (name for name in imports(tree) if package_of(name) not in known)


def permissions(module: str, name: str) -> set[tuple[str, str]]:
    """The entries of THIRD_PARTY by which a module may import another one."""
    top = package_of(name)
    places = {package_of(module), module, f"*.{module.rpartition('.')[2]}"}
    return {(top, each) for each in places & THIRD_PARTY.get(top, set())}


@pytest.mark.parametrize("path", FUNCTION, ids=named)
def test_arrows(path: Path) -> None:
    """Each module imports only from the packages that its own may."""
    assert wrong_arrows(module_of(path), parsed(path)) == set()


@pytest.mark.parametrize(
    ("module", "source", "wrong"),
    [
        ("tables.files", "from function.access.policy import Access", {"function.access.policy"}),
        ("files.commit", "def f():\n    import boto3", {"boto3"}),
        ("files.commit", "from botocore.exceptions import ClientError", {"botocore.exceptions"}),
        ("files.commit", "from function.http import router", {"function.http.router"}),
        ("files.routes", "from function.http import router", set()),
        ("files.commit", "from function.uploads.parts import MIB", {"function.uploads.parts"}),
        ("auth.login", "from function import app", {"function.app"}),
        ("core.fields", "from function.tables.files import FileRow", {"function.tables.files"}),
        ("contract", "import pydantic", {"pydantic"}),
        ("http.request", "from function.base import one", {"function.base"}),
        ("app", "import pulumi", {"pulumi"}),
        ("files.routes", "import requests", {"requests"}),
        ("files.routes", "from function.base import one", set()),
        ("uploads.service", "from function.files.commit import FileWriter", set()),
        ("uploads.service", "from function.files import routes", {"function.files.routes"}),
        ("links.service", "from function.links import pages", {"function.links.pages"}),
        ("links.public_routes", "from function.links import pages", set()),
        ("links.routes", "from function.public import pages", {"function.public.pages"}),
    ],
)
def test_a_wrong_arrow_is_seen(module: str, source: str, wrong: set[str]) -> None:
    """Each rule catches a module that breaks it, wherever in the module the import stands."""
    assert wrong_arrows(module, ast.parse(source)) == wrong


def test_every_permission_is_used() -> None:
    """A module that no longer needs a package loses its permission."""
    used = {
        each
        for module, path in MODULES.items()
        for name in third_party(parsed(path))
        for each in permissions(module, name)
    }
    assert used == {(top, place) for top, places in THIRD_PARTY.items() for place in places}


def test_every_package_is_known() -> None:
    """A new package is given its arrows, and none of a package that is gone stays."""
    assert {package_of(module) for module in MODULES} == ARROWS.keys()


def test_arrows_point_down() -> None:
    """A package imports only from packages that stand before it in the list: no cycles."""
    order = list(ARROWS)
    for package, allowed in ARROWS.items():
        assert all(order.index(each) < order.index(package) for each in allowed), package


def graph() -> dict[str, set[str]]:
    """The modules that each module imports when it is imported itself."""
    return {
        module: {
            each
            for node in parsed(path).body
            if isinstance(node, ast.Import | ast.ImportFrom)
            for each in ours(node)
        }
        for module, path in MODULES.items()
    }


def reached(module: str, edges: Mapping[str, set[str]]) -> set[str]:
    """The modules that importing one module imports."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        for each in edges.get(waiting.pop(), set()) - found:
            found.add(each)
            waiting.append(each)
    return found


def test_no_module_imports_itself() -> None:
    """Not over others either."""
    edges = graph()
    assert [module for module in edges if module in reached(module, edges)] == []


def test_a_request_loads_the_packages_of_its_routes() -> None:
    """A request pays at a cold start for the packages that it needs."""
    edges = graph()
    nouns = ARROWS.keys() - LAYERS - {"http"}
    routes = {each for each in edges if each.endswith(("routes", ".companion"))}
    loaded = {
        module: ({package_of(each) for each in reached(module, edges)} & nouns)
        | {package_of(module)}
        for module in routes
    }
    assert loaded == CLOSURE
    assert {package_of(each) for each in reached("app", edges)} & nouns == set()


@pytest.mark.parametrize("path", HOUSE, ids=named)
def test_pulumi_stays_in_the_stack(path: Path) -> None:
    """And in what runs the stack on one machine."""
    strange = {"pulumi", "pulumi_aws"} & {name.partition(".")[0] for name in imports(parsed(path))}
    assert not strange or path in STACK or path in LOCAL


@pytest.mark.parametrize("path", STACK, ids=named)
def test_the_stack_imports_only_the_contract(path: Path) -> None:
    """Of the function."""
    assert ours(parsed(path)) <= {"contract"}


def reads_environment(tree: ast.AST) -> bool:
    """Whether a module reads or writes environment variables."""
    names = {"environ", "environb", "getenv", "putenv"}
    return any(
        (isinstance(node, ast.Attribute) and node.attr in names)
        or (isinstance(node, ast.ImportFrom) and names & {name.name for name in node.names})
        for node in ast.walk(tree)
    )


@pytest.mark.parametrize("path", FUNCTION, ids=named)
def test_only_the_contract_reads_the_environment(path: Path) -> None:
    """So that what a deployment must give is written in one place."""
    assert not reads_environment(parsed(path)) or module_of(path) == "contract"
    assert reads_environment(ast.parse("import os\nos.environ['A']"))
    assert reads_environment(ast.parse("from os import getenv"))


@pytest.mark.parametrize("path", HOUSE, ids=named)
def test_budgets(path: Path) -> None:
    """A module and a function fit a reader's head; a line fits a screen."""
    lines = path.read_text("utf-8").splitlines()
    assert len(lines) <= MODULE_LINES
    assert max((len(line.partition("  # noqa")[0]) for line in lines), default=0) <= LINE
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert length(node) <= FUNCTION_LINES, f"{node.name} has {length(node)} lines"


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function from its `def`, decorators apart: they are its table of answers."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("package", sorted(ARROWS))
def test_a_package_has_few_files(package: str) -> None:
    """A reader finds the file by the names of a package."""
    files = [module for module in MODULES if module.startswith(f"{package}.")]
    files = [module for module in files if not module.endswith("__init__")]
    assert len(files) <= (LAYER_FILES if package in {"tables", "core"} else PACKAGE_FILES)


@pytest.mark.parametrize("path", HOUSE, ids=named)
def test_names_say_what_is_inside(path: Path) -> None:
    """No drawer for odds and ends."""
    assert path.stem not in {"utils", "util", "common", "helpers", "helper", "misc", "manager"}


@pytest.mark.parametrize("path", HOUSE, ids=named)
def test_every_module_and_public_function_has_a_docstring(path: Path) -> None:
    """One that says its meaning, but where a class or a test says it already."""
    tree = parsed(path)
    assert ast.get_docstring(tree) or not tree.body
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name


LOOK = """
import importlib, socket, sys

def touched(*_, **__):
    raise AssertionError("something was touched at import")

socket.socket.connect = touched
import botocore.session
botocore.session.Session.create_client = touched
for name in sys.argv[1:]:
    importlib.import_module(name)
from function import base
assert not base._current, "made at import"
print("\\n".join(sys.modules))
"""


def test_importing_touches_neither_aws_nor_the_settings() -> None:
    """Every module can be imported where nothing is set and nobody answers, and at little cost."""
    names = [f"function.{module}".removesuffix(".__init__") for module in MODULES]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOOK, *names],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert done.returncode == 0, done.stderr
    modules = set(done.stdout.split())
    assert {"function.app", "function.meta.routes"} <= modules
    assert modules & HEAVY == set()


# What a program that is run by hand may do, of the rules of flake8-bandit: start programs.
STARTS_PROGRAMS = {"S603", "S607"}


def test_the_linter_looks_for_insecure_code() -> None:
    """All rules of flake8-bandit, but for asserts, in everything that is not a test."""
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert lint["select"] == ["ALL"]
    assert [rule for rule in lint["ignore"] if re.fullmatch(r"S\d*", rule)] == ["S101"]
    spared = {
        files: {rule for rule in rules if re.fullmatch(r"S\d*", rule)}
        for files, rules in lint["per-file-ignores"].items()
    }
    assert spared.pop("tests/**") == {"S"}
    assert all(rules <= STARTS_PROGRAMS for rules in spared.values())
