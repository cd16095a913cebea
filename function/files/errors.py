"""Problems of files that exist, and of what may be uploaded."""

from function.core.errors import Conflict, Invalid, NotFound


class NoSuchVersion(NotFound):
    """The file has no such version, or the caller may not read it."""

    slug, title = "no-such-version", "No such version"
    default = "GET /versions lists the versions of your file."


class FileExists(Conflict):
    """`on_conflict` is `fail`, and a file has the name."""

    slug, title = "file-exists", "File exists"
    default = "Choose another name, or send on_conflict=replace or on_conflict=rename."


class TypeNotAllowed(Invalid):
    """A type that the caller's role may not upload, or bytes that contradict the file's name."""

    slug, title = "type-not-allowed", "File type not allowed"
