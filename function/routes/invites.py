"""Invitations to make an account; an administrator's."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from function.account_errors import NoSuchInvite, NotAllowed, RegistrationClosed
from function.deps import Admin, InvitesDep, Sent
from function.errors import ChangedMeanwhile, Invalid, InvalidCursor
from function.fields import like
from function.routes.answers import answers, listed, nothing
from function.user_models import InviteMade, InviteView, NewInvite

router = Router()

Named = Annotated[str, like(r"^[0-9]{10}-[0-9a-f]{64}$", "an id of GET /invites"), Path()]


@router.post(
    "/invites",
    status_code=201,
    responses=answers({201: InviteMade}, NotAllowed, RegistrationClosed, ChangedMeanwhile),
)
def make_invite(body: NewInvite, caller: Admin, invites: InvitesDep) -> InviteMade:
    """Invite somebody to make an account, once; its token is shown this once.

    It is good for seven days by default, and only as long as you are an administrator.
    """
    return invites.create(caller, body)


@router.get("/invites", responses=answers({200: list[InviteView]}, NotAllowed, InvalidCursor))
def list_invites(
    caller: Admin,
    sent: Sent,
    invites: InvitesDep,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str | None = None,
) -> Response[list[InviteView]]:
    """List the invitations that have not been used, oldest first."""
    return listed(*invites.page(caller, limit, cursor), sent)


@router.delete(
    "/invites/<invite_id>",
    status_code=204,
    responses=answers({204: None}, NotAllowed, NoSuchInvite, ChangedMeanwhile, Invalid),
)
def delete_invite(invite_id: Named, caller: Admin, invites: InvitesDep) -> Response[None]:
    """Take an invitation back; nobody can register with it any more."""
    invites.delete(caller, invite_id)
    return nothing()
