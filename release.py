"""Makes a release of the commit that is checked out, in `.build/release`.

`make release` shows what it would be; `make release TAG=v0.1.0`, which the release workflow runs,
also holds the tag against the version and the CHANGELOG. A release is the artifact as a ZIP file,
its checksum, and the notes. The artifact is built twice, in fresh clones under other circumstances,
and both must be the same bytes. So anyone who builds the commit gets what was released. Standard
library only.
"""

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import bundle
from function.contract import VERSION

ROOT = Path(__file__).resolve().parent
RELEASE = ".build/release"
# What differs between two machines and must not reach the artifact.
CIRCUMSTANCES = {
    "first": {"TZ": "UTC", "PYTHONHASHSEED": "1"},
    "second": {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "2"},
}


def main(arguments: list[str] | None = None) -> None:
    """Make the release, and print its checksum. Exits with the reason if it cannot."""
    parser = argparse.ArgumentParser(prog="python -m release", description=__doc__)
    parser.add_argument("tag", nargs="?", help="the tag that must fit the version, as v0.1.0")
    try:
        target = release(parser.parse_args(arguments).tag or None)
    except RuntimeError as error:
        sys.exit(str(error))
    print(f"{target.relative_to(ROOT)}: two builds, the same bytes")
    print((target / "SHA256SUMS").read_text(), end="")


def release(tag: str | None) -> Path:
    """Make the release; its directory. Raises RuntimeError with what forbids it."""
    if tag not in {None, f"v{VERSION}"}:
        raise RuntimeError(f"The tag is {tag}; function/contract.py has the version {VERSION}.")
    if _git("status", "--porcelain", "--untracked-files=no"):
        raise RuntimeError("A release is made of a commit: commit or stash your changes first.")
    text = notes((ROOT / "CHANGELOG.md").read_text("utf-8"), VERSION, dated=tag is not None)
    target = ROOT / RELEASE
    target.mkdir(parents=True, exist_ok=True)
    for stale in target.iterdir():
        stale.unlink()
    file = target / f"satchel-{VERSION}-lambda-arm64.zip"
    with tempfile.TemporaryDirectory() as scratch:
        one, two = (build(Path(scratch) / name, CIRCUMSTANCES[name]) for name in CIRCUMSTANCES)
        if different := differences(one, two):
            raise RuntimeError(f"The two builds differ: {', '.join(different)}")
        pack(one, file)
    checksum = hashlib.sha256(file.read_bytes()).hexdigest()
    (target / "SHA256SUMS").write_text(f"{checksum}  {file.name}\n")
    (target / "notes.md").write_text(text, "utf-8")
    return target


def notes(changelog: str, version: str, *, dated: bool) -> str:
    """The CHANGELOG's section of a version, a line for each paragraph, as GitHub shows them.

    The section of a release is headed `[version] - date`; unless `dated`, `[Unreleased] - version`
    will do. Raises RuntimeError where there is none, or nothing in it.
    """
    heading = rf"\[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d"
    if not dated:
        heading += rf"|\[Unreleased\] - {re.escape(version)}"
    found = re.search(rf"^## (?:{heading})\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    text = re.sub(r"\n +(?![-*] | )", " ", found[1].strip()) if found else ""
    if not text:
        raise RuntimeError(f"CHANGELOG.md has no section `[{version}] - <date>` with changes.")
    return text + "\n"


def build(clone: Path, circumstances: dict[str, str]) -> Path:
    """Build the commit that is checked out in a new clone; the artifact's directory."""
    _git("clone", "--quiet", str(ROOT), str(clone))
    done = subprocess.run(
        [sys.executable, "bundle.py"],
        cwd=clone,
        env={**os.environ, **circumstances},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return clone / bundle.ARTIFACT


def differences(one: Path, two: Path) -> list[str]:
    """The names of the files that two directories do not have alike."""
    contents = [
        {path.relative_to(each).as_posix(): path.read_bytes() for path in bundle.files(each)}
        for each in (one, two)
    ]
    return sorted({name for name, _ in contents[0].items() ^ contents[1].items()})


def pack(artifact: Path, file: Path) -> None:
    """Write a ZIP file that Lambda takes, of the same bytes on every machine.

    Its files have one time and one mode. They are stored: compressors differ between versions.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for path in bundle.files(artifact):
            entry = zipfile.ZipInfo(path.relative_to(artifact).as_posix())  # of 1980
            entry.create_system, entry.external_attr = 3, 0o100644 << 16  # Unix, readable by all
            archive.writestr(entry, path.read_bytes())


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return done.stdout


if __name__ == "__main__":
    main()
