"""Sharing with accounts."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from function.deps import ReachDep, Reader, Sent, Sharer, SharesDep
from function.errors import (
    ChangedMeanwhile,
    Invalid,
    InvalidCursor,
    InvalidName,
    NoSuchFile,
    NoSuchShare,
    NoSuchUser,
)
from function.fields import FileOrFolder, GroupName, Username
from function.routes.answers import answers, listed, nothing
from function.services.shares import With
from function.sharing_errors import LimitReached, NoSuchGroup
from function.sharing_models import Share, ShareRequest

router = Router()


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
def share(body: ShareRequest, caller: Sharer, shares: SharesDep) -> Response[Share]:
    """Share one of your files, or a folder (its name ends with `/`), with an account or a group.

    201 when the share is new; 200 when it stood already, and now has these settings.
    """
    made, new = shares.grant(caller, body)
    return Response(201 if new else 200, "application/json", made)


@router.get(
    "/shares",
    responses=answers({200: list[Share]}, NoSuchFile, InvalidName, InvalidCursor, Invalid),
)
def list_shares(
    caller: Reader,
    sent: Sent,
    reach: ReachDep,
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
        return listed(*reach.with_me(caller, limit, cursor), sent)
    return listed(*reach.on(caller, username, file_name, limit, cursor), sent)


@router.delete(
    "/share",
    status_code=204,
    responses=answers({204: None}, NoSuchShare, InvalidName, ChangedMeanwhile),
)
def unshare(
    caller: Sharer,
    shares: SharesDep,
    file_name: Annotated[FileOrFolder, Query(description="The file, or folder.")],
    username: Annotated[Username | None, Query(description="Whom it is shared with.")] = None,
    group: Annotated[GroupName | None, Query(description="Or the group.")] = None,
    owner: Annotated[Username | None, Query(description="Whose, to leave what you got.")] = None,
) -> Response[None]:
    """Take a share back, or leave one; the next read finds nothing.

    To leave what somebody shared with you, name them as the `owner`.
    """
    shares.revoke(caller, owner, file_name, With(username, group))
    return nothing()
