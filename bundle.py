"""Builds the artifact that Lambda runs, for arm64 and Python 3.13, on any machine without Docker.

`python bundle.py` builds it and prints its size; the stack calls `build`. The same sources and the
same Python give the same bytes. Standard library only.
"""

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
ARTIFACT = ".build/artifact"  # relative, so that the stack's state holds no path of a machine
REQUIREMENTS = ROOT / "function" / "requirements.txt"
REQUIRED = ("--require-hashes", "--requirement", str(REQUIREMENTS))  # options of pip

PYTHON = "3.13"
# pip settles for old builds of compiled packages with the first alone; Lambda has glibc 2.34.
PLATFORMS = ("manylinux2014_aarch64", "manylinux_2_26_aarch64", "manylinux_2_28_aarch64")
AARCH64 = 183  # e_machine of the ELF header

# Set to build without bytecode.
UNCOMPILED = "SATCHEL_UNCOMPILED"
NO_PYTHON = f"""\
Building for Lambda needs Python {PYTHON}, and this machine has none.
Lambda runs Python {PYTHON}, and only the same version can compile the artifact for it. Without \
bytecode each cold start takes three times as much CPU.
Install Python {PYTHON}, or uv (https://docs.astral.sh/uv/), which downloads it; then try again.
To build without bytecode all the same, set {UNCOMPILED}=1."""

# What installers leave behind, and type stubs.
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

# The operations that stay of botocore's description of AWS, by service: those that the function
# calls, and HeadBucket, with which botocore asks for a bucket's region when S3 redirects.
OPERATIONS: dict[str, set[str]] = {
    "dynamodb": {
        "BatchGetItem", "DeleteItem", "PutItem", "Query", "Scan", "TransactWriteItems",
        "UpdateItem",
    },
    "s3": {
        "AbortMultipartUpload", "CompleteMultipartUpload", "CreateMultipartUpload", "DeleteObject",
        "DeleteObjects", "GetObject", "HeadBucket", "HeadObject", "ListObjectsV2", "ListParts",
        "PutObject", "UploadPart",
    },
    "sesv2": {"SendEmail"},
}  # fmt: skip


def build() -> str:
    """Build the artifact; its directory, relative to the project.

    The installed packages are kept under `.build/` and used again until the requirements or this
    file change. Raises RuntimeError where no Python of Lambda's version can compile them, unless
    SATCHEL_UNCOMPILED is set.
    """
    python = find_python()
    if python is None and not os.environ.get(UNCOMPILED):
        raise RuntimeError(NO_PYTHON)
    target = ROOT / ARTIFACT
    packages = installed(python)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        fresh = Path(scratch) / "artifact"
        shutil.copytree(packages, fresh)
        add_function(fresh, python)
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)
    return ARTIFACT


def find_python() -> str | None:
    """The path of a Python of Lambda's version, or None; uv may download one.

    Each candidate is run before it is believed: pyenv puts launchers on the path for versions that
    are installed and not selected, and PYENV_VERSION selects one of them.
    """
    ask = f"import sys; '%d.%d' % sys.version_info[:2] == '{PYTHON}' and print(sys.executable)"
    candidates = [
        [sys.executable],
        [f"python{PYTHON}"],
        ["uv", "run", "--quiet", "--no-project", "--python", PYTHON, "python"],
    ]
    for command in candidates:
        if shutil.which(command[0]):
            environment = {**os.environ, "PYENV_VERSION": PYTHON}
            answer = subprocess.run(
                [*command, "-c", ask], env=environment, capture_output=True, text=True, check=False
            )
            if path := answer.stdout.strip():
                return path
    return None


# --- packages ------------------------------------------------------------------------------------


def installed(python: str | None) -> Path:
    """The directory of the pruned and compiled packages, made unless it is there."""
    inputs = [REQUIREMENTS.read_bytes(), Path(__file__).read_bytes(), str(python).encode()]
    packages = ROOT / ".build" / f"packages-{hashlib.sha256(b'|'.join(inputs)).hexdigest()[:16]}"
    if packages.exists():
        return packages
    packages.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=packages.parent) as scratch:
        fresh = Path(scratch) / "packages"
        install(fresh)
        prune(fresh)
        check_machine(fresh)
        compile_all(fresh, python)
        for stale in packages.parent.glob("packages-*"):
            _remove(stale)
        fresh.rename(packages)
    return packages


def install(into: Path) -> None:
    """Install the requirements for Lambda's machine. Raises RuntimeError with pip's own reason."""
    options = ["--implementation", "cp", "--python-version", PYTHON, "--only-binary=:all:"]
    options += [word for name in PLATFORMS for word in ("--platform", name)]
    run_pip(into, *options, *REQUIRED)


