"""Problems of links. A link that no longer works answers 410 with the reason."""

from function.core.errors import Conflict, Forbidden, Gone, NotFound


class NoSuchLink(NotFound):
    """No link has that id, token or alias, or none of its items exists any more."""

    slug, title = "no-such-link", "No such link"
    default = "No link has this address; check that you copied all of it."


class DownloadNotAllowed(Forbidden):
    """The link lists its files and gives no bytes."""

    slug, title = "download-not-allowed", "Downloads not allowed"
    default = "The owner of this link allows viewing the list only."


class LinkExpired(Gone):
    """The link has expired."""

    slug, title = "link-expired", "Link expired"
    default = "Ask the person who sent you this link for a new one."


class LinkExhausted(Gone):
    """The link has no downloads left."""

    slug, title = "link-exhausted", "Download limit reached"
    default = (
        "All downloads of this link are used; ask the person who sent it to you for a new one."
    )


class LinkRevoked(Gone):
    """The owner has revoked the link."""

    slug, title = "link-revoked", "Link revoked"
    default = "The owner revoked this link; ask the person who sent it to you for a new one."


class AliasTaken(Conflict):
    """Another link has that alias, or had it in the last 90 days and belongs to another account."""

    slug, title = "alias-taken", "Alias taken"
    default = "Another link has this alias, or had it not long ago; choose another one."
