"""Each patch is for the pinned release, and fails when a name that it uses is gone."""

import ast
import inspect
import re
from importlib.metadata import version
from types import ModuleType
from typing import Any

import pytest

from local import ROOT
from tests.support import botocore_patches, moto_patches
from tests.support.patch_register import Patch, PatchRegister, path

REGISTERS = (moto_patches.REGISTER, botocore_patches.REGISTER)
PATCHES = [patch for register in REGISTERS for patch in register.patches.values()]
NAMES = [(patch, *each) for patch in PATCHES for each in patch.names()]
PINS = (ROOT / "requirements.txt").read_text()


def described(value: Any) -> str:
    return path(value.owner, value.name) if isinstance(value, Patch) else str(value)


def test_patches_are_registered_once() -> None:
    assert {each.package: len(each.patches) for each in REGISTERS} == {"moto": 22, "botocore": 5}
    assert len({(patch.owner, patch.name) for patch in PATCHES}) == len(PATCHES)


@pytest.mark.parametrize("register", REGISTERS, ids=lambda register: register.package)
def test_patches_are_for_the_pinned_release(register: PatchRegister) -> None:
    """To pin another release, compare each patch with the new code of the package."""
    package = register.package
    pin = re.search(rf"^{package}\b.*==(\S+)", PINS, re.MULTILINE)
    assert pin
    releases = {patch.release for patch in register.patches.values()}
    assert releases == {pin[1]} == {version(package)}


@pytest.mark.usefixtures("_fake_aws")
@pytest.mark.parametrize("patch", PATCHES, ids=described)
def test_the_fake_aws_applies_each_patch(patch: Patch) -> None:
    """It checks the names of each patch before."""
    assert vars(patch.owner)[patch.name] is not patch.original
    assert patch.adds == (patch.original is None)


@pytest.mark.parametrize(("patch", "owner", "name"), NAMES, ids=described)
def test_a_patch_fails_when_a_name_is_gone(
    patch: Patch, owner: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name in vars(owner):
        monkeypatch.delattr(owner, name)
    else:  # `__init__` sets it
        monkeypatch.setattr(owner, "__init__", lambda _: None)
    with pytest.raises(RuntimeError) as error:
        patch.check()
    assert f"a patch for {patch.package} {patch.release} needs " in str(error.value)
    assert path(owner, name) in str(error.value)


@pytest.mark.parametrize("patch", [each for each in PATCHES if each.adds], ids=described)
def test_a_patch_fails_when_the_package_has_what_it_adds(
    patch: Patch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patch.owner, patch.name, None, raising=False)
    with pytest.raises(RuntimeError, match=f"adds .*{patch.name}: it exists"):
        patch.check()


@pytest.mark.parametrize("module", [moto_patches, botocore_patches])
def test_patches_declare_each_private_name(module: ModuleType) -> None:
    declared = {name for _, _, name in NAMES} | {patch.name for patch in PATCHES}
    nodes = ast.walk(ast.parse(inspect.getsource(module)))
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    private = {each for each in attributes if each.startswith("_")} - {
        "__func__",
        "__new__",
        "__setitem__",
    }
    assert private <= declared


class Owner:
    kept = 1
    gone = 2


OWN = PatchRegister("package")


@OWN.patch("1.0", Owner, "kept")
def add(original: int, more: int) -> int:
    return original + more


@OWN.patch("1.0", Owner, "new", {Owner: "gone"}, adds=True)
def set_three(_: None) -> int:
    return 3


def test_patches_are_applied_together_and_undone() -> None:
    with OWN.apply(add=4):
        assert vars(Owner) | {"kept": 5, "new": 3} == {**vars(Owner)}
    assert Owner.kept == 1
    assert not hasattr(Owner, "new")


def test_no_patch_is_applied_when_a_name_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Owner, "gone")
    message = "a patch for package 1.0 needs .*Owner.gone"
    with pytest.raises(RuntimeError, match=message), OWN.apply(add=4):
        pytest.fail("applied")
    assert Owner.kept == 1
