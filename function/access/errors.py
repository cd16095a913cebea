"""Problems of authorization: what the caller may not see, may not do, or has no room for."""

from function.core.errors import Conflict, Forbidden, Gone, InvalidName, NotFound, Problem
from function.core.names import TOO_DEEP, is_too_deep


class NoSuchFile(NotFound):
    """No such file, or the caller has no access of this kind to it: the same answer for both."""

    slug, title = "no-such-file", "No such file, or you do not have access to it"
    default = (
        "Check the name and its owner; the owner can share the file with you, or give you the "
        "right to write."
    )


class QuotaExceeded(Problem):
    """The owner's account has no room for these bytes, or for one more file."""

    status, slug, title = 507, "quota-exceeded", "Quota exceeded"
    advice = (
        "Delete files, versions and the trash for good, or ask an administrator for a larger quota."
    )


class NotAllowed(Forbidden):
    """The caller's role, or the scopes of the API key, do not include the route's power."""

    slug, title = "not-allowed", "Not allowed"
    refusal = "access.refused"
    default = (
        "Your role, or the scopes of your API key, do not include this; an administrator can help."
    )


class MfaRequired(Forbidden):
    """The account must have a second factor before it can do anything but set one up."""

    slug, title = "mfa-required", "Second factor required"
    refusal = "access.refused"
    default = (
        "Your account needs a second factor here. Set one up with POST /mfa and POST /mfa/confirm; "
        "until then only GET /me and POST /logout work as well."
    )


class ProtectedAccount(Conflict):
    """It is your own account or the configured administrator's: one administrator must remain."""

    slug, title = "protected-account", "Protected account"
    default = (
        "You cannot demote, disable or delete your own account or the configured administrator's, "
        "turn off its second factor or issue a reset of its password; ask another administrator, "
        "or change the configuration."
    )


class NoSuchFileRequest(NotFound):
    """No file request has that id or token, or its owner may not receive files any more."""

    slug, title = "no-such-request", "No such file request"
    default = "Check the address of the file request; a part of it may be missing."


class FileRequestClosed(Gone):
    """The owner has closed the file request, or it has expired."""

    slug, title = "request-closed", "File request closed"
    default = "It takes no more files; ask the person who sent it to you for a new one."


def no_such_file(name: str, problem: Problem | None = None) -> Problem:
    """NoSuchFile or another problem; InvalidName where no new file could have the name either."""
    if is_too_deep(name):
        return InvalidName(f"{TOO_DEEP.capitalize()}.")
    return problem or NoSuchFile()
