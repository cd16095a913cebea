"""The parts of an API Gateway event (payload format 2.0), parsed strictly.

Powertools validates a request before any dependency runs, and accepts bodies that are probably a
client's mistake: arrays, repeated names, NaN. `http.router` therefore parses each request with
these functions first. A request that reaches a route has one JSON object or raw bytes as its body,
known query fields, each once, and a token of the right form where the route needs one.
"""

import base64
import binascii
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from function.core.errors import (
    KEY_ONLY,
    Invalid,
    Malformed,
    NotSignedIn,
    TooLarge,
    UnsupportedMediaType,
)
from function.core.limits import MAX_JSON_MARKS
from function.core.media_types import JSON
from function.core.models import Caller, HttpRequest
from function.core.roles import Power
from function.core.tokens import token_hash, username_in

MAX_MEMBERS = 200  # of a JSON object: each unknown member costs an error object
MAX_ERRORS = 20  # that an answer names
EMPTY_BODIES = (b"", b"{}")
PUBLIC_PATHS = ("/s/", "/r/")
JSON_MARKS = (b"{", b"[", b":", b",")
TWO_TOKENS = "The request has two different tokens; send one."
DEFAULT_PORTS = {"https": "443", "http": "80"}


def parse_request(event: Mapping[str, Any]) -> HttpRequest:
    """An event's method, path, headers and addresses; its query and body are empty until parsed.

    The address is the source of the connection to API Gateway (`access.addresses` has the client's
    behind a proxy).
    """
    context = event["requestContext"]
    headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
    scheme = headers.get("x-forwarded-proto", "https")
    port = headers.get("x-forwarded-port", "")
    is_default = port in {"", DEFAULT_PORTS.get(scheme)}
    return HttpRequest(
        method=context["http"]["method"].upper(),
        path=event["rawPath"],
        headers=headers,
        query={},
        body=b"",
        address=context["http"].get("sourceIp", ""),
        request_id=context.get("requestId", ""),
        as_text=not event.get("isBase64Encoded"),
        cookies=dict(cookie.split("=", 1) for cookie in event.get("cookies", []) if "=" in cookie),
        base=f"{scheme}://{context.get('domainName', '')}" + ("" if is_default else f":{port}"),
    )


def is_public(path: str) -> bool:
    """Whether a path belongs to a link (`/s/<token>`) or to a file request (`/r/<token>`)."""
    return path.startswith(PUBLIC_PATHS)


def parse_token(request: HttpRequest) -> str:
    """The token in `x-session-token` or in `Authorization`; "" without one, or with two."""
    tokens, _ = _tokens(request)
    return tokens.pop() if len(tokens) == 1 else ""


def parse_caller(request: HttpRequest, power: Power | None = None) -> Caller:
    """The caller whom the token in `x-session-token` or in `Authorization` names.

    `Authorization` has a Bearer token (RFC 6750), or user name and API key as Basic credentials
    (RFC 7617). Only the token's form is checked; `Access` proves the token. Raises NotSignedIn
    where there is no token, a malformed one, or two that differ.
    """
    tokens, is_basic = _tokens(request)
    token = tokens.pop() if len(tokens) == 1 else ""
    username = username_in(token)
    if username is None:
        raise NotSignedIn(TWO_TOKENS if tokens else KEY_ONLY if is_basic else "")
    return Caller(
        username=username,
        token_hash=token_hash(token),
        power=power,
        address=request.address,
        agent=request.agent,
        key_only=is_basic,
    )


def parse_optional_caller(request: HttpRequest) -> Caller | None:
    """The caller on a public route, with the power to read; None without a well-formed token."""
    try:
        return parse_caller(request, "read")
    except NotSignedIn:
        return None


def accepted_types(request: HttpRequest) -> set[str]:
    """The media types in `Accept`, in lower case and without parameters."""
    accepted = request.headers.get("accept", "").lower().split(",")
    return {media_type.partition(";")[0].strip() for media_type in accepted}


def parse_query(event: Mapping[str, Any], known: Iterable[str]) -> dict[str, str]:
    """The fields of the query string.

    Raises Malformed where it is not percent-encoded UTF-8, Invalid for a field that is repeated or
    not among the `known` ones.
    """
    text = event.get("rawQueryString", "")
    try:
        unquote_to_bytes(text).decode()
        fields = parse_qsl(text, keep_blank_values=True, errors="strict")
    except ValueError:
        raise Malformed("The query string is not percent-encoded UTF-8.") from None
    counts = Counter(name for name, _ in fields)
    known = {*known}
    if "metadata" in known:  # Uppy sends the members of this one object as `metadata[name]`
        known |= {name for name in counts if name.startswith("metadata[")}
    wrong = [
        {"at": f"query.{name[:64]}", "reason": "unknown field" if name not in known else "repeated"}
        for name, count in counts.items()
        if name not in known or count > 1
    ]
    if wrong:
        raise Invalid(errors=wrong[:MAX_ERRORS])
    return dict(fields)


