"""Measures the CPU of a cold start: imports, clients and a first request, in a new interpreter.

Satchel and the reference run from artifacts made for this machine as `bundle` makes Lambda's: the
same versions of all packages, compiled. The reference has boto3 beside them, and Satchel has
botocore's data trimmed. They take turns, so that the machine's other work slows all of them; a
ratio is the median over the rounds.
"""

import json
import marshal
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import bundle
from bench.recorder import Recording

BENCH = Path(__file__).parent
REFERENCE, SATCHEL = "reference", "satchel"
ENVIRONMENT = {
    "AWS_LAMBDA_FUNCTION_NAME": "bench",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "USERS": "users",
    "SESSIONS": "sessions",
    "FILES": "files",
    "SHARES": "shares",
    "BUCKET": "bytes",
    "PYTHONHASHSEED": "0",
}
# What DynamoDB holds for the reference's `GET /download`: a session and a file.
ROWS = (
    {"username": {"S": "alice"}, "expires_at": {"N": "99999999999"}},
    {
        "owner": {"S": "alice"},
        "name": {"S": "a.bin"},
        "object": {"S": "alice/1f5c3a"},
        "size": {"N": "102400"},
        "modified": {"S": "2026-01-01T00:00:00Z"},
        "created": {"S": "2026-01-01T00:00:00Z"},
        "content_type": {"S": "application/octet-stream"},
        "sha256": {"S": "0" * 64},
        "etag": {"S": "0" * 32},
        "version": {"N": "1"},
    },
)


@dataclass(frozen=True)
class Program:
    """What runs in one interpreter: statements that define `lambda_handler`, and a first request.

    `compared` is the program that the ratio is to.
    """

    name: str
    artifact: str
    statements: str
    compared: str
    recording: tuple[dict[str, Any], list[Any]] | None = None


@dataclass(frozen=True)
class Start:
    """A cold start: CPU milliseconds and millions of instructions, each with its ratio.

    The instructions are None where there is no valgrind.
    """

    name: str
    milliseconds: float
    ratio: float
    instructions: float | None
    instructions_ratio: float | None


def interpreter() -> tuple[str, str]:
    """The path and version of the Python that is measured: Lambda's version where there is one."""
    if python := bundle.find_python():
        return python, bundle.PYTHON
    return sys.executable, "{}.{}".format(*sys.version_info)


def measure(
    python: str, settings: Mapping[str, str], download: Recording, rounds: int
) -> list[Start]:
    """All programs' cold starts; `download` is Satchel's `GET /download` with AWS's answers."""
    environment = {**settings, **ENVIRONMENT, "PATH": os.environ.get("PATH", "")}
    listed = programs(download)
    with tempfile.TemporaryDirectory(prefix="satchel-bench-") as made:
        folder = Path(made)
        build_artifacts(folder, python)
        commands = {each.name: command(each, folder, python) for each in listed}
        taken: dict[str, list[float]] = {each.name: [] for each in listed}
        for _ in range(rounds):
            for each in listed:
                taken[each.name].append(cpu(commands[each.name], each, environment))
        counted = {each.name: count(commands[each.name], each, environment) for each in listed}
    return [figure(each, taken, counted) for each in listed]


def programs(download: Recording) -> list[Program]:
    """What is measured, references first."""
    satchel = "from function.app import lambda_handler"
    seven = "from bench.reference.file_sharing import lambda_handler"
    eight = "from bench.reference.download import lambda_handler"
    plain = "from bench.reference.plain_handler import lambda_handler"
    answers = [answer for each in download.answers.values() for answer in each]
    token = {"x-session-token": "A" * 43}
    asked = {**download.event, "headers": {**download.event["headers"], **token}}
    kind = {"content-type": "application/x-amz-json-1.0"}
    rows = [(200, kind, json.dumps({"Item": row}).encode()) for row in ROWS]
    start, first = "*reference*", "*reference, with the first `GET /download`*"
    our_first = "Satchel, with the first `GET /download`"
    return [
        Program(start, REFERENCE, seven, start),
        Program("*plain handler*", REFERENCE, plain, start),
        Program("Satchel", SATCHEL, satchel, start),
        Program(first, REFERENCE, eight, first, (asked, rows)),
        Program(our_first, SATCHEL, satchel, first, (download.event, answers)),
    ]


def build_artifacts(folder: Path, python: str) -> None:
    """Make the reference's artifact and Satchel's, for this machine and this Python.

    The pip of this process installs for the other version: it may be too old to run there.
    """
    reference, satchel = folder / REFERENCE, folder / SATCHEL
    _, number = interpreter()
    tags = ("--implementation", "cp", "--python-version", number, "--only-binary=:all:")
    for artifact in (reference, satchel):
        bundle.run_pip(artifact, *tags, *bundle.REQUIRED)
    boto3 = [f"{name}=={version(name)}" for name in ("boto3", "s3transfer")]
    bundle.run_pip(reference, *tags, "--no-deps", *boto3)
    bundle.prune(satchel)
    shutil.copytree(BENCH / "reference", reference / "bench" / "reference")
    for artifact in (reference, satchel):
        bundle.compile_all(artifact, python)
    bundle.add_function(satchel, python)


def command(program: Program, folder: Path, python: str) -> list[str]:
    """The command line that runs a program."""
    script = str(BENCH / "cold_process.py")
    return [python, "-I", "-S", script, str(folder / program.artifact), program.statements]


def cpu(line: list[str], program: Program, environment: Mapping[str, str]) -> float:
    """CPU milliseconds of a program in an interpreter of its own."""
    recording = marshal.dumps(program.recording)
    done = subprocess.run(
        line, env=environment, input=recording, check=True, stdout=subprocess.PIPE
    )
    return float(done.stdout.split()[-1]) * 1000


def count(line: list[str], program: Program, environment: Mapping[str, str]) -> float | None:
    """Millions of instructions of a program; None where there is no valgrind."""
    if not shutil.which("valgrind"):
        return None
    counter = [
        "valgrind",
        "--tool=cachegrind",
        "--cache-sim=no",
        f"--cachegrind-out-file={os.devnull}",
    ]
    recording = marshal.dumps(program.recording)
    done = subprocess.run(
        [*counter, *line], env=environment, input=recording, check=True, capture_output=True
    )
    (refs,) = re.findall(rb"I\s+refs:\s+([\d,]+)", done.stderr)
    return int(refs.replace(b",", b"")) / 1e6


def figure(
    program: Program, taken: Mapping[str, list[float]], counted: Mapping[str, float | None]
) -> Start:
    """The medians of a program, and their ratios to those of the program it is compared with."""
    mine, other = taken[program.name], taken[program.compared]
    instructions, others = counted[program.name], counted[program.compared]
    return Start(
        name=program.name,
        milliseconds=statistics.median(mine),
        ratio=statistics.median(a / b for a, b in zip(mine, other, strict=True)),
        instructions=instructions,
        instructions_ratio=instructions / others if instructions and others else None,
    )
