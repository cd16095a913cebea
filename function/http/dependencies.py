"""What routes write in their signatures: who is calling, and what they read of the request."""

from dataclasses import fields
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

from function.core.models import Caller as Caller_
from function.core.models import Conditions as Conditions_
from function.core.models import Incoming


def incoming(request: Request) -> Incoming:
    """The request as the gate let it in."""
    let_in: Incoming = request.context["incoming"]
    return let_in


def caller(request: Request) -> Caller_:
    """Who the token says is calling; the gate has seen to its form, the services prove it."""
    says: Caller_ = request.context["caller"]
    return says


def visitor(request: Request) -> Caller_ | None:
    """Who a token names, if there is one, on a route that is open to everybody."""
    says: Caller_ | None = request.context["visitor"]
    return says


class Fields(Depends):
    """What a route reads of the request's header, which the OpenAPI document shows: a dataclass."""

    def __init__(self, kind: type[Any]) -> None:
        """Its fields are called as the header's."""
        self.names = {each.name: each.name.replace("_", "-") for each in fields(kind)}

        def read(request: Request) -> Any:
            said = incoming(request).headers
            return kind(**{name: said.get(field) for name, field in self.names.items()})

        super().__init__(read)


_said = Depends(caller)


_let_in = Depends(incoming)


# Who is calling, and the power (`roles`) that the route takes; a Caller may be anybody signed in.
Caller = Annotated[Caller_, _said]


Reader = Annotated[Caller_, _said, "read"]


Writer = Annotated[Caller_, _said, "write"]


Sharer = Annotated[Caller_, _said, "share"]


Holder = Annotated[Caller_, _said, "account"]


Admin = Annotated[Caller_, _said, "admin"]


Visitor = Annotated[Caller_ | None, Depends(visitor)]


Sent = Annotated[Incoming, _let_in]


# The same where the route reads the body itself: it is of several kinds.
SentBody = Annotated[Incoming, _let_in, "body"]


ConditionHeaders = Annotated[Conditions_, Fields(Conditions_)]
