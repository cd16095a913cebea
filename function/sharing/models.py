"""Bodies of requests and answers about shares and groups."""

from function.core.fields import FileOrFolder, Grantable, GroupName, Seconds, Username
from function.core.models import Closed
from function.core.runtime import iso
from function.tables.grants import Grant


class ShareRequest(Closed):
    """A file or folder of the caller, and the account or the group to share it with.

    `expires_in` is seconds; null never expires.
    """

    file_name: FileOrFolder
    username: Username | None = None
    group: GroupName | None = None
    permission: Grantable = "read"
    expires_in: Seconds | None = None


class Share(Closed):
    """A file or folder that is shared with an account, a group or the holders of a link.

    Exactly one of `username`, `group` and `link` (the link's id) is set.
    """

    key: str
    owner: str
    file_name: str
    username: str | None
    permission: Grantable
    created: str
    expires_at: str | None
    group: str | None = None
    link: str | None = None


class GroupView(Closed):
    """A group that the caller belongs to, or is invited to."""

    group: str
    owner: str
    created: str


class GroupMember(Closed):
    """The membership of an account in a group, or an invitation that is not `accepted`."""

    group: str
    username: str
    created: str
    accepted: bool


class GroupMembers(GroupView):
    """A group with one page of its members, sorted by name; its owner sees invitations too."""

    members: list[GroupMember]


def share_view(grant: Grant) -> Share:
    """A grant as its owner and its grantee see it."""
    kind, _, name = grant.grantee.partition(":")
    return Share(
        key=grant.file,
        owner=grant.owner,
        file_name=grant.name,
        username=name if kind == "user" else None,
        group=name if kind == "group" else None,
        link=name if kind == "link" else None,
        permission=grant.permission,
        created=grant.created,
        expires_at=None if grant.expires_at is None else iso(grant.expires_at),
    )
