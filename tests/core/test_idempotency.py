"""What is derived of a request with an `Idempotency-Key`."""

from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from function.core.idempotency import idempotent_request
from function.core.models import HttpRequest
from function.core.tokens import is_shared_token

TOKEN = "alice." + "A" * 43
REQUEST = HttpRequest("POST", "/links", {}, {}, b"", "192.0.2.1", "id", "https://api")


class Body(BaseModel):
    """A body of a request."""

    name: str = "plan"
    password: SecretStr | None = None
    current_password: SecretStr | None = None
    otp: str | None = None


def derived(token: str = TOKEN, key: str = "1", **body: Any) -> Any:
    return idempotent_request(token, key, REQUEST, Body(**body))


def test_the_secret_has_the_form_of_a_token() -> None:
    """It is as random as one that is drawn."""
    assert is_shared_token(derived().derive("nonce"))
    assert derived().derive("nonce") == derived(name="other").derive("nonce")


def test_the_secret_takes_token_key_and_nonce() -> None:
    """None of the three can be left out."""
    secrets = {
        derived().derive("nonce"),
        derived(token="alice." + "B" * 43).derive("nonce"),
        derived(key="2").derive("nonce"),
        derived().derive("other"),
    }
    assert len(secrets) == 4


@pytest.mark.parametrize(
    ("body", "same"),
    [
        ({"name": "other"}, False),
        ({"password": "one"}, False),
        ({"current_password": "one"}, True),
        ({"otp": "123456"}, True),
        ({"name": "plan"}, False),
    ],
)
def test_the_fingerprint_is_of_what_was_sent_but_for_its_proofs(
    body: dict[str, Any], same: bool
) -> None:
    """A field that has its default is another request than one without it."""
    assert (derived(**body).fingerprint == derived().fingerprint) is same


def test_fingerprints_tell_nothing_without_the_token() -> None:
    """Who reads them has no way to try passwords and codes."""
    one, other = (derived(token, password="one", otp="123456") for token in (TOKEN, TOKEN + "B"))
    assert one.key_hash == other.key_hash
    assert one.fingerprint != other.fingerprint
    assert one.code != other.code
