"""Small pages for browsers: no script, everything escaped, nothing fetched from elsewhere."""

import re
from typing import Any

from function.core.errors import Problem
from function.core.models import Incoming
from function.http.pages import HTML, _text, document, form, policy, wanted
from function.http.request import is_public
from function.public.errors import PasswordRequired, WrongPassword


def of_problem(problem: Problem, sent: Incoming) -> dict[str, Any] | None:
    """The answer for a problem at a public address, where a browser asks; else None."""
    found = re.match(r"/[sr]/[^/]+", sent.path)
    if not is_public(sent.path) or not wanted(sent):
        return None
    if found and isinstance(problem, PasswordRequired | WrongPassword):
        again = "That is not the password." if isinstance(problem, WrongPassword) else ""
        field = (
            '<input type="password" name="password" aria-label="Password" required autofocus> '
            "<button>Open</button>"
        )
        title, body = "Password", f"<p>{again}</p>" if again else ""
        body += form(f"{found[0]}/unlock", field)
    else:
        title, body = problem.title, f"<p>{_text(problem.detail)}</p>"
    headers = {"content-type": HTML, "content-security-policy": policy(), **problem.headers}
    return {
        "statusCode": problem.status,
        "headers": headers,
        "body": document(title, f"<h1>{_text(title)}</h1>{body}"),
        "isBase64Encoded": False,
    }
