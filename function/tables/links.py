"""Links in the table shares: their rows, aliases, receipts of counted downloads, and their events.

A link's row is in one partition with the grants on what it shows, so one query reads both. An
owner's list of links, an alias and a receipt are rows of partitions of their own.
"""

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
from function.core.limits import EXPIRED_SECONDS
from function.tables.grants import Grant

# Sorts after every grant, for no user name begins so. The id that follows it keeps links apart in
# the index by file, where every counted download would write to one hot partition.
LINK = "~link/"
FOREVER = 10**12  # epoch seconds
MAX_ROWS = 100  # of a link's partition; more than a link has grants


class LinkRow(Row):
    """A link; `id` is the SHA-256 of its token.

    - `owner`, `owner_id`: the account that made it; `created` is ISO 8601.
    - `rev`: random, another one with each change of a setting, but not with a download.
    - `signing_key`: the random key that signs its access tokens; each new password replaces it.
    - `password`: its hash. `ends`: epoch seconds, after which the link opens nothing.
    - `max_downloads`: a limit on `downloads`; `allow_download`: False only shows the files.
    - `audience`, `audience_id`: the one account that may open the link.
    - `note`: for the owner alone. `alias`: a name in place of the token.
    - `expires_at`: epoch seconds, after which the table's TTL deletes the row.
    """

    id: str
    owner: str
    owner_id: str
    created: str
    rev: str
    signing_key: str
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
    """A use of a link: its `kind`, such as `opened`, and `how`, such as `page` or `json`.

    `created` is ISO 8601. Openings of a minute are one row that counts `times`, and `created` is
    the beginning of that minute.
    """

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
    """The key of a link."""
    return Key(SHARES, link_grantee(link_id), LINK + link_id)


def alias_key(alias: str) -> Key:
    """The key of the row that tells which link has an alias."""
    return Key(SHARES, f"alias:{alias}", LINK + alias)


def receipt_key(link_id: str, nonce: str, name: str) -> Key:
    """The key of the receipt of a file's download under the access token with this nonce."""
    return Key(SHARES, f"receipt:{link_id}", f"{nonce}/{name}")


def link_in(rows: Rows, link_id: str) -> LinkRow | None:
    """The link, if it is among the rows."""
    row = rows.get(link_key(link_id))
    return LinkRow.model_validate(row) if row else None


def link_with_alias(rows: Rows, alias: str) -> str | None:
    """The id of the link that has an alias, if the alias is among the rows and has a link."""
    row = rows.get(alias_key(alias))
    return str(row["link"]) if row and "link" in row else None


def is_alias_taken(rows: Rows, alias: str, link: LinkRow, now: float) -> bool:
    """Whether a link cannot have an alias: another one has it, or one of another owner had it.

    `now` is epoch seconds.
    """
    row = rows.get(alias_key(alias), {})
    if not row or int(str(row.get("expires_at", FOREVER))) <= now:
        return False
    if "link" in row:
        return row["link"] != link.id
    return row.get("owner_id") != link.owner_id


def receipt_in(rows: Rows, key: Key, file_id: str, now: float) -> bool:
    """Whether the rows contain a receipt for this very file that has not expired."""
    row = rows.get(key)
    return row is not None and row["file_id"] == file_id and int(str(row["expires_at"])) > now


def create_link(row: LinkRow) -> Write:
    """Creates a link, where none has its id."""
    return put(link_key(row.id), row, missing("grantee"))


def update_link(old: LinkRow, new: LinkRow) -> Write:
    """Changes the settings that differ, if the link has its `rev`; never its count of downloads."""
    before = old.model_dump(exclude={"downloads"})
    after = new.model_dump(exclude={"downloads"})
    changed = {name: value for name, value in after.items() if value != before[name]}
    return update(link_key(new.id), set=changed, when=equals(rev=old.rev))


def count_downloads(row: LinkRow, downloads: int) -> Write:
    """Counts downloads, if the link has its `rev` and its limit allows them."""
    when = equals(rev=row.rev)
    if row.max_downloads is not None:
        when &= at_most(downloads=row.max_downloads - downloads)
    return update(link_key(row.id), add={"downloads": downloads}, when=when)


