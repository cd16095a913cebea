"""The types that routes write in their signatures: the caller, the request, its header fields.

    def list_sessions(caller: Reader, request: CurrentRequest) -> ...

The caller's type names the power that the route requires (`core.roles`). `http.router` reads these
types before it runs a route, and `meta.openapi` when it documents one.
"""

from dataclasses import fields
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

from function.core.models import Caller, Conditions, HttpRequest


def _request(request: Request) -> HttpRequest:
    """The request as `http.router` checked it."""
    checked: HttpRequest = request.context["request"]
    return checked


def _caller(request: Request) -> Caller | None:
    """The account that the token names; None where the route is public and there is no token."""
    caller: Caller | None = request.context["caller"]
    return caller


class HeaderFields(Depends):
    """A dependency that reads header fields into a dataclass, which the OpenAPI document lists.

    The dataclass has a member for each field, with `_` for `-`; its value is None where the request
    has no such field.
    """

    def __init__(self, kind: type[Any]) -> None:
        self.names = {each.name: each.name.replace("_", "-") for each in fields(kind)}

        def read(request: Request) -> Any:
            headers = _request(request).headers
            return kind(**{member: headers.get(name) for member, name in self.names.items()})

        super().__init__(read)


CALLER = Depends(_caller)
REQUEST = Depends(_request)
BODY = "body"

# A caller with a power; SignedIn needs none. Access proves the caller, not these types.
Reader = Annotated[Caller, CALLER, "read"]
Writer = Annotated[Caller, CALLER, "write"]
Sharer = Annotated[Caller, CALLER, "share"]
Holder = Annotated[Caller, CALLER, "account"]
Admin = Annotated[Caller, CALLER, "admin"]
SignedIn = Annotated[Caller, CALLER]
# On a public route: the caller where the request has a token.
OptionalCaller = Annotated[Caller | None, CALLER]

CurrentRequest = Annotated[HttpRequest, REQUEST]
# The same for a route that reads the body itself, because it accepts several media types.
RequestWithBody = Annotated[HttpRequest, REQUEST, BODY]
ConditionHeaders = Annotated[Conditions, HeaderFields(Conditions)]
