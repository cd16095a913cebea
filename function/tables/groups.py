"""Groups: the row of each, its members, and the grants to it, all in one partition of shares.

The grants stand first in it: no user name begins as high as `~`.
"""

from collections.abc import Callable, Iterable
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
MOST_OF_ONE = 50  # groups that an account belongs to: each is looked at for what it opens


class Group(Row):
    """A group. `id` is never reused: what was given to a namesake that has gone is dead."""

    grantee: str
    file: str
    id: str
    owner: str
    owner_id: str
    created: str
    rev: str

    @property
    def name(self) -> str:
        """Its name."""
        return self.grantee.removeprefix("group:")


class Membership(Row):
    """Somebody's membership of a group, good for the ids it carries."""

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
    """Where a group stands."""
    return Key(SHARES, group_grantee(name), HEAD)


def member_key(name: str, username: str) -> Key:
    """Where somebody's membership stands."""
    return Key(SHARES, group_grantee(name), MEMBER + username)


def group_in(rows: Rows, name: str) -> Group | None:
    """The group of that name, if it was read."""
    row = rows.get(group_key(name))
    return Group.model_validate(row) if row else None


def membership_in(rows: Rows, name: str, account: Account) -> Membership | None:
    """What makes an account a member of the group that has that name now."""
    row, head = rows.get(member_key(name, account.username)), group_in(rows, name)
    held = Membership.model_validate(row) if row else None
    if held is None or head is None:
        return None
    return held if (held.group_id, held.member_id) == (head.id, account.id) else None


def require_membership(held: Membership) -> list[Write]:
    """Expects that a membership stands as it was read, and its group."""
    return [
        check(Key(SHARES, held.grantee, held.file), equals(rev=held.rev)),
        check(Key(SHARES, held.grantee, HEAD), equals(id=held.group_id)),
    ]


def grantees_of(account: Account) -> list[str]:
    """All that an account is when something is granted: itself, and each of its groups."""
    return [
        user_grantee(account.username),
        *(group_grantee(name) for name in sorted(account.groups)),
    ]


def membership_keys(account: Account) -> list[Key]:
    """What tells whether an account belongs to the groups that it names."""
    names = sorted(account.groups)
    return [key for each in names for key in (group_key(each), member_key(each, account.username))]


def create_group(group: Group, owner: Account, membership: Membership) -> list[Write]:
    """Puts a group where none has its name, with its owner as its first member."""
    key = Key(SHARES, group.grantee, HEAD)
    return [put(key, group, missing("grantee")), *_joining(membership, owner)]


def create_membership(group: Group, membership: Membership, account: Account) -> list[Write]:
    """Makes an account a member of a group, on condition that both exist."""
    same = check(Key(SHARES, group.grantee, HEAD), equals(id=group.id))
    return [same, *_joining(membership, account)]


def delete_membership(membership: Membership, *, account_exists: bool) -> list[Write]:
    """Deletes a membership as it was read, and its group from the account if that exists."""
    writes = [delete(Key(SHARES, membership.grantee, membership.file), equals(rev=membership.rev))]
    if account_exists:
        group = frozenset({membership.group})
        key = account_key(membership.username)
        writes.append(update(key, delete={"groups": group}, when=exists("username")))
    return writes


def delete_group(group: Group) -> Write:
    """Deletes a group as it was read: no grant to it and no membership of it holds any more."""
    return delete(Key(SHARES, group.grantee, HEAD), equals(id=group.id))


def _joining(membership: Membership, account: Account) -> Iterable[Write]:
    yield put(Key(SHARES, membership.grantee, membership.file), membership)
    yield update(
        account_key(account.username),
        add={"groups": frozenset({membership.group})},
        when=equals(id=account.id) & size_below(groups=MOST_OF_ONE),
    )


class Groups:
    """Groups in the table shares, and the names of each account's in the table users."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the tables through `db`."""
        self._db = db

    def set_groups(self, account: Account, names: frozenset[str], rev: str) -> None:
        """Has an account name only these groups, if it is the same and names those that it did.

        Raises Refused.
        """
        same = equals(id=account.id, groups=account.groups)
        change = update(account_key(account.username), set={"groups": names}, when=same)
        self._db.commit([change], rev)

    def remove_member(self, held: Membership, token: str, *, account: bool) -> None:
        """Deletes a membership; `account` says that its account exists. Raises ConditionFailed."""
        self._db.commit(delete_membership(held, account_exists=account), token)

    def expel(self, held: Membership, new_token: Callable[[], str]) -> None:
        """Ends a membership of a group that has gone, whether or not its account is there."""
        for there in (True, False):
            with suppress(ConditionFailed):
                self.remove_member(held, new_token(), account=there)
                return

    def delete(self, held: Group, token: str, noted: Write) -> None:
        """Deletes a group. Raises ConditionFailed when it no longer exists."""
        self._db.commit([delete_group(held), noted], token)

    def list_members(
        self, held: Group, *, after: str, limit: int
    ) -> tuple[list[Membership], str | None] | None:
        """Members of a group by name, and after whom they go on; None when the group has gone.

        The first page is read with the group's own row, so that both are of one time.
        """
        first = not after
        page = self._db.query(
            SHARES,
            held.grantee,
            prefix="~" if first else MEMBER,
            after=MEMBER + after if after else "",
            limit=limit + first,
        )
        rows = page.items
        if first and (not rows or rows.pop(0).get("id") != held.id):
            return None
        found = [Membership.model_validate(row) for row in rows]
        last = found[-1].username if page.more else None
        return [each for each in found if each.group_id == held.id], last

    def list_remaining(self, held: Group, limit: int) -> list[Membership]:
        """The first memberships of a group that has gone."""
        page = self._db.query(SHARES, held.grantee, prefix=MEMBER, limit=limit)
        found = [Membership.model_validate(row) for row in page.items]
        return [each for each in found if each.group_id == held.id]

    def list_grant_keys(self, held: Group, limit: int) -> list[Key]:
        """Where the first grants to a group stand."""
        page = self._db.query(SHARES, held.grantee, limit=limit)
        return [
            Key(SHARES, held.grantee, str(row["file"]))
            for row in page.items
            if row.get("grantee_id") == held.id
        ]

    def revoke_grant(self, held: Group, key: Key) -> None:
        """Deletes a grant to a group that has gone; one to a later namesake stays."""
        with suppress(ConditionFailed):
            self._db.write(delete(key, equals(grantee_id=held.id)))