def parse_body(
    event: Mapping[str, Any], headers: Mapping[str, str], *, takes_body: bool, max_bytes: int
) -> bytes:
    """The bytes of the body; where the route takes no body, it must be empty or `{}`.

    A body of more than `max_bytes` is refused before anything reads it.
    API Gateway passes some media types as text, which destroys bytes that are not UTF-8. Mostly the
    length changes by that, so it is compared with `content-length`. Raises Malformed,
    UnsupportedMediaType, TooLarge, Invalid.
    """
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("Send the body without content-encoding.")
    if "content-range" in headers:  # a part would replace the whole (RFC 9110, section 14.5)
        raise Malformed("Send the whole file without content-range; POST /uploads accepts parts.")
    body = _decode(event, max_bytes)
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) != len(body):
        raise Malformed(
            "The body does not have the length in content-length. "
            "Send it with content-type: application/octet-stream."
        )
    # GET and HEAD too: their body has no meaning (RFC 9110, section 9.3.1).
    if not takes_body and b"".join(body.split()) not in EMPTY_BODIES:
        raise Invalid(
            "This route takes no body. Send its parameters in the query string.",
            errors=[{"at": "body", "reason": "must be empty"}],
        )
    return body


def json_text(body: bytes, headers: Mapping[str, str]) -> str:
    """The text of a JSON body.

    Raises UnsupportedMediaType where `content-type` names another type or charset, TooLarge where
    it has more items than any route reads, Malformed where the body is not UTF-8.
    """
    kind, _, parameters = headers.get("content-type", JSON).lower().partition(";")
    charset = re.search(r"charset=\"?([\w-]+)", parameters)
    if kind.strip() != JSON or (charset and charset[1] not in {"utf-8", "utf8"}):
        raise UnsupportedMediaType
    if sum(body.count(mark) for mark in JSON_MARKS) > MAX_JSON_MARKS:
        raise TooLarge(f"A JSON body has at most {MAX_JSON_MARKS} of the characters {{ [ : and ,.")
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Malformed("The body is not UTF-8.") from None


def strict_json(text: str) -> dict[str, Any]:
    """One JSON object (RFC 8259) without repeated names, NaN or Infinity.

    Raises Malformed, also where an object has more than 200 members.
    """
    try:
        value = json.loads(text, object_pairs_hook=_members, parse_constant=_not_a_number)
    except (ValueError, RecursionError):
        raise Malformed("The body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise Malformed("The body must be one JSON object.")
    return value


def _tokens(request: HttpRequest) -> tuple[set[str], bool]:
    """The different tokens of a request, and whether Basic credentials have one of them."""
    headers = request.headers
    tokens = {headers[name] for name in ("x-session-token",) if name in headers}
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    is_basic = scheme.lower() == "basic"
    if is_basic:
        tokens.add(_basic_key(credentials.strip()))
    elif scheme.lower() == "bearer":
        tokens.add(credentials.strip())
    return tokens, is_basic


def _basic_key(credentials: str) -> str:
    """The password of Basic credentials that has the form of their user's key; "" for others."""
    try:
        username, _, key = base64.b64decode(credentials, validate=True).decode().partition(":")
    except ValueError:
        return ""
    return key if username.lower() == username_in(key) else ""


def _decode(event: Mapping[str, Any], max_bytes: int) -> bytes:
    """The bytes of an event's body. Raises TooLarge for more than `max_bytes`, Malformed."""
    text, is_base64 = event.get("body") or "", event.get("isBase64Encoded")
    too_large = TooLarge(
        f"This request takes a body of at most {max_bytes} bytes. "
        "POST /uploads takes files of any size."
    )
    if len(text) * (0.75 if is_base64 else 1) > max_bytes + 2:  # Base64 ends with up to two `=`
        raise too_large
    try:
        body = base64.b64decode(text, validate=True) if is_base64 else text.encode()
    except (binascii.Error, ValueError):
        raise Malformed("The body arrived incomplete. Please send it again.") from None
    if len(body) > max_bytes:
        raise too_large
    return body


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The members of one JSON object. Raises ValueError for a repeated name or too many names."""
    members = dict(pairs)
    if len(members) != len(pairs) or len(pairs) > MAX_MEMBERS:
        raise ValueError("a name is repeated, or there are more than 200")
    return members


def _not_a_number(name: str) -> None:
    """Refuses NaN and Infinity, which Python's parser accepts. Raises ValueError."""
    raise ValueError(f"{name} is not a JSON number")
