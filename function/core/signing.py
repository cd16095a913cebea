"""Signatures: HMAC-SHA256 (RFC 2104) as unpadded URL-safe Base64 (RFC 4648, section 5).

A signing key is random, secret, and signs one kind of text; texts of two kinds under one key must
differ in form.
"""

import base64
import hashlib
import hmac

DIGEST_BYTES = 32


def sign(key: str, message: str, size: int = DIGEST_BYTES) -> str:
    """The signature of a message: the first `size` bytes of its HMAC.

    RFC 2104, section 5, allows 16 bytes or more.
    """
    return encode_base64(hmac.digest(key.encode(), message.encode(), hashlib.sha256)[:size])


def verify(key: str, message: str, signature: str, size: int = DIGEST_BYTES) -> bool:
    """Whether `signature` is that of the message; takes as long for a wrong one as for a right one.

    Both texts are compared, not the bytes that they encode: each message has exactly one signature.
    """
    return hmac.compare_digest(sign(key, message, size).encode(), signature.encode())


def encode_base64(data: bytes) -> str:
    """Unpadded URL-safe Base64."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode_base64(text: str) -> bytes:
    """The bytes of unpadded URL-safe Base64. Raises ValueError."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
