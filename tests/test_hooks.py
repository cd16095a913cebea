"""The hooks of pre-commit: each finds what it is for, and none fetches anything."""

import os
import subprocess
import sys

import pytest
import yaml

from local import ROOT

CONFIG = ROOT / ".pre-commit-config.yaml"
HOOKS = [hook for repo in yaml.safe_load(CONFIG.read_text())["repos"] for hook in repo["hooks"]]
# What each hook on text must find; none of it may stand in this file.
WRONG = {
    "trailing-whitespace": ["a \nb\n", "a\t\n"],
    "end-of-file": ["a", "a\n\n"],
    "line-endings": ["a\r\nb\n"],
    "merge-conflicts": [f"a\n{mark}\nb\n" for mark in ("<" * 7 + " a", "=" * 7, ">" * 7 + " b")],
    "private-keys": [f"-----BEGIN {kind}PRIVATE{' '}KEY-----\n" for kind in ("", "RSA ")],
}
RIGHT = "a b\n\n=== c <<d>>\n"


def run(folder, hook, text):
    """The exit status of a hook in a new repository with one file."""
    environment = {name: os.environ[name] for name in os.environ if name[:4] != "GIT_"}
    environment["PRE_COMMIT_HOME"] = str(folder / "cache")
    work = folder / "work"
    work.mkdir(exist_ok=True)
    (work / CONFIG.name).write_text(CONFIG.read_text())
    (work / "file.txt").write_bytes(text.encode())
    for command in (
        ["git", "init", "--quiet"],
        ["git", "add", "--all"],
        [sys.executable, "-m", "pre_commit", "run", "--all-files", hook],
    ):
        done = subprocess.run(
            command, cwd=work, env=environment, capture_output=True, text=True, check=False
        )
    return done.returncode


@pytest.mark.parametrize("hook", WRONG)
def test_a_hook_on_text_finds_what_it_is_for(hook, tmp_path):
    """And nothing else."""
    assert run(tmp_path, hook, RIGHT) == 0
    for text in WRONG[hook]:
        assert run(tmp_path, hook, text) == 1, text


def test_the_other_hooks_are_the_tools_of_the_project():
    """As pinned, from its virtual environment; `make check` runs them all."""
    tools = [hook["entry"] for hook in HOOKS if hook["id"] not in WRONG]
    assert tools == [
        f".venv/bin/python -m {tool}" for tool in ("ruff check", "ruff format --check", "mypy")
    ]
    assert "-m pre_commit run --all-files" in (ROOT / "Makefile").read_text()


def test_nothing_is_fetched():
    """No repository of hooks, no environment of their own."""
    assert [repo["repo"] for repo in yaml.safe_load(CONFIG.read_text())["repos"]] == ["local"]
    assert {hook["language"] for hook in HOOKS} == {"pygrep", "unsupported"}
