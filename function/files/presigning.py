"""Presigned URLs for downloads: S3 answers them, to any holder, for URL_SECONDS."""

from functools import cached_property
from urllib.parse import urlsplit

from function.base import Base
from function.core import curl
from function.core.headers import disposition
from function.core.limits import URL_SECONDS
from function.core.media_types import PLAIN_BYTES, bare_type
from function.core.runtime import iso
from function.files.models import Download
from function.tables.files import FileRow

# The types that a browser may show: none of them can have a script. SVG, HTML and every type of XML
# can. Only these are sent as they are, so that a type nobody thought of is not shown.
INLINE_TYPES = frozenset(
    [
        "application/pdf", "text/plain",
        *(f"image/{each}" for each in (
            "apng", "avif", "bmp", "gif", "heic", "heif", "jpeg", "jxl", "png", "tiff",
            "vnd.microsoft.icon", "webp", "x-icon", "x-ms-bmp",
        )),
        *(f"audio/{each}" for each in (
            "aac", "flac", "mp4", "mpeg", "ogg", "opus", "wav", "webm", "x-flac", "x-m4a", "x-wav",
        )),
        *(f"video/{each}" for each in (
            "3gpp", "matroska", "mp4", "mpeg", "ogg", "quicktime", "webm", "x-m4v", "x-matroska",
            "x-msvideo",
        )),
    ]
)  # fmt: skip


class Presigner:
    """Presigns URLs of the bucket."""

    def __init__(self, base: Base) -> None:
        self._bucket = base.bucket
        self._runtime = base.runtime

    def download(self, row: FileRow, *, inline: bool = False) -> Download:
        """A URL of a file's bytes: an attachment, or `inline` where its type is safe to show.

        Its response has one of INLINE_TYPES, without parameters, or application/octet-stream, so
        that no browser guesses.
        """
        shown = inline_type(row.content_type)
        url = self._bucket.presign_get(
            row.object,
            disposition(row.name, "inline" if inline and shown else "attachment"),
            shown or PLAIN_BYTES,
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


def inline_type(content_type: str) -> str | None:
    """The one of INLINE_TYPES that a type is, its parameters aside; None where it is none."""
    bare = bare_type(content_type)
    return bare if bare in INLINE_TYPES else None
