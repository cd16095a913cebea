"""Groups in the table shares. A partition holds a group's row, its memberships, the grants to it.

The grants come first, for no user name begins with `~` or a later character. An account's row names
its groups, so that one read finds their partitions; the memberships decide.

A membership that its account has not accepted is an invitation: it gives nothing, and the row of
the account does not name its group. A row of the inviter names the open ones, to count them.
"""

from collections.abc import Collection, Iterable

from function.aws.dynamodb import Dynamo
from function.aws.rows import Item, Key, Row, Rows
from function.aws.writes import (
    Write,
    at_most,
    check,
    delete,
    equals,
    exists,
    missing,
    put,
    size_below,
    update,
)
from function.contract import SHARES
from function.core.limits import DAY
from function.tables.accounts import Account, account_key
from function.tables.grants import user_grantee
from function.tables.usage import require_account_active

HEAD, MEMBER = "~group", "~member/"
FORMER = "~former"
OPEN = "~open"
MAX_GROUPS = 50  # of an account: a list of shares queries the grants to each
MAX_INVITATIONS = 100  # open ones of one inviter
RESERVED_SECONDS = 365 * DAY  # the name of a deleted group stays its owner's


class Group(Row):
    """A group. `grantee` and `file` are its key.

    `id` is never used again, so that memberships of an earlier group of the same name, and grants
    to it, are without effect. `owner` and `owner_id` are the account that created it, `created` is
    ISO 8601.
    """

    grantee: str
    file: str
    id: str
    owner: str
    owner_id: str
    created: str
    rev: str

    @property
    def name(self) -> str:
        """The group's name, as in `group:<name>`."""
        return self.grantee.removeprefix("group:")


class Membership(Row):
    """The membership of the account `username` in a group. `grantee` and `file` are its key.

    It holds for the account with the id `member_id` and the group with the id `group_id`. `rev` is
    random; `created` is ISO 8601. It is an invitation until it is `accepted`, which memberships of
    an older release, without this field, are.
    """

    grantee: str
    file: str
    username: str
    member_id: str
    group_id: str
    created: str
    rev: str
    accepted: bool = True

    @property
    def group(self) -> str:
        """The group's name."""
        return self.grantee.removeprefix("group:")


def group_grantee(name: str) -> str:
    """A group as a grantee."""
    return f"group:{name}"


def group_key(name: str) -> Key:
    """The key of a group."""
    return Key(SHARES, group_grantee(name), HEAD)


def member_key(name: str, username: str) -> Key:
    """The key of an account's membership."""
    return Key(SHARES, group_grantee(name), MEMBER + username)


def group_in(rows: Rows, name: str) -> Group | None:
    """The group of that name, if it is among the rows."""
    row = rows.get(group_key(name))
    return Group.model_validate(row) if row else None


def membership_in(rows: Rows, name: str, account: Account) -> Membership | None:
    """An account's valid membership of the group that has this name now, if it is among the rows.

    The group's row must be among them as well.
    """
    membership = membership_or_invitation_in(rows, name, account)
    return membership if membership and membership.accepted else None


def membership_or_invitation_in(rows: Rows, name: str, account: Account) -> Membership | None:
    """An account's membership as above, whether or not the account has accepted it."""
    membership, group = stored_membership(rows, name, account.username), group_in(rows, name)
    if membership is None or group is None:
        return None
    ids = (membership.group_id, membership.member_id)
    return membership if ids == (group.id, account.id) else None


def stored_membership(rows: Rows, name: str, username: str) -> Membership | None:
    """The membership under its key, whether or not it is valid, if it is among the rows."""
    row = rows.get(member_key(name, username))
    return Membership.model_validate(row) if row else None


def former_key(name: str) -> Key:
    """The key of the row that reserves the name of a deleted group."""
    return Key(SHARES, group_grantee(name), FORMER)


def is_reserved(rows: Rows, name: str, account: Account, now: float) -> bool:
    """Whether the name is that of a deleted group of another account, if its row was read."""
    row = rows.get(former_key(name), {})
    return row.get("owner_id") != account.id and int(str(row.get("expires_at", 0))) > now


def invitations_key(owner: str) -> Key:
    """The key of the row that names the open invitations of an inviter."""
    return Key(SHARES, f"invitations:{owner}", OPEN)


