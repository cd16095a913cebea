"""The routes of shares and groups."""

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
    SlowDown,
)
from function.core.fields import ExistingFileOrFolder, GroupName, Username
from function.core.media_types import JSON
from function.core.paging import PageQuery
from function.http.dependencies import CurrentRequest, Cursor, Limit, Reader, Sharer, SignedIn
from function.http.responses import answers, list_answer, next_page, no_content
from function.sharing.access_list import AccessListService
from function.sharing.errors import GroupTaken, NoSuchGroup, NoSuchMember, NoSuchShare
from function.sharing.groups import GroupService
from function.sharing.models import GroupMember, GroupMembers, GroupView, Share, ShareRequest
from function.sharing.shares import Recipient, ShareService

router = Router()
GroupParameter = Annotated[
    GroupName,
    Path(description="The name of the group: 2 to 64 of the characters a-z 0-9 . _ @ + -."),
]
Member = Annotated[Username, Path(description="The account.")]


@router.put(
    "/groups/<group>",
    status_code=201,
    responses=answers(
        {200: GroupView, 201: GroupView}, GroupTaken, LimitReached, ChangedMeanwhile, Invalid
    ),
)
def create_group(group: GroupParameter, caller: Sharer) -> Response[GroupView]:
    """Create a group that you own and belong to.

    200 when you own it already. The name of a deleted group stays its owner's for a year.
    """
    view, is_new = one(GroupService).create(caller, group)
    return Response(201 if is_new else 200, JSON, view)


@router.get("/groups", responses=answers({200: list[GroupView]}, InvalidCursor))
def list_groups(
    caller: Reader,
    request: CurrentRequest,
    invited: Annotated[bool, Query(description="List the groups that invite you.")] = False,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response[list[GroupView]]:
    """List the groups that you belong to, or those that you are invited to.

    Accept an invitation with `PUT /groups/{group}/members/{you}`, decline it with `DELETE`.
    """
    service, page = one(GroupService), PageQuery(limit, cursor)
    listed = service.list_invitations if invited else service.list_groups
    return list_answer(listed(caller, page), request)


@router.get(
    "/groups/<group>", responses=answers({200: GroupMembers}, NoSuchGroup, InvalidCursor, Invalid)
)
def get_group(
    group: GroupParameter,
    caller: Reader,
    request: CurrentRequest,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response[GroupMembers]:
    """Get a group that you belong to, with its members by name."""
    view, next_cursor = one(GroupService).get(caller, group, PageQuery(limit, cursor))
    return Response(200, JSON, view, next_page(next_cursor, request))


@router.delete(
    "/groups/<group>",
    status_code=204,
    responses=answers({204: None}, NoSuchGroup, ChangedMeanwhile, Invalid),
)
def delete_group(group: GroupParameter, caller: Sharer) -> Response[None]:
    """Delete a group that you own, and everything shared with it is no longer shared."""
    one(GroupService).delete(caller, group)
    return no_content()


@router.put(
    "/groups/<group>/members/<username>",
    status_code=201,
    responses=answers(
        {200: GroupMember, 201: GroupMember},
        NoSuchGroup,
        NoSuchUser,
        SlowDown,
        LimitReached,
        ChangedMeanwhile,
        Invalid,
    ),
)
def put_member(group: GroupParameter, username: Member, caller: SignedIn) -> Response[GroupMember]:
    """Invite an account to a group that you own, or accept an invitation with your own name.

    A membership begins when its account accepts; in the group of an administrator it begins at
    once. 201 when it is new. For another account it requires `share`, for your own `account`.
    """
    view, is_new = one(GroupService).put_member(caller, group, username)
    return Response(201 if is_new else 200, JSON, view)


@router.delete(
    "/groups/<group>/members/<username>",
    status_code=204,
    responses=answers({204: None}, NoSuchGroup, NoSuchMember, ChangedMeanwhile, Invalid),
)
def remove_member(group: GroupParameter, username: Member, caller: SignedIn) -> Response[None]:
    """Remove a member from a group that you own, leave a group, or decline an invitation.

    Effective immediately. For another account it requires `share`, for your own `account`.
    """
    one(GroupService).remove_member(caller, group, username)
    return no_content()


@router.post(
    "/share",
    responses=answers(
        {200: Share, 201: Share},
        NoSuchFile,
        NoSuchUser,
        SlowDown,
        NoSuchGroup,
        ChangedMeanwhile,
        LimitReached,
    ),
)
def share_file(body: ShareRequest, caller: Sharer) -> Response[Share]:
    """Share a file or folder of yours with an account or a group.

    A folder's name ends with `/`; its share covers files that are put into it later. 201 when the
    share is new; 200 when it existed, and now has these settings.
    """
    view, is_new = one(ShareService).create(caller, body)
    return Response(201 if is_new else 200, JSON, view)


@router.get(
    "/shares",
    responses=answers({200: list[Share]}, NoSuchFile, InvalidName, InvalidCursor, Invalid),
)
def list_shares(
    caller: Reader,
    request: CurrentRequest,
    file_name: Annotated[
        ExistingFileOrFolder | None,
        Query(description="List who has access to this file or folder."),
    ] = None,
    username: Annotated[
        Username | None, Query(description="The owner of the file; you by default.")
    ] = None,
    with_me: Annotated[bool, Query(description="List what others share with you.")] = False,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response[list[Share]]:
    """List who has access to a file or folder of yours, or what others share with you.

    Shares and links of the folders above it give access as well, and are listed too.
    """
    if (file_name is None) is not with_me:
        raise Invalid("Give either file_name, or with_me=true.")
    service, page = one(AccessListService), PageQuery(limit, cursor)
    if file_name is None:
        return list_answer(service.list_shared_with_me(caller, page), request)
    return list_answer(service.list_access(caller, username, file_name, page), request)


@router.delete(
    "/share",
    status_code=204,
    responses=answers({204: None}, NoSuchShare, InvalidName, ChangedMeanwhile),
)
def unshare_file(
    caller: Sharer,
    file_name: Annotated[ExistingFileOrFolder, Query(description="The file or folder.")],
    username: Annotated[
        Username | None, Query(description="The account that it is shared with.")
    ] = None,
    group: Annotated[
        GroupName | None, Query(description="Or the group that it is shared with.")
    ] = None,
    owner: Annotated[
        Username | None, Query(description="The owner, to leave what is shared with you.")
    ] = None,
) -> Response[None]:
    """Revoke a share of yours, or leave what another account shares with you.

    Effective immediately. To leave a share, give its owner as `owner`.
    """
    one(ShareService).revoke(caller, owner, file_name, Recipient(username, group))
    return no_content()
