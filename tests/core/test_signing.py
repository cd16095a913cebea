"""Signatures: the values of the standard, and no text but the signature is accepted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.core.signing import decode_base64, encode_base64, sign, verify

KEY = "0123456789abcdef0123456789abcdef"


def test_a_signature_is_the_hmac_of_the_standard() -> None:
    """RFC 4231, section 4.3: HMAC-SHA256 with the key `Jefe`."""
    digest = decode_base64(sign("Jefe", "what do ya want for nothing?")).hex()
    assert digest == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert decode_base64(sign("Jefe", "what do ya want for nothing?", 16)).hex() == digest[:32]


@given(st.text(), st.sampled_from([16, 32]))
def test_a_message_verifies_with_its_signature(message: str, size: int) -> None:
    """With its key alone."""
    signature = sign(KEY, message, size)
    assert verify(KEY, message, signature, size)
    assert not verify(KEY[::-1], message, signature, size)
    assert not verify(KEY, message + "x", signature, size)


@given(st.data())
def test_no_other_text_is_the_signature(data: st.DataObject) -> None:
    """Not even one that Base64 decodes to the same bytes, nor a part of it, nor an empty one."""
    signature = sign(KEY, "message")
    at = data.draw(st.integers(0, len(signature) - 1))
    letter = data.draw(st.sampled_from("AQgwBC09_-é= ").filter(lambda each: each != signature[at]))
    assert not verify(KEY, "message", signature[:at] + letter + signature[at + 1 :])
    assert not verify(KEY, "message", signature[:at])
    assert not verify(KEY, "message", signature + letter)


@pytest.mark.parametrize("length", range(5))
def test_base64_has_no_padding(length: int) -> None:
    """And gives its bytes back."""
    data = b"\xff" * length
    assert "=" not in encode_base64(data)
    assert decode_base64(encode_base64(data)) == data
