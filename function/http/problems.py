"""How an error becomes an answer: `problem_of` makes it a Problem, `problem_answer` writes that.

    Problem (core.errors and each package's errors)   as it is
    RequestValidationError of Powertools              Invalid, with a reason for each wrong field
    any other exception                               Internal, 500, and a log entry

`app` calls both for each request that fails. No message of an exception reaches a client or the
log, because it may repeat what a user sent.
"""

import json
import traceback
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from function.core.errors import Internal, Problem, Unavailable
from function.http.validation import invalid

PROBLEM_TYPE = "application/problem+json"
LOGGED_FRAMES = 8  # the innermost
logger = Logger(service="satchel")


def problem_of(error: Exception) -> Problem:
    """The problem for an error; logs a failed AWS call and an exception that nobody expected."""
    if isinstance(error, Unavailable):
        cause = error.__cause__
        logger.warning("unavailable", cause=type(cause).__name__, operation=_operation(cause))
        return error
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return invalid(error.errors())
    frames = traceback.extract_tb(error.__traceback__)[-LOGGED_FRAMES:]
    logger.error(
        "internal error",
        error=type(error).__name__,
        operation=_operation(error),
        frames=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    )
    return Internal()


def problem_answer(problem: Problem, request_id: str) -> dict[str, Any]:
    """The Lambda response for a problem: an `application/problem+json` body (RFC 9457)."""
    body: dict[str, Any] = {
        "type": f"/problems/{problem.slug}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "request_id": request_id,
    }
    if problem.errors:
        body["errors"] = list(problem.errors)
    return {
        "statusCode": problem.status,
        "headers": {"content-type": PROBLEM_TYPE, **problem.headers},
        "body": json.dumps(body, separators=(",", ":")),
        "isBase64Encoded": False,
    }


def _operation(error: BaseException | None) -> str | None:
    """The AWS operation that failed and the error code of AWS; None for any other error."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return None
    return f"{getattr(error, 'operation_name', '')} {response.get('Error', {}).get('Code', '')}"
