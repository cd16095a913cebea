"""The nouns, and the bodies of requests and answers: frozen, and closed to unknown fields.

Imports `fields` and `roles`.
"""

from typing import Literal

from pydantic import model_validator

from function.core.fields import Description, FileOrFolder, Tags, Username
from function.core.models import Closed, Conditional
from function.core.names import invalid_name


class FileChange(Conditional):
    """What is to be otherwise about a file; null clears its description or tags, and no name.

    `if_match` is the file's ETag or revision, as the caller knows it. A folder, whose name ends
    with `/`, takes a `new_name` alone, which is a folder's as well.
    """

    file_name: FileOrFolder
    username: Username | None = None
    new_name: FileOrFolder | None = None
    description: Description | None = None
    tags: Tags | None = None

    @model_validator(mode="after")
    def alike(self) -> "FileChange":
        """A file stays a file, and a folder a folder."""
        if self.new_name and self.new_name.endswith("/") is not self.file_name.endswith("/"):
            raise invalid_name("a file's name does not end with '/', and a folder's does")
        return self


class Job(Closed):
    """A folder on its way: repeat the request that began it until its `state` is `done`.

    `moved` counts the files that have come to their new names. The `id` is the folder's: when it
    is moved once more later on, it tells of that.
    """

    id: str
    kind: Literal["move"]
    state: Literal["running", "done"]
    file_name: str
    new_name: str
    moved: int
    created: str
