"""The API about itself: health, version and limits, the OpenAPI document and its page, problems."""

from typing import Annotated, cast

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Path

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
from function.http.pages import HTML, accepts_html
from function.http.responses import answers
from function.meta.errors import NoSuchProblem
from function.meta.models import Health, Info, Limits, ProblemKind
from function.meta.pages import docs_page, document_answer, openapi_document, problem_page
from function.meta.problems import advice, meaning, problems

router = Router()
FEATURES = [
    "audit", "changes", "copies", "downloads", "folders", "groups", "keys", "links", "mfa",
    "quotas", "renames", "requests", "roles", "search", "shares", "trash", "uploads", "versions",
]  # fmt: skip
# These depend on the settings: registration by anybody, by invitation, and password resets by mail.
REGISTRATION, INVITES, RESET = "registration", "invites", "password-reset"


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


@router.get("/problems/<slug>", responses=answers({200: ProblemKind}, NoSuchProblem))
def get_problem(
    slug: Annotated[str, Path(description="The last part of the `type` of a problem.")],
    request: CurrentRequest,
) -> Response[ProblemKind | str]:
    """Get what a problem means and what to do, as JSON or as a page for browsers."""
    kind = problems().get(slug)
    if kind is None:
        raise NoSuchProblem
    answer = ProblemKind(
        slug=slug,
        title=kind.title,
        status=kind.status,
        meaning=meaning(kind),
        advice=advice(kind),
    )
    if accepts_html(request):
        return problem_page(answer)
    return Response(200, JSON, answer)


@router.get("/openapi.json", include_in_schema=False)
def get_openapi(request: CurrentRequest) -> Response[str]:
    """Get the OpenAPI document, which Postman and code generators read."""
    return document_answer(request, JSON, openapi_document(request.base))


@router.get("/docs", include_in_schema=False)
def show_docs(request: CurrentRequest) -> Response[str]:
    """Show the API as a page on which you can try it."""
    document, policy = docs_page()
    return document_answer(request, HTML, document, **{"content-security-policy": policy})


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
