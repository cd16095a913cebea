"""Texts for people who open a link or a file request with curl or Wget."""

from collections.abc import Iterable

from aws_lambda_powertools.event_handler import Response

from function.core.curl import Program
from function.core.models import HttpRequest
from function.core.names import is_deceptive

PLAIN_TEXT = "text/plain; charset=utf-8"
REPLACEMENT = "\ufffd"


def terminal_of(request: HttpRequest) -> Program | None:
    """The program of a person at a terminal; None for a browser and a client that names a type."""
    if (request.headers.get("accept") or "*/*").strip() != "*/*":
        return None
    agent = request.agent
    return "curl" if agent.startswith("curl/") else "wget" if agent.startswith("Wget/") else None


def terminal_text(lines: Iterable[str]) -> str:
    """Lines of text in which a terminal finds no control character, nor one that turns text."""
    return "".join("".join(map(_shown, line)) + "\n" for line in lines)


def terminal_answer(lines: Iterable[str]) -> Response[str]:
    """The answer with these lines."""
    return Response(200, PLAIN_TEXT, terminal_text(lines))


def _shown(character: str) -> str:
    return REPLACEMENT if is_deceptive(character) else character
