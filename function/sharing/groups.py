"""Groups of accounts: one account creates and owns a group, and decides who its members are.

The id of a group is never reused. A grant to a group carries that id, so the grants of a deleted
group give access to nothing, even before their rows are deleted.

An owner invites an account, and its membership begins when the account accepts. Until then the
invitation gives no access, and costs the account neither a place among its groups nor a read. The
accounts of an administrator's groups need not be asked.
"""

from contextlib import suppress
from dataclasses import replace

from function.access.lookups import Lookups
from function.access.policy import Access, Authentication
from function.access.releases import Releases
from function.audit.service import AuditLog
from function.aws.dynamodb import ConditionFailed
from function.aws.rows import Key, Rows
from function.aws.writes import Write
from function.base import Base
from function.core.errors import Invalid, LimitReached, Unavailable
from function.core.models import Caller
from function.core.paging import Page, PageQuery, Paging
from function.core.runtime import iso
from function.sharing.errors import GroupTaken, NoSuchGroup, NoSuchMember
from function.sharing.models import GroupMember, GroupMembers, GroupView
from function.tables.accounts import Account, account_key
from function.tables.audit import Action
from function.tables.groups import (
    HEAD,
    MAX_GROUPS,
    MAX_INVITATIONS,
    MEMBER,
    Group,
    Groups,
    Membership,
    close_invitations,
    create_group,
    create_invitation,
    create_membership,
    delete_group,
    delete_membership,
    delete_open_invitations,
    former_key,
    group_grantee,
    group_in,
    group_key,
    invitations_key,
    is_reserved,
    member_key,
    membership_in,
    membership_or_invitation_in,
    open_invitations_in,
    stored_membership,
)
from function.tables.reservations import uploads_of, uploads_of_members

GROUPS, INVITATIONS = "groups", "group invitations"
CLEANUP_ROWS = 200  # of each kind that the request that deletes a group deletes as well


