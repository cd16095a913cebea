"""Everybody's accounts, for administrators; and what an account uses."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from function.account_errors import NotAllowed, ProtectedAccount
from function.account_models import Closure
from function.deps import Admin, ClosingDep, DirectoryDep, Reader, RecoveringDep, Sent
from function.errors import ChangedMeanwhile, Invalid, InvalidCursor, NoSuchUser
from function.fields import Username
from function.routes.answers import JSON, answers, listed
from function.user_models import ResetMade, Usage, UserChange, UserView

router = Router()

Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get("/users", responses=answers({200: list[UserView]}, NotAllowed, InvalidCursor))
def list_users(
    caller: Admin, sent: Sent, users: DirectoryDep, limit: Limit = 100, cursor: str | None = None
) -> Response[list[UserView]]:
    """List all accounts, in no particular order."""
    return listed(*users.page(caller, limit, cursor), sent)


@router.patch(
    "/users/<username>",
    responses=answers(
        {200: UserView}, NotAllowed, NoSuchUser, ProtectedAccount, ChangedMeanwhile, Invalid
    ),
)
def change_user(
    username: Annotated[Username, Path()], body: UserChange, caller: Admin, users: DirectoryDep
) -> UserView:
    """Change somebody's role or quota, disable their account, or take their second factor off.

    Null clears a quota. Disabling ends their sessions and keys for good, and their links answer
    404, until it is enabled again. `mfa: false` lets somebody in again who has lost authenticator
    and recovery codes, with the password alone; it ends their sessions and keys as well, for what
    was lost may be signed in. Nobody demotes or disables themselves or the configured
    administrator, nor takes the second factor off either.
    """
    return users.change(caller, username, body)


@router.delete(
    "/users/<username>",
    status_code=204,
    responses=answers(
        {202: Closure, 204: None}, NotAllowed, NoSuchUser, ProtectedAccount, ChangedMeanwhile
    ),
)
def delete_user(
    username: Annotated[Username, Path()], caller: Admin, closing: ClosingDep
) -> Response[Closure | None]:
    """Close somebody's account for good; it is shut at once, whatever has to be cleared away.

    Their files go to the trash; links, requests, groups and shares end, and so do sessions and
    keys. 202 when that takes longer: send it again to go on, or leave it to the hourly sweep.
    """
    done = closing.delete(caller, username)
    return Response(202, JSON, done) if done.left else Response(204)


@router.post(
    "/users/<username>/reset",
    status_code=201,
    responses=answers(
        {201: ResetMade}, NotAllowed, NoSuchUser, ProtectedAccount, ChangedMeanwhile, Invalid
    ),
)
def reset_user(
    username: Annotated[Username, Path()], caller: Admin, recovering: RecoveringDep
) -> ResetMade:
    """Make a token to hand over to somebody who has forgotten their password and gets no mail.

    It is shown this once, and good once and for an hour, at `POST /password/reset`; the newest
    alone is good. Until then nothing changes, and a second factor stays. Nobody makes one for
    themselves, nor for the configured administrator. One for an account that is disabled is good
    once that is enabled.
    """
    return recovering.hand(caller, username)


@router.get(
    "/usage",
    responses=answers({200: list[Usage]}, NotAllowed, NoSuchUser, InvalidCursor),
)
def get_usage(
    caller: Reader,
    sent: Sent,
    users: DirectoryDep,
    username: Annotated[
        Username | None, Query(description="Somebody else's, for administrators.")
    ] = None,
    everybody: Annotated[bool, Query(description="All accounts, for administrators.")] = False,
    limit: Limit = 100,
    cursor: str | None = None,
) -> Response[list[Usage]]:
    """How much you use of what you may; administrators see another's by `username`, or everybody's.

    Without `username` and `everybody=true` it is a list of one, your own.
    """
    return listed(*users.usage(caller, username, limit, cursor, everybody=everybody), sent)
