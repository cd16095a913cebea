"""Requests with an `Idempotency-Key`, which create one thing however often they are sent.

The header field is that of draft-ietf-httpapi-idempotency-key-header. A key may be easy to guess
and need not be kept secret: all that is derived here is keyed with the caller's token too, which
is stored nowhere. `docs/decisions/0014-a-repeated-request-gets-the-same-secret.md` says why.
"""

import json
from typing import Any, NamedTuple

from pydantic import BaseModel

from function.core.models import HttpRequest
from function.core.signing import sign
from function.core.tokens import token_hash

# The fields of bodies that prove who sends them. They are checked at each repetition.
PROOFS = {"current_password", "otp"}


class IdempotentRequest(NamedTuple):
    """A request with an `Idempotency-Key`.

    - `key_hash`: the SHA-256 of the key.
    - `secret`: of 256 bits, which only who has both the caller's token and the key can compute.
    - `fingerprint`: of the request but for its proofs, and `code`: of its `otp`, if it has one.
      `secret` keys both, so that a password or a code cannot be guessed by them.
    """

    key_hash: str
    secret: str
    fingerprint: str
    code: str | None

    def derive(self, nonce: str) -> str:
        """The secret of what the request creates: 43 URL-safe characters, others for each nonce."""
        return sign(self.secret, f"create\n{nonce}")


def idempotent_request(
    token: str, key: str, request: HttpRequest, body: BaseModel
) -> IdempotentRequest:
    """The request of the caller with that token; `body` is its parsed body."""
    secret = sign(token, f"idempotency-key\n{key}")
    fields = body.model_dump(exclude=PROOFS, exclude_unset=True)
    sent = [request.method, request.path, dict(request.query), fields]
    otp: str | None = getattr(body, "otp", None)
    return IdempotentRequest(
        key_hash=token_hash(key),
        secret=secret,
        fingerprint=sign(secret, f"request\n{json.dumps(sent, sort_keys=True, default=_revealed)}"),
        code=sign(secret, f"code\n{otp}") if otp else None,
    )


def _revealed(secret: Any) -> str:
    """The text of a `SecretStr`, which JSON has no form for."""
    text: str = secret.get_secret_value()
    return text
