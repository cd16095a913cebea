"""A link for people: the page with a button for each file, and the text with a command."""

import shlex
from typing import Any
from urllib.parse import quote, urlencode

from aws_lambda_powertools.event_handler import Response

from function.core import curl
from function.core.curl import Program
from function.http.pages import format_size, page
from function.http.terminal import terminal_answer
from function.links.models import LinkPage

MAX_COUNTED = 90  # files: the commit that counts them has a receipt for each
SHOWN = 10  # the most files that the text of a link lists


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


def link_line(
    link: LinkPage,
    address: str,
    cursor: str | None,
    following: str | None,
    program: Program = "curl",
) -> str | None:
    """The command that downloads the files of a page of the link at `address`.

    `cursor` is that of the page, `following` that of the next one. None where nothing can be
    downloaded, and where the page has more files than one download counts.
    """
    left = link.downloads_left
    count = len(link.items) if left is None else min(len(link.items), left)
    if not count or not link.allow_download or len(link.items) > MAX_COUNTED:
        return None
    name, fields = None, {}
    if len(link.items) == 1 and not cursor and not following:
        name = link.items[0].file_name
    elif following or count < len(link.items):
        fields["limit"] = str(count)
    if cursor:
        fields["cursor"] = cursor
    return curl.fetch(
        address,
        name,
        f"?{urlencode(fields)}" if fields else "",
        has_password=link.needs_password,
        program=program,
    )


def link_text(
    link: LinkPage, address: str, cursor: str | None, following: str | None, program: Program
) -> Response[Any]:
    """Who shares what until when; the last line is the command that downloads it."""
    files, line = link.items, link_line(link, address, cursor, following, program)
    sizes = [f"{each.file_name} ({format_size(each.size)})" for each in files]
    lines = [f"{link.owner} shares {sizes[0] if len(sizes) == 1 else f'{len(sizes)} files'}."]
    lines += [f"  {each}" for each in (sizes[:SHOWN] if len(sizes) > 1 else [])]
    if len(sizes) > SHOWN:
        lines.append(f"  and {len(sizes) - SHOWN} more")
    # Behind a mark, so that no note passes for a line of ours.
    lines += [f"> {each}" for each in (link.note or "").expandtabs().splitlines()]
    lines += _terms(link)
    if following:
        more = shlex.quote(f"{address}?{urlencode({'cursor': following})}")
        lines.append(f"More files: {'wget -qO-' if program == 'wget' else 'curl -gsS'} {more}")
    if line and link.needs_password:
        lines.append(f"Write the password in the place of {curl.PLACE}.")
    return terminal_answer([*lines, "", line] if line else lines)


def _terms(link: LinkPage) -> list[str]:
    """How many downloads are left, and when the link expires."""
    terms = [] if link.allow_download else ["This link gives no downloads."]
    if link.downloads_left is not None and link.allow_download:
        terms.append(f"Downloads left: {link.downloads_left}.")
    if link.expires_at:
        terms.append(f"Open until {link.expires_at[:16].replace('T', ' ')} UTC.")
    return terms
