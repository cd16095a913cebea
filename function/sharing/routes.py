"""Groups of accounts, to share with."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from function.access.errors import NoSuchFile
from function.base import one
from function.core.errors import (
    ChangedMeanwhile,
    Invalid,
    InvalidCursor,
    InvalidName,
    LimitReached,
    NoSuchUser,
)
from function.core.fields import FileOrFolder, GroupName, Username
from function.http.dependencies import CurrentRequest, Reader, Sharer
from function.http.responses import JSON, answers, listed, next_page, nothing
from function.sharing.access_list import AccessListService
from function.sharing.errors import GroupTaken, NoSuchGroup, NoSuchMember, NoSuchShare
from function.sharing.groups import GroupService
from function.sharing.models import GroupMembers, GroupView, Member, Share, ShareRequest
from function.sharing.shares import Recipient, ShareService

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
def make_group(group: Named, caller: Sharer) -> Response[GroupView]:
    """Make a group, which you then own and belong to.

    200 when you own it already.
    """
    made, new = one(GroupService).create(caller, group)
    return Response(201 if new else 200, JSON, made)


@router.get("/groups", responses=answers({200: list[GroupView]}, InvalidCursor))
def list_groups(
    caller: Reader, sent: CurrentRequest, limit: Limit = 100, cursor: str | None = None
) -> Response[list[GroupView]]:
    """List the groups that you belong to."""
    return listed(*one(GroupService).of(caller, limit, cursor), sent)


@router.get(
    "/groups/<group>", responses=answers({200: GroupMembers}, NoSuchGroup, InvalidCursor, Invalid)
)
def get_group(
    group: Named,
    caller: Reader,
    sent: CurrentRequest,
    limit: Limit = 100,
    cursor: str | None = None,
) -> Response[GroupMembers]:
    """Show a group that you belong to, with its members."""
    view, following = one(GroupService).members(caller, group, limit, cursor)
    return Response(200, JSON, view, next_page(following, sent))


@router.delete(
    "/groups/<group>",
    status_code=204,
    responses=answers({204: None}, NoSuchGroup, ChangedMeanwhile, Invalid),
)
def delete_group(group: Named, caller: Sharer) -> Response[None]:
    """Delete a group of yours; what was shared with it is so no more."""
    one(GroupService).delete(caller, group)
    return nothing()


@router.put(
    "/groups/<group>/members/<username>",
    status_code=201,
    responses=answers(
        {200: Member, 201: Member}, NoSuchGroup, NoSuchUser, LimitReached, ChangedMeanwhile, Invalid
    ),
)
def add_member(
    group: Named, username: Annotated[Username, Path()], caller: Sharer
) -> Response[Member]:
    """Take somebody into a group of yours.

    200 when they belong to it already.
    """
    made, new = one(GroupService).add(caller, group, username)
    return Response(201 if new else 200, JSON, made)


@router.delete(
    "/groups/<group>/members/<username>",
    status_code=204,
    responses=answers({204: None}, NoSuchGroup, NoSuchMember, ChangedMeanwhile, Invalid),
)
def remove_member(
    group: Named, username: Annotated[Username, Path()], caller: Sharer
) -> Response[None]:
    """Put somebody out of a group of yours, or leave one; it holds from the next request on."""
    one(GroupService).remove(caller, group, username)
    return nothing()


@router.post(
    "/share",
    responses=answers(
        {200: Share, 201: Share},
        NoSuchFile,
        NoSuchUser,
        NoSuchGroup,
        ChangedMeanwhile,
        LimitReached,
    ),
)
def share(body: ShareRequest, caller: Sharer) -> Response[Share]:
    """Share one of your files, or a folder (its name ends with `/`), with an account or a group.

    201 when the share is new; 200 when it stood already, and now has these settings.
    """
    made, new = one(ShareService).grant(caller, body)
    return Response(201 if new else 200, "application/json", made)


@router.get(
    "/shares",
    responses=answers({200: list[Share]}, NoSuchFile, InvalidName, InvalidCursor, Invalid),
)
def list_shares(
    caller: Reader,
    sent: CurrentRequest,
    file_name: Annotated[
        FileOrFolder | None, Query(description="Who can reach this file or folder of yours.")
    ] = None,
    username: Annotated[Username | None, Query(description="Its owner; you by default.")] = None,
    with_me: Annotated[bool, Query(description="What others share with you.")] = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str | None = None,
) -> Response[list[Share]]:
    """List who can reach a file or folder of yours, and how; or what others share with you.

    A file is also reached by what was granted on the folders above it, which are listed with it.
    """
    if (file_name is None) is not with_me:
        raise Invalid("Give either file_name, or with_me=true.")
    if file_name is None:
        return listed(*one(AccessListService).with_me(caller, limit, cursor), sent)
    return listed(*one(AccessListService).on(caller, username, file_name, limit, cursor), sent)


@router.delete(
    "/share",
    status_code=204,
    responses=answers({204: None}, NoSuchShare, InvalidName, ChangedMeanwhile),
)
def unshare(
    caller: Sharer,
    file_name: Annotated[FileOrFolder, Query(description="The file, or folder.")],
    username: Annotated[Username | None, Query(description="Whom it is shared with.")] = None,
    group: Annotated[GroupName | None, Query(description="Or the group.")] = None,
    owner: Annotated[Username | None, Query(description="Whose, to leave what you got.")] = None,
) -> Response[None]:
    """Take a share back, or leave one; the next read finds nothing.

    To leave what somebody shared with you, name them as the `owner`.
    """
    one(ShareService).revoke(caller, owner, file_name, Recipient(username, group))
    return nothing()
