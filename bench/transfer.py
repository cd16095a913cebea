"""`make bench LARGE=1`: uploads 1 GiB in parts through Satchel, and straight to the same storage.

Both ways send the same files with the same four curls at a time; through Satchel the client also
requests presigned URLs, and downloads the file at the end. They take turns, so that the machine's
other work slows both.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import boto3
from botocore.client import Config

from bench.served import MemoryGrowth, Served, served
from local.emulator.process import REGION
from local.serve import clear_aws_environment
from tests.e2e.person import Person

MIB = 1 << 20
PART, PARTS = 8 * MIB, 128
SIZE = PART * PARTS
CURLS, AT_ONCE, TRIES = 4, 100, 9
OURS, DIRECT = "Satchel", "*the storage itself*"
ORDER = (OURS, DIRECT, DIRECT, OURS)
# The benchmark fails outside these bounds.
MIN_RATIO, MAX_GROWTH, MAX_INVOCATIONS = 0.9, 32 * MIB, 40

CURL = ["curl", "-fgsS", "--noproxy", "*"]


@dataclass
class Results:
    """Seconds of each upload by way; the most invocations for one file; the growth in bytes."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {OURS: [], DIRECT: []})
    invocations: int = 0
    growth: int = 0

    @property
    def ratio(self) -> float:
        """Satchel's throughput as a fraction of the direct one."""
        return sum(self.seconds[DIRECT]) / sum(self.seconds[OURS])

    @property
    def within_bounds(self) -> bool:
        """Whether ratio, growth and invocations are within their bounds."""
        light = self.invocations < MAX_INVOCATIONS and self.growth < MAX_GROWTH
        return light and self.ratio >= MIN_RATIO


def main() -> int:
    """Measures and prints the table; the exit status, 1 when a figure is out of bounds."""
    clear_aws_environment()
    with tempfile.TemporaryDirectory(prefix="satchel-bench-") as made, served() as stack:
        folder = Path(made)
        results = measure(stack, folder, make_parts(folder))
    print_table(results)
    return 0 if results.within_bounds else 1


def measure(stack: Served, folder: Path, digest: str) -> Results:
    """Uploads by both ways in turns; each file sent through Satchel is downloaded and compared."""
    alice = Person(stack.url, "alice").join()
    direct = Direct(stack)
    results = Results()
    with MemoryGrowth(stack) as growth:
        for number, way in enumerate(ORDER):
            before, started = stack.invocations(), time.monotonic()
            upload(alice, folder) if way is OURS else direct.upload(folder, f"direct/{number}")
            results.seconds[way].append(time.monotonic() - started)
            if way is OURS:
                compare(alice, folder / "back", digest)
                results.invocations = max(results.invocations, stack.invocations() - before)
            direct.delete_all()
    results.growth = growth.largest
    return results


def make_parts(folder: Path) -> str:
    """Writes a file for each part, since curl sends whole files; the SHA-256 of all in order."""
    digest = hashlib.sha256()
    for number in range(1, PARTS + 1):
        content = os.urandom(PART)
        digest.update(content)
        (folder / f"{number}").write_bytes(content)
    return digest.hexdigest()


def send_parts(folder: Path, urls: dict[int, str]) -> None:
    """Sends the parts to their presigned URLs with four curls. Raises RuntimeError."""
    lines = [
        f'url = "{url}"\nupload-file = "{folder / str(number)}"\noutput = "/dev/null"\n'
        for number, url in urls.items()
    ]
    curls = []
    for number in range(CURLS):
        config = folder / f"curl-{number}"
        config.write_text("".join(lines[number::CURLS]))
        curls.append(subprocess.Popen([*CURL, "-K", config]))
    statuses = [curl.wait() for curl in curls]
    if any(statuses):
        raise RuntimeError("A part was refused.")


