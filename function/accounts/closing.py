"""Taking back all that an account has to do with others: links, requests, groups, shares.

Each step clears a page away and says whether that was all. The account has been shut before, so
nobody adds to it; what another has changed meanwhile is looked at again.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from function.access.errors import ProtectedAccount
from function.access.policy import Access, ActingAccount
from function.accounts.models import Closure
from function.audit.service import AuditTrail
from function.aws.dynamodb import TRANSACTION_LIMIT, ConditionFailed
from function.aws.writes import Write, delete
from function.base import Base
from function.core.errors import NoSuchUser
from function.core.models import Caller
from function.core.runtime import BatchResult
from function.files.commit import FileWrites
from function.tables import folders, links, requests
from function.tables.accounts import (
    Account,
    ClosingList,
    account_at,
    account_key,
    delete_account,
    list_for_closing,
    require_account_closing,
    require_account_unchanged,
    update_account,
)
from function.tables.files import FileRow, Files, file_in, file_key, remove_grantee
from function.tables.grants import (
    Grant,
    Grants,
    delete_grant,
    grant_keys_on,
    grant_row_key,
    revoke_grants_on,
    user_grantee,
)
from function.tables.groups import Group, Groups, group_in, membership_keys
from function.tables.links import LinkRow
from function.tables.requests import RequestRow

AT_ONCE = 50
Owned = TypeVar("Owned", FileRow, LinkRow, RequestRow)
SECONDS = 15  # of work for one request, of the 28 that a function has


class Departure:
    """Clears away."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime
        self._groups = Groups(base.db)

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
            lambda after: store.list_links(
                account.username, account.id, after=after, limit=AT_ONCE
            ),
        )
        for row in rows:
            _, held = store.find(row.id)
            with suppress(ConditionFailed):
                self._db.commit(self._unlinked(row, held), self._runtime.new_id())
        return not rows

    def _unlinked(self, row: LinkRow, held: list[Grant]) -> list[Write]:
        gone = [delete(grant_row_key(grant)) for grant in held]
        gone += [delete(links.link_key(row.id)), links.delete_owner_entry(row)]
        if row.alias:
            known = self._db.read([links.alias_key(row.alias)])
            if links.link_with_alias(known, row.alias) == row.id:
                gone.append(links.delete_alias(row, row.alias))
        return gone

    def _requests(self, account: Account) -> bool:
        store, now = requests.Requests(self._db), self._runtime.now()
        rows = next_of(
            account,
            lambda after: store.list_requests(account.username, now, after=after, limit=AT_ONCE),
        )
        for row in rows:
            with suppress(ConditionFailed):
                self._db.commit(requests.delete_request(row), self._runtime.new_id())
        return not rows

    def _of_groups(self, account: Account) -> bool:
        """Ends the groups that it owns, and its part in the others.

        Whoever else clears it away may be done by now, and its name somebody else's.
        """
        rows = self._db.read([account_key(account.username)])
        now = account_at(rows, account.username)
        if now is None or now.id != account.id:
            return True
        rows = self._db.read(membership_keys(now))
        held = {each.group: each for each in self._access.memberships(rows, now).values()}
        for name in sorted(now.groups):
            group = group_in(rows, name)
            with suppress(ConditionFailed):
                if group and group.owner_id == now.id:
                    self._end(now, group)
                elif name in held:
                    self._groups.remove_member(held[name], self._runtime.new_id(), account=True)
                else:
                    self._groups.set_groups(now, now.groups - {name}, self._runtime.new_id())
                    break  # it names others now than were read
        return not now.groups

    def _end(self, account: Account, group: Group) -> None:
        """Puts a page of members out of a group; when there are none, ends it.

        Its owner is put out last, or nobody would know of it any more.
        """
        found = self._groups.list_remaining(group, AT_ONCE)
        others = [each for each in found if each.member_id != account.id]
        granted = self._groups.list_grant_keys(group, AT_ONCE)
        for each in others:
            self._groups.expel(each, self._runtime.new_id)
        for key in granted:
            self._groups.revoke_grant(group, key)
        if others or granted:
            return
        who = ActingAccount(account.username, account.id)
        noted = self._audit.record(who, "group.delete", subject=group.name)
        with suppress(ConditionFailed):
            self._groups.delete(group, self._runtime.new_id(), noted)
            for each in found:
                self._groups.expel(each, self._runtime.new_id)

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
                noted.append(remove_grantee(file, grant.grantee, self._runtime.new_id()))
            with suppress(ConditionFailed):
                self._db.commit([delete_grant(grant), *noted], self._runtime.new_id())
        return not held

    def _granted(self, account: Account) -> list[Grant]:
        """A page of what was granted to it, past what was to others of its name."""
        mine: list[Grant] = []
        after, more = "", True
        while more and not mine:
            held, more = Grants(self._db).list_grants(
                user_grantee(account.username), after=after, limit=AT_ONCE
            )
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


