"""What this is: health, limits, the OpenAPI document and its page."""

import json
from functools import cache
from importlib import resources
from typing import cast

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from function.base import current
from function.contract import VERSION, Settings
from function.core.fields import MOST_PARTS, NAME_BYTES, SEGMENT_BYTES, SIGNED_AT_ONCE
from function.core.limits import (
    LARGEST,
    SINGLE_PUT,
    SMALL,
    SMALLEST_PART,
    UPLOAD_SECONDS,
    URL_SECONDS,
)
from function.core.models import Registration
from function.meta.models import Health, Info, Limits
from function.meta.openapi import document

router = Router()
FEATURES = [
    "audit", "changes", "copies", "downloads", "folders", "groups", "keys", "links", "mfa",
    "quotas", "renames", "requests", "roles", "search", "shares", "trash", "uploads", "versions",
]  # fmt: skip
# On where the configuration says so: anybody may register, or somebody by an invitation; forgotten
# passwords are mailed.
REGISTRATION, INVITES, RESET = "registration", "invites", "password-reset"
UI = "aws_lambda_powertools.event_handler.openapi.swagger_ui"
# The page's script and style stand in it; it may talk to this API and to nobody else.
PAGE_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@router.get("/health")
def health() -> Health:
    """Whether this answers; it asks nothing of the tables or the bucket."""
    return Health(status="ok", version=VERSION)


@router.get("/info")
def info() -> Info:
    """Limits, version, who may register, and which features are on."""
    return Info(
        version=VERSION,
        registration=cast("Registration", current().settings.registration),
        features=sorted([*FEATURES, *_configured(current().settings)]),
        limits=Limits(
            small_file_bytes=SMALL,
            file_bytes=LARGEST,
            single_put_bytes=SINGLE_PUT,
            smallest_part_bytes=SMALLEST_PART,
            most_parts=MOST_PARTS,
            most_parts_signed_at_once=SIGNED_AT_ONCE,
            upload_seconds=UPLOAD_SECONDS,
            url_seconds=URL_SECONDS,
            name_bytes=NAME_BYTES,
            segment_bytes=SEGMENT_BYTES,
            password_min_length=current().settings.password_min_length,
            session_seconds=current().settings.session_seconds,
            keep_seconds=current().settings.keep_seconds,
        ),
    )


def _configured(settings: Settings) -> list[str]:
    """Features that are on by configuration."""
    on = {
        REGISTRATION: settings.registration == "open",
        INVITES: settings.registration != "closed",
        RESET: bool(settings.mail_from),
    }
    return [name for name, is_on in on.items() if is_on]


@router.get("/openapi.json", include_in_schema=False)
def openapi() -> Response[str]:
    """The API as an OpenAPI document; Postman and code generators read it."""
    return Response(200, "application/json", json.dumps(document()))


@router.get("/docs", include_in_schema=False)
def docs() -> Response[str]:
    """The API as a page to read and to try."""
    policy = {"content-security-policy": PAGE_POLICY}
    return Response(200, "text/html; charset=utf-8", _page(), policy)


@router.get("/", include_in_schema=False)
def root() -> Response[None]:
    """Whoever opens the address in a browser is shown what it is."""
    return Response(302, None, None, {"location": "/docs"})


@cache
def _page() -> str:
    """The page with all that it needs; it is large and never changes."""
    # A quarter of a cold start, which only who reads this page shall wait for.
    from aws_lambda_powertools.event_handler.openapi.swagger_ui import (  # noqa: PLC0415
        generate_swagger_html,
    )

    script, style = (
        resources.files(UI).joinpath(name).read_text("utf-8")
        for name in ("swagger-ui-bundle.min.js", "swagger-ui.min.css")
    )
    spec = json.dumps(document()).replace("</", "<\\/")
    return generate_swagger_html(spec, script, style, "", None, False)
