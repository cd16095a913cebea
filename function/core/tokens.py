"""The forms of tokens and ids, and the hash that is stored of a token."""

import hashlib
import re

_RANDOM = r"[A-Za-z0-9_-]{43}"  # 256 random bits (`Runtime.new_secret`)
_ACCOUNT_TOKEN = re.compile(rf"([a-z0-9._@+-]{{3,64}})\.{_RANDOM}")
_SHARED_TOKEN = re.compile(_RANDOM)
_TOKEN_HASH = re.compile(r"[0-9a-f]{64}")
_ID = re.compile(r"[0-9a-f]{32}")


def username_in(token: str) -> str | None:
    """The user name in the token of a session, an API key or a password reset.

    None where the token does not have the form of one.
    """
    match = _ACCOUNT_TOKEN.fullmatch(token)
    return match[1] if match else None


def is_shared_token(text: str) -> bool:
    """Whether a text has the form of the token of a link or of a file request."""
    return _SHARED_TOKEN.fullmatch(text) is not None


def token_hash(token: str) -> str:
    """The SHA-256 that is stored of a token, as hexadecimal.

    It is the id of a session, an API key, a link and a file request. A token is 256 random bits, so
    it needs neither salt nor a slow hash.
    """
    return hashlib.sha256(token.encode()).hexdigest()


def is_token_hash(text: str) -> bool:
    """Whether a text has the form of `token_hash`."""
    return _TOKEN_HASH.fullmatch(text) is not None


def is_id(text: str) -> bool:
    """Whether a text has the form of the id of an upload or a job: 32 hexadecimal digits."""
    return _ID.fullmatch(text) is not None
