"""Sharing with accounts."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from function.deps import Caller, SharesDep
from function.errors import ChangedMeanwhile, InvalidName, NoSuchFile, NoSuchShare, NoSuchUser
from function.fields import FileOrFolder, GroupName, Username
from function.models import Share, ShareRequest
from function.routes.answers import answers, nothing
from function.services.shares import With
from function.sharing_errors import NoSuchGroup

router = Router()


@router.post(
    "/share",
    responses=answers(
        {200: Share, 201: Share}, NoSuchFile, NoSuchUser, NoSuchGroup, ChangedMeanwhile
    ),
)
def share(body: ShareRequest, caller: Caller, shares: SharesDep) -> Response[Share]:
    """Share one of your files, or a folder (its name ends with `/`), with an account or a group.

    201 when the share is new; 200 when it stood already, and now has these settings.
    """
    made, new = shares.grant(caller, body)
    return Response(201 if new else 200, "application/json", made)


@router.delete(
    "/share",
    status_code=204,
    responses=answers({204: None}, NoSuchShare, InvalidName, ChangedMeanwhile),
)
def unshare(
    caller: Caller,
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
