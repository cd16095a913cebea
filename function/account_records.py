"""What the tables hold of invitations. Imports `records` and `roles`."""

from function.records import Row
from function.roles import Role


class InviteRow(Row):
    """An invitation that has not been used, under the hash of its token.

    It is as good as whoever made it: `username` and `user_id` must still be an administrator's.
    """

    shelf: str
    name: str
    username: str
    user_id: str
    role: Role
    created: str
    expires_at: int
    email: str | None = None
