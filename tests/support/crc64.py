"""CRC-64/NVME, which neither Python nor botocore computes: reflected, all ones before and after."""

import base64
from functools import cache

POLYNOMIAL, ONES = 0x9A6C9329AC4BC9B5, 0xFFFFFFFFFFFFFFFF


@cache
def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ POLYNOMIAL if value & 1 else value >> 1
        table.append(value)
    return tuple(table)


def crc64nvme(data: bytes) -> str:
    """The checksum as 16 hexadecimal digits."""
    value, table = ONES, _table()
    for byte in data:
        value = table[(value ^ byte) & 0xFF] ^ (value >> 8)
    return f"{value ^ ONES:016x}"


def base64_crc64nvme(data: bytes) -> str:
    """The checksum as S3 writes it."""
    return base64.b64encode(bytes.fromhex(crc64nvme(data))).decode()


assert crc64nvme(b"123456789") == "ae8b14860a799888"  # the check value of its catalogue
