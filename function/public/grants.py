"""The access token that a request for a link or file request brings, in a header or a cookie.

A browser has it in a cookie, so that no address does: histories and logs keep addresses.
"""

from function.core.models import HttpRequest
from function.core.tokens import token_hash


def sent_grant(request: HttpRequest, token: str, header: str | None) -> str | None:
    """The access token for the link or file request with this token; it has not been verified."""
    return header or request.cookies.get(cookie_name(token))


def cookie_name(token: str) -> str:
    """The name of the cookie of one link or file request, which does not give its token away.

    By the prefix, browsers take it from this very host alone, and only with `Secure` (RFC 6265bis,
    section 4.1.3); Chromium, Firefox and curl treat http://127.0.0.1 as secure.
    """
    return f"__Host-grant-{token_hash(token)[:16]}"
