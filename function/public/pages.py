"""The pages and texts of problems at the addresses of links and file requests."""

import re
from typing import Any

from function.core import curl
from function.core.errors import Problem
from function.core.models import HttpRequest
from function.http.pages import HTML, accepts_html, policy, render
from function.http.terminal import PLAIN_TEXT, terminal_of, terminal_text
from function.public.errors import PasswordRequired, WrongPassword


def problem_page(problem: Problem, request: HttpRequest) -> dict[str, Any] | None:
    """The page for a problem where a browser asks, else None; it asks for a missing password.

    curl gets a text with the command that opens it with the password; Wget shows no text with 401.
    """
    is_curl = terminal_of(request) == "curl"
    if is_curl and isinstance(problem, PasswordRequired) and request.method in {"GET", "HEAD"}:
        return _password_text(problem, request)
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


def _password_text(problem: PasswordRequired, request: HttpRequest) -> dict[str, Any]:
    """The answer with the command that opens a link or file request with its password."""
    line = curl.open_locked(request.base + request.path)
    lines = [f"{problem.title}. Write it in the place of {curl.PLACE}:", "", line]
    return {
        "statusCode": problem.status,
        "headers": {"content-type": PLAIN_TEXT, **problem.headers},
        "body": terminal_text(lines),
        "isBase64Encoded": False,
    }
