"""Presigned URLs for downloads: S3 answers them, to any holder, for URL_SECONDS."""

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

# Types that a browser shows without running a script of theirs. SVG and HTML can have scripts, and
# so can every type of XML, whatever its name: a browser reads image/x+xml as XHTML.
INLINE_TYPES = frozenset({"application/pdf", "text/plain"})
INLINE_FAMILIES = ("image/", "audio/", "video/")
SCRIPTABLE = re.compile(r"svg|xml|html")


class Presigner:
    """Presigns URLs of the bucket."""

    def __init__(self, base: Base) -> None:
        self._bucket = base.bucket
        self._runtime = base.runtime

    def download(self, row: FileRow, *, inline: bool = False) -> Download:
        """A URL of a file's bytes: an attachment, or `inline` where its type is safe to show.

        Any other type is sent as application/octet-stream, so that no browser guesses.
        """
        is_safe = is_safe_inline(row.content_type)
        url = self._bucket.presign_get(
            row.object,
            disposition(row.name, "inline" if inline and is_safe else "attachment"),
            row.content_type if is_safe else PLAIN_BYTES,
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
        """The origin (RFC 6454) of every URL that is signed here, for a Content-Security-Policy."""
        url = urlsplit(self._bucket.presign_get("-", "attachment", PLAIN_BYTES, URL_SECONDS))
        return f"{url.scheme}://{url.netloc}"


def is_safe_inline(content_type: str) -> bool:
    """Whether a browser that gets this type runs no script of the file."""
    media_type = content_type.partition(";")[0].strip().lower()
    is_shown = media_type in INLINE_TYPES or media_type.startswith(INLINE_FAMILIES)
    return is_shown and not SCRIPTABLE.search(media_type)
