"""What the tables hold of accounts beside them. Imports `records` and `roles`."""

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


class Reset(Row):
    """A token for a new password: its hash as `secret`, and the account as it was then.

    A new password, or another address, makes that another, and the token dead.
    """

    secret: str
    user_id: str
    epoch: str
    email: str
    expires_at: int
