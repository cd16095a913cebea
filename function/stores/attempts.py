"""How often something was tried: counts in the table sessions that end by themselves."""

from collections.abc import Mapping

from function.contract import SESSIONS
from function.stores.dynamo import Dynamo
from function.stores.rows import Item, Key, Refused, Rows, Write

TRIES = "tries"
ROOM = "attribute_not_exists(#tries) OR #tries < :most"


def tries_key(address: str, window: int) -> Key:
    """One row for an address and a window: the counts start again by themselves with the next."""
    return Key(SESSIONS, f"login:{address}:{window}")


def failures_in(rows: Rows, key: Key, name: str) -> tuple[int, int]:
    """What was read of an address's failures: of all, and of those at a name."""
    row = rows.get(key, {})
    return int(str(row.get("failures", 0))), int(str(row.get(f"name:{name}", 0)))


def failure(key: Key, name: str, weight: int, until: int) -> Write:
    """Counts a failure, which weighs something, and once more under a name."""
    return Write(
        "Update",
        key,
        update="ADD failures :weight, #name :one SET expires_at = :until",
        values={":weight": weight, ":one": 1, ":until": until},
        names={"#name": f"name:{name}"},
    )


def tries_in(rows: Rows, key: Key, of: str = TRIES) -> int:
    """What was read of a count; there is one for each `of` what is tried there."""
    return int(str(rows.get(key, {}).get(of, 0)))


def left(key: Key, most: int, of: str = TRIES) -> Write:
    """Expects that a count has not reached what it may at most."""
    return Write("ConditionCheck", key, ROOM, {":most": most}, names={"#tries": of})


def tried(key: Key, most: int, until: int, of: str = TRIES) -> Write:
    """Counts a try, if the count has not reached what it may at most."""
    return Write(
        "Update",
        key,
        ROOM,
        {":one": 1, ":most": most, ":until": until},
        update="ADD #tries :one SET expires_at = :until",
        names={"#tries": of},
    )


class Attempts:
    """Counts, each of one kind of try by one address or at one thing, in one window of time."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the table sessions through `db`."""
        self._db = db

    def key(self, name: str) -> Key:
        """Where something is counted."""
        return Key(SESSIONS, name)

    def commit(self, writes: list[Write], token: str) -> None:
        """Counts in several places, or in none. Raises Refused."""
        self._db.commit(writes, token)

    def failed(self, failure: Write) -> None:
        """Counts a failure."""
        self._db.write(failure)

    def count(self, most: Mapping[str, int], until: int, token: str) -> bool:
        """Counts a try everywhere, or nowhere when one count has reached what it may at most.

        The counts are forgotten after `until` (epoch seconds); a commit in the way raises Refused.
        """
        writes = [tried(Key(SESSIONS, name), limit, until) for name, limit in most.items()]
        try:
            self._db.commit(writes, token)
        except Refused as refused:
            if refused.failed:
                return False
            raise
        return True

    def beside(self, key: Key, name: str) -> tuple[Rows, int]:
        """A row, if it is there, and how many tries have been counted under a name; one call."""
        count = Key(SESSIONS, name)
        rows = self._db.read([key, count])
        return rows, tries_in(rows, count)

    def forgive(self, names: list[str], token: str) -> None:
        """Takes a try back, which was a good one. Raises Refused, Unavailable."""
        values: Item = {":back": -1}
        keys = [Key(SESSIONS, name) for name in names]
        self._db.commit(
            [Write("Update", key, update="ADD tries :back", values=values) for key in keys], token
        )
