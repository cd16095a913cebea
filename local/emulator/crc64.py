"""The CRC-64/NVME of an object, from those of its parts: reading the bytes again takes seconds.

To append bytes to others multiplies the checksum of these by x to the power of the number of bits
that follow, modulo the polynomial of the checksum. A number's highest bit is x to the power of 0.
"""

import base64
from collections.abc import Iterable, Mapping
from typing import Any

POLYNOMIAL, ONE = 0x9A6C9329AC4BC9B5, 1 << 63


def joined_crc64nvme(parts: Iterable[Mapping[str, Any]]) -> str:
    """The checksum of ministack's parts together, as S3 writes it."""
    joined = 0
    for part in parts:
        own = int.from_bytes(base64.b64decode(part["checksums"]["CRC64NVME"]), "big")
        joined = product(joined, power_of_x(8 * part["size"])) ^ own
    return base64.b64encode(joined.to_bytes(8, "big")).decode()


def power_of_x(exponent: int) -> int:
    """A power of x, by squaring."""
    power, square = ONE, ONE >> 1
    while exponent:
        if exponent & 1:
            power = product(power, square)
        square, exponent = product(square, square), exponent >> 1
    return power


def product(one: int, other: int) -> int:
    """The product of two polynomials."""
    result = 0
    while one:
        if one & ONE:
            result ^= other
        one = (one << 1) & (2 * ONE - 1)
        other = (other >> 1) ^ (POLYNOMIAL if other & 1 else 0)
    return result
