"""Every patch of botocore in tests: no pauses, no limit of retries, and less work for each call."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from botocore import endpoint, useragent
from botocore.client import BaseClient
from botocore.retries.quota import RetryQuota
from botocore.validate import ParamValidator

from tests.support.patch_register import PatchRegister

MAX_DIGITS = 38

REGISTER = PatchRegister("botocore")
patch = REGISTER.patch


def patched_botocore(call: Callable[..., Any]) -> AbstractContextManager[None]:
    """Applies every patch. `call` makes the calls of clients; see `call_directly`."""
    return REGISTER.apply(call_directly=call)


@patch("1.44.5", BaseClient, "_make_api_call")
def call_directly(original: Any, call: Callable[..., Any]) -> Any:
    """Call by `call(client, operation, parameters, sdk)`; `sdk()` calls as botocore does."""

    def _make_api_call(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        return call(client, operation, parameters, lambda: original(client, operation, parameters))

    return _make_api_call


@patch("1.44.5", endpoint, "time")
def retry_without_pauses(_: Any) -> Any:
    """Let the pauses between retries take no time."""
    return SimpleNamespace(sleep=lambda _: None)


@patch("1.44.5", RetryQuota, "acquire")
def retry_without_quota(_: Any) -> Any:
    """Grant every retry. The quota would be used up by failures in earlier tests."""
    return lambda *_: True


@patch("1.44.5", ParamValidator, "_validate_map")
def validate_few_attributes(original: Any) -> Any:
    """Validate only attributes that are neither a text nor a whole number."""

    def _validate_map(validator: Any, params: Any, shape: Any, errors: Any, name: str) -> None:
        if shape.value.name == "AttributeValue" and type(params) is dict:
            params = {
                key: each
                for key, each in params.items()
                if not (type(key) is str and is_plain(each))
            }
        original(validator, params, shape, errors, name)

    return _validate_map


def is_plain(value: Any) -> bool:
    """Whether an attribute is, beyond doubt, a valid text or whole number."""
    if type(value) is not dict or len(value) != 1:
        return False
    ((kind, held),) = value.items()
    if kind == "S":
        return type(held) is str
    return kind == "N" and type(held) is str and held.isdecimal() and len(held) < MAX_DIGITS


@patch("1.44.5", useragent, "sanitize_user_agent_string_component")
def sanitize_user_agents_once(original: Any) -> Any:
    """Sanitize each part of the User-Agent header once."""
    return lru_cache(1000)(original)
