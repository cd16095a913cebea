"""What is looked at before any route: the path, the method, the token's form, the query, the body.

Powertools validates before it asks who is calling, and takes bodies that no client should send
(arrays, duplicate members, NaN); here a request is made plain first, or refused. Imports models,
roles and errors.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from function.core.errors import Invalid, Malformed, NotSignedIn, TooLarge, UnsupportedMediaType
from function.core.models import Caller, HttpRequest
from function.core.roles import Power

TOKEN = re.compile(r"([a-z0-9._@+-]{3,64})\.[A-Za-z0-9_-]{43}")
JSON_TYPE = "application/json"
MOST_MEMBERS = 200  # of an object: each unknown one costs an error of its own
NO_BODIES = (b"", b"{}")
PUBLIC = ("/s/", "/r/")
LAMBDA_LIMIT = 6 * 1024 * 1024


def incoming(event: Mapping[str, Any]) -> HttpRequest:
    """A request as an event of payload format 2.0 tells it, its query and body not yet looked at.

    The source address is the gateway's word, never a header's.
    """
    context = event["requestContext"]
    headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
    scheme = headers.get("x-forwarded-proto", "https")
    port = headers.get("x-forwarded-port", "")
    plain = port in {"", {"https": "443", "http": "80"}.get(scheme)}
    return HttpRequest(
        method=context["http"]["method"].upper(),
        path=event["rawPath"],
        headers=headers,
        query={},
        body=b"",
        address=context["http"].get("sourceIp", ""),
        request_id=context.get("requestId", ""),
        as_text=not event.get("isBase64Encoded"),
        base=f"{scheme}://{context.get('domainName', '')}" + ("" if plain else f":{port}"),
    )


def is_public(path: str) -> bool:
    """Whether it is the address of a link or of a file request."""
    return path.startswith(PUBLIC)


def caller_of(sent: HttpRequest, power: Power | None = None) -> Caller:
    """Who the token in `x-session-token`, or as a Bearer token, names. Raises NotSignedIn."""
    headers = sent.headers
    given = {headers[name] for name in ("x-session-token",) if name in headers}
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        given.add(credentials.strip())
    match = TOKEN.fullmatch(given.pop()) if len(given) == 1 else None
    if match is None:
        raise NotSignedIn
    return Caller(
        username=match[1],
        token_hash=hashlib.sha256(match[0].encode()).hexdigest(),
        power=power,
        address=sent.address,
        agent=sent.agent,
    )


def visitor_of(sent: HttpRequest) -> Caller | None:
    """Who a token names on a route that needs none, to read what is shown to them alone.

    What is no token is as good as none there.
    """
    try:
        return caller_of(sent, "read")
    except NotSignedIn:
        return None


def query_of(event: Mapping[str, Any], known: Iterable[str]) -> dict[str, str]:
    """The query's fields, of which only `known` ones may stand there, each once.

    Raises Malformed when it is not UTF-8, Invalid for an unknown or repeated field.
    """
    raw = event.get("rawQueryString", "")
    try:
        unquote_to_bytes(raw).decode()
        fields = parse_qsl(raw, keep_blank_values=True, errors="strict")
    except ValueError:
        raise Malformed("The query string is not UTF-8, percent-encoded.") from None
    names = [name for name, _ in fields]
    # `metadata[name]` is how Uppy writes the fields of its one field that has fields
    known = {*known}
    known |= {name for name in names if name.startswith("metadata[") and "metadata" in known}
    wrong = [
        {"at": f"query.{name[:64]}", "reason": "unknown field" if name not in known else "repeated"}
        for name in dict.fromkeys(names)
        if name not in known or names.count(name) > 1
    ]
    if wrong:
        raise Invalid(errors=wrong)
    return dict(fields)


def body_of(event: Mapping[str, Any], headers: Mapping[str, str], *, taken: bool) -> bytes:
    """The body's bytes, as many as the client said it sent; where none is `taken`, nothing or {}.

    A gateway passes some types as text, and bytes that are not UTF-8 do not survive that: the
    length tells, if not always. Raises Malformed, UnsupportedMediaType, TooLarge, Invalid.
    """
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("Send the body without content-encoding.")
    if "content-range" in headers:  # RFC 9110, section 14.5: or a part would pass for the whole
        raise Malformed("A part cannot be put in the place of a file; POST /uploads goes on.")
    text = event.get("body") or ""
    try:
        encoded = event.get("isBase64Encoded")
        body = base64.b64decode(text, validate=True) if encoded else text.encode()
    except (binascii.Error, ValueError):
        raise Malformed("The body arrived broken.") from None
    if len(body) > LAMBDA_LIMIT:
        raise TooLarge(
            f"A request carries at most {LAMBDA_LIMIT} bytes; for a larger file use POST /uploads."
        )
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) != len(body):
        raise Malformed(
            "The body did not arrive as it was sent; send it as application/octet-stream."
        )
    if not taken and b"".join(body.split()) not in NO_BODIES:
        # Of GET and HEAD as well: a body of theirs means nothing (RFC 9110, section 9.3.1).
        raise Invalid(
            "This route takes no body; what it takes stands in the query.",
            errors=[{"at": "body", "reason": "nothing is read from a body here"}],
        )
    return body


def json_text(body: bytes, headers: Mapping[str, str]) -> str:
    """The text of a JSON body. Raises UnsupportedMediaType when it says to be something else."""
    kind, _, parameters = headers.get("content-type", JSON_TYPE).lower().partition(";")
    charset = re.search(r"charset=\"?([\w-]+)", parameters)
    if kind.strip() != JSON_TYPE or (charset and charset[1] not in {"utf-8", "utf8"}):
        raise UnsupportedMediaType
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Malformed("The body is not UTF-8.") from None


def strict_json(text: str) -> dict[str, Any]:
    """One JSON object (RFC 8259) in which no name is repeated and no number is out of this world.

    Raises Malformed.
    """
    try:
        value = json.loads(text, object_pairs_hook=_members, parse_constant=_not_a_number)
    except (ValueError, RecursionError):
        raise Malformed("The body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise Malformed("The body must be one JSON object.")
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs) or len(pairs) > MOST_MEMBERS:
        raise ValueError("a name is repeated, or there are too many")
    return members


def _not_a_number(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")
