"""Groups: made and owned by one account, who says who belongs to it."""

from contextlib import suppress

from function.access.policy import Access
from function.audit.service import AuditTrail
from function.aws.dynamodb import ConditionFailed
from function.aws.rows import Key, Rows
from function.base import Base
from function.core.cursors import seal, unseal
from function.core.errors import Invalid, LimitReached, NoSuchUser, Unavailable
from function.core.models import Caller
from function.core.runtime import iso
from function.sharing.errors import GroupTaken, NoSuchGroup, NoSuchMember
from function.sharing.models import GroupMembers, GroupView
from function.sharing.models import Member as MemberView
from function.tables.accounts import Account, account_in, account_key
from function.tables.groups import (
    HEAD,
    MEMBER,
    MOST_OF_ONE,
    Group,
    Groups,
    Membership,
    group_grantee,
    group_in,
    group_key,
    member_key,
    membership_in,
)

CLEARED_AT_ONCE = 200


class GroupService:
    """Groups and who belongs to them."""

    def __init__(self, base: Base) -> None:
        self._access = base.one(Access)
        self._groups = Groups(base.db)
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime

    def create(self, caller: Caller, name: str) -> tuple[GroupView, bool]:
        """Makes a group with the caller in it; also says whether it is new.

        Raises GroupTaken, LimitReached, ChangedMeanwhile.
        """
        for _ in self._runtime.attempts():
            entry = self._access.authenticate(caller, more=[group_key(name)])
            account, held = entry.account, group_in(entry.rows, name)
            if held is not None:
                if held.owner_id != account.id:
                    raise GroupTaken
                return _view(held), False
            if not self._has_room(account):
                continue
            made = Group(
                grantee=group_grantee(name),
                file=HEAD,
                id=self._runtime.new_id(),
                owner=account.username,
                owner_id=account.id,
                created=iso(self._runtime.now()),
                rev=self._runtime.new_id(),
            )
            try:
                noted = self._audit.record(caller, "group.create", subject=name)
                self._groups.create(made, account, self._membership(made, account), noted)
            except ConditionFailed:
                continue
            return _view(made), True
        raise AssertionError

    def add(self, caller: Caller, name: str, username: str) -> tuple[MemberView, bool]:
        """Makes somebody a member; also says whether that is new.

        Raises NoSuchGroup, NoSuchUser, LimitReached, ChangedMeanwhile.
        """
        for _ in self._runtime.attempts():
            rows, held = self._owned(caller, name, username)
            account = account_in(rows, username)
            if account is None:
                raise NoSuchUser
            standing = membership_in(rows, name, account)
            if standing:
                return _member(standing), False
            if not self._has_room(account):
                continue
            membership = self._membership(held, account)
            try:
                noted = self._audit.record(caller, "member.create", subject=f"{name}/{username}")
                self._groups.add_member(held, membership, account, noted)
            except ConditionFailed:
                continue
            return _member(membership), True
        raise AssertionError

    def remove(self, caller: Caller, name: str, username: str) -> None:
        """Ends a membership: the owner anybody's but their own, a member their own.

        Raises NoSuchGroup, NoSuchMember, Invalid, ChangedMeanwhile.
        """
        for _ in self._runtime.attempts():
            more = self._about(name, caller.username, username)
            entry = self._access.authenticate(caller, more=more)
            held = self._seen(entry.rows, entry.account, name)
            if entry.account.id != held.owner_id and username != caller.username:
                raise NoSuchGroup
            row = entry.rows.get(member_key(name, username))
            standing = Membership.model_validate(row) if row else None
            if standing is None or standing.group_id != held.id:
                raise NoSuchMember
            if standing.member_id == held.owner_id:
                reason = {"at": "path.username", "reason": "it owns the group"}
                raise Invalid("A group cannot be left by its owner; delete it.", errors=[reason])
            try:
                there = account_key(username) in entry.rows
                left = {"owner": held.owner, "subject": f"{name}/{username}"}
                noted = [self._audit.record(caller, "member.delete", **left)]
                self._groups.remove_member(
                    standing, self._runtime.new_id(), account=there, noted=noted
                )
            except ConditionFailed:
                continue
            return

    def delete(self, caller: Caller, name: str) -> None:
        """Ends a group, and with it all that was granted to it. Raises NoSuchGroup.

        What is left of it then opens nothing, for it carries the id of a group that is no more;
        it is cleared away as far as that goes at once.
        """
        for _ in self._runtime.attempts():
            _, held = self._owned(caller, name, caller.username)
            try:
                noted = self._audit.record(caller, "group.delete", subject=name)
                self._groups.delete(held, self._runtime.new_id(), noted)
            except ConditionFailed:
                continue
            with suppress(Unavailable):
                self._clear(held)
            return

    def of(
        self, caller: Caller, limit: int, cursor: str | None
    ) -> tuple[list[GroupView], str | None]:
        """The caller's groups by name, and the cursor of the next page. Raises InvalidCursor."""
        account = self._access.authenticate(caller).account
        after = (unseal(cursor, account.id, "groups") or [""])[0]
        held = self._access.read_groups(account)
        names = [name for name in sorted(held) if name > after]
        page = [_view(held[name]) for name in names[:limit]]
        more = seal([names[limit - 1]], account.id, "groups") if len(names) > limit else None
        return page, more

    def members(
        self, caller: Caller, name: str, limit: int, cursor: str | None
    ) -> tuple[GroupMembers, str | None]:
        """A group of the caller's with a page of its members, and the cursor of the next.

        Raises NoSuchGroup, InvalidCursor.
        """
        entry = self._access.authenticate(caller, more=self._about(name, caller.username))
        held = self._seen(entry.rows, entry.account, name)
        of = f"members {held.id}"
        after = (unseal(cursor, entry.account.id, of) or [""])[0]
        page = self._groups.list_members(held, after=after, limit=limit)
        found, last = page or ([], None)
        mine = after < caller.username <= (last or caller.username)
        if page is None or (mine and caller.username not in {each.username for each in found}):
            raise NoSuchGroup  # it has ended meanwhile, or the caller's part in it
        view = GroupMembers(**_view(held).model_dump(), members=[_member(each) for each in found])
        return view, last and seal([last], entry.account.id, of)

    def _owned(self, caller: Caller, name: str, username: str) -> tuple[Rows, Group]:
        """A group of which the caller is the owner, read with somebody else's membership."""
        entry = self._access.authenticate(caller, more=self._about(name, caller.username, username))
        held = self._seen(entry.rows, entry.account, name)
        if held.owner_id != entry.account.id:
            raise NoSuchGroup
        return entry.rows, held

    @staticmethod
    def _about(name: str, *usernames: str) -> list[Key]:
        accounts = [account_key(username) for username in usernames]
        return [group_key(name), *(member_key(name, each) for each in usernames), *accounts]

    @staticmethod
    def _seen(rows: Rows, account: Account, name: str) -> Group:
        """The group, for whoever belongs to it. Raises NoSuchGroup."""
        held = group_in(rows, name)
        if held is None or membership_in(rows, name, account) is None:
            raise NoSuchGroup
        return held

    def _membership(self, held: Group, account: Account) -> Membership:
        return Membership(
            grantee=held.grantee,
            file=MEMBER + account.username,
            username=account.username,
            member_id=account.id,
            group_id=held.id,
            created=iso(self._runtime.now()),
            rev=self._runtime.new_id(),
        )

    def _has_room(self, account: Account) -> bool:
        """Whether an account may belong to one group more; False to look again.

        Then it has forgotten groups that have gone. Raises LimitReached.
        """
        if len(account.groups) < MOST_OF_ONE:
            return True
        left = frozenset(self._access.read_groups(account))
        if len(left) == len(account.groups):
            raise LimitReached(f"An account belongs to at most {MOST_OF_ONE} groups.")
        with suppress(ConditionFailed):
            self._groups.set_groups(account, left, self._runtime.new_id())
        return False

    def _clear(self, held: Group) -> None:
        for each in self._groups.list_remaining(held, CLEARED_AT_ONCE):
            self._groups.expel(each, self._runtime.new_id)
        for key in self._groups.list_grant_keys(held, CLEARED_AT_ONCE):
            self._groups.revoke_grant(held, key)


def _view(held: Group) -> GroupView:
    return GroupView(group=held.name, owner=held.owner, created=held.created)


def _member(held: Membership) -> MemberView:
    return MemberView(group=held.group, username=held.username, created=held.created)
