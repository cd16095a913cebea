"""The bodies of requests and answers that unlock a link or a file request."""

from function.core.fields import Password
from function.core.models import Closed


class UnlockRequest(Closed):
    """The password of a link or file request; omit it where none is set."""

    password: Password | None = None


class Unlocked(Closed):
    """An access token: send `grant` with the requests that follow, until `expires_at`."""

    grant: str
    expires_at: str
