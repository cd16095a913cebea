"""`GET /audit`: the audit log, for administrators."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AwareDatetime

from function.access.errors import NotAllowed
from function.audit.models import ActionFilter, AuditQuery, AuditRecord
from function.audit.service import AuditService
from function.base import one
from function.core.errors import Invalid, InvalidCursor
from function.core.fields import Username
from function.core.paging import PageQuery
from function.http.dependencies import Admin, CurrentRequest, Cursor, Limit
from function.http.responses import answers, list_answer

router = Router()


@router.get(
    "/audit", responses=answers({200: list[AuditRecord]}, NotAllowed, InvalidCursor, Invalid)
)
def list_audit(
    caller: Admin,
    request: CurrentRequest,
    username: Annotated[
        Username | None, Query(description="The account that acted, or the owner.")
    ] = None,
    action: Annotated[
        ActionFilter | None, Query(description="`share.create`, or `share` for all of them.")
    ] = None,
    since: Annotated[
        AwareDatetime | None, Query(description="Seven days before `until` by default.")
    ] = None,
    until: Annotated[AwareDatetime | None, Query(description="Now by default.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response[list[AuditRecord]]:
    """List who changed what, when and from where, the newest first.

    A page may be shorter than `limit`, or empty, though more follow: follow `Link`.
    """
    query = AuditQuery(username=username, action=action, since=since, until=until)
    page = one(AuditService).list_records(caller, query, PageQuery(limit, cursor))
    return list_answer(page, request)
