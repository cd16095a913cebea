"""The checksum of an object from those of its parts, in the emulator."""

import random

import pytest

from local.emulator.crc64 import joined_crc64nvme
from tests.support.crc64 import base64_crc64nvme


@pytest.mark.parametrize("sizes", [[0], [1], [9], [0, 5], [5, 0, 7], [1000, 1000, 1], [3] * 50])
def test_it_is_that_of_the_joined_bytes(sizes: list[int]) -> None:
    """For parts of any size."""
    parts = [random.Random(size).randbytes(size) for size in sizes]
    told = [
        {"size": len(part), "checksums": {"CRC64NVME": base64_crc64nvme(part)}} for part in parts
    ]
    assert joined_crc64nvme(told) == base64_crc64nvme(b"".join(parts))
