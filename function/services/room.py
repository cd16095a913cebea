"""Room for one grant more on a file, whose row names all that it was granted to."""

from function.errors import ChangedMeanwhile
from function.records import FileRow
from function.services.origins import Origins
from function.sharing_errors import LimitReached
from function.stores.dynamo import Dynamo
from function.stores.files import granted_only
from function.stores.folder_grants import grantees_in, unreached
from function.stores.rows import Key, Refused, Rows
from function.stores.shares import grant_key, granted, grants_in

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
        left = self._left(granted(file), file.place_id)
        rev = self._from.new_id()
        try:
            self._db.commit([granted_only(file, left, rev)], rev)
        except Refused:
            raise ChangedMeanwhile from None
        return file.model_copy(update={"grantees": left, "rev": rev})

    def made_in(self, rows: Rows, owner: str, folder: str, grantee: str) -> None:
        """Sees to it that a folder can be granted to one more, as `made` does for a file.

        Raises LimitReached.
        """
        noted = grantees_in(rows, owner, folder)
        if grantee in noted or len(noted) < MOST_GRANTS:
            return
        left = self._left([grant_key(who, owner, folder) for who in sorted(noted)], None)
        self._db.write(unreached(owner, folder, noted - left))

    def _left(self, keys: list[Key], place: str | None) -> frozenset[str]:
        """Whose grants have not ended. Raises LimitReached when there is no room beside them."""
        left = frozenset(
            grant.grantee
            for grant in grants_in(self._db.read(keys), keys)
            if grant.file_id == place
            and (grant.expires_at is None or grant.expires_at > self._from.now())
        )
        if len(left) >= MOST_GRANTS:
            raise LimitReached(
                f"A file or folder has at most {MOST_GRANTS} shares and links; use a group."
            )
        return left
