"""What the tables hold of work that takes longer than a request. Imports `records` alone."""

from function.records import Row


class JobRow(Row):
    """A folder on its way from `file_name` to `new_name`; `moved` counts the files that are there.

    There is at most one of each folder at a time. `begun` and `expires_at` are epoch seconds.
    """

    shelf: str
    name: str
    owner_id: str
    file_name: str
    new_name: str
    begun: int
    rev: str
    moved: int = 0
    done: bool = False
    expires_at: int
