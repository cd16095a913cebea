"""How a large file is cut: by one PUT, or into parts (Amazon S3 User Guide, multipart limits)."""

from function.errors import TooLarge
from function.fields import MOST_PARTS, Method
from function.object_records import Part, Stored
from function.records import UploadRow

MIB = 1024 * 1024
SINGLE_PUT = 64 * MIB
SMALLEST_PART = 8 * MIB
LARGEST = 5 * 1024 * 1024 * MIB


def part_size_of(size: int | None) -> int:
    """The bytes of each part but the last: the fewest whole MiB that ten thousand parts allow.

    A size nobody knows is planned for as the largest there is. Raises TooLarge.
    """
    if size is None:
        size = LARGEST
    if size > LARGEST:
        raise TooLarge(f"A file has at most {LARGEST} bytes.")
    least = -(-size // MOST_PARTS)
    return max(SMALLEST_PART, -(-least // MIB) * MIB)


def method_of(row: UploadRow) -> Method:
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


def way_of(size: int | None) -> Method:
    """One PUT for what is small enough, parts for the rest."""
    return "put" if size is not None and size <= SINGLE_PUT else "multipart"
