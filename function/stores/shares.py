"""Grants: who may use whose file or folder."""

from collections.abc import Iterable

from function.contract import SHARES
from function.records import Grant
from function.stores.dynamo import Dynamo
from function.stores.rows import Key, Rows, Write


def user(username: str) -> str:
    """An account as a grantee."""
    return f"user:{username}"


def folders_of(name: str) -> list[str]:
    """The folders above a name, outermost first: `a/b/c` is in `a/` and `a/b/`."""
    parts = name.removesuffix("/").split("/")[:-1]
    return ["/".join(parts[: depth + 1]) + "/" for depth in range(len(parts))]


def grant_key(username: str, owner: str, name: str) -> Key:
    """Where a user's grant on a file or folder stands."""
    return Key(SHARES, user(username), f"{owner}/{name}")


def grant_keys(username: str, owner: str, name: str) -> list[Key]:
    """Where each grant stands that could give a user a right on a file."""
    return [grant_key(username, owner, each) for each in [*folders_of(name), name]]


def grants_in(rows: Rows, keys: Iterable[Key]) -> list[Grant]:
    """The grants among `keys` that were read."""
    return [Grant.model_validate(rows[key]) for key in keys if key in rows]


def put(grant: Grant) -> Write:
    """Writes a grant over whatever stood there."""
    return Write("Put", Key(SHARES, grant.grantee, grant.file), item=grant.model_dump())


def unchanged(grant: Grant) -> Write:
    """Expects that a grant stands as it was read."""
    key = Key(SHARES, grant.grantee, grant.file)
    return Write("ConditionCheck", key, "rev = :rev", values={":rev": grant.rev})


class Shares:
    """The table shares."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the table through `db`."""
        self._db = db

    def of(
        self, username: str, *, prefix: str = "", after: str = "", limit: int
    ) -> tuple[list[Grant], bool]:
        """What others granted to a user, by owner and name, and whether more follow."""
        page = self._db.query(SHARES, user(username), prefix=prefix, after=after, limit=limit)
        return [Grant.model_validate(row) for row in page.items], page.more

    def revoke(self, key: Key) -> None:
        """Deletes a grant; gone already is as good."""
        self._db.write(Write("Delete", key))

    def on(self, owner: str, name: str) -> list[Key]:
        """Where the grants on a file stand that the index knows of."""
        rows = self._db.query_index(SHARES, f"{owner}/{name}")
        return [Key(SHARES, str(row["grantee"]), str(row["file"])) for row in rows]
