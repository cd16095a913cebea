"""Plans of uploads: sizes at the edges, and properties of every size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.aws.s3 import Part
from function.core.errors import TooLarge
from function.core.limits import MAX_FILE_BYTES, MAX_PARTS, MIB, MIN_PART_BYTES
from function.tables.uploads import UploadRow
from function.uploads.parts import (
    choose_part_size,
    method_of,
    missing_parts,
    part_length,
    total_parts,
)

SIZES = st.integers(0, MAX_FILE_BYTES) | st.integers(0, 200 * MIB)
LARGEST_PART = 5 * 1024 * MIB  # S3's own bound


def row(size: int | None, part_size: int | None, multipart: str | None = "upload") -> UploadRow:
    """An upload with a plan."""
    return UploadRow(
        partition="alice/uploads",
        name="0" * 32,
        user_id="id",
        owner="alice",
        file_name="a",
        object="alice/alice/0",
        content_type="text/plain",
        on_conflict="replace",
        created="",
        expires_at=0,
        rev="rev",
        size=size,
        part_size=part_size,
        multipart=multipart,
    )


@pytest.mark.parametrize(
    ("size", "part_size"),
    [
        (0, 8 * MIB),
        (64 * MIB + 1, 8 * MIB),
        (80_000 * MIB, 8 * MIB),
        (80_000 * MIB + 1, 9 * MIB),
        (MAX_FILE_BYTES, 525 * MIB),
    ],
)
def test_part_sizes_at_the_edges(size: int, part_size: int) -> None:
    """At least 8 MiB, and the fewest whole MiB that 10,000 parts allow."""
    assert choose_part_size(size) == part_size


def test_no_file_is_larger_than_5_tib() -> None:
    """It is the largest size that S3 takes."""
    assert MAX_FILE_BYTES == 5 * 1024**4
    with pytest.raises(TooLarge):
        choose_part_size(MAX_FILE_BYTES + 1)


@given(SIZES)
def test_part_sizes_are_within_the_bounds_of_s3(size: int) -> None:
    """Whole MiB, and not one more than 10,000 parts need."""
    part_size = choose_part_size(size)
    assert part_size % MIB == 0
    assert MIN_PART_BYTES <= part_size <= LARGEST_PART
    assert part_size == MIN_PART_BYTES or (part_size - MIB) * MAX_PARTS < size


@given(SIZES)
def test_parts_cover_the_file_exactly(size: int) -> None:
    """All but the last have one size, the last is not empty, and the sum is the file's size."""
    plan = row(size, choose_part_size(size))
    total = total_parts(plan)
    assert total is not None
    assert 1 <= total <= MAX_PARTS
    last = part_length(plan, total)
    assert last is not None
    assert (total - 1) * choose_part_size(size) + last == size
    assert 0 < last <= choose_part_size(size) or size == 0
    assert {part_length(plan, number) for number in {1, total - 1} - {0, total}} <= {plan.part_size}


@given(st.integers(0, 64 * MIB))
def test_one_put_is_one_part(size: int) -> None:
    """It is missing until an object of its size exists."""
    plan = row(size, None, None)
    assert (method_of(plan), total_parts(plan), part_length(plan, 1)) == ("put", 1, size)
    assert missing_parts(plan, []) == [1]
    assert missing_parts(plan, [Part(1, size, "etag")]) == []
    assert missing_parts(plan, [Part(1, size + 1, "etag")]) == [1]


@given(st.integers(1, 500), st.data())
def test_parts_of_wrong_size_are_missing(size: int, data: st.DataObject) -> None:
    """A part has arrived when it has its planned size, wherever in the file it is."""
    plan = row(size, 7)
    numbers = range(1, (total_parts(plan) or 0) + 1)
    whole = data.draw(st.sets(st.sampled_from(numbers)))
    short = data.draw(st.sets(st.sampled_from(numbers))) - whole
    parts = [Part(number, part_length(plan, number) or 0, "") for number in sorted(whole)]
    parts += [Part(number, (part_length(plan, number) or 0) - 1, "") for number in sorted(short)]
    assert missing_parts(plan, parts) == sorted({*numbers} - whole)
