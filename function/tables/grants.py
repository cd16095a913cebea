"""Grants: who may use whose file or folder."""

from collections.abc import Iterable

from function.aws.dynamodb import Dynamo
from function.aws.rows import Key, Row, Rows
from function.aws.writes import Condition, Write, check, delete, equals, missing, put
from function.contract import SHARES
from function.core.fields import Grantable
from function.core.names import folders_of
from function.tables.files import FileRow


class Grant(Row):
    """A right of `grantee` on `file`, good for the ids it carries; a folder's has no `file_id`.

    `grantee` is `user:bob`, `group:eng` or `link:<hash>`, `file` is `alice/report.pdf` or
    `alice/photos/`; `file_id` is the file's `place_id`, `grantee_id` the account's, group's or
    link's id.
    """

    grantee: str
    file: str
    owner: str
    owner_id: str
    grantee_id: str
    permission: Grantable
    created: str
    rev: str
    file_id: str | None = None
    expires_at: int | None = None

    @property
    def name(self) -> str:
        """The name of the file or folder, below its owner."""
        return self.file.removeprefix(f"{self.owner}/")


def user_grantee(username: str) -> str:
    """An account as a grantee."""
    return f"user:{username}"


def grant_key(grantee: str, owner: str, name: str) -> Key:
    """Where the grant to a grantee on a file or folder stands."""
    return Key(SHARES, grantee, f"{owner}/{name}")


def grant_keys(grantee: str, owner: str, name: str) -> list[Key]:
    """Where each grant stands that could give a grantee a right on a file, folders first."""
    return [grant_key(grantee, owner, each) for each in [*folders_of(name), name]]


def grants_in(rows: Rows, keys: Iterable[Key]) -> list[Grant]:
    """The grants among `keys` that were read."""
    return [Grant.model_validate(rows[key]) for key in keys if key in rows]


def grant_keys_on(file: FileRow) -> list[Key]:
    """Where each grant on a file stands."""
    return [Key(SHARES, who, f"{file.shelf}/{file.name}") for who in sorted(file.grantees)]


def revoke_grants_on(file: FileRow) -> list[Write]:
    """Takes back what was granted on a file; what was granted on a later one at its name stays."""
    of_this = equals(file_id=file.place_id) | missing("grantee")
    return [delete(key, of_this) for key in grant_keys_on(file)]


def grant_row_key(grant: Grant) -> Key:
    """Where a grant stands."""
    return Key(SHARES, grant.grantee, grant.file)


def put_grant(grant: Grant, when: Condition | None = None) -> Write:
    """Writes a grant over whatever stood there."""
    return put(grant_row_key(grant), grant, when)


def require_grant_unchanged(grant: Grant) -> Write:
    """Expects that a grant stands as it was read."""
    return check(grant_row_key(grant), equals(rev=grant.rev))


def require_no_grant(key: Key) -> Write:
    """Expects that there is no grant."""
    return check(key, missing("grantee"))


def delete_grant(grant: Grant) -> Write:
    """Deletes a grant, if it stands as it was read."""
    return delete(grant_row_key(grant), equals(rev=grant.rev))


GrantPage = tuple[list[Grant], bool]


class Grants:
    """The table shares."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the table through `db`."""
        self._db = db

    def list_grants(
        self, grantee: str, *, after: str = "", prefix: str = "", limit: int
    ) -> GrantPage:
        """What was granted to somebody, by owner and name, and whether more follow."""
        page = self._db.query(SHARES, grantee, prefix=prefix, after=after, limit=limit)
        grants = [row for row in page.items if not str(row["file"]).startswith("~")]
        return [Grant.model_validate(row) for row in grants], page.more and len(grants) == len(
            page.items
        )

    def list_keys_on(self, owner: str, name: str) -> list[Key]:
        """Where the grants on a file stand that the index knows of."""
        rows = self._db.query_index(SHARES, f"{owner}/{name}")
        return [Key(SHARES, str(row["grantee"]), str(row["file"])) for row in rows]
