"""Problems of file requests."""

from function.core.errors import Conflict


class FileRequestFull(Conflict):
    """The file request has reached its limit of files or of bytes."""

    slug, title = "request-full", "File request full"
    default = "Its limit of files or bytes does not leave room for this file."