def open_invitations_in(rows: Rows, owner: str) -> frozenset[str]:
    """The open invitations of an inviter, as `<group>/<username>`, if their row was read."""
    found = rows.get(invitations_key(owner), {}).get("invited")
    return found if isinstance(found, frozenset) else frozenset()


def grantees_of(account: Account) -> list[str]:
    """The grantees whose grants apply to an account: itself, and each group that it names."""
    return [
        user_grantee(account.username),
        *(group_grantee(name) for name in sorted(account.groups)),
    ]


def membership_keys(account: Account, grantees: Collection[str] | None = None) -> list[Key]:
    """The keys of the groups that an account names, and of its memberships in them.

    With `grantees` only of the groups among these.
    """
    names = [
        name
        for name in sorted(account.groups)
        if grantees is None or group_grantee(name) in grantees
    ]
    return [key for each in names for key in (group_key(each), member_key(each, account.username))]


def require_membership(membership: Membership) -> list[Write]:
    """Requires that a membership has not changed since it was read, and that its group exists."""
    return [
        check(Key(SHARES, membership.grantee, membership.file), equals(rev=membership.rev)),
        check(Key(SHARES, membership.grantee, HEAD), equals(id=membership.group_id)),
    ]


def create_group(
    group: Group, owner: Account, membership: Membership, old: Membership | None, now: float
) -> list[Write]:
    """Creates a group with its owner as a member, where no other has its name or reserves it.

    `old` is the membership that was read in its place, of an earlier group, here and below.
    """
    key = Key(SHARES, group.grantee, HEAD)
    is_free = missing("grantee") | equals(owner_id=owner.id) | at_most(expires_at=int(now))
    return [
        put(key, group, missing("grantee")),
        delete(former_key(group.name), is_free),
        *_joining(membership, owner, old),
    ]


def create_membership(
    group: Group, membership: Membership, account: Account, old: Membership | None
) -> list[Write]:
    """Makes an account a member of a group, if both exist, also in place of an invitation."""
    writes = [_require_group(group), *_joining(membership, account, old)]
    return [*writes, *(close_invitations(group.owner, [old]) if old else [])]


def create_invitation(
    group: Group, invitation: Membership, account: Account, old: Membership | None
) -> list[Write]:
    """Invites an account to a group, if both exist."""
    invited = frozenset({_entry(invitation)})
    return [
        _require_group(group),
        _put_membership(invitation, old),
        require_account_active(account),
        update(
            invitations_key(group.owner),
            add={"invited": invited},
            when=size_below(invited=MAX_INVITATIONS),
        ),
    ]


def close_invitations(owner: str, invitations: Iterable[Membership]) -> list[Write]:
    """Takes invitations that are not `accepted` from the open ones of their inviter."""
    names = frozenset(_entry(each) for each in invitations if not each.accepted)
    return [update(invitations_key(owner), delete={"invited": names})] if names else []


def delete_membership(membership: Membership, *, account_exists: bool) -> list[Write]:
    """Deletes a membership that has not changed since it was read.

    Where the account exists and has accepted it, its row no longer names the group.
    """
    writes = [delete(Key(SHARES, membership.grantee, membership.file), equals(rev=membership.rev))]
    if account_exists and membership.accepted:
        group = frozenset({membership.group})
        key = account_key(membership.username)
        writes.append(update(key, delete={"groups": group}, when=exists("username")))
    return writes


def delete_group(group: Group, now: float, owner_id: str | None = None) -> list[Write]:
    """Deletes a group, which ends all memberships of it and all access by grants to it.

    Its name is reserved for the account `owner_id`; None: for nobody.
    """
    former: Item = {"owner_id": owner_id, "expires_at": int(now) + RESERVED_SECONDS}
    return [
        delete(Key(SHARES, group.grantee, HEAD), equals(id=group.id)),
        put(former_key(group.name), former),
    ]


def delete_open_invitations(owner: str, names: Iterable[str] | None = None) -> Write:
    """Deletes some of the open invitations that an inviter's row names; None: the row."""
    key = invitations_key(owner)
    if names is None:
        return delete(key)
    return update(key, delete={"invited": frozenset(names)})


