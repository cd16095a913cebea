"""How many bytes an upload may bring whose parts the client cuts itself.

No URL of such a part is bound to a length, so what has arrived is added up before more is signed.
Where the client said the size, that much is reserved and allowed. Otherwise nothing is reserved,
and the file may have what the owner's quota, and the role's rule, leave at that moment.
"""

from function.access.quotas import require_room
from function.access.releases import Releases
from function.aws.s3 import Part
from function.base import Base
from function.core.errors import Problem, TooLarge
from function.core.limits import MAX_FILE_BYTES, MIN_S3_PART_BYTES
from function.files.upload_rules import UploadRules
from function.tables.accounts import Account
from function.tables.uploads import UploadRow
from function.tables.usage import StorageAmount
from function.uploads.parts import planned_part_size


class Allowance:
    """Holds an upload to the bytes that it may bring."""

    def __init__(self, base: Base) -> None:
        self._releases = base.one(Releases)
        self._rules = base.one(UploadRules)

    def limits(self, row: UploadRow, owner: Account) -> bool:
        """Whether signing needs to know the parts that have arrived: something limits their sum."""
        rule = self._rules.rule_for(owner.role)
        has_limit = row.size is not None or owner.quota is not None or rule.max_bytes is not None
        return planned_part_size(row) is None and has_limit

    def require_fits(
        self, row: UploadRow, owner: Account, arrived: list[Part], numbers: set[int]
    ) -> None:
        """Checks that the parts of these `numbers` can fit beside those that have arrived.

        Where those are too much already, the upload is deleted with them. Every part but the last
        has at least 5 MiB. Raises TooLarge, QuotaExceeded, TypeNotAllowed.
        """
        size = sum(part.size for part in arrived)
        try:
            self._require_allowed(row, owner, size)
        except Problem:
            self._releases.discard(row)
            raise
        new = numbers - {part.number for part in arrived}
        if new:
            self._require_allowed(row, owner, size + (len(new) - 1) * MIN_S3_PART_BYTES + 1)

    def _require_allowed(self, row: UploadRow, owner: Account, size: int) -> None:
        most = MAX_FILE_BYTES if row.size is None else row.size
        if size > most:
            raise TooLarge(f"The parts of this upload have at most {most} bytes together.")
        if row.size is None:
            self._rules.require_allowed(owner.role, row.file_name, size)
            require_room(owner, StorageAmount(size))
