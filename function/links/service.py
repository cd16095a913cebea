"""What a link shows: a grant to it on each file or folder, noted on the file as any other.

A file's rename carries such a grant and its delete revokes it; a new file of the same name is not
shown, because the grant is for the place of the old one.
"""

import re
from collections.abc import Iterable

from function.access.errors import NoSuchFile
from function.access.policy import Access, Authentication
from function.audit.service import AuditTrail
from function.auth.passwords import Passwords
from function.aws.dynamodb import ConditionFailed
from function.aws.rows import Key
from function.aws.writes import Write, equals
from function.base import Base
from function.core.cursors import seal, unseal
from function.core.errors import Invalid, NoSuchUser
from function.core.models import Caller
from function.core.runtime import iso
from function.core.tokens import token_hash
from function.links.errors import AliasTaken, NoSuchLink
from function.links.models import Link, LinkChanges, LinkEvent, LinkRequest, LinkSummary
from function.sharing.shares import GrantCapacity
from function.tables import folders
from function.tables import links as tables_links
from function.tables.accounts import account_in, account_key, require_account_active
from function.tables.files import FileRow, add_grantee, file_in, file_key, remove_grantee
from function.tables.folders import folder_key
from function.tables.grants import Grant, delete_grant, put_grant
from function.tables.links import LinkRow, link_grantee

ID = re.compile(r"[0-9a-f]{64}")
LINKS = "links"
# How long one can be told what became of a link.
REMEMBERED = 90 * 24 * 3600
MOST_WRITES = 100  # of one commit


class LinkItems:
    """Grants to links, and the writes that put them and take them back."""

    def __init__(self, base: Base) -> None:
        self._room = base.one(GrantCapacity)
        self._runtime = base.runtime

    def grants(self, entry: Authentication, row: LinkRow, names: Iterable[str]) -> list[Grant]:
        """The grants by which a link shows files and folders of its owner's.

        Raises NoSuchFile, LimitReached.
        """
        return [self._grant(entry, row, name) for name in dict.fromkeys(names)]

    def _grant(self, entry: Authentication, row: LinkRow, name: str) -> Grant:
        file = own_file(entry, name)
        if file is None and not name.endswith("/"):
            raise NoSuchFile
        if file is None:
            self._room.made_in(entry.rows, row.owner, name, link_grantee(row.id))
        file = file and self._room.made(file, link_grantee(row.id))
        return Grant(
            grantee=link_grantee(row.id),
            file=f"{row.owner}/{name}",
            owner=row.owner,
            owner_id=row.owner_id,
            grantee_id=row.id,
            permission="read",
            created=iso(self._runtime.now()),
            rev=self._runtime.new_id(),
            file_id=file.place_id if file else None,
            expires_at=row.expires_at,
        )

    def _reached(self, file: FileRow | None, grant: Grant) -> Write:
        """Notes on the file, or the folder, whom it is granted to."""
        if file:
            return add_grantee(file, grant.grantee, self._runtime.new_id())
        return folders.add_folder_grantee(grant.owner, name_of(grant), grant.grantee)

    def writes(self, entry: Authentication, held: list[Grant], wanted: list[Grant]) -> list[Write]:
        """Puts the grants that are new or otherwise, and takes back those not wanted any more.

        All this expects the grants as they were `held`: where a file is not found, its grant was
        left behind, or has gone with it to another name meanwhile, and one must look again.
        """
        writes: list[Write] = []
        before = {grant.file: grant for grant in held}
        for grant in wanted:
            old = before.pop(grant.file, None)
            if old and (old.file_id, old.expires_at) == (grant.file_id, grant.expires_at):
                continue
            file = own_file(entry, name_of(grant))
            noted = [self._reached(file, grant)]
            writes += [put_grant(grant, equals(rev=old.rev) if old else None), *noted]
        for grant in before.values():
            file = own_file(entry, name_of(grant))
            stands = file is not None and file.place_id == grant.file_id
            noted = (
                [remove_grantee(file, grant.grantee, self._runtime.new_id())]
                if file and stands
                else []
            )
            if grant.file_id is None:
                noted = [
                    folders.remove_folder_grantee(grant.owner, name_of(grant), [grant.grantee])
                ]
            writes += [delete_grant(grant), *noted]
        return writes


