"""The forms of tokens and ids."""

import pytest

from function.core.runtime import system_runtime
from function.core.tokens import is_id, is_shared_token, is_token_hash, token_hash, username_in

RUNTIME = system_runtime()
SECRET = RUNTIME.new_secret()


def test_a_token_is_stored_as_its_hash() -> None:
    """SHA-256, in hexadecimal."""
    assert token_hash("abc").startswith("ba7816bf8f01cfea414140de5dae2223b00361a3")
    assert is_token_hash(token_hash("abc"))


def test_tokens_and_ids_have_their_forms() -> None:
    """Those that the runtime makes."""
    assert username_in(f"bob@x.org.{SECRET}") == "bob@x.org"
    assert is_shared_token(SECRET)
    assert is_id(RUNTIME.new_id())


@pytest.mark.parametrize("change", ["{}\n", " {}", "{}a", "é{}", "{}/"])
def test_other_texts_do_not(change: str) -> None:
    """The whole text counts, a line break at its end too."""
    assert username_in(change.format(f"bob.{SECRET}")) is None
    assert not is_shared_token(change.format(SECRET))
    assert not is_token_hash(change.format(token_hash("abc")))
    assert not is_id(change.format(RUNTIME.new_id()))
    assert not is_token_hash(RUNTIME.new_id())
    assert not is_id(token_hash("abc"))
    assert username_in(SECRET) is None
