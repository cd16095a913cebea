"""Writes the pages of this folder and the Postman collection from the code: `make reference`.

`tests/test_docs.py` fails when a page differs from the code, `tests/clients` when the collection
does.
"""

from pathlib import Path
from typing import get_args

from docs.postman import collection
from function import app
from function.access import lookups
from function.auth import keys, mfa, password_change, throttle
from function.core import limits
from function.core.fields import MAX_IDEMPOTENCY_KEY
from function.core.names import NAME_BYTES, NAME_LEVELS, SEGMENT_BYTES
from function.core.roles import ROLES, SCOPES, Power
from function.http.dependencies import needs_token, powers_of
from function.http.router import all_routes
from function.meta.openapi import document
from function.meta.problems import advice, meaning, problems
from function.sharing.shares import MAX_GRANTS
from function.tables.groups import MAX_GROUPS, MAX_INVITATIONS

FOLDER = Path(__file__).parent
assert app.lambda_handler, "registers the routes"
MADE = "<!-- Made by `make reference`; edit the code instead. -->"

POWERS: dict[str, str] = {
    "read": "List, read and download your own files and those shared with you.",
    "write": "Upload, change, move and delete files.",
    "share": "Share files; make groups, links and file requests.",
    "account": "Your own password, sessions, API keys, second factor and memberships of groups.",
    "admin": "All accounts, invitations, usage and the audit log.",
    "accounts": "Roles, invitations of administrators, password resets, lost second factors.",
}
LIMITS: dict[str, tuple[int | str, str]] = {
    "small_file_bytes": (limits.SMALL_FILE_BYTES, "A file through `PUT /file` and `GET /file`"),
    "file_bytes": (limits.MAX_FILE_BYTES, "Any file"),
    "single_put_bytes": (
        limits.MAX_SINGLE_PUT_BYTES,
        "A file in one PUT to S3; larger ones go in parts",
    ),
    "smallest_part_bytes": (limits.MIN_PART_BYTES, "A part of an upload, but the last"),
    "most_parts": (limits.MAX_PARTS, "Parts of one upload"),
    "most_parts_signed_at_once": (limits.MAX_SIGNED_PARTS, "Part numbers in one request"),
    "upload_seconds": (
        limits.UPLOAD_SECONDS,
        f"An unfinished upload expires; {limits.FILE_REQUEST_UPLOAD_SECONDS:,} by a file request",
    ),
    "url_seconds": (limits.URL_SECONDS, "Until a presigned URL expires"),
    "name_bytes": (NAME_BYTES, "A file's name in UTF-8, normalised to NFC"),
    "name_levels": (NAME_LEVELS, "Segments of a name between two `/`, the last one included"),
    "segment_bytes": (SEGMENT_BYTES, "Each part of a name between two `/`"),
    "password_min_length": ("`passwordMinLength`", "Characters; at most 1,024"),
    "session_seconds": ("`sessionHours`", "Until a session expires"),
    "keep_seconds": ("`keepDays`", "Until a replaced or deleted file is removed"),
}

MINUTES = throttle.WINDOW_SECONDS // 60
NAMED = throttle.FAILURES_OF_ADDRESS // throttle.ACCOUNT_WEIGHT
# Rows of the second table: a thing, and the most of it.
AT_MOST = [
    ("Shares and links of a file or folder", f"{MAX_GRANTS:,}"),
    ("Groups of an account", f"{MAX_GROUPS}"),
    ("Open invitations of an account to its groups", f"{MAX_INVITATIONS}"),
    ("API keys of an account", f"{keys.MAX_KEYS}"),
    (
        f"Failed logins for one name from one address, in {MINUTES} minutes",
        f"{throttle.FAILURES_OF_NAME}",
    ),
    (
        "The same, until its owner, who has logged in from there, is refused",
        f"{throttle.CHECKS_OF_NAME}",
    ),
    (f"Failed logins for names of accounts from one address, in {MINUTES} minutes", f"{NAMED}"),
    ("Failed logins for other names from one address", f"{throttle.FAILURES_OF_ADDRESS}"),
    (
        f"Wrong passwords from the sessions of an account, in {MINUTES} minutes",
        f"{throttle.FAILURES_OF_SESSIONS}",
    ),
    ("Wrong codes of a second factor, a day", f"{mfa.WRONG_CODES_OF_DAY}"),
    ("Names without an account that one account may try, an hour", f"{lookups.UNKNOWN_NAMES}"),
    (
        f"Password resets from one address, in {MINUTES} minutes",
        f"{password_change.REQUESTS_OF_ADDRESS}",
    ),
    ("Reset mails to one account, an hour", f"{password_change.MAILS_OF_NAME}"),
    (
        "An `Idempotency-Key`, in characters; hours until it is free again",
        f"{MAX_IDEMPOTENCY_KEY}; {limits.IDEMPOTENCY_SECONDS // 3600}",
    ),
    ("A request, header fields (API Gateway)", "10,240 bytes"),
    ("A request, body (API Gateway; Lambda)", "10 MB; 6 MB, as Base64 about 4.5 MB"),
    ("A request, body, on every route but the two below", f"{limits.MAX_BODY_BYTES:,} bytes"),
    ("A request, body, to complete an upload", f"{limits.MAX_COMPLETION_BYTES:,} bytes"),
    ("A request, body, `PUT /file`", f"{limits.MAX_REQUEST_BYTES:,} bytes"),
    ("A JSON body, characters `{`, `[`, `:` and `,` together", f"{limits.MAX_JSON_MARKS:,}"),
    ("A form (`multipart/form-data`), parts", f"{limits.MAX_FORM_PARTS}"),
]


