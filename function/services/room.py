"""Room for one grant more on a file, whose row names all that it was granted to."""

from function.errors import ChangedMeanwhile
from function.records import FileRow
from function.services.origins import Origins
from function.sharing_errors import LimitReached
from function.stores.dynamo import Dynamo
from function.stores.files import granted_only
from function.stores.rows import Refused
from function.stores.shares import granted, grants_in

MOST_GRANTS = 1000


class Room:
    """Makes room, where there is any."""

    def __init__(self, db: Dynamo, origins: Origins) -> None:
        """Rows are in `db`."""
        self._db = db
        self._from = origins

    def made(self, file: FileRow, grantee: str) -> FileRow:
        """The file, when it can be granted to one more; those whose grants ended are forgotten.

        Raises LimitReached, ChangedMeanwhile.
        """
        if grantee in file.grantees or len(file.grantees) < MOST_GRANTS:
            return file
        keys = granted(file)
        rows = self._db.read(keys)
        left = frozenset(
            grant.grantee
            for grant in grants_in(rows, keys)
            if grant.file_id == file.place_id
            and (grant.expires_at is None or grant.expires_at > self._from.now())
        )
        if len(left) >= MOST_GRANTS:
            raise LimitReached(
                f"A file has at most {MOST_GRANTS} shares and links; share it with a group."
            )
        rev = self._from.new_id()
        try:
            self._db.commit([granted_only(file, left, rev)], rev)
        except Refused:
            raise ChangedMeanwhile from None
        return file.model_copy(update={"grantees": left, "rev": rev})
