"""The answers of lists and of the changes feed."""

from function.core.models import Closed
from function.files.models import FileObject


class Folder(Closed):
    """A folder; its name (`folder`) ends with `/`, and `files` counts those below at any depth."""

    key: str
    owner: str
    folder: str
    files: int


class Changed(Closed):
    """A file name that has changed: the `file` that has it now, or null if none has (`gone`).

    `was` is the file's previous name: a copy under that name with the same `etag` can be moved
    instead of downloaded again.
    """

    file_name: str
    gone: bool
    was: str | None = None
    file: FileObject | None = None
