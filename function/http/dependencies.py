"""The types that routes write in their signatures, and what those types say about a route.

    def list_sessions(caller: Holder, request: CurrentRequest) -> ...

The type of the caller names the power that the route requires (`core.roles`). `http.router` reads
the types before it runs a route, and `meta.openapi` when it documents one.
"""

from dataclasses import fields
from typing import Annotated, Any, TypeVar, get_args

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.event_handler.openapi.params import Header, Query
from pydantic import BaseModel

from function.core.fields import AccessTokenText, IdempotencyKey, Otp
from function.core.idempotency import IdempotentRequest, idempotent_request
from function.core.limits import MAX_BODY_BYTES, MAX_REQUEST_BYTES
from function.core.models import Caller, Conditions, HttpRequest, IfMatch
from function.core.roles import Power
from function.http.request import parse_token

Body = TypeVar("Body", bound=BaseModel)


def _request(request: Request) -> HttpRequest:
    """The request as `http.router` parsed it."""
    parsed: HttpRequest = request.context["request"]
    return parsed


def _caller(request: Request) -> Caller | None:
    """The caller that the token names; None on a public route where there is no token."""
    caller: Caller | None = request.context["caller"]
    return caller


class HeaderFields(Depends):
    """A dependency that reads header fields into a dataclass, and that the document lists.

    Each member of the dataclass has the name of a header field, with `_` for `-`. It is None where
    the request does not have the field.
    """

    def __init__(self, kind: type[Any]) -> None:
        members = {each.name.replace("_", "-"): each.name for each in fields(kind)}

        def read(request: Request) -> Any:
            headers = _request(request).headers
            return kind(**{member: headers.get(name) for name, member in members.items()})

        self.names = list(members)

        super().__init__(read)


class RestOfPath:
    """Says of the last parameter of a path that it is all that follows, `/` and any character.

    Powertools' own pattern takes no `/`, and not every character of a name.
    """


class MaxBytes(int):
    """The most bytes of a route's body, where it takes more than MAX_BODY_BYTES."""


CALLER = Depends(_caller)
REQUEST = Depends(_request)

# A caller and the power that the route requires. The services prove the caller (`Access`).
Reader = Annotated[Caller, CALLER, "read"]
Writer = Annotated[Caller, CALLER, "write"]
Sharer = Annotated[Caller, CALLER, "share"]
Holder = Annotated[Caller, CALLER, "account"]
Admin = Annotated[Caller, CALLER, "admin"]
WriterAndSharer = Annotated[Caller, CALLER, "write", "share"]  # requires both powers
SignedIn = Annotated[Caller, CALLER]  # with any powers
# The same for the routes that an account needs to set up a second factor that it must have.
NO_FACTOR = "no second factor"
HolderWithoutFactor = Annotated[Caller, CALLER, "account", NO_FACTOR]
SignedInWithoutFactor = Annotated[Caller, CALLER, NO_FACTOR]
OptionalCaller = Annotated[Caller | None, CALLER]  # for public routes

CurrentRequest = Annotated[HttpRequest, REQUEST]
# For a route that reads the body itself, because it accepts several media types.
RequestWithBody = Annotated[HttpRequest, REQUEST, "body"]
RequestWithFile = Annotated[HttpRequest, REQUEST, "body", MaxBytes(MAX_REQUEST_BYTES)]
ConditionHeaders = Annotated[Conditions, HeaderFields(Conditions)]
IfMatchHeader = Annotated[IfMatch, HeaderFields(IfMatch)]

# The query parameters of a list: `limit: Limit = 100, cursor: Cursor = None`.
Limit = Annotated[int, Query(ge=1, le=1000, description="The maximum number of items on a page.")]
Cursor = Annotated[str | None, Query(description="From `x-next-cursor` of the page before.")]

# A code of the second factor, which no address may contain: logs and histories keep addresses.
OTP_HEADER = Header(alias="x-otp", description="A code of the second factor, or a recovery code.")
OtpHeader = Annotated[Otp, OTP_HEADER]
OptionalOtpHeader = Annotated[Otp | None, OTP_HEADER]

GrantHeader = Annotated[
    AccessTokenText | None,
    Header(alias="x-link-grant", description="The access token, where it has a password."),
]

IdempotencyKeyHeader = Annotated[
    IdempotencyKey | None,
    Header(
        alias="idempotency-key",
        description=(
            "A new key, such as a UUID, for each new request. The same request, sent again with "
            "the same key within 24 hours, gets the same answer, and nothing is created twice."
        ),
    ),
]


def idempotent(request: HttpRequest, key: str | None, body: BaseModel) -> IdempotentRequest | None:
    """The request with its `Idempotency-Key`; None where it has none. `body` is parsed."""
    return idempotent_request(parse_token(request), key, request, body) if key else None


def with_otp(body: Body, otp: str | None) -> Body:
    """The body of a request with the code of its header as `otp`, if it has none itself."""
    if otp is None or getattr(body, "otp", None) is not None:
        return body
    return body.model_copy(update={"otp": otp})


def needs_token(route: Any) -> bool:
    """Whether a route requires a token."""
    return any(_is_caller(each) for each in _annotations(route))


def powers_of(route: Any) -> list[Power]:
    """The powers that a route requires of its caller; most routes require one."""
    return [each for each in _caller_notes(route) if each != NO_FACTOR]


def power_of(route: Any) -> Power | None:
    """The first power that a route requires of its caller; None where it requires none."""
    return next(iter(powers_of(route)), None)


def may_lack_factor(route: Any) -> bool:
    """Whether an account reaches a route without the second factor that it must set up."""
    return NO_FACTOR in _caller_notes(route)


def takes_body(route: Any) -> bool:
    """Whether a route has a body: parsed by Powertools with a model, or by the route itself."""
    return bool(route.dependant.body_params) or "body" in _extras(route)


def max_body_bytes(route: Any) -> int:
    """The most bytes of a route's body."""
    limits = (each for each in _extras(route) if isinstance(each, MaxBytes))
    return next(limits, MAX_BODY_BYTES)


def takes_rest_of_path(route: Any) -> bool:
    """Whether the last parameter of a route's path is all that follows (`RestOfPath`)."""
    return any(isinstance(each, RestOfPath) for each in _extras(route))


def header_fields(route: Any) -> set[str]:
    """The names of the header fields that a route reads, in lower case."""
    fields_read = (each for each in _extras(route) if isinstance(each, HeaderFields))
    return {name for each in fields_read for name in each.names}


def _caller_notes(route: Any) -> list[Any]:
    """What the type of a route's caller says about it."""
    callers = [each for each in _annotations(route) if _is_caller(each)]
    return [note for caller in callers for note in get_args(caller)[2:]]


def _is_caller(annotation: Any) -> bool:
    """Whether it is SignedIn or one of the types with a power, but not OptionalCaller."""
    return get_args(annotation)[:2] == (Caller, CALLER)


def _annotations(route: Any) -> list[Any]:
    """The annotations of a route's signature."""
    return list(getattr(route.func, "__annotations__", {}).values())


def _extras(route: Any) -> list[Any]:
    """What the annotations of a route's signature say beside the types."""
    return [extra for each in _annotations(route) for extra in get_args(each)[1:]]
