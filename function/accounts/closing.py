"""Deletion of accounts: revoke all that an account gave and got, then delete its files.

The first commit disables the account for good and ends its sessions, so that nothing is added to
it afterwards. Every step then deletes one page of rows. The next request, or the sweep,
continues a deletion that ran out of time or was interrupted. The account's own row is deleted last:
until then nobody can register its name.

Another process can delete the same account at the same time, and its name can belong to a new
account by then. So every write has the ids of the account or of the rows as its condition, and a
failed condition means that the next page is read again.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from function.access.callers import ActingAccount
from function.access.errors import ProtectedAccount
from function.access.policy import Access
from function.access.releases import Releases
from function.accounts.models import Closure
from function.audit.service import AuditLog
from function.aws.dynamodb import TRANSACTION_LIMIT, ConditionFailed
from function.aws.writes import Write, delete
from function.base import Base
from function.core.errors import NoSuchUser
from function.core.limits import WORK_SECONDS
from function.core.models import Caller
from function.core.runtime import BatchResult
from function.files.commit import FileWrites
from function.tables.accounts import (
    Account,
    ClosingList,
    account_key,
    any_account_in,
    delete_account,
    list_for_closing,
    require_account_closing,
    require_account_unchanged,
    update_account,
)
from function.tables.files import FileRow, Files, file_in, file_key, remove_grantee
from function.tables.folders import delete_folders
from function.tables.grants import (
    Grant,
    Grants,
    delete_grant,
    grant_keys_on,
    grant_row_key,
    revoke_grants_on,
    user_grantee,
)
from function.tables.groups import (
    Group,
    Groups,
    Membership,
    close_invitations,
    delete_group,
    delete_membership,
    delete_open_invitations,
    group_in,
    membership_keys,
)
from function.tables.links import (
    LinkRow,
    Links,
    alias_key,
    delete_owner_entry,
    link_key,
    link_with_alias,
    release_alias,
)
from function.tables.requests import RequestRow, Requests, delete_request
from function.tables.reservations import reservations_on, uploads_of
from function.tables.usage import close_usage

PAGE = 50

Owned = TypeVar("Owned", FileRow, LinkRow, RequestRow)
DeletionStep = Callable[[Account], bool]


class Departure:
    """Revokes what an account gave to others, and what it got from them."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._releases = base.one(Releases)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime
        self._groups = Groups(base.db)
        self._grants = Grants(base.db)
        self._links = Links(base.db)
        self._requests = Requests(base.db)

    def steps(self) -> dict[str, DeletionStep]:
        """The steps by name, in order. A step deletes one page, and returns whether it was empty.

        A step's failed commits stay for its next page. Steps raise Unavailable.
        """
        return {
            "links": self._delete_links,
            "requests": self._delete_requests,
            "groups": self._leave_groups,
            "invitations": self._decline_invitations,
            "shares": self._revoke_shares,
        }

    def _delete_links(self, account: Account) -> bool:
        rows = _next_page(
            account,
            lambda after: self._links.list_links(
                account.username, account.id, after=after, limit=PAGE
            ),
        )
        for row in rows:
            _, grants = self._links.find(row.id)
            with suppress(ConditionFailed):
                self._db.commit(self._link_deletion(row, grants))
        return not rows

    def _link_deletion(self, row: LinkRow, grants: list[Grant]) -> list[Write]:
        writes = [delete(grant_row_key(grant)) for grant in grants]
        writes += [delete(link_key(row.id)), delete_owner_entry(row)]
        if row.alias:
            rows = self._db.read([alias_key(row.alias)])
            if link_with_alias(rows, row.alias) == row.id:
                writes.append(release_alias(row, row.alias, self._runtime.now(), None))
        return writes

    def _delete_requests(self, account: Account) -> bool:
        now = self._runtime.now()
        rows = _next_page(
            account,
            lambda after: self._requests.list_requests(
                account.username, now, after=after, limit=PAGE
            ),
        )
        for row in rows:
            with suppress(ConditionFailed):
                self._db.commit(delete_request(row))
        return not rows

    def _leave_groups(self, account: Account) -> bool:
        """Deletes the account's own groups, and its memberships of others."""
        rows = self._db.read([account_key(account.username)])
        current = any_account_in(rows, account.username)
        if current is None or current.id != account.id:
            return True  # another process has finished
        rows = self._db.read(membership_keys(current))
        memberships = {
            each.group: each for each in self._access.memberships_in(rows, current).values()
        }
        for name in sorted(current.groups):
            group = group_in(rows, name)
            with suppress(ConditionFailed):
                if group and group.owner_id == current.id:
                    self._delete_group(current, group)
                elif name in memberships:
                    self._db.commit(delete_membership(memberships[name], account_exists=True))
                else:  # the group was deleted, and has left its name in the account's row
                    others = current.groups - {name}
                    self._groups.set_groups(current, others)
                    break  # the row names other groups now than those that were read
        return not current.groups

    def _delete_group(self, account: Account, group: Group) -> None:
        """Removes a page of members and grants from a group; deletes it when there are none.

        Its owner leaves last: the owner's row is the only one that still names the group.
        """
        members = self._groups.list_remaining(group.grantee, group.id, PAGE)
        others = [each for each in members if each.member_id != account.id]
        grant_keys = self._groups.list_grant_keys(group, PAGE)
        self._releases.expel(others)
        self._groups.revoke_grants(group, grant_keys)
        if others or grant_keys:
            return
        actor = ActingAccount(account.username, account.id)
        audit_write = self._audit.record(actor, "group.delete", subject=group.name)
        with suppress(ConditionFailed):
            self._db.commit([*delete_group(group, self._runtime.now()), audit_write])
            self._groups.expel(members)

    def _decline_invitations(self, account: Account) -> bool:
        """Declines the invitations of the account, and forgets the open ones to its groups."""
        invitations: list[tuple[Membership, Group | None]] = []
        after: str | None = ""
        while after is not None and not invitations:
            invitations, after = self._groups.list_invitations(account, after=after, limit=PAGE)
        for invitation, group in invitations:
            writes = delete_membership(invitation, account_exists=True)
            writes += close_invitations(group.owner, [invitation]) if group else []
            with suppress(ConditionFailed):
                self._db.commit(writes)
        if not invitations:
            self._db.write(delete_open_invitations(account.username))
        return not invitations

    def _revoke_shares(self, account: Account) -> bool:
        """Revokes the grants that others gave to the account."""
        grants = self._next_grants(account)
        rows = self._db.read(
            file_key(*grant.file.split("/", 1)) for grant in grants if grant.file_id
        )
        for grant in grants:
            owner, name = grant.file.split("/", 1)
            file = file_in(rows, owner, name) if grant.file_id else None
            writes = [delete_grant(grant)]
            if file and file.place_id == grant.file_id:
                writes.append(remove_grantee(file, grant.grantee, self._runtime.new_id()))
            with suppress(ConditionFailed):
                self._db.commit(writes)
        return not grants

    def _next_grants(self, account: Account) -> list[Grant]:
        """The next grants to the account, past those to earlier accounts of its name."""
        own: list[Grant] = []
        after, more = "", True
        while more and not own:
            grants, more = self._grants.list_grants(
                user_grantee(account.username), after=after, limit=PAGE
            )
            after = grants[-1].file if grants else after
            own = [grant for grant in grants if grant.grantee_id == account.id]
        return own


