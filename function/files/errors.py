"""Problems of files that exist, of versions, and of types that may not be uploaded."""

from function.core.errors import Conflict, Invalid, NotFound


class NoSuchVersion(NotFound):
    """The file has no such version, or the caller may not read it."""

    slug, title = "no-such-version", "No such version"
    default = "GET /versions lists the versions of your file."


class FileExists(Conflict):
    """A file has that name, and `on_conflict` does not allow to replace or rename."""

    slug, title = "file-exists", "File exists"
    default = "Choose another name, or send on_conflict=replace or on_conflict=rename."


class TypeNotAllowed(Invalid):
    """The role may not upload this type of file, or the bytes contradict the file's name."""

    slug, title = "type-not-allowed", "File type not allowed"
