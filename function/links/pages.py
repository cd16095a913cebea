"""The page of a link: its files with a download button each."""

from typing import Any
from urllib.parse import quote, urlencode

from aws_lambda_powertools.event_handler import Response

from function.http.pages import page
from function.links.models import LinkPage


def link_page(
    link: LinkPage, path: str, access_token: str, following: str | None, site: str
) -> Response[Any]:
    """The page of a link at `path`; `following` is the cursor of its next page.

    Each button carries the access token, so that a file that is downloaded again is not counted
    again.
    """
    return page(
        "link.html",
        site,
        page=link,
        path=path,
        access_token=access_token,
        may_download=link.allow_download and link.downloads_left != 0,
        next_page=f"{quote(path)}?{urlencode({'cursor': following})}" if following else None,
        terms=_terms(link),
    )


def _terms(link: LinkPage) -> list[str]:
    """How many downloads are left, and when the link expires."""
    terms = [] if link.allow_download else ["This link gives no downloads."]
    if link.downloads_left is not None and link.allow_download:
        terms.append(f"Downloads left: {link.downloads_left}.")
    if link.expires_at:
        terms.append(f"Open until {link.expires_at[:16].replace('T', ' ')} UTC.")
    return terms
