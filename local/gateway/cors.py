"""CORS as API Gateway applies it: preflight requests never reach the function.

Source: API Gateway Developer Guide, Configure CORS for HTTP APIs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from local.gateway.http1 import Request, Response


@dataclass(frozen=True)
class Cors:
    """The CORS configuration of the API. Without origins the function's CORS headers stay."""

    allow_origins: Sequence[str] = ()
    allow_methods: Sequence[str] = ()
    allow_headers: Sequence[str] = ()
    expose_headers: Sequence[str] = ()
    max_age: int | None = None
    allow_credentials: bool = False

    def answer_preflight(self, request: Request) -> Response | None:
        """The response to a preflight request, or None for any other request."""
        origins = request.values("origin")
        preflight = origins and request.values("access-control-request-method")
        if request.method != "OPTIONS" or not preflight or not self.allow_origins:
            return None
        headers = self._headers(origins[0])
        if headers:
            for name, values in (("methods", self.allow_methods), ("headers", self.allow_headers)):
                if values:
                    headers.append((f"access-control-allow-{name}", ",".join(values)))
            if self.max_age is not None:
                headers.append(("access-control-max-age", str(self.max_age)))
        return Response(HTTPStatus.NO_CONTENT, headers)

    def apply(self, request: Request, response: Response) -> Response:
        """The response with the configured CORS headers in place of the function's."""
        if not self.allow_origins:
            return response
        kept = [
            (name, value)
            for name, value in response.headers
            if not name.lower().startswith("access-control-")
        ]
        added = self._headers(*request.values("origin")[:1])
        return Response(response.status, kept + added, response.body)

    def _headers(self, origin: str = "") -> list[tuple[str, str]]:
        """The headers of every response to an origin; none when the origin is not allowed."""
        allowed = self._allowed(origin)
        if not allowed:
            return []
        headers = [("access-control-allow-origin", allowed)]
        if self.allow_credentials and allowed != "*":
            headers.append(("access-control-allow-credentials", "true"))
        if self.expose_headers:
            headers.append(("access-control-expose-headers", ",".join(self.expose_headers)))
        return headers

    def _allowed(self, origin: str) -> str:
        """The value of Access-Control-Allow-Origin, or nothing."""
        if not origin:
            return ""
        if "*" in self.allow_origins:
            return "*"
        any_host = origin.partition("://")[0] + "://*"
        allowed = {each.lower() for each in self.allow_origins}
        return origin if allowed & {origin.lower(), any_host.lower()} else ""
