"""Small pages for browsers: no script, everything escaped, nothing fetched from elsewhere."""

import base64
import hashlib
import re
from html import escape
from typing import Any
from urllib.parse import quote, urlencode

from aws_lambda_powertools.event_handler import Response

from function.errors import Problem
from function.link_models import LinkItem, LinkPage
from function.models import Incoming
from function.request_models import Wanted
from function.sharing_errors import PasswordRequired, WrongPassword

HTML = "text/html; charset=utf-8"
PUBLIC = ("/s/", "/r/")
STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem;"
    "color:#222;background:#fff}h1{font-size:1.3rem}.note{white-space:pre-line}"
    "table{width:100%;border-collapse:collapse}td{padding:.4rem .5rem .4rem 0;"
    "border-top:1px solid #ddd;overflow-wrap:anywhere}td+td{white-space:nowrap;text-align:right}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere}form{margin:0}"
    "button,input{font:inherit;padding:.3rem .8rem}.small{color:#666}"
)
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
STEP = 1024


def is_public(path: str) -> bool:
    """Whether it is an address that people are given."""
    return path.startswith(PUBLIC)


def wanted(sent: Incoming) -> bool:
    """Whether a browser asks."""
    return "text/html" in kinds_of(sent)


def kinds_of(sent: Incoming) -> set[str]:
    """The types that a client names in `Accept`."""
    accepted = sent.headers.get("accept", "").lower().split(",")
    return {kind.partition(";")[0].strip() for kind in accepted}


def policy(site: str = "") -> str:
    """What such a page may do; forms end here or, by a redirect, at `site`."""
    return (
        f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; form-action 'self' {site}".rstrip()
        + "; base-uri 'none'; frame-ancestors 'none'"
    )


def document(title: str, body: str) -> str:
    """A whole page; `title` is text, `body` is HTML."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body>{body}</body></html>"
    )


def form(action: str, inner: str, **hidden: str | None) -> str:
    """A form that posts; `inner` is HTML, `hidden` goes with it unless it is None."""
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in hidden.items()
        if value is not None
    )
    return f'<form method="post" action="{escape(quote(action))}">{fields}{inner}</form>'


def of_link(
    page: LinkPage, path: str, grant: str, following: str | None, site: str
) -> Response[Any]:
    """What a link shows, under its own `path`: a button for each file, and the next page.

    Each button has the grant, so that a file is counted once however often it is pressed.
    """
    title = f"Files from {page.owner}"
    gives = page.allow_download and page.downloads_left != 0
    rows = "".join(_row(item, path if gives else None, grant) for item in page.items)
    body = f"<h1>{_text(title)}</h1>"
    body += f'<p class="note">{_text(page.note)}</p>' if page.note else ""
    body += f"<table>{rows}</table>" if rows else "<p>There is nothing in it now.</p>"
    if following:
        query = {"cursor": following} | ({"grant": grant} if page.needs_password else {})
        body += f'<p><a href="{escape(f"{quote(path)}?{urlencode(query)}")}">More</a></p>'
    body += "".join(f'<p class="small">{_text(line)}</p>' for line in _terms(page))
    return Response(200, HTML, document(title, body), {"content-security-policy": policy(site)})


def _row(item: LinkItem, path: str | None, grant: str) -> str:
    button = "<button>Download</button>"
    cells = [_text(item.file_name), _text(size_of(item.size))]
    if path:
        cells.append(form(f"{path}/download", button, file_name=item.file_name, grant=grant))
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _terms(page: LinkPage) -> list[str]:
    """Until when and how often."""
    terms = [] if page.allow_download else ["This link gives no downloads."]
    if page.downloads_left is not None and page.allow_download:
        terms.append(f"Downloads left: {page.downloads_left}.")
    if page.expires_at:
        terms.append(f"Open until {page.expires_at[:16].replace('T', ' ')} UTC.")
    return terms


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


def _text(text: str) -> str:
    """Text that stays by itself, whatever direction its letters have."""
    return f"<bdi>{escape(text)}</bdi>"


def size_of(size: int) -> str:
    """Bytes in the largest unit that fits."""
    at, left = 0, float(size)
    while left >= STEP and at < len(UNITS) - 1:
        at, left = at + 1, left / STEP
    return f"{left:.1f} {UNITS[at]}" if at else f"{size} {UNITS[0]}"
