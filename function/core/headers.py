"""Header fields of file content: `Content-Disposition` and `Range`."""

import re
from urllib.parse import quote

from function.core.errors import RangeNotSatisfiable

SAFE_IN_EXT_VALUE = "!#$&+-.^_`|~"  # attr-char of RFC 8187, section 3.2.1
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
