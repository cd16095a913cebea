"""The patches of the emulator name what they use, and notice when a release no longer has it."""

import ast
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import ROOT
from local.emulator import patches
from local.emulator.patches import PATCHES
from local.emulator.process import INTERPRETER

SOURCE = Path(patches.__file__)
# The error of each patch: first as ministack is, then without each name in turn.
LOAD = """
import json
from local.emulator.patches import PATCHES

def error(patch):
    try:
        patch.load()
    except RuntimeError as error:
        return str(error)

found = {}
for name, patch in PATCHES.items():
    found[name] = [error(patch)]
    modules = patch.load()
    for path, attributes in patch.names.items():
        module = modules[path.rpartition(".")[2]]
        for attribute in attributes:
            value = getattr(module, attribute)
            delattr(module, attribute)
            found[name].append(error(patch))
            setattr(module, attribute, value)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def errors() -> dict[str, list[str | None]]:
    command = [INTERPRETER, "-c", LOAD]
    environment = {"STATE_DIR": "/nowhere"}
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=ROOT, env=environment
    )
    found: dict[str, list[str | None]] = json.loads(done.stdout)
    return found


def test_the_emulator_has_every_name_that_a_patch_uses(
    errors: dict[str, list[str | None]],
) -> None:
    assert len(errors) == 8
    assert {name: found[0] for name, found in errors.items()} == dict.fromkeys(PATCHES)


@pytest.mark.parametrize("name", PATCHES)
def test_a_patch_fails_when_a_name_is_gone(name: str, errors: dict[str, list[str | None]]) -> None:
    patch = PATCHES[name]
    assert errors[name][1:] == [
        f"a patch for ministack {patch.release} needs ministack.{module}.{attribute}"
        for module, attributes in patch.names.items()
        for attribute in attributes
    ]


def test_each_patch_is_for_the_installed_release() -> None:
    """Whoever pins another release reads each patch again."""
    pinned = (
        (ROOT / "local/emulator/requirements.txt").read_text().split("ministack==")[1].split()[0]
    )
    assert {patch.release for patch in PATCHES.values()} == {pinned}
    version = "import importlib.metadata as m; print(m.version('ministack'))"
    command = [INTERPRETER, "-c", version]
    assert subprocess.check_output(command, text=True).strip() == pinned


def attributes(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Every `value.name` of a module, as the value's own name, if it has one, and the name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield getattr(node.value, "id", ""), node.attr


def test_only_patches_use_private_names_of_ministack_and_only_declared_ones() -> None:
    declared: dict[str, set[str]] = {}
    for patch in PATCHES.values():
        for module, names in patch.names.items():
            declared.setdefault(module.rpartition(".")[2], set()).update(names)
    everything = set().union(*declared.values())
    for value, name in attributes(ast.parse(SOURCE.read_text())):
        assert name in declared.get(value, {name}), f"{value}.{name}"
        assert value == "self" or not name.startswith("_") or name in everything | {"__name__"}
    others = [path for path in (ROOT / "local").rglob("*.py") if path != SOURCE]
    loading = {path.name for path in others if 'import_module("ministack' in path.read_text()}
    assert loading == {"__main__.py"}
