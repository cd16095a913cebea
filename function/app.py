"""The Lambda function: one handler for HTTP requests, the SQS queue and the schedules.

A request takes this way: `http.request` parses the event, `http.router` finds and runs the route,
`http.problems` turns an error into an answer, and `lambda_handler` adds the headers that every
answer has.
"""

# ruff: noqa: E402 - garbage collection while importing would be a seventh of a cold start
import gc

gc.disable()

import time
from typing import Any

from function import contract
from function.access.addresses import ClientAddresses
from function.access.policy import Access
from function.base import current, one
from function.core.models import HttpRequest, account_of_request
from function.http import router
from function.http.problems import logger, problem_answer, problem_of
from function.http.request import is_public, parse_request

# By the first segment of a path, the modules with its routes.
router.register(
    {
        "register": ("accounts.routes",),
        "login": ("auth.routes",),
        "logout": ("auth.routes",),
        "me": ("accounts.routes",),
        "password": ("auth.routes",),
        "sessions": ("auth.routes",),
        "keys": ("auth.routes",),
        "mfa": ("auth.routes",),
        "invites": ("accounts.routes",),
        "users": ("accounts.routes",),
        "usage": ("accounts.routes",),
        "audit": ("audit.routes",),
        "file": ("files.routes", "moves.routes"),
        "copy": ("files.routes",),
        "jobs": ("moves.routes",),
        "files": ("listing.routes",),
        "changes": ("listing.routes",),
        "uploads": ("uploads.routes",),
        "download": ("downloads.routes",),
        "versions": ("history.routes",),
        "restore": ("history.routes",),
        "trash": ("history.routes",),
        "share": ("sharing.routes",),
        "shares": ("sharing.routes",),
        "groups": ("sharing.routes",),
        "links": ("links.routes",),
        "send": ("send.routes",),
        "s": ("links.public_routes",),
        "requests": ("requests.routes",),
        "r": ("requests.public_routes",),
        "s3": ("uploads.companion",),
        "health": ("meta.routes",),
        "info": ("meta.routes",),
        "problems": ("meta.routes",),
        "openapi.json": ("meta.routes",),
        "docs": ("meta.routes",),
        "": ("meta.routes",),
    }
)

# Make the AWS clients in the init phase, in which Lambda gives the function a whole processor.
if contract.in_lambda():
    current()

# The objects of the imports live as long as the process; collections need not visit them.
gc.freeze()
gc.enable()

HEADERS = {
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
# The address of a link or a request is a secret: search engines must not list it.
NOT_INDEXED = {"x-robots-tag": "noindex"}


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers an HTTP request (payload format 2.0), or handles an event of SQS or a schedule."""
    if contract.is_background_event(event):
        from function.maintenance import events  # noqa: PLC0415 - requests do not need it

        logger.set_correlation_id(getattr(context, "aws_request_id", None))
        return events.handle(event, context, logger)
    started = time.perf_counter()
    request = parse_request(event)
    logger.set_correlation_id(request.request_id)
    account_of_request.set(None)
    path = None
    try:
        request = one(ClientAddresses).resolve(request)
        route = router.find(request.method, request.path)
        path = route.path
        answer = router.answer(event, request, route, context, one(Access).authenticate)
    except Exception as error:  # noqa: BLE001 - every error has an answer
        answer = _error_answer(error, request)
    answer["headers"] = {
        **HEADERS,
        **(NOT_INDEXED if is_public(request.path) else {}),
        **{name.lower(): value for name, value in answer["headers"].items()},
        "x-request-id": request.request_id,
    }
    if request.method == "HEAD":
        answer.update(body="", isBase64Encoded=False)
    ms = round((time.perf_counter() - started) * 1000, 1)
    _log(request, path, answer["statusCode"], ms)
    return answer


def _log(request: HttpRequest, path: str | None, status: int, ms: float) -> None:
    """Logs a request with the path of its route: that of the request may hold a token or a name."""
    account = account_of_request.get()
    logger.info(
        "request",
        method=request.method,
        path=path,
        status=status,
        ms=ms,
        account=account.id if account else None,
        address=request.address,
    )


def _error_answer(error: Exception, request: HttpRequest) -> dict[str, Any]:
    """The answer for an error: a page for a browser on a public path, else a JSON problem."""
    problem = problem_of(error)
    if problem.refusal:
        from function.audit.refusals import RefusalLog  # noqa: PLC0415 - few requests are refused

        one(RefusalLog).count(problem, request)
    if is_public(request.path):
        from function.public import pages  # noqa: PLC0415 - other requests need no pages

        if page := pages.problem_page(problem, request):
            return page
    return problem_answer(problem, request.request_id)
