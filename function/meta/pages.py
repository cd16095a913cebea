"""The pages of the API about itself: Swagger UI, and what a problem means.

Documents are large and change with a release only: they are kept compressed, and a client that has
one asks with its ETag whether it is still the same.
"""

import base64
import gzip
import hashlib
import json
import re
from functools import cache, lru_cache
from importlib import resources
from typing import Any, NamedTuple

from aws_lambda_powertools.event_handler import Response

from function.core.models import HttpRequest
from function.files.conditions import lists_tag
from function.http.pages import page
from function.meta.models import ProblemKind
from function.meta.openapi import document_at

UI = "aws_lambda_powertools.event_handler.openapi.swagger_ui"
REFUSED = re.compile(r"\s*q=0(\.0*)?\s*")
KEPT_ADDRESSES = 8  # a deployment has one; somebody may send requests with other hosts
# "/" would do for a browser, but the page may be behind another address than the document says.
START = """
fetch("/openapi.json").then(answer => answer.json()).then(spec => {
  spec.servers = [{url: location.origin}];
  const ui = SwaggerUIBundle({
    spec,
    dom_id: "#docs",
    deepLinking: true,
    filter: true,
    layout: "BaseLayout",
    presets: [SwaggerUIBundle.presets.apis],
    tryItOutEnabled: true,
    validatorUrl: null,
  });
  ui.specActions.updateUrl("/openapi.json");
}).catch(error => { document.getElementById("docs").textContent = String(error); });
"""


class Document(NamedTuple):
    """A large text: its entity tag, and its bytes in gzip."""

    tag: str
    zipped: bytes


@lru_cache(maxsize=KEPT_ADDRESSES)
def openapi_document(base: str) -> Document:
    """The OpenAPI document of the API at an address, as JSON."""
    return _document(json.dumps(document_at(base), ensure_ascii=False, separators=(",", ":")))


@cache
def docs_page() -> tuple[Document, str]:
    """Swagger UI, which reads the document; and its policy, which allows its own script alone.

    As text it takes 7 MB, because Python keeps four bytes for each character where one is an emoji.
    """
    script, style = (
        resources.files(UI).joinpath(name).read_text("utf-8")
        for name in ("swagger-ui-bundle.min.js", "swagger-ui.min.css")
    )
    scripts = " ".join(_hash(each) for each in (script, START))
    policy = (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    html = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n<link rel="icon" href="data:,">\n'
        "<title>Satchel API</title>\n"
        f"<style>{style}</style>\n</head>\n<body>\n"
        '<div id="docs"><p><a href="/openapi.json">The OpenAPI document</a></p></div>\n'
        f"<script>{script}</script>\n<script>{START}</script>\n</body>\n</html>\n"
    )
    return _document(html), policy


def document_answer(
    request: HttpRequest, media_type: str, document: Document, **headers: str | list[str]
) -> Response[Any]:
    """The answer with a document: compressed where the client accepts it, 304 where it has it."""
    headers = {
        "etag": f'W/"{document.tag}"',  # weak: it is the same for both encodings
        "cache-control": "public, no-cache",
        "vary": "accept-encoding",
        **headers,
    }
    if lists_tag(request.headers.get("if-none-match", ""), document.tag, weak=True):
        return Response(304, None, "", headers)
    if not _accepts_gzip(request):
        return Response(200, media_type, gzip.decompress(document.zipped).decode(), headers)
    body = base64.b64encode(document.zipped).decode()
    answer = Response(200, media_type, body, {**headers, "content-encoding": "gzip"})
    answer.base64_encoded = True
    return answer


def problem_page(kind: ProblemKind) -> Response[Any]:
    """The page that says what a problem means and what to do."""
    return page("problem_kind.html", kind=kind)


def _document(text: str) -> Document:
    data = text.encode()
    return Document(hashlib.sha256(data).hexdigest()[:32], gzip.compress(data, mtime=0))


def _accepts_gzip(request: HttpRequest) -> bool:
    """Whether `Accept-Encoding` has gzip, with a weight above 0 (RFC 9110, section 12.5.3)."""
    for each in request.headers.get("accept-encoding", "").lower().split(","):
        coding, _, weight = each.partition(";")
        if coding.strip() in {"gzip", "*"}:
            return not REFUSED.fullmatch(weight)
    return False


def _hash(script: str) -> str:
    """The source of a policy that allows one script (Content Security Policy, level 3)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
