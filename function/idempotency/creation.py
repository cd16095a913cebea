"""What a request creates, once: an `Idempotency-Key` makes its repetition find the first one.

The commit that creates a thing also puts an idempotency record, on the condition that the account
has none for the key. So of two requests with one key the second finds the record, reads what the
first one created, and derives its secret again. Without a key nothing of this happens.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from function.access.policy import Authentication
from function.aws.rows import Key
from function.aws.writes import Write
from function.core.errors import NotFound
from function.core.idempotency import IdempotentRequest
from function.core.limits import IDEMPOTENCY_SECONDS
from function.core.models import Caller
from function.core.runtime import Runtime
from function.idempotency.errors import IdempotencyKeyReused, IdempotencyKeySpent
from function.tables.accounts import Account
from function.tables.sessions import (
    IdempotencyRecord,
    idempotency_key,
    idempotency_record_in,
    put_idempotency_record,
)


class Earlier(NamedTuple):
    """What an earlier request with the same key created: its `id`, and its secret.

    `same_code` tells that it had the same code of the second factor, which it has used up.
    """

    id: str
    secret: str
    same_code: bool


class Creation:
    """The creation of one thing with a secret, by one request.

    `secret` are 43 URL-safe characters for the thing. `keys` are the rows that must be read, with
    those that prove the caller, for `find_earlier`.
    """

    def __init__(
        self, runtime: Runtime, caller: Caller, request: IdempotentRequest | None = None
    ) -> None:
        """`request` is None where it has no `Idempotency-Key`: then the secret is random."""
        self._request, self._now, self._nonce = request, runtime.now, runtime.new_secret()
        self.secret = request.derive(self._nonce) if request else self._nonce
        self.keys: list[Key] = []
        if request:
            self.keys.append(idempotency_key(caller.username, request.key_hash))

    def find_earlier(self, found: Authentication) -> Earlier | None:
        """What an earlier request with the key created; None where there was none.

        Raises IdempotencyKeyReused.
        """
        if self._request is None:
            return None
        record = idempotency_record_in(found.rows, self.keys[0], found.account, self._now())
        if record is None:
            return None
        if record.fingerprint != self._request.fingerprint:
            raise IdempotencyKeyReused
        same_code = record.code is not None and record.code == self._request.code
        return Earlier(record.subject, self._request.derive(record.nonce), same_code)

    def record(self, account: Account, subject: str) -> list[Write]:
        """Records that the request creates the thing with the id `subject`."""
        if self._request is None:
            return []
        now = int(self._now())
        record = IdempotencyRecord(
            user_id=account.id,
            subject=subject,
            nonce=self._nonce,
            fingerprint=self._request.fingerprint,
            code=self._request.code,
            expires_at=now + IDEMPOTENCY_SECONDS,
        )
        return [put_idempotency_record(self.keys[0], record, now)]


@contextmanager
def created_earlier() -> Iterator[None]:
    """Reads what an earlier request created. Raises IdempotencyKeySpent where it is not found."""
    try:
        yield
    except NotFound:
        raise IdempotencyKeySpent from None
