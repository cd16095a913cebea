"""Cursors: where a list goes on, sealed for one account and one list.

The seal is an HMAC under the account's id, which is random and never shown, so that a cursor that
was made up, or is another's, or of another list, is refused.
"""

import base64
import hashlib
import hmac

from function.core.errors import InvalidCursor

SEAL_BYTES = 16
BETWEEN = "\x1f"  # no name or key holds it; escaped as JSON, long names would outgrow a header


def seal(position: list[str], account_id: str, of: str) -> str:
    """A cursor for a position in the list that `of` describes."""
    text = BETWEEN.join(position).encode()
    return _text(_seal(text, account_id, of) + text)


def unseal(cursor: str | None, account_id: str, of: str) -> list[str] | None:
    """The position, None when there is no cursor. Raises InvalidCursor."""
    if cursor is None:
        return None
    try:
        data = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        raise InvalidCursor from None
    if _text(data) != cursor:
        raise InvalidCursor
    sealed, text = data[:SEAL_BYTES], data[SEAL_BYTES:]
    if not hmac.compare_digest(sealed, _seal(text, account_id, of)):
        raise InvalidCursor
    return text.decode().split(BETWEEN)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _seal(text: bytes, account_id: str, of: str) -> bytes:
    key = account_id.encode()
    return hmac.digest(key, of.encode() + b"\0" + text, hashlib.sha256)[:SEAL_BYTES]
