"""How a large file is cut: sizes at the edges, and what must hold for every size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.aws.s3 import Part
from function.core.errors import TooLarge
from function.core.fields import MAX_PARTS
from function.core.limits import LARGEST, MIB, SMALLEST_PART
from function.tables.uploads import UploadRow
from function.uploads.parts import length_of, method_of, missing, part_size_of, parts_in

SIZES = st.integers(0, LARGEST) | st.integers(0, 200 * MIB)
LARGEST_PART = 5 * 1024 * MIB  # S3's own bound


def row(size: int | None, part_size: int | None, multipart: str | None = "upload") -> UploadRow:
    """An upload that is planned so."""
    return UploadRow(
        shelf="alice/uploads",
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
        (LARGEST, 525 * MIB),
        (None, 525 * MIB),
    ],
)
def test_part_sizes_at_the_edges(size: int | None, part_size: int) -> None:
    """At least 8 MiB, and whole MiB as few as ten thousand parts allow."""
    assert part_size_of(size) == part_size


def test_no_file_is_larger_than_s3_takes() -> None:
    """5 TiB is the last size that is planned for."""
    assert LARGEST == 5 * 1024**4
    with pytest.raises(TooLarge):
        part_size_of(LARGEST + 1)


@given(SIZES)
def test_parts_are_of_a_size_that_s3_takes(size: int) -> None:
    """Whole MiB within S3's bounds, and not a MiB more than ten thousand parts need."""
    part_size = part_size_of(size)
    assert part_size % MIB == 0
    assert SMALLEST_PART <= part_size <= LARGEST_PART
    assert part_size == SMALLEST_PART or (part_size - MIB) * MAX_PARTS < size


@given(SIZES)
def test_parts_cover_the_file_exactly(size: int) -> None:
    """All but the last are of one size, the last is not empty, and together they are the file."""
    plan = row(size, part_size_of(size))
    total = parts_in(plan)
    assert total is not None
    assert 1 <= total <= MAX_PARTS
    last = length_of(plan, total)
    assert last is not None
    assert (total - 1) * part_size_of(size) + last == size
    assert 0 < last <= part_size_of(size) or size == 0
    assert {length_of(plan, number) for number in {1, total - 1} - {0, total}} <= {plan.part_size}


@given(st.integers(0, 64 * MIB))
def test_one_put_is_one_part(size: int) -> None:
    """What goes in one PUT is missing until an object of its size is there."""
    plan = row(size, None, None)
    assert (method_of(plan), parts_in(plan), length_of(plan, 1)) == ("put", 1, size)
    assert missing(plan, []) == [1]
    assert missing(plan, [Part(1, size, "etag")]) == []
    assert missing(plan, [Part(1, size + 1, "etag")]) == [1]


@given(st.integers(1, 500), st.data())
def test_missing_is_what_has_not_arrived_whole(size: int, data: st.DataObject) -> None:
    """A part counts when it is as long as it must be, wherever it is in the file."""
    plan = row(size, 7)
    numbers = range(1, (parts_in(plan) or 0) + 1)
    whole = data.draw(st.sets(st.sampled_from(numbers)))
    short = data.draw(st.sets(st.sampled_from(numbers))) - whole
    parts = [Part(number, length_of(plan, number) or 0, "") for number in sorted(whole)]
    parts += [Part(number, (length_of(plan, number) or 0) - 1, "") for number in sorted(short)]
    assert missing(plan, parts) == sorted({*numbers} - whole)
