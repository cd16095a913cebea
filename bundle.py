"""Builds what Lambda runs, for arm64 and Python 3.13, on any machine and without Docker.

`python bundle.py` builds and says how big it is; `build` is what the stack calls. The same sources
give the same bytes. Standard library only.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ARTIFACT = ".build/artifact"  # relative, so that the stack's state knows no machine's folders
REQUIREMENTS = ROOT / "function" / "requirements.txt"

PYTHON = "3.13"
# The first alone would settle for old builds of what is compiled; Lambda's Linux has glibc 2.34.
PLATFORMS = ("manylinux2014_aarch64", "manylinux_2_26_aarch64", "manylinux_2_28_aarch64")
AARCH64 = 183  # e_machine of the ELF header

# What installers leave behind: where and when it was installed, and what only a developer reads.
LITTER = (
    "__pycache__",
    "bin",
    "*.pyc",
    "*.pyi",
    "RECORD",
    "INSTALLER",
    "REQUESTED",
    "direct_url.json",
)

# The AWS services whose descriptions stay, whole; botocore reads its own few files beside them.
SERVICES = frozenset({"dynamodb", "s3", "sesv2", "sqs", "sts"})


def build() -> str:
    """Build the artifact and answer its directory, relative to the project.

    What is installed is kept under `.build/` and used again until requirements or this file change.
    """
    if not compiler():
        print(f"No Python {PYTHON} on the path: not compiled beforehand, cold starts are slower.")
    target = ROOT / ARTIFACT
    packages = installed()
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        fresh = Path(scratch) / "artifact"
        shutil.copytree(packages, fresh)
        own = fresh / "function"
        shutil.copytree(
            ROOT / "function", own, ignore=shutil.ignore_patterns(*LITTER, "requirements.txt", ".*")
        )
        compile_all(own, "function")
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)
    return ARTIFACT


def installed() -> Path:
    """The directory of the pruned and compiled packages, made when it does not stand yet."""
    about = [REQUIREMENTS.read_bytes(), Path(__file__).read_bytes(), str(compiler()).encode()]
    packages = ROOT / ".build" / f"packages-{hashlib.sha256(b'|'.join(about)).hexdigest()[:16]}"
    if packages.exists():
        return packages
    packages.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=packages.parent) as scratch:
        fresh = Path(scratch) / "packages"
        install(fresh)
        prune(fresh)
        check_machine(fresh)
        compile_all(fresh)
        for stale in packages.parent.glob("packages-*"):
            _remove(stale)
        fresh.rename(packages)
    return packages


def install(into: Path) -> None:
    """Install the requirements for Lambda's machine. Raises RuntimeError with pip's own reason."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--no-input"]
    command += ["--disable-pip-version-check", "--implementation", "cp", "--python-version", PYTHON]
    command += [word for name in PLATFORMS for word in ("--platform", name)]
    command += ["--only-binary=:all:", "--target", str(into), "--requirement", str(REQUIREMENTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"pip could not install for Lambda:\n{without_addresses(done.stderr)}")


def without_addresses(text: str) -> str:
    """Words of pip without addresses: where packages come from is nobody else's business."""
    text = re.sub(r"\b[a-z+]+://\S+", "<address>", text)
    return re.sub(r"host='[^']*'", "host=<address>", text)


def prune(packages: Path) -> None:
    """Take out what installers leave behind, and the descriptions of services nobody calls."""
    for pattern in LITTER:
        for path in list(packages.rglob(pattern)):
            _remove(path)
    # Whole services only: a service trimmed by hand resolves to wrong hosts.
    for data in (packages / "botocore" / "data", packages / "boto3" / "data"):
        for path in sorted(data.glob("*")):
            if path.is_dir() and path.name not in SERVICES:
                _remove(path)


def check_machine(packages: Path) -> None:
    """Raise RuntimeError naming each compiled file that Lambda's machine could not load."""
    wrong = [
        str(path.relative_to(packages))
        for path in sorted(packages.rglob("*.so*"))
        if not for_aarch64(path.read_bytes()[:20])
    ]
    if wrong:
        raise RuntimeError(f"not built for 64-bit Arm Linux: {', '.join(wrong)}")


def for_aarch64(header: bytes) -> bool:
    """Whether a file that begins so is a 64-bit, little-endian ELF file for AArch64."""
    return header[:6] == b"\x7fELF\x02\x01" and int.from_bytes(header[18:20], "little") == AARCH64


def compiler() -> str | None:
    """A Python of Lambda's own version on this machine, or None."""
    candidates: Iterable[str | None] = (sys.executable, shutil.which(f"python{PYTHON}"))
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    for path in candidates:
        # A name on the path may be a launcher of a version that is not there, so ask it.
        if path and _output(path, "-c", ask).strip() == PYTHON:
            return path
    return None


def compile_all(directory: Path, below: str = "") -> None:
    """Compile beforehand, so that no cold start has to; nothing when no Python here is Lambda's.

    Unchecked: Lambda's own times of the files would make every one of them look stale.
    """
    python = compiler()
    if not python:
        return
    command = [python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(directory), "-p", str(Path("/var/task") / below), str(directory)]
    subprocess.run(command, check=True)


def files(directory: Path) -> Iterator[Path]:
    """Every file below a directory, in one order everywhere."""
    yield from sorted(path for path in directory.rglob("*") if path.is_file())


def digest(directory: Path) -> str:
    """SHA-256 over the names and bytes of a directory: neither times nor modes count."""
    total = hashlib.sha256()
    for path in files(directory):
        name = path.relative_to(directory).as_posix()
        total.update(f"{name}\0{path.stat().st_size}\0".encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def main() -> None:
    """Build, and say what came of it."""
    target = ROOT / build()
    contents = [path.read_bytes() for path in files(target)]
    unpacked = sum(map(len, contents)) / 2**20
    packed = sum(len(zlib.compress(each)) for each in contents) / 2**20
    print(f"{ARTIFACT}: {unpacked:.1f} MiB in {len(contents)} files, about {packed:.1f} MiB zipped")
    print(f"sha256 {digest(target)}")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


if __name__ == "__main__":
    main()
