"""What the tables hold of links. Imports `records` alone."""

from function.records import Row


class LinkRow(Row):
    """A link; `id` is the SHA-256 of its token, and its items are its grants.

    `seal` is random, and another one whenever the password changes. It opens nothing after `ends`;
    `expires_at` is when the row may go.
    """

    id: str
    owner: str
    owner_id: str
    created: str
    rev: str
    seal: str
    password: str | None = None
    ends: int | None = None
    max_downloads: int | None = None
    downloads: int = 0
    allow_download: bool = True
    audience: str | None = None
    audience_id: str | None = None
    note: str | None = None
    alias: str | None = None
    revoked: bool = False
    expires_at: int | None = None


class EventRow(Row):
    """Something that was done with a link, `times` in the minute that begins with `created`."""

    kind: str
    how: str
    created: str
    expires_at: int
    file_name: str | None = None
    times: int = 1
