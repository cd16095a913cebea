"""Downloads of any size: an address that S3 answers, good for minutes.

A right that is taken back ends new addresses at once; one already given out works until it expires.
"""

from dataclasses import dataclass, replace

from function.access.policy import Access
from function.base import Base
from function.core import curl
from function.core.models import Caller
from function.files.errors import NoSuchVersion
from function.files.models import Download
from function.files.presigning import Presigner
from function.listing.query import ListQuery
from function.listing.service import ListingService
from function.tables.files import version_in, version_key


@dataclass(frozen=True)
class DownloadRequest:
    """Which file, which version of it (the newest by default), and whether to be shown."""

    file_name: str
    username: str | None = None
    version: int | None = None
    inline: bool = False


class DownloadService:
    """Signs addresses to read from."""

    def __init__(
        self,
        base: Base,
    ) -> None:
        self._most = base.settings.keep_versions
        self._db = base.db
        self._access = base.one(Access)
        self._listing = base.one(ListingService)
        self._presigner = base.one(Presigner)
        self._runtime = base.runtime

    def file(self, caller: Caller, wanted: DownloadRequest) -> Download:
        """An address for one file. Raises NoSuchFile, NoSuchVersion."""
        entry = self._access.authorize(caller, wanted.username, wanted.file_name)
        row, permission = entry.file, entry.permission
        if wanted.version is not None and wanted.version != row.version:
            if permission != "own":  # what was there before the share is not shared
                raise NoSuchVersion
            kept = self._db.read([version_key(row, wanted.version)])
            older = version_in(kept, row, wanted.version, self._most, self._runtime.now())
            if older is None:
                raise NoSuchVersion
            row = older
        return self._presigner.download(row, inline=wanted.inline)

    def folder(self, caller: Caller, owner: str | None, asked: ListQuery) -> tuple[str, str | None]:
        """A configuration for curl that fetches a page of files, and the next page's cursor.

        Raises InvalidCursor.
        """
        own = owner in {None, caller.username}
        of = replace(asked, scope="own" if own else "shared", owner=None if own else owner)
        rows, cursor = self._listing.rows(caller, of)
        files = ((row.name, self._presigner.download(row).url) for row in rows)
        return curl.configuration(files), cursor
