"""Sharing with accounts."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from function.deps import Caller, SharesDep
from function.errors import ChangedMeanwhile, InvalidName, NoSuchFile, NoSuchShare, NoSuchUser
from function.fields import FileOrFolder, Username
from function.models import Share, ShareRequest
from function.routes.answers import answers, nothing

router = Router()


@router.post(
    "/share", responses=answers({200: Share, 201: Share}, NoSuchFile, NoSuchUser, ChangedMeanwhile)
)
def share(body: ShareRequest, caller: Caller, shares: SharesDep) -> Response[Share]:
    """Share one of your files, or a folder (its name ends with `/`), with another account.

    201 when the share is new; 200 when it stood already, and now has these settings.
    """
    made, new = shares.grant(caller, body)
    return Response(201 if new else 200, "application/json", made)


@router.delete("/share", status_code=204, responses=answers({204: None}, NoSuchShare, InvalidName))
def unshare(
    caller: Caller,
    shares: SharesDep,
    file_name: Annotated[FileOrFolder, Query(description="A file of yours, or a folder.")],
    username: Annotated[Username, Query(description="Whom it is shared with.")],
) -> Response[None]:
    """Take a share back; the next read of that account finds nothing."""
    shares.revoke(caller, file_name, username)
    return nothing()
