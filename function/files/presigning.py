"""Addresses to read from: how a file's bytes go out, whoever asked for them."""

import re
from functools import cached_property
from urllib.parse import urlsplit

from function.base import Base
from function.core import curl
from function.core.headers import disposition
from function.core.limits import URL_SECONDS
from function.core.media_types import PLAIN_BYTES
from function.core.runtime import iso
from function.files.models import Download
from function.tables.files import FileRow

# What a browser may show without running anything of it. SVG and HTML can carry scripts, and so
# can every other type of XML, whatever it calls itself: image/x+xml is read as XHTML.
SHOWN = frozenset({"application/pdf", "text/plain"})
SHOWN_KINDS = ("image/", "audio/", "video/")
NEVER_SHOWN = re.compile(r"svg|xml|html")


class Presigner:
    """Signs addresses that S3 answers for some minutes."""

    def __init__(self, base: Base) -> None:
        self._bucket = base.bucket
        self._runtime = base.runtime

    def download(self, row: FileRow, *, inline: bool = False) -> Download:
        """Where a file's bytes are: as an attachment, unless `inline` is wanted and safe."""
        shown = may_be_shown(row.content_type)
        url = self._bucket.presign_get(
            row.object,
            disposition(row.name, "inline" if inline and shown else "attachment"),
            row.content_type if shown else PLAIN_BYTES,
            URL_SECONDS,
        )
        return Download(
            url=url,
            expires_at=iso(self._runtime.now() + URL_SECONDS),
            file_name=row.name,
            size=row.size,
            etag=row.etag,
            sha256=row.sha256,
            content_type=row.content_type,
            curl=curl.get(row.name, url),
        )

    @cached_property
    def site(self) -> str:
        """The origin (RFC 6454) of every address that is signed here."""
        made = urlsplit(self._bucket.presign_get("-", "attachment", PLAIN_BYTES, URL_SECONDS))
        return f"{made.scheme}://{made.netloc}"


def may_be_shown(content_type: str) -> bool:
    """Whether a browser may be given this type as what it is."""
    kind = content_type.partition(";")[0].strip().lower()
    safe = kind in SHOWN or kind.startswith(SHOWN_KINDS)
    return safe and not NEVER_SHOWN.search(kind)
