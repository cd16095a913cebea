"""Gives uploads up: their bytes, and the storage that they reserve."""

from function.base import Base
from function.tables.uploads import UploadRow, Uploads


class Releases:
    """Deletes uploads that make no file any more."""

    def __init__(self, base: Base) -> None:
        self._upload_rows = Uploads(base.db)
        self._bucket = base.bucket

    def discard(self, row: UploadRow) -> bool:
        """Deletes an upload and the bytes that have arrived; False when it has been completed.

        The row is deleted first: without it no request can complete the bytes that are being
        deleted. Its expiry entry stays, because a URL signed before may still bring bytes, which
        the sweep then deletes. Raises Unavailable.
        """
        is_discarded = self._upload_rows.delete_unfinished(row)
        if is_discarded:
            self._bucket.discard(row.object, row.multipart)
        return is_discarded
