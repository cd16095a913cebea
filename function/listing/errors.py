"""The problem of lists: CursorExpired 410."""

from function.core.errors import Problem


class CursorExpired(Problem):
    """The changes since the cursor are deleted by now, or too many to read in one request."""

    status, slug, title = 410, "cursor-expired", "Cursor expired"
    default = (
        "The cursor is too old, or too much has changed since. List the files again without it."
    )
