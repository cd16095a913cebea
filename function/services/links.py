"""Links, for those who make them: what they show, to whom, until when, how often.

A link's token is shown once and stored as a hash. What it shows are grants to it, which a rename
carries and a delete revokes as it does those of accounts.
"""

import re
from collections.abc import Iterable

from function.errors import Invalid, NoSuchUser
from function.link_models import Link, LinkChanges, LinkEvent, LinkRequest, LinkSummary
from function.link_records import LinkRow
from function.models import Caller
from function.records import Grant
from function.services.access import Access, Entry
from function.services.accounts import token_hash
from function.services.audit import Audit
from function.services.cursors import seal, unseal
from function.services.origins import Origins, iso
from function.services.passwords import Passwords
from function.services.showing import Showing, file_keys, name_of, still
from function.sharing_errors import AliasTaken, NoSuchLink
from function.stores import links as store
from function.stores.accounts import account_in, account_key, stands
from function.stores.dynamo import Dynamo
from function.stores.rows import Key, Refused, Write

ID = re.compile(r"[0-9a-f]{64}")
LINKS = "links"
# How long one can be told what became of a link.
REMEMBERED = 90 * 24 * 3600
MOST_WRITES = 100  # of one commit


class LinkService:
    """The links of an account."""

    def __init__(
        self,
        db: Dynamo,
        access: Access,
        links: store.Links,
        showing: Showing,
        passwords: Passwords,
        audit: Audit,
        origins: Origins,
    ) -> None:
        """Links are written by `db`, with what they expect of the files."""
        self._db = db
        self._access = access
        self._links = links
        self._showing = showing
        self._passwords = passwords
        self._audit = audit
        self._from = origins

    def create(self, caller: Caller, wanted: LinkRequest, base: str) -> Link:
        """Makes a link; its address under `base` is said this once.

        Raises NoSuchFile, NoSuchUser, AliasTaken, ChangedMeanwhile.
        """
        token = self._from.new_secret()
        for _ in self._from.attempts():
            entry = self._access.open(caller, more=_keys(caller.username, wanted))
            row = self._changed(entry, self._new(entry, token_hash(token)), wanted)
            grants = self._showing.grants(entry, row, wanted.items)
            writes = [store.put_new(row), *_listed(row), *self._showing.writes(entry, [], grants)]
            writes.append(stands(entry.account))
            writes.append(self._audit.of(caller, "link.create", subject=row.id))
            try:
                self._db.commit(writes, row.rev)
            except Refused:
                continue
            return link_view(row, grants, f"{base}/s/{row.alias or token}")
        raise AssertionError

    def page(
        self, caller: Caller, limit: int, cursor: str | None
    ) -> tuple[list[LinkSummary], str | None]:
        """The caller's links, the newest first, and the next cursor. Raises InvalidCursor."""
        account = self._access.open(caller).account
        after = (unseal(cursor, account.id, LINKS) or [""])[0]
        rows, last = self._links.of(account.username, account.id, after=after, limit=limit)
        return [summary(row) for row in rows], last and seal([last], account.id, LINKS)

    def get(self, caller: Caller, link_id: str) -> Link:
        """A link of the caller's, with what is still there of its items. Raises NoSuchLink."""
        row, held, entry = self._find(caller, link_id)
        if len(still(entry, row, held)) < len(held):  # renamed, perhaps, since the link was read
            row, held, entry = self._find(caller, link_id)
        row = row.model_copy(update={"alias": _alias(entry, row)})
        return link_view(row, still(entry, row, held))

    def change(self, caller: Caller, link_id: str, wanted: LinkChanges) -> Link:
        """Changes what is said, and nothing else.

        Raises NoSuchLink, NoSuchFile, NoSuchUser, AliasTaken, Invalid, ChangedMeanwhile.
        """
        for _ in self._from.attempts():
            old, held, entry = self._find(caller, link_id, _keys(caller.username, wanted))
            row = self._changed(entry, old, wanted)
            if "items" in wanted.model_fields_set:
                grants = self._showing.grants(entry, row, wanted.items)
            else:
                grants = still(entry, row, held)
            writes = [store.change(old, row), *_listed(row), *_freed(entry, old, row.alias)]
            writes += self._showing.writes(entry, held, grants)
            writes.append(self._audit.of(caller, "link.change", subject=row.id))
            if len(writes) > MOST_WRITES:
                raise Invalid("That is too much at once; change the items in two steps.")
            try:
                self._db.commit(writes, row.rev)
            except Refused:
                continue
            return link_view(row, grants)
        raise AssertionError

    def revoke(self, caller: Caller, link_id: str) -> None:
        """Ends a link at once, for good; who has it is told so. Raises NoSuchLink."""
        for _ in self._from.attempts():
            old, held, entry = self._find(caller, link_id)
            until = int(self._from.now()) + REMEMBERED
            ended = {"revoked": True, "alias": None, "rev": self._from.new_id()}
            row = old.model_copy(update=ended | {"expires_at": until})
            writes = [store.change(old, row), store.strike_ledger(row), *_freed(entry, old)]
            writes.append(self._audit.of(caller, "link.delete", subject=row.id))
            try:
                self._db.commit([*writes, *self._showing.writes(entry, held, [])], row.rev)
            except Refused:
                continue
            return

    def events(
        self, caller: Caller, link_id: str, limit: int, cursor: str | None
    ) -> tuple[list[LinkEvent], str | None]:
        """What was done with a link, the newest first. Raises NoSuchLink, InvalidCursor."""
        row, _, entry = self._find(caller, link_id)
        of = f"events {row.id}"
        after = (unseal(cursor, entry.account.id, of) or [""])[0]
        rows, last = self._links.events(row.id, after=after, limit=limit)
        now = self._from.now()
        events = [
            LinkEvent.model_validate(each.model_dump(exclude={"expires_at"}))
            for each in rows
            if each.expires_at > now
        ]
        return events, last and seal([last], entry.account.id, of)

    def _find(
        self, caller: Caller, link_id: str, more: Iterable[Key] = ()
    ) -> tuple[LinkRow, list[Grant], Entry]:
        """A link of the caller's with what it shows, and the files of that and who has its alias.

        Raises NoSuchLink.
        """
        row, held = self._links.find(link_id) if ID.fullmatch(link_id) else (None, [])
        names = [name_of(grant) for grant in held if grant.owner == caller.username]
        keys = [*file_keys(caller.username, names), *more]
        keys += [store.alias_key(row.alias)] if row and row.alias else []
        entry = self._access.open(caller, more=keys)
        if row is None or row.revoked or row.owner_id != entry.account.id:
            raise NoSuchLink
        return row, held, entry

    def _new(self, entry: Entry, link_id: str) -> LinkRow:
        return LinkRow(
            id=link_id,
            owner=entry.account.username,
            owner_id=entry.account.id,
            created=iso(self._from.now()),
            rev="",
            seal=self._from.new_id(),
        )

    def _changed(self, entry: Entry, row: LinkRow, wanted: LinkRequest) -> LinkRow:
        """The link as wanted: as it is where nothing is said, but for a new link."""
        said = wanted.model_fields_set
        if not isinstance(wanted, LinkChanges):
            said = said | {"expires_in"}
        plain = said & {"max_downloads", "allow_download", "note", "alias"}
        new: dict[str, object] = {"alias": _alias(entry, row)}
        new |= {name: getattr(wanted, name) for name in plain}
        if wanted.alias and store.aliased(entry.rows, wanted.alias) not in {None, row.id}:
            raise AliasTaken
        if "password" in said:
            secret = wanted.password and wanted.password.get_secret_value()
            new["password"] = self._passwords.hash(secret) if secret else None
            new["seal"] = self._from.new_id()
        if "expires_in" in said:
            ends = int(self._from.now()) + wanted.expires_in if wanted.expires_in else None
            new |= {"ends": ends, "expires_at": ends and ends + REMEMBERED}
        if "audience" in said:
            audience = account_in(entry.rows, wanted.audience) if wanted.audience else None
            if wanted.audience and audience is None:
                raise NoSuchUser
            new |= {"audience": wanted.audience, "audience_id": audience and audience.id}
        return row.model_copy(update=new | {"rev": self._from.new_id()})


