"""Cursors: the position at which the next page of a list begins, signed for one key and one list.

The key is an account's id, or a link's signing key: random, and never shown. A cursor that a
client invents, or takes from another account or another list, is refused.
"""

from function.core.errors import InvalidCursor
from function.core.signing import decode_base64, encode_base64, sign, verify

SIGNATURE_BYTES = 16
SIGNATURE_LENGTH = len(encode_base64(bytes(SIGNATURE_BYTES)))
# No name and no key contains it. JSON would escape long names until they outgrow a header.
SEPARATOR = "\x1f"


def encode_cursor(position: list[str], key: str, list_name: str) -> str:
    """A cursor for a position; `list_name` names the list and the query that it answers."""
    text = encode_base64(SEPARATOR.join(position).encode())
    return sign(key, f"{list_name}\0{text}", SIGNATURE_BYTES) + text


def decode_cursor(cursor: str | None, key: str, list_name: str) -> list[str] | None:
    """The position of a cursor; None without a cursor. Raises InvalidCursor."""
    if cursor is None:
        return None
    signature, text = cursor[:SIGNATURE_LENGTH], cursor[SIGNATURE_LENGTH:]
    signed = f"{list_name}\0{text}"
    if not cursor.isascii() or not verify(key, signed, signature, SIGNATURE_BYTES):
        raise InvalidCursor
    return decode_base64(text).decode().split(SEPARATOR)