class AccountDeletion:
    """Deletes accounts."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._releases = base.one(Releases)
        self._file_writes = base.one(FileWrites)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime
        self._administrator = base.settings.administrator
        self._files = Files(base.db)
        self._closing_list = ClosingList(base.db)
        # Rights are revoked first; the steps with the most rows come last.
        self._steps: dict[str, DeletionStep] = {
            **base.one(Departure).steps(),
            "files": self._trash_files,
            "folders": self._delete_folders,
        }

    def delete(self, caller: Caller, username: str) -> Closure:
        """Disables an account for good, and deletes as much of it as WORK_SECONDS allow.

        `left` of the answer names the steps that remain, none when the account is deleted.
        Raises NoSuchUser, ProtectedAccount, ChangedMeanwhile.
        """
        account = self._mark(caller, username)
        left = self._delete(account, self._runtime.within(WORK_SECONDS))
        return Closure(username=username, left=left)

    def sweep(self, has_time: Callable[[], bool], batch: BatchResult) -> None:
        """Continues the deletions on the list; counts the finished ones in `batch`."""
        for username in self._closing_list.list_usernames(PAGE):
            if not has_time():
                return
            with batch.attempt():
                account = any_account_in(self._db.read([account_key(username)]), username)
                if account and account.deleting:
                    batch.done += not self._delete(account, has_time)

    def _mark(self, caller: Caller, username: str) -> Account:
        """Marks the account as being deleted, in one commit that also ends its sessions."""

        def plan() -> tuple[list[Write], Account]:
            authentication = self._access.authenticate(caller, more=[account_key(username)])
            account = any_account_in(authentication.rows, username)
            if account is None:
                raise NoSuchUser
            if username in {caller.username, self._administrator}:
                raise ProtectedAccount
            if account.deleting:
                return [], account
            rev, epoch = self._runtime.new_id(), self._runtime.new_id()
            marked = {"rev": rev, "disabled": True, "deleting": True, "spread": None}
            closed = close_usage(self._db, account, self._runtime.now())
            return [
                update_account(account, rev, closed, disabled=True, deleting=True, epoch=epoch),
                require_account_unchanged(authentication.account),
                list_for_closing(username),
                self._releases.schedule(uploads_of(username)),
                self._releases.schedule(reservations_on(username)),
                self._audit.record(caller, "account.delete", owner=username),
            ], account.model_copy(update=marked)

        return self._db.transact(plan)

    def _delete(self, account: Account, has_time: Callable[[], bool]) -> list[str]:
        """Runs the steps, and returns those that remain when the time is over."""
        names = list(self._steps)
        for number, name in enumerate(names):
            while not self._steps[name](account):
                if not has_time():
                    return names[number:]
        try:
            self._db.commit(delete_account(account))
        except ConditionFailed:  # it has joined a group since, or another process has deleted it
            rows = self._db.read([account_key(account.username)])
            current = any_account_in(rows, account.username)
            return ["groups"] if current and current.id == account.id else []
        return []

    def _trash_files(self, account: Account) -> bool:
        """Moves a page of files to the trash."""
        rows = _next_page(account, lambda after: self._list_files(account, after))
        for row in rows:
            with suppress(ConditionFailed):
                self._trash(row)
        return not rows

    def _list_files(self, account: Account, after: str) -> tuple[list[FileRow], str | None]:
        rows, more = self._files.list_files(account.username, prefix="", after=after, limit=PAGE)
        return rows, rows[-1].name if more else None

    def _trash(self, row: FileRow) -> None:
        """Moves a file to the trash; grants beyond the limit of its transaction follow."""
        grants = [delete(key) for key in grant_keys_on(row)]
        writes = [
            *self._file_writes.change_files((row, None)),
            *self._file_writes.move_to_trash(row),
        ]
        capacity = TRANSACTION_LIMIT - len(writes)
        self._db.commit([*writes, *grants[:capacity]])
        self._db.commit_each(revoke_grants_on(row)[capacity:])

    def _delete_folders(self, account: Account) -> bool:
        """Deletes a page of folders, which are empty now, with the grants on them."""
        writes = delete_folders(self._db, account.username, PAGE)
        batch_size = TRANSACTION_LIMIT - 1
        for start in range(0, len(writes), batch_size):
            batch = writes[start : start + batch_size]
            try:
                self._db.commit([require_account_closing(account), *batch])
            except ConditionFailed as error:
                return 0 in error.failed  # another process has deleted the account
        return not writes


def _next_page(
    account: Account, read_page: Callable[[str], tuple[list[Owned], str | None]]
) -> list[Owned]:
    """The next rows of an account, past those of earlier accounts of its name.

    `read_page` takes the position of the last row, and returns rows and the next position.
    """
    rows: list[Owned] = []
    after: str | None = ""
    while after is not None and not rows:
        page, after = read_page(after)
        rows = [row for row in page if row.owner_id == account.id]
    return rows
