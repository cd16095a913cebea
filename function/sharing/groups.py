"""Groups of accounts: one account creates and owns a group, and decides who its members are.

The id of a group is never reused. A grant to a group carries that id, so the grants of a deleted
group give access to nothing, even before their rows are deleted.
"""

from contextlib import suppress

from function.access.policy import Access
from function.audit.service import AuditLog
from function.aws.dynamodb import ConditionFailed
from function.aws.rows import Key, Rows
from function.aws.writes import Write
from function.base import Base
from function.core.errors import Invalid, LimitReached, NoSuchUser, Unavailable
from function.core.models import Caller
from function.core.paging import Page, PageQuery, Paging
from function.core.runtime import iso
from function.sharing.errors import GroupTaken, NoSuchGroup, NoSuchMember
from function.sharing.models import GroupMember, GroupMembers, GroupView
from function.tables.accounts import Account, account_in, account_key
from function.tables.groups import (
    HEAD,
    MAX_GROUPS,
    MEMBER,
    Group,
    Groups,
    Membership,
    create_group,
    create_membership,
    delete_group,
    delete_membership,
    group_grantee,
    group_in,
    group_key,
    member_key,
    membership_in,
)

GROUPS = "groups"
CLEANUP_ROWS = 200  # of each kind that the request that deletes a group deletes as well


