"""Requests for files, for those who make them."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from function.deps import RequestsDep, Sent, Sharer
from function.errors import ChangedMeanwhile, InvalidCursor, InvalidName
from function.request_models import NewRequest, RequestChange, RequestMade, RequestView
from function.routes.answers import answers, listed, nothing
from function.sharing_errors import NoSuchRequest

router = Router()


@router.post("/requests", status_code=201, responses=answers({201: RequestMade}, InvalidName))
def make_request(
    body: NewRequest, caller: Sharer, sent: Sent, requests: RequestsDep
) -> RequestMade:
    """Ask others for files, who need no account.

    `url` is for them, and is never shown again. What they send comes into `folder`; it is yours,
    counts on your quota, and says who sent it.
    """
    return requests.create(caller, body, sent.base)


@router.get("/requests", responses=answers({200: list[RequestView]}, InvalidCursor))
def list_requests(
    caller: Sharer,
    sent: Sent,
    requests: RequestsDep,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str | None = None,
) -> Response[list[RequestView]]:
    """List your requests for files, oldest first."""
    return listed(*requests.page(caller, limit, cursor), sent)


@router.get("/requests/<request_id>", responses=answers({200: RequestView}, NoSuchRequest))
def get_request(request_id: str, caller: Sharer, requests: RequestsDep) -> RequestView:
    """What one of your requests asks for, and how much has come."""
    return requests.get(caller, request_id)


@router.patch(
    "/requests/<request_id>",
    responses=answers({200: RequestView}, NoSuchRequest, InvalidName, ChangedMeanwhile),
)
def change_request(
    request_id: str, body: RequestChange, caller: Sharer, requests: RequestsDep
) -> RequestView:
    """Change what a request asks for, or close it with `open: false`; its address stays.

    What is absent stays as it is, and null clears. An upload that has begun keeps its place.
    """
    return requests.change(caller, request_id, body)


@router.delete(
    "/requests/<request_id>",
    status_code=204,
    responses=answers({204: None}, NoSuchRequest, ChangedMeanwhile),
)
def delete_request(request_id: str, caller: Sharer, requests: RequestsDep) -> Response[None]:
    """Delete a request; what has come stays, and what is on its way is refused."""
    requests.delete(caller, request_id)
    return nothing()
