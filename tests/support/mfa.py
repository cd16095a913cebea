"""An authenticator, as people have one on their phones."""

from collections.abc import Callable
from dataclasses import dataclass, field

from function.auth.mfa import PERIOD, totp_code
from tests.support.client import PASSWORD, Client


@dataclass(frozen=True)
class Authenticator:
    """What shows codes, and the paper with the recovery codes."""

    secret: str
    now: Callable[[], float]
    recovery: list[str] = field(default_factory=list)

    def code(self, off: int = 0) -> str:
        """The code of this step, or of one before or after."""
        return totp_code(self.secret, int(self.now()) // PERIOD + off)


def enrolled(client: Client, now: Callable[[], float]) -> Authenticator:
    """Gives somebody a second factor; the code of this step is used up by it."""
    begun = client.post("/mfa", current_password=PASSWORD)
    assert begun.status == 201, begun.text
    app = Authenticator(begun.json()["secret"], now)
    done = client.post("/mfa/confirm", otp=app.code())
    assert done.status == 200, done.text
    return Authenticator(app.secret, now, done.json()["recovery_codes"])
