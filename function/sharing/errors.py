"""Problems of shares and groups."""

from function.core.errors import Conflict, NotFound


class NoSuchShare(NotFound):
    """The file or folder is not shared with that account or group."""

    slug, title = "no-such-share", "No such share"
    advice = "GET /shares lists with whom a file or folder is shared."
    default = "The file or folder is not shared with that account or group."


class NoSuchGroup(NotFound):
    """No group has that name, or the caller does not belong to it: the answer is the same."""

    slug, title = "no-such-group", "No such group"
    refusal = "access.refused"
    default = "No such group, or you neither belong to it nor are invited to it."


class NoSuchMember(NotFound):
    """The account does not belong to the group and is not invited to it."""

    slug, title = "no-such-member", "No such member"
    default = "That account does not belong to the group."


class GroupTaken(Conflict):
    """Another account owns the group of that name, or deleted it less than a year ago."""

    slug, title = "group-taken", "Group name taken"
    default = "Another account has a group of that name, or had one; choose another name."
