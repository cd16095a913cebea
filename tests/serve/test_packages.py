"""The modules of `local/` import one another without a cycle."""

import ast
import sys
from graphlib import TopologicalSorter

import pytest

from local import ROOT

MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (ROOT / "local").rglob("*.py")
}
IN_THE_EMULATOR = {
    "local.emulator.__main__",
    "local.emulator.crc64",
    "local.emulator.journal",
    "local.emulator.mail",
    "local.emulator.patches",
}


def imports(module: str) -> set[str]:
    """The modules that a module imports, also for its types or within a function."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{each.name}" for each in node.names}
            found |= names & MODULES.keys() or {str(node.module)}
    return found


def test_no_module_imports_itself_through_others() -> None:
    graph = {module: imports(module) & MODULES.keys() for module in MODULES}
    assert graph["local.serve"] > {"local.deploy", "local.gateway.cors"}
    TopologicalSorter(graph).prepare()  # or CycleError


def test_no_package_imports_itself_through_others() -> None:
    """A package is one of those in `local/`, or a module beside them."""
    graph: dict[str, set[str]] = {}
    for module in MODULES:
        package, *_ = module.split(".")[1:] or [""]
        others = {name.split(".")[1] for name in imports(module) & MODULES.keys() if "." in name}
        graph.setdefault(package, set()).update(others - {package})
    assert graph["serve"] > {"deploy", "emulator", "gateway"}
    TopologicalSorter(graph).prepare()  # or CycleError


@pytest.mark.parametrize("module", sorted(IN_THE_EMULATOR))
def test_the_process_of_the_emulator_needs_the_standard_library_only(module: str) -> None:
    """Its virtual environment has ministack, and none of our dependencies."""
    ours = {name for name in imports(module) if name.partition(".")[0] == "local"}
    assert ours <= IN_THE_EMULATOR
    others = {name.partition(".")[0] for name in imports(module) - ours}
    assert others <= sys.stdlib_module_names
