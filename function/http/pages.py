"""Small pages for browsers: no script, everything escaped, nothing fetched from elsewhere."""

import base64
import hashlib
from html import escape
from urllib.parse import quote

from function.core.models import Incoming

HTML = "text/html; charset=utf-8"
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


def _text(text: str) -> str:
    """Text that stays by itself, whatever direction its letters have."""
    return f"<bdi>{escape(text)}</bdi>"


def size_of(size: int) -> str:
    """Bytes in the largest unit that fits."""
    at, left = 0, float(size)
    while left >= STEP and at < len(UNITS) - 1:
        at, left = at + 1, left / STEP
    return f"{left:.1f} {UNITS[at]}" if at else f"{size} {UNITS[0]}"
