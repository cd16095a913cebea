"""The page of a file request: its terms, and the commands that send a file with curl."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from function.http.pages import format_size, page
from function.requests.models import PublicFileRequest


def file_request_page(file_request: PublicFileRequest, address: str) -> Response[Any]:
    """The page of a file request at `address`."""
    terms, commands = _terms(file_request), "\n".join(_commands(file_request, address))
    return page("file_request.html", file_request=file_request, terms=terms, commands=commands)


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


def _commands(file_request: PublicFileRequest, address: str) -> list[str]:
    """The lines of a shell that send one file."""
    fields = ['\\"file_name\\": \\"$FILE\\"', '\\"size\\": $(wc -c < "$FILE")']
    fields += ['\\"sender\\": \\"$NAME\\"'] if file_request.require_name else []
    fields += ['\\"grant\\": \\"$GRANT\\"'] if file_request.needs_password else []
    find = """sed -n 's/.*"%s":"\\([^"]*\\)".*/\\1/p'"""
    lines = [f"REQUEST={address}", "FILE=report.pdf"]
    if file_request.require_name:
        lines.append("NAME='Your name'")
    if file_request.needs_password:
        unlock = """curl -fsS --json '{"password": "the password"}' "$REQUEST/unlock\""""
        lines.append(f"GRANT=$({unlock} | {find % 'grant'})")
    return [
        *lines,
        f'curl -fsS --json "{{{", ".join(fields)}}}" "$REQUEST/uploads" > upload.json',
        """eval "$(python3 -c 'import json; print(json.load(open("upload.json"))["curl"])')\"""",
    ]
