"""The plan of an upload: one PUT or parts, how long each part is, and the curl line that sends it.

A file of up to 64 MiB takes one PUT. A larger file, and one of unknown size, takes parts: S3 takes
at most 10,000, each of 5 MiB to 5 GiB but the last, which may be shorter (Amazon S3 User Guide,
multipart upload limits). All sizes are bytes, and part numbers count from 1.
"""

import shlex
from collections.abc import Mapping

from function.aws.s3 import MultipartChecksum, Part, Stored
from function.core.curl import local_name
from function.core.errors import Invalid, TooLarge
from function.core.fields import UploadMethod
from function.core.limits import (
    MAX_FILE_BYTES,
    MAX_PARTS,
    MAX_SINGLE_PUT_BYTES,
    MIB,
    MIN_PART_BYTES,
)
from function.tables.uploads import UploadRow
from function.uploads.models import UploadSpec

IN_PARTS = "S3 cannot verify a SHA-256 over parts."
OF_PARTS = 'part_checksum "sha256" and sign each part with its own'


def choose_method(size: int | None) -> UploadMethod:
    """The method for a file of this size: `put` for a small one, `multipart` for all others."""
    return "put" if size is not None and size <= MAX_SINGLE_PUT_BYTES else "multipart"


def choose_part_size(size: int) -> int:
    """The size of each part but the last: the fewest whole MiB that need at most 10,000 parts.

    Raises TooLarge.
    """
    if size > MAX_FILE_BYTES:
        raise TooLarge(f"A file has at most {MAX_FILE_BYTES} bytes.")
    least = -(-size // MAX_PARTS)
    return max(MIN_PART_BYTES, -(-least // MIB) * MIB)


def require_verifiable(spec: UploadSpec, *, is_single: bool) -> None:
    """Checks that S3 can verify the checksum of an upload, in one PUT or in parts.

    A checksum that nobody verifies would be one that is dropped without a word. Raises Invalid.
    """
    reasons = {}
    if spec.sha256 and not is_single:
        reasons["sha256"] = f"{IN_PARTS} Give crc64nvme of the whole file, or {OF_PARTS}."
    if spec.part_checksum and is_single:
        reasons["part_checksum"] = "this file takes one PUT: give its sha256 or crc64nvme"
    if not reasons and sum(map(bool, (spec.sha256, spec.crc64nvme, spec.part_checksum))) > 1:
        reasons["crc64nvme"] = "S3 verifies one checksum: give sha256, crc64nvme or part_checksum"
    if reasons:
        detail = next(iter(reasons.values()))
        errors = [{"at": f"body.{name}", "reason": reason} for name, reason in reasons.items()]
        raise Invalid(f"{detail[0].upper()}{detail[1:].removesuffix('.')}.", errors=errors)


def method_of(upload: UploadRow) -> UploadMethod:
    """The method that was chosen for an upload."""
    return "multipart" if upload.multipart else "put"


def planned_part_size(upload: UploadRow) -> int | None:
    """The size of each part but the last, one PUT being one part; None where no plan has it.

    There is no plan for parts that the client cuts itself, or of a file of unknown size.
    """
    if upload.multipart is None or upload.size is None:
        return None if upload.multipart else upload.size
    return upload.part_size


def total_parts(upload: UploadRow) -> int | None:
    """The number of parts of an upload; one PUT is one part. None where the client cuts them."""
    part_size = planned_part_size(upload)
    return None if part_size is None else max(1, -(-(upload.size or 0) // (part_size or 1)))


def part_length(upload: UploadRow, number: int) -> int | None:
    """The size of part `number`; None where the client cuts them."""
    part_size, total = planned_part_size(upload), total_parts(upload)
    if part_size is None or total is None:
        return None
    return part_size if number < total else (upload.size or 0) - (total - 1) * part_size


def checksum_of_parts(upload: UploadRow) -> MultipartChecksum | None:
    """The checksum that S3 is to verify of an upload in parts."""
    return upload.part_checksum or ("crc64nvme" if upload.crc64nvme else None)


def require_signable(upload: UploadRow, hashes: Mapping[int, str | None]) -> None:
    """Checks the numbers of parts, and that they have hashes exactly if the upload has them.

    S3 takes no others. Raises Invalid.
    """
    total, at, reason = total_parts(upload) or MAX_PARTS, "body.parts", ""
    if max(hashes) > total:
        at, reason = "body.part_numbers", f"the upload has {total} parts"
    elif upload.part_checksum and not all(hashes.values()):
        reason = "give the sha256 of each part: the upload began with part_checksum"
    elif not upload.part_checksum and any(hashes.values()):
        reason = 'give no sha256: the upload began without part_checksum "sha256"'
    if reason:
        raise Invalid(errors=[{"at": at, "reason": reason}])


def missing_parts(upload: UploadRow, parts: list[Part]) -> list[int]:
    """The numbers of the parts that S3 does not have, or has in another size than planned.

    Where the client cuts them, those below the highest number that has arrived.
    """
    arrived = {
        each.number for each in parts if part_length(upload, each.number) in {None, each.size}
    }
    total = total_parts(upload) or max((each.number for each in parts), default=0)
    return [number for number in range(1, total + 1) if number not in arrived]


def parts_of_object(upload: UploadRow, stored: Stored) -> list[Part]:
    """The parts that a whole object stands for, since S3 no longer lists the parts it has joined.

    One part when the object was sent in one PUT, or when the number of parts is unknown.
    """
    total = total_parts(upload)
    if upload.multipart is None or total is None:
        return [Part(1, stored.size, stored.etag, stored.sha256)]
    return [
        Part(number, part_length(upload, number) or 0, stored.etag)
        for number in range(1, total + 1)
    ]


def curl_put(name: str, url: str, headers: Mapping[str, str]) -> str:
    """A shell command that sends the file `name` in one PUT.

    `-g` keeps curl from reading brackets in the name or the URL as a pattern.
    """
    options = " ".join(f"-H {shlex.quote(f'{key}: {value}')}" for key, value in headers.items())
    return f"curl -fgS -T {local_name(name)} {options} {shlex.quote(url)}"


def curl_complete(upload: UploadRow, base_url: str) -> str:
    """A shell command that completes the upload and prints the file."""
    return _curl_post(upload, base_url, "complete", "'{}'")


def curl_multipart(upload: UploadRow, base_url: str) -> str:
    """A shell command that sends every part in turn and completes the upload."""
    name = local_name(upload.file_name)
    sign = _curl_post(upload, base_url, "parts", '"{\\"part_numbers\\":[$n]}"')
    url = """sed 's/.*"url": *"\\([^"]*\\)".*/\\1/'"""
    read = f"dd if={name} bs={upload.part_size} skip=$((n-1)) count=1 status=none"
    send = """curl -fgsS -o /dev/null -X PUT -H content-type: --data-binary @- "$url\""""
    each = f"url=$({sign} | {url}) && {read} | {send} || exit 1"
    complete = curl_complete(upload, base_url)
    return f"(for n in $(seq {total_parts(upload)}); do {each}; done; {complete})"


def _curl_post(upload: UploadRow, base_url: str, path: str, body: str) -> str:
    """A shell command that posts a JSON body, quoted for the shell, to a path of the upload.

    The session token is the shell's `$TOKEN`; an upload to a file request needs none, because the
    request's token is in `base_url`. `--retry` waits as long as `Retry-After` of a 503 says: S3 may
    take longer to join many parts than the function may run. A body without a type is JSON;
    `--json` takes curl 7.82.
    """
    token = "" if upload.request else '-H "x-session-token: $TOKEN" '
    address = shlex.quote(f"{base_url}/uploads/{upload.name}")
    return f"curl -fsS --retry 5 {token}-H content-type: -d {body} {address}/{path}"
