"""What can go wrong with lists, below the problems of `errors`.

Problem
└── CursorExpired 410
"""

from function.core.errors import Problem


class CursorExpired(Problem):
    """What was to be told since the cursor is not kept any more, or is too much."""

    status, slug, title = 410, "cursor-expired", "That cursor has expired"
    default = "Too long ago, or too much has changed since; list the files again."
