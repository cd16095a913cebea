"""Small pages for browsers: no script, everything escaped, nothing fetched from elsewhere."""

from html import escape
from typing import Any
from urllib.parse import quote, urlencode

from aws_lambda_powertools.event_handler import Response

from function.http.pages import HTML, _text, document, form, policy, size_of
from function.links.models import LinkItem, LinkPage


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
