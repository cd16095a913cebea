"""Groups of accounts, to share with."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from function.deps import GroupsDep, Reader, Sent, Sharer
from function.errors import ChangedMeanwhile, Invalid, InvalidCursor, NoSuchUser
from function.fields import GroupName, Username
from function.routes.answers import JSON, answers, listed, next_page, nothing
from function.sharing_errors import GroupTaken, LimitReached, NoSuchGroup, NoSuchMember
from function.sharing_models import GroupMembers, GroupView, Member

router = Router()

Named = Annotated[GroupName, Path(description="The group, 2 to 64 of a-z 0-9 . _ @ + -.")]
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.put(
    "/groups/<group>",
    status_code=201,
    responses=answers(
        {200: GroupView, 201: GroupView}, GroupTaken, LimitReached, ChangedMeanwhile, Invalid
    ),
)
def make_group(group: Named, caller: Sharer, groups: GroupsDep) -> Response[GroupView]:
    """Make a group, which you then own and belong to.

    200 when you own it already.
    """
    made, new = groups.create(caller, group)
    return Response(201 if new else 200, JSON, made)


@router.get("/groups", responses=answers({200: list[GroupView]}, InvalidCursor))
def list_groups(
    caller: Reader, sent: Sent, groups: GroupsDep, limit: Limit = 100, cursor: str | None = None
) -> Response[list[GroupView]]:
    """List the groups that you belong to."""
    return listed(*groups.of(caller, limit, cursor), sent)


@router.get(
    "/groups/<group>", responses=answers({200: GroupMembers}, NoSuchGroup, InvalidCursor, Invalid)
)
def get_group(
    group: Named,
    caller: Reader,
    sent: Sent,
    groups: GroupsDep,
    limit: Limit = 100,
    cursor: str | None = None,
) -> Response[GroupMembers]:
    """Show a group that you belong to, with its members."""
    view, following = groups.members(caller, group, limit, cursor)
    return Response(200, JSON, view, next_page(following, sent))


@router.delete(
    "/groups/<group>",
    status_code=204,
    responses=answers({204: None}, NoSuchGroup, ChangedMeanwhile, Invalid),
)
def delete_group(group: Named, caller: Sharer, groups: GroupsDep) -> Response[None]:
    """Delete a group of yours; what was shared with it is so no more."""
    groups.delete(caller, group)
    return nothing()


@router.put(
    "/groups/<group>/members/<username>",
    status_code=201,
    responses=answers(
        {200: Member, 201: Member}, NoSuchGroup, NoSuchUser, LimitReached, ChangedMeanwhile, Invalid
    ),
)
def add_member(
    group: Named, username: Annotated[Username, Path()], caller: Sharer, groups: GroupsDep
) -> Response[Member]:
    """Take somebody into a group of yours.

    200 when they belong to it already.
    """
    made, new = groups.add(caller, group, username)
    return Response(201 if new else 200, JSON, made)


@router.delete(
    "/groups/<group>/members/<username>",
    status_code=204,
    responses=answers({204: None}, NoSuchGroup, NoSuchMember, ChangedMeanwhile, Invalid),
)
def remove_member(
    group: Named, username: Annotated[Username, Path()], caller: Sharer, groups: GroupsDep
) -> Response[None]:
    """Put somebody out of a group of yours, or leave one; it holds from the next request on."""
    groups.remove(caller, group, username)
    return nothing()
