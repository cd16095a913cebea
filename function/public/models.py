"""The bodies of links, for those who make them and those who open them.

Imports `fields`, `models` and `transfer_models`.
"""

from function.core.fields import Password
from function.core.models import Closed


class UnlockRequest(Closed):
    """The password of a link."""

    password: Password | None = None


class Unlocked(Closed):
    """Send `grant` with what follows, until `expires_at`."""

    grant: str
    expires_at: str
