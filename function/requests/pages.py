"""Small pages for browsers: no script, everything escaped, nothing fetched from elsewhere."""

from html import escape
from typing import Any

from aws_lambda_powertools.event_handler import Response

from function.http.pages import HTML, _text, document, policy, size_of
from function.requests.models import Wanted


def of_request(asked: Wanted, address: str) -> Response[Any]:
    """What a request asks for, and how to send it with curl."""
    body = f"<h1>{_text(asked.title)}</h1><p>{_text(asked.owner)} asks you for files.</p>"
    body += "".join(f'<p class="small">{_text(line)}</p>' for line in _asked(asked))
    lines = "\n".join(_sending(asked, address))
    body += f"<p>To send one from a shell, with curl:</p><pre>{escape(lines)}</pre>"
    return Response(200, HTML, document(asked.title, body), {"content-security-policy": policy()})


def _asked(asked: Wanted) -> list[str]:
    """How much, of what kind, until when."""
    terms = []
    if asked.allowed_types:
        terms.append(f"Kinds: {', '.join(asked.allowed_types)}.")
    if asked.max_file_size is not None:
        terms.append(f"Each at most {size_of(asked.max_file_size)}.")
    if asked.files_left is not None:
        terms.append(f"Files still taken: {asked.files_left}.")
    if asked.bytes_left is not None:
        terms.append(f"Still taken in all: {size_of(asked.bytes_left)}.")
    if asked.expires_at:
        terms.append(f"Open until {asked.expires_at[:16].replace('T', ' ')} UTC.")
    return terms


def _sending(asked: Wanted, address: str) -> list[str]:
    """A file sent with curl, line by line."""
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
