"""`local/install.sh`: which tool installs, what an interruption leaves, what a person is told.

The tools are scripts that write down how they are called. Only environments are really made.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local import ROOT

NAMES = ("python3.11", "python3.12", "python3.13", "python3.14", "python3")
LOCK = "local/requirements.txt"
LOG = 'echo "$0 $*" >>calls\n'
# Stands for the Python of an environment: pip can be told to fail, or to bring uv.
ENVIRONMENT_PYTHON = f"""\
{LOG}
case "$*" in
  *" --requirement .venv/uv.txt") test -z "$UV_OF_PIP" || cp uv .venv/bin/uv ;;
  *"config list") echo "$PIP_SETTINGS" ;;
  *" install "*) test -z "$PIP_FAILS" ;;
esac
"""


class Folder:
    """A copy of the script in a folder whose name has a space, and the only tools it can find."""

    def __init__(self, root: Path) -> None:
        self.root, self.tools = root / "my files", root / "tools"
        (self.root / "local").mkdir(parents=True)
        self.tools.mkdir()
        shutil.copy(ROOT / "local" / "install.sh", self.root / "local")
        shutil.copy(ROOT / "requirements.txt", self.root)
        for name in NAMES:
            self.tool(name, "exit 1")
        self.tool("python3.13", self.making_environments())
        script(self.root / "uv", f'{LOG}test -z "$UV_FAILS"')

    def making_environments(self) -> str:
        """What `-m venv` of a Python does, with a script for its interpreter."""
        script(self.root / "env-python", ENVIRONMENT_PYTHON)
        return (
            f'{LOG}for last in "$@"; do :; done\n'
            'if test "$2" = venv; then mkdir -p "$last/bin"; cp env-python "$last/bin/python"; fi'
        )

    def tool(self, name: str, body: str) -> None:
        script(self.tools / name, body)

    def with_uv(self) -> None:
        shutil.copy(self.root / "uv", self.tools)

    def install(self, environment: str = ".venv", **settings: str) -> subprocess.CompletedProcess:
        (self.root / "calls").unlink(missing_ok=True)
        names = ("PYTHON", "UV_FAILS", "UV_OF_PIP", "PIP_FAILS", "PIP_SETTINGS")
        env = {"PATH": f"{self.tools}:/usr/bin:/bin", **dict.fromkeys(names, ""), **settings}
        return subprocess.run(
            ["/bin/sh", "local/install.sh", environment, LOCK],
            cwd=self.root, env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip

    @property
    def installs(self) -> list[str]:
        """Each call that installs."""
        calls = (self.root / "calls").read_text().splitlines()
        return [call for call in calls if " install " in call]

    def tools_that_installed(self) -> list[str]:
        return [re.sub(r" (-m )?pip .*", "", call).rpartition("/")[2] for call in self.installs]

    @property
    def unfinished(self) -> bool:
        return (self.root / ".venv" / "unfinished").exists()


def script(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_uv_installs_where_it_is(folder: Folder) -> None:
    """By the hashes of the lock; into the emulator's environment too."""
    folder.with_uv()
    for environment in (".venv", ".venv/emulator"):
        done = folder.install(environment)
        assert done.returncode == 0, done.stderr
        (call,) = folder.installs
        options = f"--python {environment}/bin/python --require-hashes --requirement {LOCK}"
        assert call.endswith(f"/uv pip install {options}")
    assert not folder.unfinished


def test_pip_brings_uv_by_its_hashes(folder: Folder) -> None:
    done = folder.install(UV_OF_PIP="1")
    assert done.returncode == 0, done.stderr
    assert folder.tools_that_installed() == ["python", "uv"]
    assert "--require-hashes --only-binary=:all:" in folder.installs[0]
    first, *rest = (folder.root / ".venv" / "uv.txt").read_text().splitlines()
    assert first.startswith("uv==")
    assert rest
    assert all("--hash=sha256:" in line for line in rest)


@pytest.mark.parametrize(
    ("settings", "tools"),
    [
        ({}, ["python", "python"]),  # no uv for this machine
        ({"UV_OF_PIP": "1", "UV_FAILS": "1"}, ["python", "uv", "python"]),
        # uv does not read them
        ({"UV_OF_PIP": "1", "PIP_SETTINGS": "global.no-index='true'"}, ["python"]),
    ],
)
def test_pip_installs_where_uv_cannot(
    folder: Folder, settings: dict[str, str], tools: list[str]
) -> None:
    done = folder.install(**settings)
    assert done.returncode == 0, done.stderr
    assert folder.tools_that_installed() == tools
    assert f"--no-compile --require-hashes --requirement {LOCK}" in folder.installs[-1]


def test_an_interrupted_installation_is_begun_again(folder: Folder) -> None:
    """Its packages may lack files."""
    failed = folder.install(UV_FAILS="1", PIP_FAILS="1")
    assert failed.returncode == 1
    assert "could not be installed" in failed.stderr
    assert folder.unfinished
    (folder.root / ".venv" / "half").touch()
    folder.with_uv()
    assert folder.install().returncode == 0
    assert not folder.unfinished
    assert not (folder.root / ".venv" / "half").exists()


def test_an_environment_that_is_there_gets_additions(folder: Folder) -> None:
    """Somebody may have installed more into it."""
    folder.with_uv()
    assert folder.install().returncode == 0
    (folder.root / ".venv" / "own").touch()
    assert folder.install().returncode == 0
    assert (folder.root / ".venv" / "own").exists()


def test_two_installations_do_not_meet(folder: Folder) -> None:
    """A second terminal must not delete what the first one is filling."""
    (folder.root / ".venv").mkdir()
    (folder.root / ".venv" / "unfinished").write_text(f"{os.getpid()}\n")
    refused = folder.install()
    assert refused.returncode == 1
    assert f"Process {os.getpid()} is installing into .venv" in refused.stderr
    assert folder.unfinished


def test_a_zombie_installs_nothing(folder: Folder) -> None:
    """A container without an init keeps a killed installation as one."""
    folder.with_uv()
    with subprocess.Popen(["/bin/true"]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        (folder.root / ".venv").mkdir()
        (folder.root / ".venv" / "unfinished").write_text(f"{ended.pid}\n")
        assert folder.install().returncode == 0
    assert not folder.unfinished


def test_a_python_that_is_too_old_is_named_as_the_reason(folder: Folder) -> None:
    folder.tool("python3.13", "exit 1")
    refused = folder.install()
    assert refused.returncode == 1
    assert "needs Python 3.11 or later" in refused.stderr


def test_a_missing_ensurepip_is_named_as_the_reason(folder: Folder) -> None:
    """Debian has it in a package of its own. uv needs none."""
    folder.tool(
        "python3.13", f'case "$*" in *ensurepip*) exit 1 ;; esac\n{folder.making_environments()}'
    )
    refused = folder.install()
    assert refused.returncode == 1
    assert "apt install python3-venv" in refused.stderr
    folder.with_uv()
    assert folder.install().returncode == 0


def test_the_first_line_comes_before_anything_slow(folder: Folder) -> None:
    folder.with_uv()
    assert folder.install().stdout.startswith("Installing into .venv with python3.13 ...\n")


def test_the_named_python_comes_first(folder: Folder) -> None:
    folder.with_uv()
    assert f"with {sys.executable} ..." in folder.install(PYTHON=sys.executable).stdout
