"""A release: the artifact of a commit, built twice, with its checksum and its notes."""

import hashlib
import re
import subprocess
import zipfile

import pytest

import release
from function.contract import VERSION
from local import ROOT

CHANGELOG = f"""\
# Changelog

## [99.0.0] - 2027-01-01

- Later.

## [{VERSION}] - 2026-12-01

### Added

- A feature that takes
  two lines.
  - A detail.

## [0.0.1] - 2026-01-01

- Earlier.
"""
UNRELEASED = CHANGELOG.replace(f"[{VERSION}] - 2026-12-01", f"[Unreleased] - {VERSION}")
# Builds an artifact of the function, and what STRAY is replaced by.
BUNDLE = """\
import os, pathlib, shutil
shutil.copytree("function", ".build/artifact/function")
into = pathlib.Path(".build/artifact")
STRAY
"""


class Project:
    """A project of one source, with a history and a build of its own."""

    def __init__(self, root):
        self.root = root
        (root / "function").mkdir(parents=True)
        (root / "function" / "app.py").write_text("x = 1\n")
        (root / "CHANGELOG.md").write_text(CHANGELOG)
        (root / ".gitignore").write_text(".build/\n")
        self.git("init", "--quiet")
        self.commit("pass")

    def git(self, *arguments):
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", "-C", str(self.root), *identity, *arguments], check=True)

    def commit(self, stray):
        """Commit all, with a build that also does `stray`."""
        (self.root / "bundle.py").write_text(BUNDLE.replace("STRAY", stray))
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message=a")


@pytest.fixture
def project(tmp_path, monkeypatch):
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):  # of a hook that runs the tests
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(release, "ROOT", tmp_path / "project")
    return Project(tmp_path / "project")


def test_a_release_is_a_zip_file_its_checksum_and_its_notes(project, capsys):
    """`sha256sum --check` takes the checksum."""
    release.main([f"v{VERSION}"])
    made = project.root / release.RELEASE
    name = f"satchel-{VERSION}-lambda-arm64.zip"
    assert {each.name for each in made.iterdir()} == {name, "SHA256SUMS", "notes.md"}
    checksum = hashlib.sha256((made / name).read_bytes()).hexdigest()
    assert (made / "SHA256SUMS").read_text() == f"{checksum}  {name}\n"
    assert checksum in capsys.readouterr().out
    assert (made / "notes.md").read_text() == (
        "### Added\n\n- A feature that takes two lines.\n  - A detail.\n"
    )
    with zipfile.ZipFile(made / name) as archive:
        assert archive.namelist() == ["function/app.py"]
        assert archive.read("function/app.py") == b"x = 1\n"


def test_a_commit_gives_the_same_bytes_again(project):
    """Nothing of an earlier release stays, and no time or mode of a file counts."""
    first = (release.release(None) / "SHA256SUMS").read_bytes()
    (project.root / release.RELEASE / "satchel-0.0.1.zip").touch()
    again = release.release(None)
    assert (again / "SHA256SUMS").read_bytes() == first
    assert not (again / "satchel-0.0.1.zip").exists()


def test_what_is_not_committed_is_not_released(project):
    """Neither a changed file, which is refused, nor a new one, which no build sees."""
    (project.root / "function" / "stray.py").touch()
    with zipfile.ZipFile(next(release.release(None).glob("*.zip"))) as archive:
        assert archive.namelist() == ["function/app.py"]
    (project.root / "function" / "app.py").write_text("x = 2\n")
    with pytest.raises(RuntimeError, match="commit or stash"):
        release.release(None)


@pytest.mark.parametrize(
    "stray",
    [
        "(into / 'stray').write_text(os.environ['TZ'])",
        "(into / 'stray').write_text(os.getcwd())",
        "(into / 'stray').write_text(str(hash('a')))",
        "'first' in os.getcwd() and (into / 'stray').touch()",
    ],
    ids=["time zone", "place", "hashes", "files"],
)
def test_builds_that_differ_are_no_release(project, stray):
    """The message names the files; what differs between machines differs between the builds."""
    project.commit(stray)
    with pytest.raises(SystemExit) as raised:
        release.main([])
    assert raised.value.code == "The two builds differ: stray"
    assert list((project.root / release.RELEASE).iterdir()) == []


def test_a_build_that_fails_gives_its_reason(project):
    """That of `bundle.py`, such as a Python that is missing."""
    project.commit("raise SystemExit('no Python')")
    with pytest.raises(RuntimeError, match="no Python"):
        release.release(None)


def test_a_tag_fits_the_version(project):
    """Before anything is built."""
    with pytest.raises(RuntimeError, match=f"v9.9.9; .* {re.escape(VERSION)}"):
        release.release("v9.9.9")


def test_a_tag_takes_a_date_in_the_changelog(project):
    """Without a tag, changes that are not released yet do."""
    (project.root / "CHANGELOG.md").write_text(UNRELEASED)
    project.commit("pass")
    with pytest.raises(RuntimeError, match=r"CHANGELOG\.md has no section"):
        release.release(f"v{VERSION}")
    assert "two lines" in (release.release(None) / "notes.md").read_text()


def test_the_changelog_of_this_version_has_notes():
    """All of it, to the next version, in whole lines."""
    changelog = (ROOT / "CHANGELOG.md").read_text()
    notes = release.notes(changelog, VERSION, dated=False)
    (section,) = (each for each in changelog.split("\n## ") if VERSION in each.partition("\n")[0])
    assert notes.split() == section.partition("\n")[2].split()
    assert all(re.match("### |- |$", line) for line in notes.splitlines())
