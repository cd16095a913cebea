"""Presigned URLs with which clients download files of any size from S3.

Rights are checked when a URL is signed. A URL is valid for `URL_SECONDS`, also when the right to
the file is revoked meanwhile.
"""

from dataclasses import dataclass, replace

from function.access.policy import Access
from function.base import Base
from function.core import curl
from function.core.models import Caller, IfMatch
from function.files.conditions import require_if_match
from function.files.errors import NoSuchVersion
from function.files.models import Download
from function.files.presigning import Presigner
from function.listing.query import ListQuery
from function.listing.service import ListingService
from function.tables.files import FileRow, version_in, version_key


@dataclass(frozen=True)
class DownloadRequest:
    """The file to download: by default the caller's own, its newest version, as an attachment.

    `inline` asks for a URL that a browser displays, if the file's type is safe to display.
    """

    file_name: str
    username: str | None = None
    version: int | None = None
    inline: bool = False


class DownloadService:
    """Signs download URLs."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._runtime = base.runtime
        self._keep_versions = base.settings.keep_versions
        self._access = base.one(Access)
        self._listing = base.one(ListingService)
        self._presigner = base.one(Presigner)

    def sign_file(self, caller: Caller, request: DownloadRequest, condition: IfMatch) -> Download:
        """A download URL for one file, on a condition on its version.

        Raises NoSuchFile, NoSuchVersion, PreconditionFailed.
        """
        authorization = self._access.authorize(caller, request.username, request.file_name)
        row = authorization.file
        if request.version is not None and request.version != row.version:
            if authorization.permission != "own":  # a share does not include the versions before it
                raise NoSuchVersion
            row = self._older_version(row, request.version)
        require_if_match(condition, row)
        return self._presigner.download(row, inline=request.inline)

    def sign_folder(
        self, caller: Caller, owner: str | None, query: ListQuery, dotfiles: bool
    ) -> tuple[str, str | None]:
        """A page of files as a configuration for `curl -K`, and the cursor of the next page.

        `owner` is the caller by default. All files are below the folder of the prefix, or below one
        named after their owner. Raises InvalidCursor.
        """
        is_own = owner in {None, caller.username}
        scope = replace(query, scope="own" if is_own else "shared", owner=None if is_own else owner)
        page = self._listing.list_rows(caller, scope)
        files = ((row.name, self._presigner.download(row).url) for row in page.items)
        folder = "" if "/" in query.prefix else owner or caller.username
        return curl.configuration(files, folder, dotfiles=dotfiles), page.cursor

    def _older_version(self, row: FileRow, version: int) -> FileRow:
        """An archived version of a file. Raises NoSuchVersion."""
        archived = self._db.read([version_key(row, version)])
        older = version_in(archived, row, version, self._keep_versions, self._runtime.now())
        if older is None:
            raise NoSuchVersion
        return older
