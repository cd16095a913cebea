"""`make bench LARGE=1`: a file of 1 GiB in parts, beside PUTs of the same parts to the same store.

Both ways send the same files with the same curls, four side by side; ours also asks for addresses
and for the file at the end. They take turns, so that a busy machine slows both.
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

from bench.served import Growth, Served, served
from local.emulator.process import REGION
from local.serve import clear_aws_environment
from tests.e2e.person import Person

MIB = 1 << 20
PART, PARTS = 8 * MIB, 128
SIZE = PART * PARTS
CURLS, AT_ONCE, TRIES = 4, 100, 9
OURS, DIRECT = "Satchel", "*the store itself*"
ORDER = (OURS, DIRECT, DIRECT, OURS)
# What must hold.
LEAST_RATIO, MOST_GROWTH, MOST_REQUESTS = 0.9, 32 * MIB, 40

CURL = ["curl", "-fgsS", "--noproxy", "*"]


@dataclass
class Results:
    """Seconds by way; the most calls of the function for one file, and by how much it grew."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {OURS: [], DIRECT: []})
    requests: int = 0
    growth: int = 0

    @property
    def ratio(self) -> float:
        """Our throughput as a part of the direct one's."""
        return sum(self.seconds[DIRECT]) / sum(self.seconds[OURS])

    @property
    def good(self) -> bool:
        """Whether all is as it must be."""
        light = self.requests < MOST_REQUESTS and self.growth < MOST_GROWTH
        return light and self.ratio >= LEAST_RATIO


def main() -> int:
    """Measures, and prints what README shows; 1 when something is not as it must be."""
    clear_aws_environment()
    with tempfile.TemporaryDirectory(prefix="satchel-bench-") as made, served() as stack:
        folder = Path(made)
        results = measure(stack, folder, make_parts(folder))
    say(results)
    return 0 if results.good else 1


def measure(stack: Served, folder: Path, digest: str) -> Results:
    """Both ways in turns; each file that goes through Satchel is fetched again and compared."""
    alice = Person(stack.url, "alice").join()
    direct = Direct(stack)
    results = Results()
    with Growth(stack) as growth:
        for number, way in enumerate(ORDER):
            seen, begun = stack.seen(), time.monotonic()
            send_ours(alice, folder) if way is OURS else direct.send(folder, f"direct/{number}")
            results.seconds[way].append(time.monotonic() - begun)
            if way is OURS:
                compare(alice, folder / "back", digest)
                results.requests = max(results.requests, stack.seen() - seen)
            direct.forget()
    results.growth = growth.largest
    return results


def make_parts(folder: Path) -> str:
    """A file for each part, since curl sends whole files; the SHA-256 of all in their order."""
    digest = hashlib.sha256()
    for number in range(1, PARTS + 1):
        content = os.urandom(PART)
        digest.update(content)
        (folder / f"{number}").write_bytes(content)
    return digest.hexdigest()


def send(folder: Path, urls: dict[int, str]) -> None:
    """The parts to their addresses, by four curls. Raises RuntimeError."""
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


def send_ours(person: Person, folder: Path) -> None:
    """As a client does who knows nothing but the API: begin, sign, send, complete."""
    begun = ask(person, "POST", "/uploads", {"file_name": "a.bin", "size": SIZE})
    upload = f"/uploads/{begun['upload_id']}"
    assert (begun["part_size"], begun["total_parts"]) == (PART, PARTS)
    for at in range(1, PARTS + 1, AT_ONCE):
        numbers = list(range(at, min(at + AT_ONCE, PARTS + 1)))
        signed = ask(person, "POST", f"{upload}/parts", {"part_numbers": numbers})
        send(folder, {part["part_number"]: part["url"] for part in signed["parts"]})
    assert ask(person, "POST", f"{upload}/complete", {})["size"] == SIZE


def compare(person: Person, copy: Path, digest: str) -> None:
    """Fetch the file, and see that it is the same. Raises RuntimeError."""
    url = ask(person, "GET", "/download", file_name="a.bin")["url"]
    subprocess.run([*CURL, "-o", copy, url], check=True)
    with copy.open("rb") as file:
        same = hashlib.file_digest(file, "sha256").hexdigest() == digest
    copy.unlink()
    if not same:
        raise RuntimeError("What came back is not what was sent.")


def ask(
    person: Person, method: str, path: str, body: dict[str, Any] | None = None, **query: str
) -> Any:
    """What is answered, sooner or later: S3 may join parts for longer than a request may last.

    Raises RuntimeError when it is a refusal.
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
    """The store as its owner uses it, without Satchel."""

    def __init__(self, stack: Served) -> None:
        session = boto3.Session(*stack.administrator(), region_name=REGION)
        patient = Config(read_timeout=60, signature_version="s3v4")
        self._s3: Any = session.client("s3", endpoint_url=stack.storage, config=patient)
        (bucket,) = self._s3.list_buckets()["Buckets"]
        self._bucket = bucket["Name"]

    def send(self, folder: Path, key: str) -> None:
        """Begin, sign, send, complete, with S3's own operations."""
        where: dict[str, Any] = {"Bucket": self._bucket, "Key": key}
        where["UploadId"] = self._s3.create_multipart_upload(**where)["UploadId"]
        sign: Callable[..., str] = self._s3.generate_presigned_url
        numbers = range(1, PARTS + 1)
        send(folder, {n: sign("upload_part", {**where, "PartNumber": n}) for n in numbers})
        listed = self._s3.list_parts(**where)["Parts"]
        parts = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in listed]
        self._s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})

    def forget(self) -> None:
        """Remove all objects, for the next one's sake."""
        for each in self._s3.list_object_versions(Bucket=self._bucket).get("Versions", []):
            version = {"Key": each["Key"], "VersionId": each["VersionId"]}
            self._s3.delete_object(Bucket=self._bucket, **version)


def say(results: Results) -> None:
    """The table."""
    calls, grown = str(results.requests), f"{results.growth / MIB:.0f}"
    print(
        f"| {SIZE // MIB:,} MiB in {PARTS} parts, {CURLS} curls "
        "| Seconds, each time | MiB/s | Ratio | Calls of the function | Its growth, MiB |\n"
        "|---|--:|--:|--:|--:|--:|"
    )
    for way, ratio, *seen in ((DIRECT, 1.0, "", ""), (OURS, results.ratio, calls, grown)):
        taken = results.seconds[way]
        each = ", ".join(f"{seconds:.1f}" for seconds in taken)
        speed = SIZE * len(taken) / MIB / sum(taken)
        print(f"| {way} | {each} | {speed:.0f} | {ratio:.2f} | {' | '.join(seen)} |")


if __name__ == "__main__":
    sys.exit(main())
