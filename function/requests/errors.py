"""Problems of file requests."""

from function.core.errors import Conflict, Gone


class FileRequestClosed(Gone):
    """The owner has closed the file request, or it has expired."""

    slug, title = "request-closed", "File request closed"
    default = "It takes no more files; ask the person who sent it to you for a new one."


class FileRequestFull(Conflict):
    """The file request has reached its limit of files or of bytes."""

    slug, title = "request-full", "File request full"
    default = "Its limit of files or bytes does not leave room for this file."
