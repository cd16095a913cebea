"""Problems of requests with an `Idempotency-Key`.

Gone 410 ───── IdempotencyKeySpent
Invalid 422 ── IdempotencyKeyReused
"""

from function.core.errors import Gone, Invalid


class IdempotencyKeySpent(Gone):
    """The request was done before, and what it created is not there any more."""

    slug, title = "idempotency-key-spent", "Idempotency-Key spent"
    default = (
        "This request was done, and what it created has been used, completed or deleted, or has "
        "expired. To create another one, send a new key."
    )


class IdempotencyKeyReused(Invalid):
    """The account has used the key for another request within 24 hours."""

    slug, title = "idempotency-key-reused", "Idempotency-Key reused"
    default = (
        "This key came with another request before: with another body, to another route, or with "
        "another token. Send a new key for each new request."
    )


# The problems of the routes that take the header field.
OF_KEY = (IdempotencyKeySpent, IdempotencyKeyReused)
