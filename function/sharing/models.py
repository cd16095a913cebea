"""The bodies of shares and groups. Imports `fields` and `models`."""

from function.core.fields import FileOrFolder, Grantable, GroupName, Seconds, Username
from function.core.models import Closed
from function.core.runtime import iso
from function.tables.grants import Grant


class ShareRequest(Closed):
    """A file or folder of the caller's, and whom it is shared with: an account or a group.

    `expires_in` is seconds.
    """

    file_name: FileOrFolder
    username: Username | None = None
    group: GroupName | None = None
    permission: Grantable = "read"
    expires_in: Seconds | None = None


class Share(Closed):
    """A file or folder shared with an account, a group, or whoever has a link of that id."""

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
    """A group that the caller belongs to."""

    group: str
    owner: str
    created: str


class Member(Closed):
    """Somebody's membership of a group."""

    group: str
    username: str
    created: str


class GroupMembers(GroupView):
    """A group, and a page of its members by name."""

    members: list[Member]


def share(grant: Grant) -> Share:
    """A grant, as its owner and its grantee see it."""
    kind, _, name = grant.grantee.partition(":")
    return Share(
        key=grant.file,
        owner=grant.owner,
        file_name=grant.file.removeprefix(f"{grant.owner}/"),
        username=name if kind == "user" else None,
        group=name if kind == "group" else None,
        link=name if kind == "link" else None,
        permission=grant.permission,
        created=grant.created,
        expires_at=None if grant.expires_at is None else iso(grant.expires_at),
    )
