"""The page of a file request: its terms, and the commands that send a file with curl."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from function.http.pages import format_size, page
from function.requests.models import PublicFileRequest


def file_request_page(asked: PublicFileRequest, address: str) -> Response[Any]:
    """The page of a file request at `address`."""
    commands = "\n".join(_commands(asked, address))
    return page("file_request.html", asked=asked, terms=_terms(asked), commands=commands)


def _terms(asked: PublicFileRequest) -> list[str]:
    """Its limits: types, sizes, numbers, and when it expires."""
    terms = []
    if asked.allowed_types:
        terms.append(f"Kinds: {', '.join(asked.allowed_types)}.")
    if asked.max_file_size is not None:
        terms.append(f"Each at most {format_size(asked.max_file_size)}.")
    if asked.files_left is not None:
        terms.append(f"Files still taken: {asked.files_left}.")
    if asked.bytes_left is not None:
        terms.append(f"Still taken in all: {format_size(asked.bytes_left)}.")
    if asked.expires_at:
        terms.append(f"Open until {asked.expires_at[:16].replace('T', ' ')} UTC.")
    return terms


def _commands(asked: PublicFileRequest, address: str) -> list[str]:
    """The lines of a shell that send one file."""
    fields = ['\\"file_name\\": \\"$FILE\\"', '\\"size\\": $(wc -c < "$FILE")']
    fields += ['\\"sender\\": \\"$NAME\\"'] if asked.require_name else []
    fields += ['\\"grant\\": \\"$GRANT\\"'] if asked.needs_password else []
    find = """sed -n 's/.*"%s":"\\([^"]*\\)".*/\\1/p'"""
    lines = [f"REQUEST={address}", "FILE=report.pdf"]
    if asked.require_name:
        lines.append("NAME='Your name'")
    if asked.needs_password:
        knock = """curl -fsS --json '{"password": "the password"}' "$REQUEST/unlock\""""
        lines.append(f"GRANT=$({knock} | {find % 'grant'})")
    return [
        *lines,
        f'curl -fsS --json "{{{", ".join(fields)}}}" "$REQUEST/uploads" > upload.json',
        """eval "$(python3 -c 'import json; print(json.load(open("upload.json"))["curl"])')\"""",
        f"ID=$({find % 'upload_id'} upload.json)",
        """curl -fsS --json '{}' "$REQUEST/uploads/$ID/complete\"""",
    ]