class AccountDeletion:
    """Closes accounts."""

    def __init__(
        self,
        base: Base,
    ) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._file_writes = base.one(FileWrites)
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime
        self._administrator = base.settings.administrator
        self._files = Files(base.db)
        self._list = ClosingList(base.db)
        # In this order: what may be many comes last.
        self._steps: dict[str, Callable[[Account], bool]] = {
            **base.one(Departure).steps(),
            "files": self._page,
            "folders": self._folders,
        }

    def delete(self, caller: Caller, username: str) -> Closure:
        """Closes an account, and says what is left to clear away when that takes longer.

        Raises NoSuchUser, ProtectedAccount, ChangedMeanwhile.
        """
        account = self._marked(caller, username)
        ends = self._runtime.now() + SECONDS
        return Closure(
            username=username, left=self._clear(account, lambda: self._runtime.now() < ends)
        )

    def sweep(self, in_time: Callable[[], bool], batch: BatchResult) -> None:
        """Goes on with the accounts that are being closed, and counts in `batch` who is gone."""
        for username in self._list.list_usernames(AT_ONCE):
            if not in_time():
                return
            with batch.attempt():
                account = account_at(self._db.read([account_key(username)]), username)
                if account and account.deleting:
                    batch.done += not self._clear(account, in_time)

    def _marked(self, caller: Caller, username: str) -> Account:
        """The account, with everything shut that it ever opened."""
        for _ in self._runtime.attempts():
            entry = self._access.authenticate(caller, more=[account_key(username)])
            account = account_at(entry.rows, username)
            if account is None:
                raise NoSuchUser
            if username in {caller.username, self._administrator}:
                raise ProtectedAccount
            if account.deleting:
                return account
            rev, epoch = self._runtime.new_id(), self._runtime.new_id()
            writes = [
                update_account(account, rev, disabled=True, deleting=True, epoch=epoch),
                require_account_unchanged(entry.account),
                list_for_closing(username),
                self._audit.record(caller, "account.delete", owner=username),
            ]
            try:
                self._db.commit(writes, rev)
            except ConditionFailed:
                continue
            return account.model_copy(update={"rev": rev, "disabled": True, "deleting": True})
        raise AssertionError

    def _clear(self, account: Account, in_time: Callable[[], bool]) -> list[str]:
        """What is left when the time is over; nothing, and the account is gone."""
        steps = list(self._steps)
        for at, name in enumerate(steps):
            while not self._steps[name](account):
                if not in_time():
                    return steps[at:]
        try:
            self._db.commit(delete_account(account), self._runtime.new_id())
        except ConditionFailed:
            there = account_at(self._db.read([account_key(account.username)]), account.username)
            return ["groups"] if there and there.id == account.id else []
        return []

    def _page(self, account: Account) -> bool:
        """Moves a page of files to the trash; whether that were all."""
        rows = next_of(account, lambda after: self._files_of(account, after))
        for row in rows:
            with suppress(ConditionFailed):
                self._trash(row)
        return not rows

    def _files_of(self, account: Account, after: str) -> tuple[list[FileRow], str | None]:
        rows, more = self._files.list_files(account.username, prefix="", after=after, limit=AT_ONCE)
        return rows, rows[-1].name if more else None

    def _folders(self, account: Account) -> bool:
        """Removes some folders, which are empty now, with what was granted on them."""
        gone = folders.folders_to_clear(self._db, account.username, AT_ONCE)
        for start in range(0, len(gone), TRANSACTION_LIMIT - 1):
            some = gone[start : start + TRANSACTION_LIMIT - 1]
            try:
                self._db.commit([require_account_closing(account), *some], self._runtime.new_id())
            except ConditionFailed as refused:
                return 0 in refused.failed  # whoever else clears it away is done
        return not gone

    def _trash(self, row: FileRow) -> None:
        grants = [delete(key) for key in grant_keys_on(row)]
        writes = [*self._file_writes.change((row, None)), *self._file_writes.deleted(row)]
        at_once = TRANSACTION_LIMIT - len(writes)
        self._db.commit([*writes, *grants[:at_once]], self._runtime.new_id())
        self._db.commit_each(revoke_grants_on(row)[at_once:])
