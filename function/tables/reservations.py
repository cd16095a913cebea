"""What uploads in progress hold of an account's room, each in a row on the account's own shelf.

The row stands as long as the room is held: who deletes it gives the room back, in the same commit.
What an account has reserved is the sum of its rows.
"""

from dataclasses import dataclass

from function.aws.dynamodb import Dynamo
from function.aws.rows import Key
from function.aws.writes import Write, delete, exists, put
from function.contract import FILES

HOLDS = "holds"
AT_ONCE = 1000


@dataclass(frozen=True)
class Reservation:
    """What an upload holds until it is completed, for one file so large.

    Room on the account of its `owner`, and a place in the `request` by which it comes, if any.
    """

    size: int
    owner: str
    owner_id: str
    request: str | None = None


def reservation_key(held: Reservation, upload: Key) -> Key:
    """Where the account whose room it is says what an upload holds."""
    return Key(FILES, f"{held.owner}/{HOLDS}", f"{upload.partition}/{upload.sort}")


def put_reservation(what: Reservation, upload: Key, ends: int) -> Write:
    """Says it; the table forgets it when it `ends` (epoch seconds)."""
    key = reservation_key(what, upload)
    return put(key, {"size": what.size, "owner_id": what.owner_id, "expires_at": ends})


def delete_reservation(what: Reservation, upload: Key, *, once: bool = False) -> Write:
    """Says so no more; `once` expects that it has been said until now."""
    return delete(reservation_key(what, upload), exists("owner_id") if once else None)


def reserved_sizes(db: Dynamo, owner: str, owner_id: str) -> list[int]:
    """How many bytes each upload holds of an account's room."""
    found: list[int] = []
    after, more = "", True
    while more:
        page = db.query(FILES, f"{owner}/{HOLDS}", after=after, limit=AT_ONCE)
        found += [int(str(row["size"])) for row in page.items if row["owner_id"] == owner_id]
        after, more = str(page.items[-1]["name"]) if page.items else "", page.more
    return found