class GroupService:
    """Creates and deletes groups, and changes and lists their members."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._groups = Groups(base.db)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime

    def create(self, caller: Caller, name: str) -> tuple[GroupView, bool]:
        """Creates a group with the caller as its owner and first member; and whether it is new.

        Raises GroupTaken, LimitReached, ChangedMeanwhile.
        """

        def plan() -> tuple[list[Write], tuple[GroupView, bool]]:
            authentication = self._access.authenticate(caller, more=[group_key(name)])
            account, existing = authentication.account, group_in(authentication.rows, name)
            if existing:
                if existing.owner_id != account.id:
                    raise GroupTaken
                return [], (_group_view(existing), False)
            self._ensure_capacity(account)
            group = Group(
                grantee=group_grantee(name),
                file=HEAD,
                id=self._runtime.new_id(),
                owner=account.username,
                owner_id=account.id,
                created=iso(self._runtime.now()),
                rev=self._runtime.new_id(),
            )
            writes = create_group(group, account, self._membership(group, account))
            audit_write = self._audit.record(caller, "group.create", subject=name)
            return [*writes, audit_write], (_group_view(group), True)

        return self._db.transact(plan)

    def add_member(self, caller: Caller, name: str, username: str) -> tuple[GroupMember, bool]:
        """Makes an account a member of a group of the caller's; and whether that is new.

        Raises NoSuchGroup, NoSuchUser, LimitReached, ChangedMeanwhile.
        """

        def plan() -> tuple[list[Write], tuple[GroupMember, bool]]:
            rows, group = self._read_owned(caller, name, username)
            account = account_in(rows, username)
            if account is None:
                raise NoSuchUser
            existing = membership_in(rows, name, account)
            if existing:
                return [], (_member_view(existing), False)
            self._ensure_capacity(account)
            membership = self._membership(group, account)
            writes = create_membership(group, membership, account)
            subject = f"{name}/{username}"
            audit_write = self._audit.record(caller, "member.create", subject=subject)
            return [*writes, audit_write], (_member_view(membership), True)

        return self._db.transact(plan)

    def remove_member(self, caller: Caller, name: str, username: str) -> None:
        """Deletes a membership: the owner that of another account, a member its own.

        Raises NoSuchGroup, NoSuchMember, Invalid, ChangedMeanwhile.
        """

        def plan() -> tuple[list[Write], None]:
            keys = _keys(name, caller.username, username)
            authentication = self._access.authenticate(caller, more=keys)
            group = _visible_group(authentication.rows, authentication.account, name)
            if authentication.account.id != group.owner_id and username != caller.username:
                raise NoSuchGroup
            row = authentication.rows.get(member_key(name, username))
            membership = Membership.model_validate(row) if row else None
            if membership is None or membership.group_id != group.id:
                raise NoSuchMember
            if membership.member_id == group.owner_id:
                reason = {"at": "path.username", "reason": "owns the group"}
                raise Invalid("The owner cannot leave a group; delete it.", errors=[reason])
            account_exists = account_key(username) in authentication.rows
            writes = delete_membership(membership, account_exists=account_exists)
            details = {"owner": group.owner, "subject": f"{name}/{username}"}
            return [*writes, self._audit.record(caller, "member.delete", **details)], None

        self._db.transact(plan)

    def delete(self, caller: Caller, name: str) -> None:
        """Deletes a group of the caller's, and with it all access by grants to it.

        The rows of its memberships and grants are deleted afterwards; what is left of them is
        without effect. Raises NoSuchGroup, ChangedMeanwhile.
        """

        def plan() -> tuple[list[Write], Group]:
            _, group = self._read_owned(caller, name, caller.username)
            audit_write = self._audit.record(caller, "group.delete", subject=name)
            return [delete_group(group), audit_write], group

        group = self._db.transact(plan)
        with suppress(Unavailable):
            self._delete_leftovers(group)

    def list_groups(self, caller: Caller, page: PageQuery) -> Page[GroupView]:
        """A page of the groups that the caller belongs to, by name. Raises InvalidCursor."""
        account = self._access.authenticate(caller).account
        paging = Paging(page, account.id, GROUPS)
        groups = self._access.read_groups(account)
        following = [name for name in sorted(groups) if name > paging.after]
        names = following[: paging.limit]
        last = names[-1] if len(following) > len(names) else None
        return paging.page((_group_view(groups[name]) for name in names), last)

    def get(self, caller: Caller, name: str, page: PageQuery) -> tuple[GroupMembers, str | None]:
        """A group that the caller belongs to, a page of its members, the cursor of the next page.

        Raises NoSuchGroup, InvalidCursor.
        """
        authentication = self._access.authenticate(caller, more=_keys(name, caller.username))
        group = _visible_group(authentication.rows, authentication.account, name)
        paging = Paging(page, authentication.account.id, f"members {group.id}")
        found = self._groups.list_members(group, after=paging.after, limit=paging.limit)
        members, last = found or ([], None)
        # Where the page covers the caller's own name, the caller must be on it.
        in_range = paging.after < caller.username <= (last or caller.username)
        if found is None or (in_range and caller.username not in {m.username for m in members}):
            raise NoSuchGroup  # deleted after the first read, or the caller's membership was
        views = paging.page(map(_member_view, members), last)
        view = GroupMembers(**_group_view(group).model_dump(), members=views.items)
        return view, views.cursor

    def _read_owned(self, caller: Caller, name: str, username: str) -> tuple[Rows, Group]:
        """A group that the caller owns, read with the membership of `username`.

        Raises NoSuchGroup.
        """
        authentication = self._access.authenticate(
            caller, more=_keys(name, caller.username, username)
        )
        group = _visible_group(authentication.rows, authentication.account, name)
        if group.owner_id != authentication.account.id:
            raise NoSuchGroup
        return authentication.rows, group

    def _membership(self, group: Group, account: Account) -> Membership:
        return Membership(
            grantee=group.grantee,
            file=MEMBER + account.username,
            username=account.username,
            member_id=account.id,
            group_id=group.id,
            created=iso(self._runtime.now()),
            rev=self._runtime.new_id(),
        )

    def _ensure_capacity(self, account: Account) -> None:
        """Makes room for one more group in an account's row, which names its groups.

        A full row is first rewritten without the groups that no longer exist. The commit that adds
        the group checks the number again. Raises LimitReached.
        """
        if len(account.groups) < MAX_GROUPS:
            return
        existing = frozenset(self._access.read_groups(account))
        if len(existing) == len(account.groups):
            raise LimitReached(f"An account belongs to at most {MAX_GROUPS} groups.")
        with suppress(ConditionFailed):
            self._groups.set_groups(account, existing)

    def _delete_leftovers(self, group: Group) -> None:
        """Deletes the first memberships of a deleted group, and the first grants to it."""
        for membership in self._groups.list_remaining(group, CLEANUP_ROWS):
            self._groups.expel(membership)
        for key in self._groups.list_grant_keys(group, CLEANUP_ROWS):
            self._groups.revoke_grant(group, key)


def _keys(name: str, *usernames: str) -> list[Key]:
    """The rows of a group, and of each account and its membership."""
    accounts = [account_key(username) for username in usernames]
    return [group_key(name), *(member_key(name, each) for each in usernames), *accounts]


def _visible_group(rows: Rows, account: Account, name: str) -> Group:
    """The group, if the account is a member of it. Raises NoSuchGroup."""
    group = group_in(rows, name)
    if group is None or membership_in(rows, name, account) is None:
        raise NoSuchGroup
    return group


def _group_view(group: Group) -> GroupView:
    return GroupView(group=group.name, owner=group.owner, created=group.created)


def _member_view(membership: Membership) -> GroupMember:
    return GroupMember(
        group=membership.group, username=membership.username, created=membership.created
    )
