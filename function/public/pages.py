"""The pages of problems at the addresses of links and file requests."""

import re
from typing import Any

from function.core.errors import Problem
from function.core.models import HttpRequest
from function.http.pages import HTML, accepts_html, policy, render
from function.public.errors import PasswordRequired, WrongPassword


def problem_page(problem: Problem, request: HttpRequest) -> dict[str, Any] | None:
    """The page for a problem where a browser asks, else None; it asks for a missing password."""
    if not accepts_html(request):
        return None
    found = re.match(r"/[sr]/[^/]+", request.path)
    if found and isinstance(problem, PasswordRequired | WrongPassword):
        wrong = isinstance(problem, WrongPassword)
        body = render("password.html", path=found[0], wrong=wrong)
    else:
        body = render("problem.html", title=problem.title, detail=problem.detail)
    headers = {"content-type": HTML, "content-security-policy": policy(), **problem.headers}
    return {
        "statusCode": problem.status,
        "headers": headers,
        "body": body,
        "isBase64Encoded": False,
    }
