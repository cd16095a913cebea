"""An authenticator app (TOTP) and recovery codes."""

from collections.abc import Callable
from dataclasses import dataclass, field

from function.auth.mfa import PERIOD, totp_code
from tests.support.client import PASSWORD, Answer, Client


@dataclass(frozen=True)
class Authenticator:
    """The secret that an app holds, and the recovery codes."""

    secret: str
    now: Callable[[], float]
    recovery: list[str] = field(default_factory=list)

    def code(self, off: int = 0) -> str:
        """The code of this time step, or of one `off` steps later."""
        return totp_code(self.secret, int(self.now()) // PERIOD + off)


def disable_mfa(client: Client, code: str) -> Answer:
    """Removes the second factor with one of its codes."""
    return client.send("DELETE", "/mfa", headers={"x-otp": code})


def enable_mfa(client: Client, now: Callable[[], float]) -> Authenticator:
    """Enables MFA, which uses up the code of this time step."""
    begun = client.post("/mfa", current_password=PASSWORD)
    assert begun.status == 201, begun.text
    app = Authenticator(begun.json()["secret"], now)
    done = client.post("/mfa/confirm", otp=app.code())
    assert done.status == 200, done.text
    return Authenticator(app.secret, now, done.json()["recovery_codes"])
