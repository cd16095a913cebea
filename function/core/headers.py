"""Header fields of file content: `Content-Disposition`, `Range` and digests."""

import base64
import hashlib
import re
from collections.abc import Mapping
from urllib.parse import quote

from function.core.errors import Invalid, RangeNotSatisfiable

SAFE_IN_EXT_VALUE = "!#$&+-.^_`|~"  # attr-char of RFC 8187, section 3.2.1
# A byte sequence of a dictionary of structured fields (RFC 8941, sections 3.2 and 3.3.5).
ONE_DIGEST = re.compile(r"([a-z0-9*][a-z0-9_.*-]*)=:([A-Za-z0-9+/]*={0,2}):")
DIGESTS = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}
ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.IGNORECASE | re.ASCII)


def disposition(name: str, kind: str) -> str:
    """The `Content-Disposition` (RFC 6266) of a file; `kind` is `attachment` or `inline`.

    `filename` is the last segment of the name in ASCII, for old clients; `filename*` has it whole
    (RFC 8187).
    """
    last = name.rpartition("/")[2]
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in last)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(last, SAFE_IN_EXT_VALUE)}"


def span_of(header: str | None, size: int) -> tuple[int, int] | None:
    """The first and last byte that `Range` names in a file of `size` bytes; None for the whole.

    Several ranges and malformed ones count as none, as RFC 9110, section 14.2, allows. Raises
    RangeNotSatisfiable when the range begins after the end.
    """
    match = ONE_RANGE.fullmatch(header.replace(" ", "")) if header else None
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(size - int(last), 0), size - 1
    else:
        start, end = int(first), min(int(last) if last else size - 1, size - 1)
        if last and int(last) < start:
            return None
    if start >= size or (not first and int(last) == 0):
        raise RangeNotSatisfiable(size)
    return start, end


def repr_digest(sha256: str) -> str:
    """`Repr-Digest` (RFC 9530) of a file, by its hexadecimal SHA-256."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"


def require_digests(headers: Mapping[str, str | None], body: bytes) -> None:
    """Checks the digests of a body that header fields (RFC 9530) give, by their names.

    The body of a request is its content and its representation, since no route takes a content
    coding or a part. Raises Invalid where a digest is of other bytes, is malformed, or of no
    algorithm that is verified here: what nobody verifies protects nothing.
    """
    errors = []
    for name, value in headers.items():
        if value is None:
            continue
        matches = [ONE_DIGEST.fullmatch(each.strip()) for each in value.split(",")]
        digests = [match.groups() for match in matches if match and match[1] in DIGESTS]
        if None in matches or not digests:
            errors.append({"at": f"header.{name}", "reason": "must be sha-256=:<Base64>:"})
        elif any(_digest(algorithm, body) != digest for algorithm, digest in digests):
            errors.append({"at": f"header.{name}", "reason": "is of other bytes than those sent"})
    if errors:
        raise Invalid(errors=errors)


def _digest(algorithm: str, body: bytes) -> str:
    return base64.b64encode(DIGESTS[algorithm](body).digest()).decode()
