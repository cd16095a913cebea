"""What the tables hold of requests for files. Imports `records` alone."""

from dataclasses import dataclass

from function.records import Row


class RequestRow(Row):
    """A request for files: `id` is the hash of its token, `rev` changes with what its owner says.

    It takes files below `folder` while it is `open` and until it `ends` (epoch seconds, None is
    never). `files` and `bytes` are what completed uploads brought and what open ones hold; `seal`
    changes with the password. The table forgets the row after `expires_at`.
    """

    id: str
    owner: str
    owner_id: str
    title: str
    folder: str
    created: str
    rev: str
    seal: str
    password: str | None = None
    ends: int | None = None
    max_files: int | None = None
    max_file_size: int | None = None
    max_total_size: int | None = None
    allowed_types: list[str]
    require_name: bool = False
    open: bool = True
    files: int = 0
    bytes: int = 0
    expires_at: int | None = None


@dataclass(frozen=True)
class Held:
    """What an upload holds until it is completed, for one file so large.

    Room on the account of its `owner`, and a place in the `request` by which it comes, if any.
    """

    size: int
    owner: str
    owner_id: str
    request: str | None = None