def still(entry: Authentication, row: LinkRow, held: Iterable[Grant]) -> list[Grant]:
    """The grants that stand, until the link as it is now may go; never one for a namesake."""

    def stands(grant: Grant) -> bool:
        file = own_file(entry, name_of(grant))
        return grant.file_id is None or (file is not None and file.place_id == grant.file_id)

    ending = {"expires_at": row.expires_at}
    return [each.model_copy(update=ending) for each in held if stands(each)]


def own_file(entry: Authentication, name: str) -> FileRow | None:
    """The caller's own file of that name, if it was read."""
    file = file_in(entry.rows, entry.account.username, name)
    return file if file and file.owner_id == entry.account.id else None


def name_of(grant: Grant) -> str:
    """What a grant is on, as its owner calls it."""
    return grant.file.removeprefix(f"{grant.owner}/")


def file_keys(owner: str, names: Iterable[str]) -> list[Key]:
    """Where files of those names stand, and folders."""
    return [(folder_key if name.endswith("/") else file_key)(owner, name) for name in names]


class LinkService:
    """The links of an account."""

    def __init__(
        self,
        base: Base,
    ) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._links = tables_links.Links(base.db)
        self._showing = base.one(LinkItems)
        self._passwords = base.one(Passwords)
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime

    def create(self, caller: Caller, wanted: LinkRequest, base: str) -> Link:
        """Makes a link; its address under `base` is said this once.

        Raises NoSuchFile, NoSuchUser, AliasTaken, ChangedMeanwhile.
        """
        token = self._runtime.new_secret()
        for _ in self._runtime.attempts():
            entry = self._access.authenticate(caller, more=_keys(caller.username, wanted))
            row = self._changed(entry, self._new(entry, token_hash(token)), wanted)
            grants = self._showing.grants(entry, row, wanted.items)
            writes = [
                tables_links.create_link(row),
                *_listed(row),
                *self._showing.writes(entry, [], grants),
            ]
            writes.append(require_account_active(entry.account))
            writes.append(self._audit.record(caller, "link.create", subject=row.id))
            try:
                self._db.commit(writes, row.rev)
            except ConditionFailed:
                continue
            return link_view(row, grants, f"{base}/s/{row.alias or token}")
        raise AssertionError

    def page(
        self, caller: Caller, limit: int, cursor: str | None
    ) -> tuple[list[LinkSummary], str | None]:
        """The caller's links, the newest first, and the next cursor. Raises InvalidCursor."""
        account = self._access.authenticate(caller).account
        after = (unseal(cursor, account.id, LINKS) or [""])[0]
        rows, last = self._links.list_links(account.username, account.id, after=after, limit=limit)
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
        for _ in self._runtime.attempts():
            old, held, entry = self._find(caller, link_id, _keys(caller.username, wanted))
            row = self._changed(entry, old, wanted)
            if "items" in wanted.model_fields_set:
                grants = self._showing.grants(entry, row, wanted.items)
            else:
                grants = still(entry, row, held)
            writes = [
                tables_links.update_link(old, row),
                *_listed(row),
                *_freed(entry, old, row.alias),
            ]
            writes += self._showing.writes(entry, held, grants)
            writes.append(self._audit.record(caller, "link.update", subject=row.id))
            if len(writes) > MOST_WRITES:
                raise Invalid("That is too much at once; change the items in two steps.")
            try:
                self._db.commit(writes, row.rev)
            except ConditionFailed:
                continue
            return link_view(row, grants)
        raise AssertionError

    def revoke(self, caller: Caller, link_id: str) -> None:
        """Ends a link at once, for good; who has it is told so. Raises NoSuchLink."""
        for _ in self._runtime.attempts():
            old, held, entry = self._find(caller, link_id)
            until = int(self._runtime.now()) + REMEMBERED
            ended = {"revoked": True, "alias": None, "rev": self._runtime.new_id()}
            row = old.model_copy(update=ended | {"expires_at": until})
            writes = [
                tables_links.update_link(old, row),
                tables_links.delete_owner_entry(row),
                *_freed(entry, old),
            ]
            writes.append(self._audit.record(caller, "link.delete", subject=row.id))
            try:
                self._db.commit([*writes, *self._showing.writes(entry, held, [])], row.rev)
            except ConditionFailed:
                continue
            return

    def events(
        self, caller: Caller, link_id: str, limit: int, cursor: str | None
    ) -> tuple[list[LinkEvent], str | None]:
        """What was done with a link, the newest first. Raises NoSuchLink, InvalidCursor."""
        row, _, entry = self._find(caller, link_id)
        of = f"events {row.id}"
        after = (unseal(cursor, entry.account.id, of) or [""])[0]
        rows, last = self._links.list_events(row.id, after=after, limit=limit)
        now = self._runtime.now()
        events = [
            LinkEvent.model_validate(each.model_dump(exclude={"expires_at"}))
            for each in rows
            if each.expires_at > now
        ]
        return events, last and seal([last], entry.account.id, of)

    def _find(
        self, caller: Caller, link_id: str, more: Iterable[Key] = ()
    ) -> tuple[LinkRow, list[Grant], Authentication]:
        """A link of the caller's with what it shows, and the files of that and who has its alias.

        Raises NoSuchLink.
        """
        row, held = self._links.find(link_id) if ID.fullmatch(link_id) else (None, [])
        names = [name_of(grant) for grant in held if grant.owner == caller.username]
        keys = [*file_keys(caller.username, names), *more]
        keys += [tables_links.alias_key(row.alias)] if row and row.alias else []
        entry = self._access.authenticate(caller, more=keys)
        if row is None or row.revoked or row.owner_id != entry.account.id:
            raise NoSuchLink
        return row, held, entry

    def _new(self, entry: Authentication, link_id: str) -> LinkRow:
        return LinkRow(
            id=link_id,
            owner=entry.account.username,
            owner_id=entry.account.id,
            created=iso(self._runtime.now()),
            rev="",
            seal=self._runtime.new_id(),
        )

    def _changed(self, entry: Authentication, row: LinkRow, wanted: LinkRequest) -> LinkRow:
        """The link as wanted: as it is where nothing is said, but for a new link."""
        said = wanted.model_fields_set
        if not isinstance(wanted, LinkChanges):
            said = said | {"expires_in"}
        plain = said & {"max_downloads", "allow_download", "note", "alias"}
        new: dict[str, object] = {"alias": _alias(entry, row)}
        new |= {name: getattr(wanted, name) for name in plain}
        if wanted.alias and tables_links.link_with_alias(entry.rows, wanted.alias) not in {
            None,
            row.id,
        }:
            raise AliasTaken
        if "password" in said:
            secret = wanted.password and wanted.password.get_secret_value()
            new["password"] = self._passwords.hash(secret) if secret else None
            new["seal"] = self._runtime.new_id()
        if "expires_in" in said:
            ends = int(self._runtime.now()) + wanted.expires_in if wanted.expires_in else None
            new |= {"ends": ends, "expires_at": ends and ends + REMEMBERED}
        if "audience" in said:
            audience = account_in(entry.rows, wanted.audience) if wanted.audience else None
            if wanted.audience and audience is None:
                raise NoSuchUser
            new |= {"audience": wanted.audience, "audience_id": audience and audience.id}
        return row.model_copy(update=new | {"rev": self._runtime.new_id()})


def _listed(row: LinkRow) -> list[Write]:
    """What leads to a link beside its token: its owner's list, and its alias."""
    alias = [tables_links.put_alias(row, row.alias)] if row.alias else []
    return [tables_links.put_owner_entry(row), *alias]


def _alias(entry: Authentication, row: LinkRow) -> str | None:
    """The alias of a link; none when it fell to another link after it had expired."""
    taken = row.alias and tables_links.link_with_alias(entry.rows, row.alias) not in {None, row.id}
    return None if taken else row.alias


def _freed(entry: Authentication, row: LinkRow, kept: str | None = None) -> list[Write]:
    """Frees the alias of a link that does not keep it, if it still has it."""
    alias = _alias(entry, row)
    return [tables_links.delete_alias(row, alias)] if alias and alias != kept else []


def _keys(owner: str, wanted: LinkRequest) -> list[Key]:
    """Every row that bears on what is wanted."""
    keys = file_keys(owner, wanted.items)
    keys += [account_key(wanted.audience)] if wanted.audience else []
    return keys + ([tables_links.alias_key(wanted.alias)] if wanted.alias else [])


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
