"""Bodies of `PATCH /file` and `GET /jobs`."""

from typing import Literal

from pydantic import model_validator

from function.core.fields import Description, ExistingFileOrFolder, FileOrFolder, Tags, Username
from function.core.models import Closed, Conditional
from function.core.names import invalid_name


class FileChange(Conditional):
    """The changes of a file. `null` clears its description or tags, and leaves its name.

    `if_match` is the file's ETag or revision, as the caller knows it. A folder, whose name ends
    with `/`, takes only a `new_name`, which also ends with `/`.
    """

    file_name: ExistingFileOrFolder
    username: Username | None = None
    new_name: FileOrFolder | None = None
    description: Description | None = None
    tags: Tags | None = None

    @model_validator(mode="after")
    def require_same_kind(self) -> "FileChange":
        """A file stays a file, and a folder a folder."""
        if self.new_name and self.new_name.endswith("/") is not self.file_name.endswith("/"):
            raise invalid_name("a file's name does not end with '/', and a folder's does")
        return self


class Job(Closed):
    """The move of a folder. Repeat the request that started it until its `state` is `done`.

    `moved` is the number of files that have their new names; `created` is the time of the first
    request. The `id` belongs to the folder's old name: a later move of a folder of that name
    replaces the job.
    """

    id: str
    kind: Literal["move"]
    state: Literal["running", "done"]
    file_name: str
    new_name: str
    moved: int
    created: str
