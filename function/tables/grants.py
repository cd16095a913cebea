"""Grants in the table shares: rights on files and folders for accounts, groups and links.

The partition is the grantee. The row of a file or folder names its grantees.
"""

from collections.abc import Iterable

from function.aws.dynamodb import Dynamo, QueryPage
from function.aws.rows import Key, Row, Rows
from function.aws.writes import Condition, Write, check, delete, equals, missing, put
from function.contract import SHARES
from function.core.fields import Grantable
from function.core.names import NAME_LEVELS, folders_of
from function.tables.files import FileRow


class Grant(Row):
    """The `permission` of a grantee on a file or folder. `grantee` and `file` are its key.

    `grantee` is `user:bob`, `group:eng` or `link:<hash>`, `file` is `alice/report.pdf` or
    `alice/photos/`. It holds only for the ids that it carries: `owner_id` of the owner's account,
    `grantee_id` of the account, group or link, and `file_id`, a file's `place_id`; a grant on a
    folder has none. `created` is ISO 8601, `expires_at` epoch seconds. `rev` is random.
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
    """The key of a grant to a grantee on a file or folder."""
    return Key(SHARES, grantee, f"{owner}/{name}")


def grant_keys(grantee: str, owner: str, name: str) -> list[Key]:
    """The keys of the grants that can give a grantee a right on a file, folders first."""
    return [grant_key(grantee, owner, each) for each in [*granting_folders(name), name]]


def granting_folders(name: str) -> list[str]:
    """The folders above a name whose grants give a right on it: of a deep one, the outer ones."""
    return folders_of(name)[:NAME_LEVELS]


def grants_in(rows: Rows, keys: Iterable[Key]) -> list[Grant]:
    """The grants under `keys` that are among the rows."""
    return [Grant.model_validate(rows[key]) for key in keys if key in rows]


def grant_keys_on(file: FileRow) -> list[Key]:
    """The keys of all grants on a file."""
    return [grant_key(each, file.partition, file.name) for each in sorted(file.grantees)]


def revoke_grants_on(file: FileRow) -> list[Write]:
    """Deletes all grants on a file; grants on a later file of the same name stay."""
    same_file = equals(file_id=file.place_id) | missing("grantee")
    return [delete(key, same_file) for key in grant_keys_on(file)]


def grant_row_key(grant: Grant) -> Key:
    """The key of a grant."""
    return Key(SHARES, grant.grantee, grant.file)


def put_grant(grant: Grant, when: Condition | None = None) -> Write:
    """Writes a grant, over an earlier one to the same grantee unless `when` forbids it."""
    return put(grant_row_key(grant), grant, when)


def require_grant_unchanged(grant: Grant) -> Write:
    """Requires that a grant has not changed since it was read."""
    return check(grant_row_key(grant), equals(rev=grant.rev))


def require_no_grant(key: Key) -> Write:
    """Requires that there is no grant under a key."""
    return check(key, missing("grantee"))


def delete_grant(grant: Grant) -> Write:
    """Deletes a grant, if it has not changed since it was read."""
    return delete(grant_row_key(grant), equals(rev=grant.rev))


class Grants:
    """Queries of grants."""

    def __init__(self, db: Dynamo) -> None:
        """Takes the client."""
        self._db = db

    def list_grants(
        self, grantee: str, *, after: str = "", prefix: str = "", limit: int
    ) -> QueryPage[Grant]:
        """The grants to a grantee, by owner and name, after a sort key.

        They come before the other rows of the partition, whose sort keys begin with `~`.
        """
        page = self._db.query(SHARES, grantee, prefix=prefix, after=after, limit=limit)
        grants = [row for row in page.items if not str(row["file"]).startswith("~")]
        only_grants = len(grants) == len(page.items)
        return QueryPage(list(map(Grant.model_validate, grants)), page.more and only_grants)
