"""HTML pages for browsers, from Jinja2 templates that escape every value; no page has a script."""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.shared.cookies import Cookie, SameSite

from function.core.models import HttpRequest
from function.http.request import accepted_types

HTML = "text/html; charset=utf-8"
TEMPLATES = Path(__file__).with_name("templates")
STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem;"
    "color:#222;background:#fff}h1{font-size:1.3rem}.note{white-space:pre-line}"
    "table{width:100%;border-collapse:collapse}td{padding:.4rem .5rem .4rem 0;"
    "border-top:1px solid #ddd;overflow-wrap:anywhere}td+td{white-space:nowrap;text-align:right}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere}form{margin:0}"
    "button,input{font:inherit;padding:.3rem .8rem}.small{color:#666}"
)
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
KIB = 1024


def accepts_html(request: HttpRequest) -> bool:
    """Whether the request accepts HTML, as a browser's does and that of a program seldom."""
    return "text/html" in accepted_types(request)


def page(template: str, site: str = "", status: int = 200, **values: Any) -> Response[Any]:
    """The answer with a page; its forms may post to this API and be redirected to `site`."""
    headers: dict[str, str | list[str]] = {"content-security-policy": policy(site)}
    return Response(status, HTML, render(template, **values), headers)


def opened_page(path: str, cookie: str, value: str, seconds: int) -> Response[Any]:
    """303 to a page that a form has opened, with a cookie that opens it for so many seconds.

    No script can read the cookie, and no form of another site sends it.
    """
    sent = Cookie(
        cookie,
        value,
        path="/",
        secure=True,
        http_only=True,
        max_age=seconds,
        same_site=SameSite.LAX_MODE,
    )
    return Response(303, None, None, {"location": quote(path)}, cookies=[sent])


def render(template: str, **values: Any) -> str:
    """The HTML of a template; every value is escaped."""
    return str(_environment().get_template(template).render(**values, style=STYLE))


def policy(site: str = "") -> str:
    """The Content-Security-Policy of a page: our style alone, no script, forms also to `site`."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self' {site}".rstrip()
        + "; base-uri 'none'; frame-ancestors 'none'"
    )


def format_size(size: int) -> str:
    """A number of bytes for people, in the largest unit that fits, such as `1.5 MiB`."""
    amount, unit = float(size), 0
    while amount >= KIB and unit < len(UNITS) - 1:
        amount, unit = amount / KIB, unit + 1
    return f"{amount:.1f} {UNITS[unit]}" if unit else f"{size} {UNITS[0]}"


@cache
def _environment() -> Any:
    """The Jinja2 environment; made at the first page, as other requests do not need Jinja2."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["filesize"] = format_size
    return environment
