"""Downloads of any size: an address that S3 answers, good for minutes.

A right that is taken back ends new addresses at once; one already given out works until it expires.
"""

import re
from dataclasses import dataclass, replace

from function.errors import NoSuchVersion
from function.fields import PLAIN_BYTES
from function.models import Caller
from function.records import FileRow
from function.services import curl
from function.services.access import Access
from function.services.dispositions import disposition
from function.services.listing import Listing
from function.services.origins import Origins, iso
from function.services.shared import Asked
from function.services.transfers import URL_SECONDS
from function.stores.dynamo import Dynamo
from function.stores.files import version_in, version_key
from function.stores.multipart import Multipart
from function.transfer_models import Download

CURL_SETTINGS = "globoff\nfail\nsilent\nshow-error\ncreate-dirs\n"
# What a browser may show without running anything of it. SVG and HTML can carry scripts, and so
# can every other type of XML, whatever it calls itself: image/x+xml is read as XHTML.
SHOWN = frozenset({"application/pdf", "text/plain"})
SHOWN_KINDS = ("image/", "audio/", "video/")
NEVER_SHOWN = re.compile(r"svg|xml|html")


@dataclass(frozen=True)
class Wanted:
    """Which file, which version of it (the newest by default), and whether to be shown."""

    file_name: str
    username: str | None = None
    version: int | None = None
    inline: bool = False


class Downloads:
    """Signs addresses to read from."""

    def __init__(
        self, db: Dynamo, access: Access, listing: Listing, multipart: Multipart, origins: Origins
    ) -> None:
        """`access` judges one file, `listing` finds a folder's."""
        self._db = db
        self._access = access
        self._listing = listing
        self._multipart = multipart
        self._from = origins

    def file(self, caller: Caller, wanted: Wanted) -> Download:
        """An address for one file. Raises NoSuchFile, NoSuchVersion."""
        entry = self._access.open(caller, wanted.username, wanted.file_name)
        row, permission = entry.readable()
        if wanted.version is not None and wanted.version != row.version:
            if permission != "own":  # what was there before the share is not shared
                raise NoSuchVersion
            kept = self._db.read([version_key(row, wanted.version)])
            older = version_in(kept, row, wanted.version, self._from.now())
            if older is None:
                raise NoSuchVersion
            row = older
        return self._signed(row, inline=wanted.inline)

    def folder(self, caller: Caller, owner: str | None, asked: Asked) -> tuple[str, str | None]:
        """A configuration for curl that fetches a page of files, and the next page's cursor.

        Raises InvalidCursor.
        """
        own = owner in {None, caller.username}
        of = replace(asked, scope="own" if own else "shared", owner=None if own else owner)
        rows, cursor = self._listing.rows(caller, of)
        lines = [curl.config(row.name, self._signed(row).url) for row in rows]
        return CURL_SETTINGS + "".join(lines), cursor

    def _signed(self, row: FileRow, *, inline: bool = False) -> Download:
        shown = may_be_shown(row.content_type)
        url = self._multipart.sign_get(
            row.object,
            disposition(row.name, "inline" if inline and shown else "attachment"),
            row.content_type if shown else PLAIN_BYTES,
            URL_SECONDS,
        )
        return Download(
            url=url,
            expires_at=iso(self._from.now() + URL_SECONDS),
            file_name=row.name,
            size=row.size,
            etag=row.etag,
            sha256=row.sha256,
            content_type=row.content_type,
            curl=curl.get(row.name, url),
        )


def may_be_shown(content_type: str) -> bool:
    """Whether a browser may be given this type as what it is."""
    kind = content_type.partition(";")[0].strip().lower()
    safe = kind in SHOWN or kind.startswith(SHOWN_KINDS)
    return safe and not NEVER_SHOWN.search(kind)
