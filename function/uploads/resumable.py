"""Finds an upload in progress that a client can go on with, without having kept its id."""

from function.base import Base
from function.core.media_types import guessed_type
from function.tables.accounts import Account
from function.tables.uploads import UploadRow, Uploads, upload_key
from function.uploads.models import UploadSpec

MAX_SEARCHED = 1000  # rows, completed uploads included


class ResumableUploads:
    """Finds uploads by what they make."""

    def __init__(self, base: Base) -> None:
        self._upload_rows = Uploads(base.db)
        self._now = base.runtime.now

    def find(self, account: Account, spec: UploadSpec) -> str | None:
        """The id of the account's latest upload in parts that has this spec; any size for None.

        It is looked for among the first MAX_SEARCHED uploads of the account. Raises Unavailable.
        """
        page = self._upload_rows.list_uploads(account.username, after="", limit=MAX_SEARCHED)
        found = [row for row in page.items if self._is_resumable(row, account, spec)]
        return max(found, key=lambda row: row.created).name if found else None

    def _is_resumable(self, row: UploadRow, account: Account, spec: UploadSpec) -> bool:
        is_in_progress = row.done is None and row.expires_at > self._now()
        is_mine = row.user_id == account.id and row.part_size is not None
        return is_in_progress and is_mine and _has_spec(row, spec)


def _has_spec(row: UploadRow, spec: UploadSpec) -> bool:
    """Whether an upload to the uploader's own files makes the file of a spec."""
    fields = spec.model_dump(exclude={"username", "content_type", "method", "size", "tags"})
    return (
        upload_key(row.owner, row.name).partition == row.partition
        and spec.size in {None, row.size}
        and row.content_type == (spec.content_type or guessed_type(spec.file_name))
        and row.tags == list(spec.tags)
        and all(getattr(row, name) == value for name, value in fields.items())
    )
