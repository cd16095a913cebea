"""The Lambda: one handler for requests of the HTTP API, and for events of S3 and the schedules."""

# ruff: noqa: E402 - garbage collection while importing is a seventh of a cold start
import gc

gc.disable()

import time
from typing import Any

from function import contract
from function.access.policy import Access
from function.base import current, one
from function.core.models import Incoming
from function.http import router
from function.http.request import incoming, is_public
from function.http.responses import logger, problem_answer, problem_of

# The first segment of a path, and the modules with its routes; documents list them in this order.
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
        "s": ("links.public_routes",),
        "requests": ("requests.routes",),
        "r": ("requests.public_routes",),
        "s3": ("uploads.companion",),
        "health": ("meta.routes",),
        "info": ("meta.routes",),
        "openapi.json": ("meta.routes",),
        "docs": ("meta.routes",),
        "": ("meta.routes",),
    }
)

# The init phase of a Lambda has a whole processor: the clients are made in it.
if contract.in_lambda():
    current()

# Objects that exist now live as long as the process: no collection looks at them again.
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
    """Answers one request of the HTTP API (payload format 2.0), or handles an event."""
    if contract.is_event(event):
        from function.maintenance import events  # noqa: PLC0415 - no request needs it

        return events.handle(event, context, logger)
    started = time.perf_counter()
    sent = incoming(event)
    logger.set_correlation_id(sent.request_id)
    path = None
    try:
        route = router.find(sent.method, sent.path)
        path = route.path
        answer = router.answer(event, sent, route, context, one(Access).authenticate)
    except Exception as error:  # noqa: BLE001 - the last resort: every error has an answer
        answer = _failed(error, sent)
    answer["headers"] = {
        **HEADERS,
        **(NOT_INDEXED if is_public(sent.path) else {}),
        **{name.lower(): value for name, value in answer["headers"].items()},
        "x-request-id": sent.request_id,
    }
    if sent.method == "HEAD":
        answer.update(body="", isBase64Encoded=False)
    took = round((time.perf_counter() - started) * 1000, 1)
    logger.info("request", method=sent.method, path=path, status=answer["statusCode"], ms=took)
    return answer


def _failed(error: Exception, sent: Incoming) -> dict[str, Any]:
    """The answer for an error: a page where a browser asks at a public address, else a problem."""
    problem = problem_of(error)
    if is_public(sent.path):
        from function.public import pages  # noqa: PLC0415 - other requests need no pages

        if page := pages.problem_page(problem, sent):
            return page
    return problem_answer(problem, sent.request_id)
