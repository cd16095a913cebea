"""The rooms of the house and the arrows between them, read from the sources with `ast`."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FUNCTION = sorted((ROOT / "function").rglob("*.py"))
LOCAL = sorted((ROOT / "local").rglob("*.py"))
STACK = [ROOT / "__main__.py", *sorted((ROOT / "infra").glob("*.py"))]
HOUSE = [*FUNCTION, *LOCAL, *STACK, ROOT / "bundle.py"]

# What a room may import of ours. `fields` and `records` are what names and rows may hold, `gate`
# what is looked at before any route, `events` what reaches the function and is no request.
ARROWS: dict[str, set[str]] = {
    "contract": set(),
    "errors": set(),
    "account_errors": {"errors"},
    "sharing_errors": {"errors"},
    "listing_errors": {"errors"},
    "fields": set(),
    "roles": set(),
    "media_types": set(),
    "records": {"fields"},
    "request_records": {"records"},
    "link_records": {"records"},
    "job_records": {"records"},
    "audit_records": {"records"},
    "object_records": set(),
    "account_records": {"records", "roles"},
    "models": {"fields", "roles"},
    "account_models": {"fields", "models", "roles"},
    "user_models": {"fields", "models", "roles"},
    "transfer_models": {"fields", "models"},
    "sharing_models": {"fields", "models"},
    "life_models": {"fields", "models"},
    "link_models": {"fields", "models", "transfer_models"},
    "request_models": {"fields", "models"},
    "audit_models": {"fields", "models"},
    "gate": {"models", "roles", "errors"},
    "stores": {
        "stores", "contract", "media_types", "models", "records", "request_records", "link_records",
        "job_records", "audit_records", "account_records", "object_records", "errors",
    },
    "services": {
        "services", "stores", "models", "transfer_models", "sharing_models", "link_models",
        "request_models", "account_models", "user_models", "audit_models", "life_models", "fields",
        "roles",
        "media_types",
        "records", "request_records", "link_records", "job_records", "audit_records",
        "account_records",
        "object_records", "errors",
        "sharing_errors", "account_errors", "listing_errors", "contract",
    },
    "ground": {"services", "stores", "contract"},
    "wiring": {"ground", "services", "stores", "contract"},
    "deps": {"wiring", "services", "models", "contract"},
    "routes": {
        "routes", "deps", "gate", "models", "transfer_models", "sharing_models", "link_models",
        "request_models", "account_models", "user_models", "audit_models", "life_models", "fields",
        "roles",
        "media_types",
        "errors", "sharing_errors", "account_errors", "listing_errors", "contract", "services",
    },
    "events": {"deps", "services", "errors", "contract"},
    "app": {"routes", "deps", "gate", "models", "errors", "events"},
    "__init__": set(),
}  # fmt: skip

# Who may import what is not ours.
STRANGERS: dict[str, set[str]] = {
    "boto3": {"ground", "wiring", "deps"},
    "botocore": {"stores", "ground"},
    "aws_lambda_powertools": {"app", "routes", "deps", "events", "services"},
    "pydantic": {
        "fields",
        "models",
        "account_models",
        "user_models",
        "audit_models",
        "transfer_models",
        "link_models",
        "life_models",
        "request_models",
        "records",
        "routes",
        "services",
    },
    "pydantic_core": {"fields"},
    "python_multipart": {"routes"},
    "argon2": {"ground", "services"},
    "pyotp": {"services"},
    "puremagic": {"services"},
    "types_boto3_dynamodb": {"stores"},
    "types_boto3_s3": {"stores"},
}

MODULE_LINES, FUNCTION_LINES, LINE = 250, 35, 100
STACK_LINES = 300
# Each would be paid for at every cold start.
HEAVY = {
    "aws_xray_sdk", "boto3.dynamodb", "boto3.ec2", "boto3.s3", "jsonschema", "local", "moto",
    "pulumi", "puremagic", "pyotp", "requests", "yaml",
    "aws_lambda_powertools.event_handler.openapi.swagger_ui",
}  # fmt: skip


def room_of(path: Path) -> str:
    """The room of a module of the function: its folder, or its own name."""
    inside = path.relative_to(ROOT / "function").parts
    return inside[0].removesuffix(".py")


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module that is imported anywhere in a module, as `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "function.x is always imported by its whole name"
            module = str(node.module)
            # `from function import deps` is an import of function.deps
            deeper = module in {"function", "function.services", "function.stores"}
            yield from (f"{module}.{n.name}" for n in node.names) if deeper else (module,)


def wrong_arrows(room: str, tree: ast.AST) -> set[str]:
    """What a module of a room imports and may not."""
    wrong = set()
    for module in imports(tree):
        top, _, rest = module.partition(".")
        if top == "function":
            if rest.partition(".")[0] not in ARROWS[room]:
                wrong.add(module)
        elif top not in sys.stdlib_module_names and room not in STRANGERS.get(top, set()):
            wrong.add(module)
    return wrong


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FUNCTION, ids=named)
def test_arrows(path: Path) -> None:
    """Each module imports only the rooms that its own may."""
    assert wrong_arrows(room_of(path), parsed(path)) == set()


@pytest.mark.parametrize(
    ("room", "source", "wrong"),
    [
        ("stores", "from function.services.access import Access", {"function.services.access"}),
        ("services", "def f():\n    import boto3", {"boto3"}),
        ("services", "from botocore.exceptions import ClientError", {"botocore.exceptions"}),
        ("services", "from function import deps", {"function.deps"}),
        ("models", "from function.errors import Problem", {"function.errors"}),
        ("fields", "from function.models import Closed", {"function.models"}),
        ("contract", "import pydantic", {"pydantic"}),
        ("routes", "from function.stores.rows import Key", {"function.stores.rows"}),
        ("app", "import pulumi", {"pulumi"}),
        ("routes", "import requests", {"requests"}),
        ("routes", "from function.deps import Caller", set()),
    ],
)
def test_a_wrong_arrow_is_seen(room: str, source: str, wrong: set[str]) -> None:
    """Each rule catches who breaks it, wherever in a module the import stands."""
    assert wrong_arrows(room, ast.parse(source)) == wrong


def test_every_room_is_known() -> None:
    """A new module at the top of the function is given its arrows, and none stays behind."""
    assert {room_of(path) for path in FUNCTION} == ARROWS.keys()


@pytest.mark.parametrize("path", HOUSE, ids=named)
def test_pulumi_stays_in_the_stack(path: Path) -> None:
    """And in what runs the stack on one machine."""
    strange = {"pulumi", "pulumi_aws"} & {name.partition(".")[0] for name in imports(parsed(path))}
    assert not strange or path in STACK or path in LOCAL


@pytest.mark.parametrize("path", STACK, ids=named)
def test_the_stack_imports_only_what_it_promises(path: Path) -> None:
    """Of the function: the contract."""
    ours = {name for name in imports(parsed(path)) if name.startswith("function")}
    assert ours <= {"function.contract", "function"}


def reads_environment(tree: ast.AST) -> bool:
    """Whether a module has anything to do with the environment."""
    names = {"environ", "environb", "getenv", "putenv"}
    return any(
        (isinstance(node, ast.Attribute) and node.attr in names)
        or (isinstance(node, ast.ImportFrom) and names & {name.name for name in node.names})
        for node in ast.walk(tree)
    )


@pytest.mark.parametrize("path", FUNCTION, ids=named)
def test_only_the_contract_reads_the_environment(path: Path) -> None:
    """So that what a deployment must give is written in one place."""
    assert not reads_environment(parsed(path)) or room_of(path) == "contract"
    assert reads_environment(ast.parse("import os\nos.environ['A']"))
    assert reads_environment(ast.parse("from os import getenv"))


@pytest.mark.parametrize("path", HOUSE, ids=named)
def test_budgets(path: Path) -> None:
    """A module and a function fit a head, a line a screen."""
    lines = path.read_text("utf-8").splitlines()
    assert len(lines) <= (STACK_LINES if path.name == "__main__.py" else MODULE_LINES)
    assert max((len(line.partition("  # noqa")[0]) for line in lines), default=0) <= LINE
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert length(node) <= FUNCTION_LINES, f"{node.name} has {length(node)} lines"


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function from its `def`, decorators apart: they are its table of answers."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("path", HOUSE, ids=named)
def test_names_say_what_is_inside(path: Path) -> None:
    """No drawer for odds and ends."""
    assert path.stem not in {"utils", "util", "common", "helpers", "misc", "base"}


@pytest.mark.parametrize("path", HOUSE, ids=named)
def test_every_module_and_public_function_says_what_it_is(path: Path) -> None:
    """A docstring on each, but where a class or a test says it already."""
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
from function import deps
assert not deps._wired, "wired at import"
print("\\n".join(sys.modules))
"""


def test_importing_touches_neither_aws_nor_the_settings() -> None:
    """Every module can be imported where nothing is set and nobody answers, and at little cost."""
    names = [named(path).removesuffix(".py").replace("/", ".") for path in FUNCTION]
    names = [name.removesuffix(".__init__") for name in names]
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
    assert {"function.app", "function.routes.about"} <= modules
    assert modules & HEAVY == set()