class GroupService:
    """Creates and deletes groups, and changes and lists their members."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._lookups = base.one(Lookups)
        self._releases = base.one(Releases)
        self._groups = Groups(base.db)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime

    def create(self, caller: Caller, name: str) -> tuple[GroupView, bool]:
        """Creates a group with the caller as its owner and first member; and whether it is new.

        Raises GroupTaken, LimitReached, ChangedMeanwhile.
        """

        def plan() -> tuple[list[Write], tuple[GroupView, bool]]:
            keys = [group_key(name), former_key(name), member_key(name, caller.username)]
            authentication = self._access.authenticate(caller, more=keys)
            account, rows = authentication.account, authentication.rows
            existing, now = group_in(rows, name), self._runtime.now()
            if existing and existing.owner_id == account.id:
                return [], (_group_view(existing), False)
            if existing or is_reserved(rows, name, account, now):
                raise GroupTaken
            self._ensure_capacity(account)
            group = Group(
                grantee=group_grantee(name),
                file=HEAD,
                id=self._runtime.new_id(),
                owner=account.username,
                owner_id=account.id,
                created=iso(now),
                rev=self._runtime.new_id(),
            )
            old = stored_membership(rows, name, account.username)
            writes = create_group(group, account, self._membership(group, account), old, now)
            audit_write = self._audit.record(caller, "group.create", subject=name)
            return [*writes, audit_write], (_group_view(group), True)

        return self._db.transact(plan)

    def put_member(self, caller: Caller, name: str, username: str) -> tuple[GroupMember, bool]:
        """Invites an account to a group of the caller's, or accepts the caller's own invitation.

        An administrator's group has the account as a member at once. Returns the membership, and
        whether it is new. Raises NotAllowed, NoSuchGroup, NoSuchUser, SlowDown,
        LimitReached, ChangedMeanwhile.
        """
        if username == caller.username:
            return self._db.transact(lambda: self._accept(_acting_for_self(caller), name))
        inviter = replace(caller, power="share")
        return self._db.transact(lambda: self._add(inviter, name, username))

    def _accept(self, caller: Caller, name: str) -> tuple[list[Write], tuple[GroupMember, bool]]:
        authentication = self._access.authenticate(caller, more=_keys(name, caller.username))
        account, rows = authentication.account, authentication.rows
        group = group_in(rows, name)
        invitation = membership_or_invitation_in(rows, name, account)
        if group is None or invitation is None:
            raise NoSuchGroup
        if invitation.accepted:
            return [], (_member_view(invitation), False)
        self._ensure_capacity(account)
        membership = self._membership(group, account)
        writes = create_membership(group, membership, account, invitation)
        details = {"owner": group.owner, "subject": f"{name}/{account.username}"}
        audit_write = self._audit.record(caller, "member.create", **details)
        return [*writes, audit_write], (_member_view(membership), False)

    def _add(
        self, caller: Caller, name: str, username: str
    ) -> tuple[list[Write], tuple[GroupMember, bool]]:
        authentication, group = self._read_owned(caller, name, username)
        rows, is_asked = authentication.rows, authentication.account.role != "admin"
        old = stored_membership(rows, name, username)
        account = self._lookups.find(authentication, username, known=old is not None)
        existing = membership_or_invitation_in(rows, name, account)
        if existing and (existing.accepted or is_asked):
            return [], (_member_view(existing), False)
        membership = self._membership(group, account, accepted=not is_asked)
        if is_asked:
            _require_invitations_left(rows, caller.username)
            writes = create_invitation(group, membership, account, old)
        else:
            self._ensure_capacity(account)
            writes = create_membership(group, membership, account, old)
        action: Action = "member.invite" if is_asked else "member.create"
        audit_write = self._audit.record(caller, action, subject=f"{name}/{username}")
        return [*writes, audit_write], (_member_view(membership), True)

    def remove_member(self, caller: Caller, name: str, username: str) -> None:
        """Deletes a membership or an invitation: the owner another's, an account its own.

        Raises NotAllowed, NoSuchGroup, NoSuchMember, Invalid, ChangedMeanwhile.
        """
        is_own = username == caller.username
        actor = _acting_for_self(caller) if is_own else replace(caller, power="share")

        def plan() -> tuple[list[Write], None]:
            keys = _keys(name, caller.username, username)
            authentication = self._access.authenticate(actor, more=keys)
            rows, account = authentication.rows, authentication.account
            group = group_in(rows, name)
            if group is None or membership_or_invitation_in(rows, name, account) is None:
                raise NoSuchGroup
            if account.id != group.owner_id and not is_own:
                raise NoSuchGroup
            membership = stored_membership(rows, name, username)
            if membership is None or membership.group_id != group.id:
                raise NoSuchMember
            if membership.member_id == group.owner_id:
                reason = {"at": "path.username", "reason": "owns the group"}
                raise Invalid("The owner cannot leave a group; delete it.", errors=[reason])
            details = {"owner": group.owner, "subject": f"{name}/{username}"}
            return [
                *delete_membership(membership, account_exists=account_key(username) in rows),
                *close_invitations(group.owner, [membership]),
                self._releases.schedule(uploads_of(username)),
                self._audit.record(caller, "member.delete", **details),
            ], None

        self._db.transact(plan)

    def delete(self, caller: Caller, name: str) -> None:
        """Deletes a group of the caller's, and with it all access by grants to it.

        The rows of its memberships and grants are deleted afterwards; what is left of them is
        without effect. Raises NoSuchGroup, ChangedMeanwhile.
        """

        def plan() -> tuple[list[Write], Group]:
            authentication, group = self._read_owned(caller, name, caller.username)
            opened = open_invitations_in(authentication.rows, caller.username)
            its_own = [each for each in opened if each.startswith(f"{name}/")]
            return [
                *delete_group(group, self._runtime.now(), group.owner_id),
                *([delete_open_invitations(group.owner, its_own)] if its_own else []),
                self._releases.schedule(uploads_of_members(group.grantee, group.id)),
                self._audit.record(caller, "group.delete", subject=name),
            ], group

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

    def list_invitations(self, caller: Caller, page: PageQuery) -> Page[GroupView]:
        """A page of the groups that the caller is invited to, by name. Raises InvalidCursor."""
        account = self._access.authenticate(caller).account
        paging = Paging(page, account.id, INVITATIONS)
        found, last = self._groups.list_invitations(account, after=paging.after, limit=paging.limit)
        return paging.page((_group_view(group) for _, group in found if group), last)

    def get(self, caller: Caller, name: str, page: PageQuery) -> tuple[GroupMembers, str | None]:
        """A group that the caller belongs to, a page of its members, the cursor of the next page.

        Its owner sees invitations as well. Raises NoSuchGroup, InvalidCursor.
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
        is_owner = group.owner_id == authentication.account.id
        shown = (each for each in members if each.accepted or is_owner)
        views = paging.page(map(_member_view, shown), last)
        view = GroupMembers(**_group_view(group).model_dump(), members=views.items)
        return view, views.cursor

    def _read_owned(self, caller: Caller, name: str, username: str) -> tuple[Authentication, Group]:
        """A group that the caller owns, read with the membership of `username`.

        The open invitations are read too. Raises NoSuchGroup.
        """
        keys = [
            *_keys(name, caller.username, username),
            *self._lookups.keys(caller.username, username),
            invitations_key(caller.username),
        ]
        authentication = self._access.authenticate(caller, more=keys)
        group = _visible_group(authentication.rows, authentication.account, name)
        if group.owner_id != authentication.account.id:
            raise NoSuchGroup
        return authentication, group

    def _membership(self, group: Group, account: Account, *, accepted: bool = True) -> Membership:
        return Membership(
            grantee=group.grantee,
            file=MEMBER + account.username,
            username=account.username,
            member_id=account.id,
            group_id=group.id,
            created=iso(self._runtime.now()),
            rev=self._runtime.new_id(),
            accepted=accepted,
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
        self._releases.expel(self._groups.list_remaining(group.grantee, group.id, CLEANUP_ROWS))
        self._groups.revoke_grants(group, self._groups.list_grant_keys(group, CLEANUP_ROWS))


def _keys(name: str, *usernames: str) -> list[Key]:
    """The rows of a group, and of each account and its membership."""
    accounts = [account_key(username) for username in usernames]
    return [group_key(name), *(member_key(name, each) for each in usernames), *accounts]


def _acting_for_self(caller: Caller) -> Caller:
    """The caller with the power that a change of their own membership requires."""
    return replace(caller, power="account")


def _require_invitations_left(rows: Rows, owner: str) -> None:
    """Raises LimitReached where an inviter has as many open invitations as allowed."""
    if len(open_invitations_in(rows, owner)) >= MAX_INVITATIONS:
        raise LimitReached(
            f"You have {MAX_INVITATIONS} open invitations. Wait until some are accepted, or take "
            "some back with DELETE /groups/{group}/members/{username}."
        )


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
        group=membership.group,
        username=membership.username,
        created=membership.created,
        accepted=membership.accepted,
    )