def _listed(row: LinkRow) -> list[Write]:
    """What leads to a link beside its token: its owner's list, and its alias."""
    alias = [store.put_alias(row, row.alias)] if row.alias else []
    return [store.put_ledger(row), *alias]


def _alias(entry: Entry, row: LinkRow) -> str | None:
    """The alias of a link; none when it fell to another link after it had expired."""
    taken = row.alias and store.aliased(entry.rows, row.alias) not in {None, row.id}
    return None if taken else row.alias


def _freed(entry: Entry, row: LinkRow, kept: str | None = None) -> list[Write]:
    """Frees the alias of a link that does not keep it, if it still has it."""
    alias = _alias(entry, row)
    return [store.strike_alias(row, alias)] if alias and alias != kept else []


def _keys(owner: str, wanted: LinkRequest) -> list[Key]:
    """Every row that bears on what is wanted."""
    keys = file_keys(owner, wanted.items)
    keys += [account_key(wanted.audience)] if wanted.audience else []
    return keys + ([store.alias_key(wanted.alias)] if wanted.alias else [])


def summary(row: LinkRow) -> LinkSummary:
    """A link as its owner sees it, without what it shows."""
    return LinkSummary(
        id=row.id,
        url=None,
        created=row.created,
        expires_at=None if row.ends is None else iso(row.ends),
        has_password=row.password is not None,
        max_downloads=row.max_downloads,
        downloads=row.downloads,
        allow_download=row.allow_download,
        audience=row.audience,
        note=row.note,
        alias=row.alias,
    )


def link_view(row: LinkRow, grants: list[Grant], url: str | None = None) -> Link:
    """A link as its owner sees it; `url` is for its owner's eyes when it is new."""
    items = sorted(name_of(grant) for grant in grants)
    return Link(**summary(row).model_dump(exclude={"url"}), url=url, items=items)