def put_owner_entry(row: LinkRow) -> Write:
    """Puts a link on its owner's list, until the link expires."""
    item: Item = {"link": row.id, "owner_id": row.owner_id, "expires_at": row.expires_at}
    return put(_owner_entry_key(row), item)


def delete_owner_entry(row: LinkRow) -> Write:
    """Removes a link from its owner's list."""
    return delete(_owner_entry_key(row))


def put_alias(row: LinkRow, alias: str, now: float) -> Write:
    """Gives a link an alias until the link expires, unless it is taken (`is_alias_taken`)."""
    item: Item = {"link": row.id, "owner_id": row.owner_id, "expires_at": row.expires_at}
    return put(alias_key(alias), item, _alias_is_free(row, now))


def release_alias(row: LinkRow, alias: str, now: float, owner_id: str | None) -> Write:
    """Takes an alias from a link, never from another one.

    For EXPIRED_SECONDS only its owner can use it again, or nobody without `owner_id`: people who
    have the address expect that owner's files.
    """
    item: Item = {"owner_id": owner_id, "expires_at": int(now) + EXPIRED_SECONDS}
    return put(alias_key(alias), item, _alias_is_free(row, now))


def put_receipt(key: Key, file_id: str, until: int, now: float) -> Write:
    """Records until `until` (epoch seconds) that the download of a file has been counted.

    Requires that no valid receipt for this file exists, so that a download is counted once.
    """
    none = missing("grantee") | differs(file_id=file_id) | at_most(expires_at=int(now))
    return put(key, {"file_id": file_id, "expires_at": until}, none)


def put_event(link_id: str, event: EventRow, nonce: str) -> Write:
    """Records a use of a link."""
    return put(Key(SHARES, f"events:{link_id}", f"{event.created}/{nonce}"), event)


class Links:
    """Queries of links, and the events that nothing else is committed with."""

    def __init__(self, db: Dynamo) -> None:
        """Takes the client."""
        self._db = db

    def find(self, link_id: str) -> tuple[LinkRow | None, list[Grant]]:
        """A link, and the grants on what it shows, in one call."""
        items = self._db.query(SHARES, link_grantee(link_id), limit=MAX_ROWS).items
        own = link_key(link_id).sort
        grants = [Grant.model_validate(item) for item in items if item["file"] != own]
        rows = [LinkRow.model_validate(item) for item in items if item["file"] == own]
        return (rows[0] if rows else None), grants

    def list_links(
        self, owner: str, owner_id: str, *, after: str, limit: int
    ) -> tuple[list[LinkRow], str | None]:
        """An account's links, the newest first, and the sort key after which others follow."""
        page = self._db.query(SHARES, f"links:{owner}", after=after, limit=limit, descending=True)
        keys = [link_key(str(each["link"])) for each in page.items if each["owner_id"] == owner_id]
        rows = self._db.read(keys)
        last = str(page.items[-1]["file"]) if page.more else None
        return [LinkRow.model_validate(rows[key]) for key in keys if key in rows], last

    def list_events(
        self, link_id: str, *, after: str, limit: int
    ) -> tuple[list[EventRow], str | None]:
        """A link's events, the latest first, and the sort key after which others follow."""
        page = self._db.query(
            SHARES, f"events:{link_id}", after=after, limit=limit, descending=True
        )
        last = str(page.items[-1]["file"]) if page.more else None
        return [EventRow.model_validate(item) for item in page.items], last

    def record_open(self, link_id: str, event: EventRow) -> None:
        """Counts that a link was opened, in one row a minute and way. Raises Unavailable."""
        key = Key(SHARES, f"events:{link_id}", f"{event.created}/opened/{event.how}")
        settings = event.model_dump(exclude={"times"})
        self._db.write(update(key, set=settings, add={"times": event.times}))

    def record_unlock(self, link_id: str, event: EventRow, nonce: str) -> None:
        """Records that the right password was given. Raises Unavailable."""
        self._db.write(put_event(link_id, event, nonce))


def _owner_entry_key(row: LinkRow) -> Key:
    return Key(SHARES, f"links:{row.owner}", f"{row.created}/{row.id}")


def _alias_is_free(row: LinkRow, now: float) -> Condition:
    own = equals(link=row.id) | (missing("link") & equals(owner_id=row.owner_id))
    return missing("grantee") | own | at_most(expires_at=int(now))
