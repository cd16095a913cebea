"""A file request for people: its terms, and the command that sends a file with curl."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from function.core import curl
from function.http.pages import format_size, page
from function.http.terminal import terminal_answer
from function.requests.models import PublicFileRequest


def file_request_page(file_request: PublicFileRequest, address: str) -> Response[Any]:
    """The page of a file request at `address`."""
    terms, command = _terms(file_request), _line(file_request, address)
    return page("file_request.html", file_request=file_request, terms=terms, command=command)


def file_request_text(file_request: PublicFileRequest, address: str) -> Response[Any]:
    """The same for a terminal; the last line is the command."""
    fields = ["report.pdf (both times)"]
    fields += ["YOUR-NAME"] if file_request.require_name else []
    fields += [curl.PLACE] if file_request.needs_password else []
    lines = [f"{file_request.owner} asks you for files: {file_request.title}"]
    lines += [*_terms(file_request), f"Replace {', '.join(fields)} in this line:"]
    return terminal_answer([*lines, "", _line(file_request, address)])


def _terms(file_request: PublicFileRequest) -> list[str]:
    """Its limits: types, sizes, numbers, and when it expires."""
    terms = []
    if file_request.allowed_types:
        terms.append(f"Kinds: {', '.join(file_request.allowed_types)}.")
    if file_request.max_file_size is not None:
        terms.append(f"Each at most {format_size(file_request.max_file_size)}.")
    if file_request.files_left is not None:
        terms.append(f"Files still taken: {file_request.files_left}.")
    if file_request.bytes_left is not None:
        terms.append(f"Still taken in all: {format_size(file_request.bytes_left)}.")
    if file_request.expires_at:
        terms.append(f"Open until {file_request.expires_at[:16].replace('T', ' ')} UTC.")
    return terms


def _line(file_request: PublicFileRequest, address: str) -> str:
    return curl.send(
        address,
        has_password=file_request.needs_password,
        with_sender=file_request.require_name,
    )
