"""Taking back all that an account has to do with others: links, requests, groups, shares.

Each step clears a page away and says whether that was all. The account has been shut before, so
nobody adds to it; what another has changed meanwhile is looked at again.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from function.link_records import LinkRow
from function.records import Account, FileRow, Grant, Group
from function.request_records import RequestRow
from function.services.access import Access
from function.services.actors import Member
from function.services.audit import Audit
from function.services.origins import Origins
from function.stores import links, requests
from function.stores.accounts import account_at, account_key
from function.stores.dynamo import Dynamo
from function.stores.files import file_in, file_key, unreached
from function.stores.groups import Groups, about_groups, group_in
from function.stores.rows import Refused, Write
from function.stores.shares import Shares, key_of, take_back, user

AT_ONCE = 50
Owned = TypeVar("Owned", FileRow, LinkRow, RequestRow)


class Leaving:
    """Clears away."""

    def __init__(self, db: Dynamo, access: Access, audit: Audit, origins: Origins) -> None:
        """Rows are in `db`; `access` knows which memberships hold."""
        self._db = db
        self._access = access
        self._audit = audit
        self._from = origins
        self._groups = Groups(db)

    def steps(self) -> dict[str, Callable[[Account], bool]]:
        """What there is to do, by what it is about."""
        return {
            "links": self._links,
            "requests": self._requests,
            "groups": self._of_groups,
            "shares": self._shares,
        }

    def _links(self, account: Account) -> bool:
        store = links.Links(self._db)
        rows = next_of(
            account,
            lambda after: store.of(account.username, account.id, after=after, limit=AT_ONCE),
        )
        for row in rows:
            _, held = store.find(row.id)
            with suppress(Refused):
                self._db.commit(self._unlinked(row, held), self._from.new_id())
        return not rows

    def _unlinked(self, row: LinkRow, held: list[Grant]) -> list[Write]:
        gone = [Write("Delete", key_of(grant)) for grant in held]
        gone += [Write("Delete", links.link_key(row.id)), links.strike_ledger(row)]
        if row.alias:
            known = self._db.read([links.alias_key(row.alias)])
            if links.aliased(known, row.alias) == row.id:
                gone.append(links.strike_alias(row, row.alias))
        return gone

    def _requests(self, account: Account) -> bool:
        store, now = requests.Requests(self._db), self._from.now()
        rows = next_of(
            account, lambda after: store.of(account.username, now, after=after, limit=AT_ONCE)
        )
        for row in rows:
            with suppress(Refused):
                self._db.commit(requests.removed(row), self._from.new_id())
        return not rows

    def _of_groups(self, account: Account) -> bool:
        """Ends the groups that it owns, and its part in the others.

        Whoever else clears it away may be done by now, and its name somebody else's.
        """
        rows = self._db.read([account_key(account.username)])
        now = account_at(rows, account.username)
        if now is None or now.id != account.id:
            return True
        rows = self._db.read(about_groups(now))
        held = {each.group: each for each in self._access.memberships(rows, now).values()}
        for name in sorted(now.groups):
            group = group_in(rows, name)
            with suppress(Refused):
                if group and group.owner_id == now.id:
                    self._end(now, group)
                elif name in held:
                    self._groups.leave(held[name], self._from.new_id(), account=True)
                else:
                    self._groups.forget(now, now.groups - {name}, self._from.new_id())
                    break  # it names others now than were read
        return not now.groups

    def _end(self, account: Account, group: Group) -> None:
        """Puts a page of members out of a group; when there are none, ends it.

        Its owner is put out last, or nobody would know of it any more.
        """
        found = self._groups.remaining(group, AT_ONCE)
        others = [each for each in found if each.member_id != account.id]
        granted = self._groups.granted(group, AT_ONCE)
        for each in others:
            self._groups.put_out(each, self._from.new_id)
        for key in granted:
            self._groups.revoke(group, key)
        if others or granted:
            return
        who = Member(account.username, account.id)
        noted = self._audit.of(who, "group.delete", subject=group.name)
        with suppress(Refused):
            self._groups.delete(group, self._from.new_id(), noted)
            for each in found:
                self._groups.put_out(each, self._from.new_id)

    def _shares(self, account: Account) -> bool:
        """Takes back what was granted to it."""
        held = self._granted(account)
        places = [file_key(*grant.file.split("/", 1)) for grant in held if grant.file_id]
        rows = self._db.read(places)
        for grant in held:
            owner, name = grant.file.split("/", 1)
            file = file_in(rows, owner, name) if grant.file_id else None
            noted = []
            if file and file.place_id == grant.file_id:
                noted.append(unreached(file, grant.grantee, self._from.new_id()))
            with suppress(Refused):
                self._db.commit([take_back(grant), *noted], self._from.new_id())
        return not held

    def _granted(self, account: Account) -> list[Grant]:
        """A page of what was granted to it, past what was to others of its name."""
        mine: list[Grant] = []
        after, more = "", True
        while more and not mine:
            held, more = Shares(self._db).of(user(account.username), after=after, limit=AT_ONCE)
            after = held[-1].file if held else after
            mine = [grant for grant in held if grant.grantee_id == account.id]
        return mine


def next_of(account: Account, page: Callable[[str], tuple[list[Owned], str | None]]) -> list[Owned]:
    """The next rows of an account's, past whatever is left of others of its name."""
    rows: list[Owned] = []
    after: str | None = ""
    while after is not None and not rows:
        found, after = page(after)
        rows = [row for row in found if row.owner_id == account.id]
    return rows
