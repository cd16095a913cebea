"""What the tables hold of links. Imports `records` alone."""

from function.aws.dynamodb import Dynamo
from function.aws.rows import Item, Key, Row, Rows
from function.aws.writes import (
    Condition,
    Write,
    at_most,
    delete,
    differs,
    equals,
    missing,
    put,
    update,
)
from function.contract import SHARES
from function.tables.grants import Grant

# Comes after every grant, for no user name begins so. Each has its own place in the index by file,
# which would otherwise have one hot spot that every count writes to.
LINK = "~link/"
MOST = 100  # more than a link has grants


class LinkRow(Row):
    """A link; `id` is the SHA-256 of its token, and its items are its grants.

    `seal` is random, and another one whenever the password changes. It opens nothing after `ends`;
    `expires_at` is when the row may go.
    """

    id: str
    owner: str
    owner_id: str
    created: str
    rev: str
    seal: str
    password: str | None = None
    ends: int | None = None
    max_downloads: int | None = None
    downloads: int = 0
    allow_download: bool = True
    audience: str | None = None
    audience_id: str | None = None
    note: str | None = None
    alias: str | None = None
    revoked: bool = False
    expires_at: int | None = None


class EventRow(Row):
    """Something that was done with a link, `times` in the minute that begins with `created`."""

    kind: str
    how: str
    created: str
    expires_at: int
    file_name: str | None = None
    times: int = 1


def link_grantee(link_id: str) -> str:
    """A link as a grantee."""
    return f"link:{link_id}"


def link_key(link_id: str) -> Key:
    """Where a link stands."""
    return Key(SHARES, link_grantee(link_id), LINK + link_id)


def alias_key(alias: str) -> Key:
    """Where it stands which link has an alias."""
    return Key(SHARES, f"alias:{alias}", LINK + alias)


def receipt_key(link_id: str, nonce: str, name: str) -> Key:
    """Where it stands that a grant has been counted for a file."""
    return Key(SHARES, f"got:{link_id}", f"{nonce}/{name}")


def _ledger_key(row: LinkRow) -> Key:
    return Key(SHARES, f"links:{row.owner}", f"{row.created}/{row.id}")


def link_in(rows: Rows, link_id: str) -> LinkRow | None:
    """The link of that id, if it was read."""
    row = rows.get(link_key(link_id))
    return LinkRow.model_validate(row) if row else None


def create_link(row: LinkRow) -> Write:
    """Puts a link where none is."""
    return put(link_key(row.id), row, missing("grantee"))


def update_link(old: LinkRow, new: LinkRow) -> Write:
    """Changes what differs, if the link is still the one that was read; never its count."""
    before = old.model_dump(exclude={"downloads"})
    after = new.model_dump(exclude={"downloads"})
    changed = {name: value for name, value in after.items() if value != before[name]}
    return update(link_key(new.id), set=changed, when=equals(rev=old.rev))


def count_downloads(row: LinkRow, more: int) -> Write:
    """Counts downloads, if the link is still the one that was read and allows for as many."""
    when = equals(rev=row.rev)
    if row.max_downloads is not None:
        when &= at_most(downloads=row.max_downloads - more)
    return update(link_key(row.id), add={"downloads": more}, when=when)


def put_owner_entry(row: LinkRow) -> Write:
    """Puts a link on its owner's list, until the link itself may go."""
    item: Item = {"link": row.id, "owner_id": row.owner_id, "expires_at": row.expires_at}
    return put(_ledger_key(row), item)


def delete_owner_entry(row: LinkRow) -> Write:
    """Takes a link from its owner's list."""
    return delete(_ledger_key(row))


def put_alias(row: LinkRow, alias: str) -> Write:
    """Gives a link an alias that no other has, until the link itself may go."""
    item: Item = {"link": row.id, "expires_at": row.expires_at}
    return put(alias_key(alias), item, _not_another_links(row))


def link_with_alias(rows: Rows, alias: str) -> str | None:
    """The id of the link that has an alias, if that was read."""
    row = rows.get(alias_key(alias))
    return str(row["link"]) if row else None


def delete_alias(row: LinkRow, alias: str) -> Write:
    """Frees an alias of a link, never another link's."""
    return delete(alias_key(alias), _not_another_links(row))


def _not_another_links(row: LinkRow) -> Condition:
    return missing("grantee") | equals(link=row.id)


def put_receipt(key: Key, file_id: str, until: int, now: float) -> Write:
    """Notes that a grant has been counted for a file, if no good receipt says so already.

    Good `until` (epoch seconds).
    """
    none = missing("grantee") | differs(file_id=file_id) | at_most(expires_at=int(now))
    return put(key, {"file_id": file_id, "expires_at": until}, none)


def receipt_in(rows: Rows, key: Key, file_id: str, now: float) -> bool:
    """Whether a receipt for that very file was read, and is still good."""
    row = rows.get(key)
    return row is not None and row["file_id"] == file_id and int(str(row["expires_at"])) > now


def put_event(link_id: str, event: EventRow, nonce: str) -> Write:
    """Notes what was done with a link."""
    key = Key(SHARES, f"events:{link_id}", f"{event.created}/{nonce}")
    return put(key, event)


class Links:
    """Links in the table shares."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the table through `db`."""
        self._db = db

    def find(self, link_id: str) -> tuple[LinkRow | None, list[Grant]]:
        """A link, and the grants of what it shows, as they are now."""
        items = self._db.query(SHARES, link_grantee(link_id), limit=MOST).items
        own = link_key(link_id).sort
        grants = [Grant.model_validate(item) for item in items if item["file"] != own]
        rows = [LinkRow.model_validate(item) for item in items if item["file"] == own]
        return (rows[0] if rows else None), grants

    def list_links(
        self, owner: str, owner_id: str, *, after: str, limit: int
    ) -> tuple[list[LinkRow], str | None]:
        """Links on somebody's list, the newest first, and after which one the list goes on."""
        page = self._db.query(SHARES, f"links:{owner}", after=after, limit=limit, descending=True)
        keys = [link_key(str(each["link"])) for each in page.items if each["owner_id"] == owner_id]
        rows = self._db.read(keys)
        last = str(page.items[-1]["file"]) if page.more else None
        return [LinkRow.model_validate(rows[key]) for key in keys if key in rows], last

    def list_events(
        self, link_id: str, *, after: str, limit: int
    ) -> tuple[list[EventRow], str | None]:
        """What was done with a link, the newest first, and after which one the list goes on."""
        page = self._db.query(
            SHARES, f"events:{link_id}", after=after, limit=limit, descending=True
        )
        last = str(page.items[-1]["file"]) if page.more else None
        return [EventRow.model_validate(item) for item in page.items], last

    def record_open(self, link_id: str, event: EventRow) -> None:
        """Counts that a link was opened, in one row for each minute and way. Raises Unavailable."""
        key = Key(SHARES, f"events:{link_id}", f"{event.created}/opened/{event.how}")
        self._db.write(
            update(key, set=event.model_dump(exclude={"times"}), add={"times": event.times})
        )

    def record_unlock(self, link_id: str, event: EventRow, nonce: str) -> None:
        """Notes that somebody knew the password. Raises Unavailable."""
        self._db.write(put_event(link_id, event, nonce))
