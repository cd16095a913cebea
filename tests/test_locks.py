"""What is installed is what was locked: the same versions, from the same files."""

import json
import re
import tomllib
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pip_audit._dependency_source import RequirementSource

import bundle
from local import ROOT, audit

LOCKS = {
    "dev": ROOT / "requirements.txt",
    "serve": ROOT / "local" / "requirements.txt",
    "lambda": ROOT / "function" / "requirements.txt",
    "emulator": ROOT / "local" / "emulator" / "requirements.txt",
}
COMPILED_FILES = 6  # of a package that is compiled: two machines, three Pythons at least
each_group = pytest.mark.parametrize("group", LOCKS)


def pinned(group: str) -> dict[str, str]:
    """The pins of a dependency group, and of those that it includes: name and version."""
    pins: dict[str, str] = {}
    for each in tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"][group]:
        if isinstance(each, dict):
            pins |= pinned(each["include-group"])
        else:
            requirement = Requirement(each)
            (exactly,) = requirement.specifier
            assert exactly.operator == "=="
            pins[canonicalize_name(requirement.name)] = exactly.version
    return pins


def locked(group: str) -> dict[str, tuple[str, list[str]]]:
    """The version and the hashes of each package of a group's lock."""
    text = LOCKS[group].read_text()
    blocks = re.findall(r"^([\w.-]+)==(\S+)[^\\\n]*\\\n((?:    --hash=.*\n?)+)", text, re.MULTILINE)
    assert len(blocks) == len(re.findall("^[^ #]", text, re.MULTILINE))
    return {
        canonicalize_name(name): (version, re.findall(r"sha256:([0-9a-f]{64})\b", hashes))
        for name, version, hashes in blocks
    }


@each_group
def test_a_lock_has_what_is_required(group: str) -> None:
    """`make lock` was run after the last change."""
    versions = {name: version for name, (version, _) in locked(group).items()}
    assert pinned(group).items() <= versions.items()


def test_each_group_is_in_a_lock() -> None:
    """`dev` has all but the emulator, which pins another botocore."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    assert all(
        pinned(each).items() <= pinned("dev").items() for each in groups.keys() - {"emulator"}
    )


@each_group
def test_each_package_of_a_lock_has_hashes_and_no_address(group: str) -> None:
    """An address of an index would be that of one machine."""
    assert all(hashes for _, hashes in locked(group).values())
    assert "://" not in LOCKS[group].read_text()
    assert "index" not in LOCKS[group].read_text().lower()


def test_no_lock_that_only_uv_reads_is_kept() -> None:
    """A `uv.lock` would hold the address that each file came from."""
    assert not (ROOT / "uv.lock").exists()


@pytest.mark.parametrize("group", ["lambda", "serve"])
def test_what_serves_is_what_the_tests_ran(group: str) -> None:
    """The same versions from the same files; so the audit of the larger lock covers them."""
    assert locked(group).items() <= locked("dev").items()


def test_a_lock_has_all_that_its_packages_need() -> None:
    """With hashes pip installs nothing that is not listed."""
    names = locked("dev").keys()
    for name in names & {canonicalize_name(each.name) for each in metadata.distributions()}:
        for text in metadata.requires(name) or []:
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                assert canonicalize_name(needed.name) in names, (name, text)


def test_compiled_packages_are_locked_for_both_machines() -> None:
    """Hashes of x86-64 alone would refuse to install on arm64, for which Lambda's are built."""
    compiled = set()
    for name, (version, hashes) in locked("lambda").items():
        installed = metadata.distribution(name)
        assert installed.version == version
        if "Root-Is-Purelib: false" in (installed.read_text("WHEEL") or ""):
            compiled.add(name)
            assert len(hashes) >= COMPILED_FILES, name
    assert {"cffi", "pydantic-core"} <= compiled


def test_everything_is_installed_by_its_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """By `make` and by the build for Lambda."""
    makefile = (ROOT / "Makefile").read_text()
    installed = re.findall(
        r"^\$\(\w+\): (\S+).*\n\t@sh local/install\.sh \S+ \$<", makefile, re.MULTILINE
    )
    assert {ROOT / each for each in installed} == set(LOCKS.values()) - {LOCKS["lambda"]}
    installer = (ROOT / "local" / "install.sh").read_text()
    assert installer.count(" --require-hashes") == 3  # uv by pip, and the rest by either
    commands = []

    def run(command: list[str], **_: object) -> SimpleNamespace:
        commands.append(command)
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(bundle.subprocess, "run", run)
    bundle.install(Path("there"))
    (command,) = commands
    assert "--require-hashes" in command
    assert command[-2:] == ["--requirement", str(ROOT / "function" / "requirements.txt")]


# --- vulnerabilities ------------------------------------------------------------------------------


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.txt"
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


def test_the_audit_covers_every_lock() -> None:
    """Those that it does not read are parts of one that it reads."""
    read = {ROOT / each for each in audit.LOCKS}
    assert read == {LOCKS["dev"], LOCKS["emulator"]}