def upload(person: Person, folder: Path) -> None:
    """Uploads through the API: begin, sign, send, complete."""
    created = call(person, "POST", "/uploads", {"file_name": "a.bin", "size": SIZE})
    upload = f"/uploads/{created['upload_id']}"
    assert (created["part_size"], created["total_parts"]) == (PART, PARTS)
    for at in range(1, PARTS + 1, AT_ONCE):
        numbers = list(range(at, min(at + AT_ONCE, PARTS + 1)))
        signed = call(person, "POST", f"{upload}/parts", {"part_numbers": numbers})
        send_parts(folder, {part["part_number"]: part["url"] for part in signed["parts"]})
    assert call(person, "POST", f"{upload}/complete", {})["size"] == SIZE


def compare(person: Person, copy: Path, digest: str) -> None:
    """Downloads the file and compares it. Raises RuntimeError when it differs."""
    url = call(person, "GET", "/download", file_name="a.bin")["url"]
    subprocess.run([*CURL, "-o", copy, url], check=True)
    with copy.open("rb") as file:
        same = hashlib.file_digest(file, "sha256").hexdigest() == digest
    copy.unlink()
    if not same:
        raise RuntimeError("The downloaded file differs from the one that was sent.")


def call(
    person: Person, method: str, path: str, body: dict[str, Any] | None = None, **query: str
) -> Any:
    """The JSON answer of a request, which is repeated on 503: S3 may take longer to join parts.

    Raises RuntimeError on another error.
    """
    for _ in range(TRIES):
        answer = person.call(method, path, body, None, **query)
        if answer.status != HTTPStatus.SERVICE_UNAVAILABLE:
            break
        time.sleep(int(answer.headers["retry-after"]))
    if not answer.fine:
        raise RuntimeError(f"{answer.status} {answer.body!r}")
    return answer.json


class Direct:
    """The storage, used by its owner without Satchel."""

    def __init__(self, stack: Served) -> None:
        session = boto3.Session(*stack.administrator(), region_name=REGION)
        patient = Config(read_timeout=60, signature_version="s3v4")
        self._s3: Any = session.client("s3", endpoint_url=stack.storage, config=patient)
        (bucket,) = self._s3.list_buckets()["Buckets"]
        self._bucket = bucket["Name"]

    def upload(self, folder: Path, key: str) -> None:
        """Uploads with S3's own operations: begin, sign, send, complete."""
        where: dict[str, Any] = {"Bucket": self._bucket, "Key": key}
        where["UploadId"] = self._s3.create_multipart_upload(**where)["UploadId"]
        sign: Callable[..., str] = self._s3.generate_presigned_url
        numbers = range(1, PARTS + 1)
        send_parts(folder, {n: sign("upload_part", {**where, "PartNumber": n}) for n in numbers})
        listed = self._s3.list_parts(**where)["Parts"]
        parts = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in listed]
        self._s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})

    def delete_all(self) -> None:
        """Deletes every object, to make room for the next upload."""
        for each in self._s3.list_object_versions(Bucket=self._bucket).get("Versions", []):
            version = {"Key": each["Key"], "VersionId": each["VersionId"]}
            self._s3.delete_object(Bucket=self._bucket, **version)


def print_table(results: Results) -> None:
    """The table of `docs/benchmarks.md`."""
    invocations, growth = str(results.invocations), f"{results.growth / MIB:.0f}"
    print(
        f"| {SIZE // MIB:,} MiB in {PARTS} parts, {CURLS} curls "
        "| Seconds, each time | MiB/s | Ratio | Invocations | Growth, MiB |\n"
        "|---|--:|--:|--:|--:|--:|"
    )
    for way, ratio, *seen in ((DIRECT, 1.0, "", ""), (OURS, results.ratio, invocations, growth)):
        taken = results.seconds[way]
        each = ", ".join(f"{seconds:.1f}" for seconds in taken)
        speed = SIZE * len(taken) / MIB / sum(taken)
        print(f"| {way} | {each} | {speed:.0f} | {ratio:.2f} | {' | '.join(seen)} |")


if __name__ == "__main__":
    sys.exit(main())
