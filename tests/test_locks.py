"""What is installed is what was locked: the same versions, from the same files."""

import json
import re
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pip_audit._dependency_source import RequirementSource

import bundle
from local import ROOT, audit

FOLDERS = [ROOT, ROOT / "function", ROOT / "local"]
EXTRAS = re.compile(r"\[.*?\]")
COMPILED_FILES = 6  # of a package that is compiled: two machines, three Pythons at least
each_folder = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def required(folder: Path) -> dict[str, str]:
    """The pins of a requirements.txt, and of those that it includes: name and version."""
    text = (folder / "requirements.txt").read_text()
    for included in re.findall(r"^-r (.*)$", text, re.MULTILINE):
        text += (folder / included).read_text()
    pins = re.findall(r"^([\w.\[\],-]+)==(\S+)$", text, re.MULTILINE)
    return {canonicalize_name(EXTRAS.sub("", name)): version for name, version in pins}


def locked(folder: Path) -> dict[str, tuple[str, list[str]]]:
    """The version and the hashes of each package of a requirements.lock."""
    text = (folder / "requirements.lock").read_text()
    blocks = re.findall(r"^([\w.-]+)==(\S+)[^\\\n]*\\\n((?:    --hash=.*\n)+)", text, re.MULTILINE)
    assert len(blocks) == text.count("==") - text.count("sys_platform ==")
    return {
        canonicalize_name(name): (version, re.findall(r"sha256:([0-9a-f]{64})\b", hashes))
        for name, version, hashes in blocks
    }


@each_folder
def test_a_lock_has_what_is_required(folder: Path) -> None:
    """`make lock` was run after the last change."""
    versions = {name: version for name, (version, _) in locked(folder).items()}
    assert required(folder).items() <= versions.items()


@each_folder
def test_each_package_of_a_lock_has_hashes_and_no_address(folder: Path) -> None:
    """An address of an index would be that of one machine."""
    assert all(hashes for _, hashes in locked(folder).values())
    assert "://" not in (folder / "requirements.lock").read_text()
    assert "index" not in (folder / "requirements.lock").read_text().lower()


def test_the_lambda_gets_what_is_written_down_and_what_the_tests_ran() -> None:
    """Nothing comes with a package unnoticed."""
    versions = {name: version for name, (version, _) in locked(ROOT / "function").items()}
    assert versions == required(ROOT / "function")
    assert locked(ROOT / "function").items() <= locked(ROOT).items()


def test_a_lock_has_all_that_its_packages_need() -> None:
    """With hashes pip installs nothing that is not listed."""
    names = locked(ROOT).keys()
    for name in names & {canonicalize_name(each.name) for each in metadata.distributions()}:
        for text in metadata.requires(name) or []:
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                assert canonicalize_name(needed.name) in names, (name, text)


def test_compiled_packages_are_locked_for_both_machines() -> None:
    """Hashes of x86-64 alone would refuse to install on arm64, for which Lambda's are built."""
    compiled = set()
    for name, (version, hashes) in locked(ROOT / "function").items():
        installed = metadata.distribution(name)
        assert installed.version == version
        if "Root-Is-Purelib: false" in (installed.read_text("WHEEL") or ""):
            compiled.add(name)
            assert len(hashes) >= COMPILED_FILES, name
    assert {"cffi", "pydantic-core"} <= compiled


def test_everything_is_installed_by_its_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """By `make` and by the build for Lambda."""
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^PIP := .*--require-hashes", makefile, re.MULTILINE)
    assert set(re.findall(r"\$\(PIP\) (-r .*)", makefile)) == {
        "-r requirements.lock",
        "-r local/requirements.lock",
    }
    commands = []

    def run(command: list[str], **_: object) -> SimpleNamespace:
        commands.append(command)
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(bundle.subprocess, "run", run)
    bundle.install(Path("there"))
    (command,) = commands
    assert "--require-hashes" in command
    assert command[-2:] == ["--requirement", str(ROOT / "function" / "requirements.lock")]


# --- vulnerabilities ------------------------------------------------------------------------------


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.lock"
    path.write_text(
        "some_package==1.0 \\\n    --hash=sha256:00\nother==2.0 \\\n    --hash=sha256:00\n"
    )
    return path


FINE = {"name": "some-package", "version": "1.0", "vulns": []}
OTHER = {"name": "other", "version": "2.0", "vulns": []}
BAD = OTHER | {"vulns": [{"id": "CVE-1"}]}
SKIPPED = {"name": "other", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("answers", "wrong"),
    [
        ([FINE, OTHER], ""),
        ([FINE, BAD], "other CVE-1"),
        ([FINE, SKIPPED], "not looked up: other"),
        ([FINE], "not looked up: other"),
        ([], "not looked up: other, some-package"),
    ],
)
def test_an_audit_is_about_each_package(
    lock: Path, monkeypatch: pytest.MonkeyPatch, answers: object, wrong: str
) -> None:
    """One that was left out is not a safe one."""
    said = SimpleNamespace(stdout=json.dumps({"dependencies": answers}), stderr="")
    monkeypatch.setattr(audit.subprocess, "run", lambda *_, **__: said)
    assert audit.audit(lock) == wrong


@pytest.mark.parametrize("lock", audit.LOCKS)
def test_packages_of_other_systems_are_looked_up_too(
    lock: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pip-audit leaves out, without a word, what would not be installed on its own machine."""

    def run(command: list[str], **_: object) -> SimpleNamespace:
        source = RequirementSource([Path(command[-1])], require_hashes=True, disable_pip=True)
        found = [{"name": each.name, "vulns": []} for each in source.collect()]
        return SimpleNamespace(stdout=json.dumps({"dependencies": found}), stderr="")

    monkeypatch.setattr(audit.subprocess, "run", run)
    assert audit.audit(ROOT / lock) == ""


def test_an_audit_without_a_connection_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is no result; pip-audit itself is asked, through a proxy that nobody serves."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit) as raised:
        audit.main()
    assert str(raised.value).count("nothing could be audited") == len(audit.LOCKS)


def test_the_lock_of_the_tests_includes_that_of_the_lambda() -> None:
    """So two audits cover all."""
    assert locked(ROOT / "function").keys() <= locked(ROOT).keys()
    assert {str(path) for path in audit.LOCKS} == {"requirements.lock", "local/requirements.lock"}
