"""Groups in the table shares. A partition holds a group's row, its memberships, the grants to it.

The grants come first, for no user name begins with `~` or a later character. An account's row names
its groups, so that one read finds their partitions; the memberships decide.
"""

from collections.abc import Collection, Iterable
from contextlib import suppress

from function.aws.dynamodb import ConditionFailed, Dynamo
from function.aws.rows import Key, Row, Rows
from function.aws.writes import (
    Write,
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
from function.tables.accounts import Account, account_key
from function.tables.grants import user_grantee

HEAD, MEMBER = "~group", "~member/"
MAX_GROUPS = 50  # of an account: a request reads the grants to each


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
    random; `created` is ISO 8601.
    """

    grantee: str
    file: str
    username: str
    member_id: str
    group_id: str
    created: str
    rev: str

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
    row, group = rows.get(member_key(name, account.username)), group_in(rows, name)
    membership = Membership.model_validate(row) if row else None
    if membership is None or group is None:
        return None
    ids = (membership.group_id, membership.member_id)
    return membership if ids == (group.id, account.id) else None


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


def create_group(group: Group, owner: Account, membership: Membership) -> list[Write]:
    """Creates a group, where none has its name, and the membership of its owner."""
    key = Key(SHARES, group.grantee, HEAD)
    return [put(key, group, missing("grantee")), *_joining(membership, owner)]


def create_membership(group: Group, membership: Membership, account: Account) -> list[Write]:
    """Makes an account a member of a group, if both exist."""
    group_exists = check(Key(SHARES, group.grantee, HEAD), equals(id=group.id))
    return [group_exists, *_joining(membership, account)]


def delete_membership(membership: Membership, *, account_exists: bool) -> list[Write]:
    """Deletes a membership that has not changed since it was read.

    Where the account exists, its row no longer names the group.
    """
    writes = [delete(Key(SHARES, membership.grantee, membership.file), equals(rev=membership.rev))]
    if account_exists:
        group = frozenset({membership.group})
        key = account_key(membership.username)
        writes.append(update(key, delete={"groups": group}, when=exists("username")))
    return writes


def delete_group(group: Group) -> Write:
    """Deletes a group, which ends all memberships of it and all access by grants to it."""
    return delete(Key(SHARES, group.grantee, HEAD), equals(id=group.id))


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

    def list_remaining(self, group: Group, limit: int) -> list[Membership]:
        """The first memberships of a group, whether or not the group still exists."""
        page = self._db.query(SHARES, group.grantee, prefix=MEMBER, limit=limit)
        found = [Membership.model_validate(row) for row in page.items]
        return [each for each in found if each.group_id == group.id]

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

    def expel(self, membership: Membership) -> None:
        """Deletes a membership of a deleted group, whether or not its account exists."""
        for account_exists in (True, False):
            with suppress(ConditionFailed):
                self._db.commit(delete_membership(membership, account_exists=account_exists))
                return

    def revoke_grant(self, group: Group, key: Key) -> None:
        """Deletes a grant to a group; one to a later group of the same name stays."""
        with suppress(ConditionFailed):
            self._db.write(delete(key, equals(grantee_id=group.id)))


def _joining(membership: Membership, account: Account) -> Iterable[Write]:
    yield put(Key(SHARES, membership.grantee, membership.file), membership)
    yield update(
        account_key(account.username),
        add={"groups": frozenset({membership.group})},
        when=equals(id=account.id) & size_below(groups=MAX_GROUPS),
    )
