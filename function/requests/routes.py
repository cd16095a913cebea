"""Requests for files, for those who make them."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from function.access.errors import NoSuchRequest
from function.base import one
from function.core.errors import ChangedMeanwhile, InvalidCursor, InvalidName
from function.http.dependencies import CurrentRequest, Sharer
from function.http.responses import answers, listed, nothing
from function.requests.models import NewRequest, RequestChange, RequestMade, RequestView
from function.requests.service import RequestService

router = Router()


@router.post("/requests", status_code=201, responses=answers({201: RequestMade}, InvalidName))
def make_request(body: NewRequest, caller: Sharer, sent: CurrentRequest) -> RequestMade:
    """Ask others for files, who need no account.

    `url` is for them, and is never shown again. What they send comes into `folder`; it is yours,
    counts on your quota, and says who sent it.
    """
    return one(RequestService).create(caller, body, sent.base)


@router.get("/requests", responses=answers({200: list[RequestView]}, InvalidCursor))
def list_requests(
    caller: Sharer,
    sent: CurrentRequest,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str | None = None,
) -> Response[list[RequestView]]:
    """List your requests for files, oldest first."""
    return listed(*one(RequestService).page(caller, limit, cursor), sent)


@router.get("/requests/<request_id>", responses=answers({200: RequestView}, NoSuchRequest))
def get_request(request_id: str, caller: Sharer) -> RequestView:
    """What one of your requests asks for, and how much has come."""
    return one(RequestService).get(caller, request_id)


@router.patch(
    "/requests/<request_id>",
    responses=answers({200: RequestView}, NoSuchRequest, InvalidName, ChangedMeanwhile),
)
def change_request(request_id: str, body: RequestChange, caller: Sharer) -> RequestView:
    """Change what a request asks for, or close it with `open: false`; its address stays.

    What is absent stays as it is, and null clears. An upload that has begun keeps its place.
    """
    return one(RequestService).change(caller, request_id, body)


@router.delete(
    "/requests/<request_id>",
    status_code=204,
    responses=answers({204: None}, NoSuchRequest, ChangedMeanwhile),
)
def delete_request(request_id: str, caller: Sharer) -> Response[None]:
    """Delete a request; what has come stays, and what is on its way is refused."""
    one(RequestService).delete(caller, request_id)
    return nothing()
