"""How a downloaded file is named."""

from urllib.parse import quote

SAFE_IN_EXT_VALUE = "!#$&+-.^_`|~"  # attr-char of RFC 8187, section 3.2.1


def disposition(name: str, kind: str) -> str:
    """`Content-Disposition` (RFC 6266), `attachment` or `inline`: the last segment of the name.

    `filename` is what old clients read, in plain ASCII; `filename*` is the name itself (RFC 8187).
    """
    last = name.rpartition("/")[2]
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in last)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(last, SAFE_IN_EXT_VALUE)}"
