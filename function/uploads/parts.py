"""How a large file is cut: by one PUT, or into parts (Amazon S3 User Guide, multipart limits)."""

import shlex
from collections.abc import Mapping

from function.aws.s3 import Part, Stored
from function.core.curl import local_name
from function.core.errors import TooLarge
from function.core.fields import MAX_PARTS, UploadMethod
from function.core.limits import LARGEST, MIB, SINGLE_PUT, SMALLEST_PART
from function.tables.uploads import UploadRow


def part_size_of(size: int | None) -> int:
    """The bytes of each part but the last: the fewest whole MiB that ten thousand parts allow.

    A size nobody knows is planned for as the largest there is. Raises TooLarge.
    """
    if size is None:
        size = LARGEST
    if size > LARGEST:
        raise TooLarge(f"A file has at most {LARGEST} bytes.")
    least = -(-size // MAX_PARTS)
    return max(SMALLEST_PART, -(-least // MIB) * MIB)


def method_of(row: UploadRow) -> UploadMethod:
    """Whether the file goes in one PUT or in parts."""
    return "multipart" if row.multipart else "put"


def parts_in(row: UploadRow) -> int | None:
    """How many parts the file has; None when its size is not known."""
    if row.size is None:
        return None
    return max(1, -(-row.size // (row.part_size or row.size or 1)))


def length_of(row: UploadRow, number: int) -> int | None:
    """How many bytes part `number` has; None when that is not known."""
    total = parts_in(row)
    if row.size is None or row.part_size is None or total is None:
        return row.size
    return row.part_size if number < total else row.size - (total - 1) * row.part_size


def missing(row: UploadRow, parts: list[Part]) -> list[int]:
    """The numbers of the parts that have not arrived, or not as long as they must be.

    Where nobody knows how many there are, those before the last that has arrived.
    """
    arrived = {part.number for part in parts if length_of(row, part.number) in {None, part.size}}
    total = parts_in(row) or max((part.number for part in parts), default=0)
    return [number for number in range(1, total + 1) if number not in arrived]


def parts_of(row: UploadRow, stored: Stored) -> list[Part]:
    """The parts of which S3 has made the object; one, where nobody knows how many there were."""
    total = parts_in(row)
    if row.multipart is None or total is None:
        return [Part(1, stored.size, stored.etag)]
    numbers = range(1, total + 1)
    return [Part(number, length_of(row, number) or 0, stored.etag) for number in numbers]


def way_of(size: int | None) -> UploadMethod:
    """One PUT for what is small enough, parts for the rest."""
    return "put" if size is not None and size <= SINGLE_PUT else "multipart"


def put(name: str, url: str, headers: Mapping[str, str]) -> str:
    """One PUT. Neither the file's name nor the address is a pattern, hence -g."""
    said = " ".join(f"-H {shlex.quote(f'{key}: {value}')}" for key, value in headers.items())
    return f"curl -fgS -T {local_name(name)} {said} {shlex.quote(url)}"


def multipart(row: UploadRow, base: str) -> str:
    """Every part in its turn, and the completion; the token is the shell's $TOKEN.

    Who sends by a request needs none: it is in the address.

    What asks the function is tried again after a 503, for as long as Retry-After says: S3 may take
    longer to put many parts together than the function has.
    """
    upload = shlex.quote(f"{base}/uploads/{row.name}")
    name = local_name(row.file_name)
    who = "" if row.request else '-H "x-session-token: $TOKEN" '
    sign = f"""curl -fsS --retry 5 {who}--json "{{\\"part_numbers\\":[$n]}}" {upload}/parts"""
    url = """sed 's/.*"url": *"\\([^"]*\\)".*/\\1/'"""
    cut = f"dd if={name} bs={row.part_size} skip=$((n-1)) count=1 status=none"
    send = """curl -fgsS -o /dev/null -X PUT -H content-type: --data-binary @- "$url\""""
    each = f"url=$({sign} | {url}) && {cut} | {send} || exit 1"
    whole = f"curl -fsS --retry 5 {who}--json '{{}}' {upload}/complete"
    return f"(for n in $(seq {parts_in(row)}); do {each}; done; {whole})"
