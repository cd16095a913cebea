"""The nouns, and the bodies of requests and answers: frozen, and closed to unknown fields.

Imports `fields` and `roles`.
"""

from function.core.models import Closed
from function.files.models import FileObject


class Folder(Closed):
    """A folder, whose name (`folder`) ends with `/`; `files` are those below it at any depth."""

    key: str
    owner: str
    folder: str
    files: int


class Changed(Closed):
    """What has become of a name: the `file` that has it now, or that none has it (`gone`).

    `was` is what the file was called before: a copy of it with the same `etag` need not be fetched.
    """

    file_name: str
    gone: bool
    was: str | None = None
    file: FileObject | None = None