class Groups:
    """Queries of groups, and the deletion of rows that a deleted group leaves."""

    def __init__(self, db: Dynamo) -> None:
        """Takes the client."""
        self._db = db

    def list_members(
        self, group: Group, *, after: str, limit: int
    ) -> tuple[list[Membership], str | None] | None:
        """A group's members by name, and the name after which others follow.

        None when the group no longer exists. The first page is one query with the group's row, so
        that both are of one moment.
        """
        is_first = not after
        page = self._db.query(
            SHARES,
            group.grantee,
            prefix="~" if is_first else MEMBER,
            after=MEMBER + after if after else "",
            limit=limit + is_first,
        )
        rows = page.items
        if is_first and (not rows or rows.pop(0).get("id") != group.id):
            return None
        found = [Membership.model_validate(row) for row in rows]
        last = found[-1].username if page.more else None
        return [each for each in found if each.group_id == group.id], last

    def list_invitations(
        self, account: Account, *, after: str, limit: int
    ) -> tuple[list[tuple[Membership, Group | None]], str | None]:
        """An account's invitations by group, and the group after which others may follow.

        The index that finds them is eventually consistent, and has memberships too: there may be
        fewer than `limit`. A group that was deleted is None.
        """
        place = MEMBER + account.username
        start: Item = {"grantee": after, "file": place}
        page = self._db.query_index(SHARES, place, after=start if after else None, limit=limit)
        names = [str(row["grantee"]).partition(":")[2] for row in page.items]
        members = [member_key(each, account.username) for each in names]
        rows = self._db.read([*members, *map(group_key, names)])
        found: list[tuple[Membership, Group | None]] = []
        for name in names:
            group = group_in(rows, name)
            invitation = stored_membership(rows, name, account.username)
            if invitation and not invitation.accepted and invitation.member_id == account.id:
                is_current = group and group.id == invitation.group_id
                found.append((invitation, group if is_current else None))
        return found, group_grantee(names[-1]) if page.more else None

    def list_remaining(self, grantee: str, group_id: str, limit: int) -> list[Membership]:
        """The first memberships of a group, whether or not the group still exists."""
        page = self._db.query(SHARES, grantee, prefix=MEMBER, limit=limit)
        found = [Membership.model_validate(row) for row in page.items]
        return [each for each in found if each.group_id == group_id]

    def list_grant_keys(self, group: Group, limit: int) -> list[Key]:
        """The keys of the first grants to a group, whether or not the group still exists."""
        page = self._db.query(SHARES, group.grantee, limit=limit)
        return [
            Key(SHARES, group.grantee, str(row["file"]))
            for row in page.items
            if row.get("grantee_id") == group.id
        ]

    def set_groups(self, account: Account, names: frozenset[str]) -> None:
        """Sets the groups that an account names, if it still names those that were read.

        Raises ConditionFailed.
        """
        unchanged = equals(id=account.id, groups=account.groups)
        self._db.commit(
            [update(account_key(account.username), set={"groups": names}, when=unchanged)]
        )

    def expel(self, memberships: Iterable[Membership], writes_before: Iterable[Write] = ()) -> None:
        """Deletes memberships of a deleted group, whether or not their accounts exist."""
        writes = [delete_membership(each, account_exists=True) for each in memberships]
        self._db.commit_each([*writes_before, *(write for each in writes for write in each)])

    def revoke_grants(self, group: Group, keys: Iterable[Key]) -> None:
        """Deletes grants to a group; one to a later group of the same name stays."""
        self._db.commit_each([delete(key, equals(grantee_id=group.id)) for key in keys])


def _require_group(group: Group) -> Write:
    return check(Key(SHARES, group.grantee, HEAD), equals(id=group.id))


def _joining(membership: Membership, account: Account, old: Membership | None) -> Iterable[Write]:
    yield _put_membership(membership, old)
    yield update(
        account_key(account.username),
        add={"groups": frozenset({membership.group})},
        when=equals(id=account.id) & size_below(groups=MAX_GROUPS),
    )


def _put_membership(membership: Membership, old: Membership | None) -> Write:
    """Writes a membership in place of the row that was read, if it has not changed."""
    key = Key(SHARES, membership.grantee, membership.file)
    return put(key, membership, equals(rev=old.rev) if old else missing("grantee"))


def _entry(membership: Membership) -> str:
    return f"{membership.group}/{membership.username}"
