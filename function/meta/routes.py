"""The API about itself: health, version and limits, the OpenAPI document and its page."""

import json
from functools import cache
from importlib import resources
from typing import cast

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from function.base import current
from function.contract import VERSION, Settings
from function.core.limits import (
    MAX_FILE_BYTES,
    MAX_PARTS,
    MAX_SIGNED_PARTS,
    MAX_SINGLE_PUT_BYTES,
    MIN_PART_BYTES,
    SMALL_FILE_BYTES,
    UPLOAD_SECONDS,
    URL_SECONDS,
)
from function.core.media_types import JSON
from function.core.models import RegistrationPolicy
from function.core.names import NAME_BYTES, NAME_LEVELS, SEGMENT_BYTES
from function.http.dependencies import CurrentRequest
from function.meta.models import Health, Info, Limits
from function.meta.openapi import document_at

router = Router()
FEATURES = [
    "audit", "changes", "copies", "downloads", "folders", "groups", "keys", "links", "mfa",
    "quotas", "renames", "requests", "roles", "search", "shares", "trash", "uploads", "versions",
]  # fmt: skip
# These depend on the settings: registration by anybody, by invitation, and password resets by mail.
REGISTRATION, INVITES, RESET = "registration", "invites", "password-reset"
UI = "aws_lambda_powertools.event_handler.openapi.swagger_ui"
# The page contains its script and style, and may connect to this API alone.
PAGE_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@router.get("/health")
def get_health() -> Health:
    """Check that the API answers. No table and no bucket is read."""
    return Health(status="ok", version=VERSION)


@router.get("/info")
def get_info() -> Info:
    """Get the version, the limits, the features, and who may register."""
    settings = current().settings
    return Info(
        version=VERSION,
        registration=cast("RegistrationPolicy", settings.registration),
        administrator_setup=bool(settings.administrator and settings.administrator_token_hash),
        features=sorted([*FEATURES, *_configured_features(settings)]),
        limits=Limits(
            small_file_bytes=SMALL_FILE_BYTES,
            file_bytes=MAX_FILE_BYTES,
            single_put_bytes=MAX_SINGLE_PUT_BYTES,
            smallest_part_bytes=MIN_PART_BYTES,
            most_parts=MAX_PARTS,
            most_parts_signed_at_once=MAX_SIGNED_PARTS,
            upload_seconds=UPLOAD_SECONDS,
            url_seconds=URL_SECONDS,
            name_bytes=NAME_BYTES,
            name_levels=NAME_LEVELS,
            segment_bytes=SEGMENT_BYTES,
            password_min_length=settings.password_min_length,
            session_seconds=settings.session_seconds,
            keep_seconds=settings.keep_seconds,
        ),
    )


@router.get("/openapi.json", include_in_schema=False)
def get_openapi(request: CurrentRequest) -> Response[str]:
    """Get the OpenAPI document, which Postman and code generators read."""
    return Response(200, JSON, json.dumps(document_at(request.base)))


@router.get("/docs", include_in_schema=False)
def show_docs() -> Response[str]:
    """Show the API as a page on which you can try it."""
    policy = {"content-security-policy": PAGE_POLICY}
    return Response(200, "text/html; charset=utf-8", _page(), policy)


@router.get("/", include_in_schema=False)
def show_root() -> Response[None]:
    """Lead to the page of the API."""
    return Response(302, None, None, {"location": "/docs"})


def _configured_features(settings: Settings) -> list[str]:
    """The features that the settings turn on."""
    features = {
        REGISTRATION: settings.registration == "open",
        INVITES: settings.registration != "closed",
        RESET: bool(settings.mail_from),
    }
    return [name for name, is_on in features.items() if is_on]


@cache
def _page() -> str:
    """Swagger UI with the document, its script and its style; made once, as it is large."""
    # This import takes a quarter of a cold start, so only this page pays for it.
    from aws_lambda_powertools.event_handler.openapi.swagger_ui import (  # noqa: PLC0415
        generate_swagger_html,
    )

    script, style = (
        resources.files(UI).joinpath(name).read_text("utf-8")
        for name in ("swagger-ui-bundle.min.js", "swagger-ui.min.css")
    )
    # The page is served by the API that it describes.
    spec = json.dumps(document_at("/")).replace("</", "<\\/")
    return generate_swagger_html(spec, script, style, "", None, False)