def run_pip(into: Path, *options: str) -> None:
    """Install into a directory. Raises RuntimeError with pip's own reason."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--no-compile"]
    command += ["--disable-pip-version-check", "--target", str(into), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"pip could not install for Lambda:\n{without_addresses(done.stderr)}")


def without_addresses(text: str) -> str:
    """The message of pip without the address of the package index, which may hold a password."""
    text = re.sub(r"\b[a-z+]+://\S+", "<address>", text)
    return re.sub(r"host='[^']*'", "host=<address>", text)


def prune(packages: Path) -> None:
    """Delete the traces of installers, and cut botocore's data to the services in use."""
    for pattern in LITTER:
        for path in list(packages.rglob(pattern)):
            _remove(path)
    data = packages / "botocore" / "data"
    for path in sorted(data.glob("*")):
        if path.is_dir() and path.name not in OPERATIONS:
            _remove(path)
    trim(data)


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
    """Whether a file with this header is a 64-bit, little-endian ELF file for AArch64."""
    return header[:6] == b"\x7fELF\x02\x01" and int.from_bytes(header[18:20], "little") == AARCH64


# --- botocore's data -----------------------------------------------------------------------------


def copy_trimmed(data: Path, target: Path) -> None:
    """Write to `target` what the artifact has of botocore's data."""

    def other_services(folder: str, names: list[str]) -> list[str]:
        paths = (data / name for name in names if Path(folder) == data)
        return [path.name for path in paths if path.is_dir() and path.name not in OPERATIONS]

    shutil.copytree(data, target, ignore=other_services)
    trim(target)


def trim(data: Path) -> None:
    """Cut botocore's data to what clients of the services read when they are made and called.

    Rule sets of endpoints stay whole, because hosts are computed from them. Members keep their
    order, because requests are serialised in it. Files are written as plain JSON, because the bytes
    of gzip differ between versions of zlib.
    """
    prefixes = set[str]()
    for path in sorted(data.glob("*/*/*.json*")):
        described = _read(path)
        if path.name.startswith("service-2.json"):
            prefixes.add(described["metadata"]["endpointPrefix"])
            cut_operations(described, OPERATIONS[path.parts[-3]])
        path.unlink()
        if not path.name.startswith("examples-"):
            _write(path.with_name(path.name.removesuffix(".gz")), without_documentation(described))
    endpoints = _read(data / "endpoints.json")
    for partition in endpoints["partitions"]:
        partition["services"] = _only(partition["services"], prefixes)
    _write(data / "endpoints.json", endpoints)


def cut_operations(service: dict[str, Any], operations: set[str]) -> None:
    """Leave of a service's description the named operations and the shapes that they reach."""
    service["operations"] = _only(service["operations"], operations)
    shapes, reached = service["shapes"], set[str]()
    found = set(shape_names(service["operations"]))
    while found:
        reached |= found
        found = {name for shape in found for name in shape_names(shapes[shape])} - reached
    service["shapes"] = _only(shapes, reached)


def shape_names(described: Any) -> Iterator[str]:
    """The name of each shape that a part of a description refers to."""
    if isinstance(described, dict):
        if isinstance(described.get("shape"), str):
            yield described["shape"]
        described = list(described.values())
    if isinstance(described, list):
        for each in described:
            yield from shape_names(each)


def without_documentation(described: Any) -> Any:
    """A description with each text of documentation empty."""
    if isinstance(described, dict):
        return {
            key: ""
            if key == "documentation" and isinstance(value, str)
            else without_documentation(value)
            for key, value in described.items()
        }
    if isinstance(described, list):
        return [without_documentation(each) for each in described]
    return described


def _only(described: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in described.items() if name in names}


def _read(path: Path) -> Any:
    content = path.read_bytes()
    return json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)


def _write(path: Path, described: Any) -> None:
    path.write_text(json.dumps(described, separators=(",", ":")))


# --- the function --------------------------------------------------------------------------------


def add_function(artifact: Path, python: str | None) -> None:
    """Add the function's own sources to the packages, compiled where there is a Python for it."""
    own = artifact / "function"
    litter = shutil.ignore_patterns(*LITTER, "requirements.txt", ".*")
    shutil.copytree(ROOT / "function", own, ignore=litter)
    compile_all(own, python, "function")


def compile_all(directory: Path, python: str | None, below: str = "") -> None:
    """Compile the sources below a directory, unless `python` is None.

    The bytecode is unchecked (PEP 552): Lambda sets the files' times, and checked bytecode would
    look stale. `below` is the directory's place in the artifact, for tracebacks.
    """
    if python is None:
        return
    command = [python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(directory), "-p", str(Path("/var/task") / below), str(directory)]
    subprocess.run(command, check=True)


# --- what was built ------------------------------------------------------------------------------


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
    """Build the artifact, and print its size and hash. Exits with the reason if it cannot."""
    try:
        target = ROOT / build()
    except RuntimeError as error:
        sys.exit(str(error))
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


if __name__ == "__main__":
    main()