def pages() -> dict[str, str]:
    """The text of each page by its file name."""
    return {
        "routes.md": _routes(),
        "roles.md": _roles(),
        "problems.md": _problems(),
        "limits.md": _limits(),
    }


def _table(head: str, *rows: tuple[str, ...]) -> str:
    titles = head.split(" | ")
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _routes() -> str:
    described = document()["paths"]
    rows = [
        (
            f"`{route.method} {route.openapi_path}`",
            described[route.openapi_path][route.method.lower()]["summary"],
            " ".join(f"`{power}`" for power in powers_of(route))
            or ("any" if needs_token(route) else "none"),
        )
        for route in all_routes()
        if route.method.lower() in described.get(route.openapi_path, {})
    ]
    table = _table("Route | What it does | Power", *rows)
    return f"""# Routes

{MADE}

Send the session token or an API key in `x-session-token`, or as `Authorization: Bearer`; a user
name and an API key also as Basic credentials.
*Power* is what the route requires of the caller's [role](roles.md): `any` needs a session and no
power, `none` needs no session. Where a route takes `file_name`, `username` names the owner; the
default is the caller. Lists take `limit` and `cursor`; `Link` and `x-next-cursor` give the next
page. `HEAD` works wherever `GET` does.

{table}

Also `GET /openapi.json` (the OpenAPI document), `GET /docs` (the same as a page), and `GET /`,
which redirects there.
"""


def _roles() -> str:
    rows = [
        (
            f"`{power}`",
            ", ".join(f"`{role}`" for role, powers in ROLES.items() if power in powers),
            ", ".join(f"`{scope}`" for scope, powers in SCOPES.items() if power in powers),
            POWERS[power],
        )
        for power in get_args(Power)
    ]
    table = _table("Power | Roles | Scopes of an API key | What it allows", *rows)
    return f"""# Roles

{MADE}

An account has a role; an API key has scopes. A request with an API key needs both. Each route
requires one power; a caller without it gets 403 `not-allowed`. To share takes the scope `read` too,
because a link shows what it shares. A key never allows more than the role that its account had
when the key was created: a higher role later takes a new key.

{table}

Every request compares the role anew: an account that is demoted loses the power with its next
request, whether it comes by a session, a key, a link or a file request. The account that the
setting `administrator` names is always `admin`.
"""


def _problems() -> str:
    rows = [
        (f"`{slug}`", str(kind.status), kind.title, meaning(kind), advice(kind))
        for slug, kind in problems().items()
    ]
    table = _table("Slug | Status | Title | When | What to do", *rows)
    return f"""# Problems

{MADE}

Every error is `application/problem+json` ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)):
`type` is `/problems/<slug>`, `status` the HTTP status, `detail` one sentence that says what to do,
`request_id` finds the request in the log, and `errors` names the wrong fields. A file that does not
exist and a file without access to it get the same answer.

{table}

API Gateway and Lambda answer some requests themselves, in their own form: those above the
throttle, raw bodies above about 4.5 MB, any body above 10 MB, and headers above 10,240 bytes.
"""


def _limits() -> str:
    rows = [
        (f"`{name}`", value if isinstance(value, str) else f"{value:,}", meaning)
        for name, (value, meaning) in LIMITS.items()
    ]
    return f"""# Limits

{MADE}

`GET /info` returns these. Sizes are bytes, times are seconds.

{_table("Limit | Value | Meaning", *rows)}

{_table("Thing | At most", *AT_MOST)}

After too many attempts the answer is 429 `slow-down` with `Retry-After`.
"""


if __name__ == "__main__":
    for name, text in pages().items():
        (FOLDER / name).write_text(text)
    collection.FILE.write_text(collection.text())
