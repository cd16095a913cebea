"""The header fields of answers, and where each is sent. Every answer also has the common ones."""

from typing import Any

HEADERS = "#/components/headers/"
# What `app` adds to every answer, or HTTP itself; the document does not repeat it everywhere.
COMMON = {
    "cache-control", "content-length", "content-security-policy", "content-type",
    "referrer-policy", "strict-transport-security", "vary", "x-content-type-options",
    "x-robots-tag",
}  # fmt: skip
OF_EVERY_ANSWER = ("x-request-id",)
# Of the answers with these statuses.
OF_STATUS = {
    "201": ("Location",),
    "401": ("WWW-Authenticate",),
    "405": ("Allow",),
    "416": ("Content-Range",),
    "429": ("Retry-After",),
    "503": ("Retry-After",),
}
OF_PAGES = ("Link", "x-next-cursor")
TEXT, NUMBER = "string", "integer"
# The description, the type and an example of each.
FIELDS: dict[str, tuple[str, str, Any]] = {
    "Accept-Ranges": ("That ranges of bytes may be asked for.", TEXT, "bytes"),
    "Allow": ("The methods that the path has.", TEXT, "GET, HEAD, PUT"),
    "Content-Disposition": (
        "The name under which a browser stores the file.",
        TEXT,
        'attachment; filename="hello.txt"',
    ),
    "Content-Range": ("The range, and the size of the file.", TEXT, "bytes 0-499/1234"),
    "ETag": (
        "The entity tag, for `If-Match` and `If-None-Match`.",
        TEXT,
        '"9a0364b9e99bb480dd25e1f0284c8555"',
    ),
    "Link": (
        "The next page (RFC 8288); absent on the last one.",
        TEXT,
        '</files?limit=10&cursor=q7Vd>; rel="next"',
    ),
    "Location": ("The address to go to, or of what was created.", TEXT, "/file"),
    "Repr-Digest": (
        "The SHA-256 of the whole file (RFC 9530), where it is known and the answer has its bytes.",
        TEXT,
        "sha-256=:ibOLERc8GrpcEYoYBsDfhY4sKewxbzNtQwajpNjNJ38=:",
    ),
    "Retry-After": ("The seconds after which to try again.", NUMBER, 2),
    "Set-Cookie": (
        "The access token, for the page.",
        TEXT,
        "satchel=1790003600.p; Path=/; Secure; HttpOnly; SameSite=Lax",
    ),
    "WWW-Authenticate": ("How to authenticate (RFC 6750).", TEXT, 'Bearer realm="satchel"'),
    "x-file-size": ("The size of the whole file in bytes.", NUMBER, 15),
    "x-link-grant": (
        "The access token, to download the same again without counting.",
        TEXT,
        "1790003600.p",
    ),
    "x-next-cursor": ("The cursor of the next page.", TEXT, "q7Vd"),
    "x-request-id": ("Names the request in the log.", TEXT, "JKJaXmPLvHcESHA="),
}


def header_components() -> dict[str, Any]:
    """The header fields as components of the document."""
    return {
        name: {"description": text, "schema": {"type": kind}, "example": example}
        for name, (text, kind, example) in FIELDS.items()
    }


def add_headers(response: dict[str, Any], *names: str) -> None:
    """Documents header fields of a response, beside those that it has."""
    headers = response.setdefault("headers", {})
    headers.update({name: {"$ref": HEADERS + name} for name in names})
