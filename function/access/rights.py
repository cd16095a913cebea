"""Rights to one file: what they suffice for, and the conditions under which a commit keeps them."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from function.aws.rows import Rows
from function.aws.writes import Write
from function.core.fields import Permission
from function.tables.accounts import Account
from function.tables.files import FileRow
from function.tables.grants import Grant, require_grant_unchanged
from function.tables.groups import Membership, require_membership

Need = Literal["read", "write", "own"]
WriteNeed = Literal["write", "add"]  # to replace the file of a name, or to add files beside it
SUFFICIENT: Mapping[Need, frozenset[Permission]] = {
    "read": frozenset({"read", "write", "own"}),
    "write": frozenset({"write", "own"}),
    "own": frozenset({"own"}),
}
Memberships = Mapping[str, Membership]


class Rights(NamedTuple):
    """The rights of an account to a file, which may not exist, as one read found them.

    `grants` are those that apply, and `memberships` the ones they are held by, by group id.
    """

    account: Account
    rows: Rows
    owner: Account | None
    file: FileRow | None
    permission: Permission | None
    may_add: bool
    grants: list[Grant]
    memberships: Memberships

    def suffice(self, need: Need | WriteNeed) -> bool:
        """Whether they include the right to read or write the file, or to add files beside it."""
        return self.may_add if need == "add" else self.permission in SUFFICIENT[need]

    def required_checks(self, need: Literal["read", "write"]) -> list[Write]:
        """Conditions that the grant which gives the right still exists; none for an own file.

        A folder's grant is preferred, because it applies to whatever name is chosen.
        """
        grants = [grant for grant in self.grants if grant.permission in SUFFICIENT[need]]
        if self.permission == "own" or not grants:
            return []
        grant = min(grants, key=lambda grant: grant.file_id is not None)
        membership = self.memberships.get(grant.grantee_id)
        return [
            require_grant_unchanged(grant),
            *(require_membership(membership) if membership else []),
        ]
